"""Which signals count parts of what others count: the tables in which a number that is not shown could be found.

A table is one signal (the whole), what it is made of (its parts, which have no event in common), and all counties.
Every event of a window lies in one cell of it: county by part. What is shown of it are cells and sums of cells, so
all that can be worked out of what is shown can be worked out table by table: signals of different tables have no
event in common. A signal for which that cannot be arranged is not shown in numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streams.core.city import STANDING, City, Measure, Signal
from streams.core.event import KINDS, OUTCOMES
from streams.core.incident import Layout
from streams.core.tickets import CLOSING_KINDS

_ALWAYS_THERE = frozenset({"point", "category", "kind"})
"""Fields that every event has: a signal that names none of their values counts all of them."""
_ADDITIVE = frozenset({Measure.EVENTS, Measure.DUE, Measure.ON_TIME, Measure.REPEATS})
_OF_CLOSINGS = frozenset({Measure.DUE, Measure.ON_TIME})


@dataclass(frozen=True, slots=True)
class Table:
    """A whole and its parts, by their places among the city's signals."""

    whole: int
    parts: tuple[int, ...]
    exhaustive: bool
    """Whether everybody knows that the parts make up all of the whole."""
    hangs_on: int | None = None
    """The place, among all tables, of the one that decides whether the whole is shown; None: this one does."""


@dataclass(frozen=True, slots=True)
class Relations:
    """What of a city may be shown in numbers, and together with what it is decided."""

    tables: tuple[Table, ...]
    """A table comes behind the one that it hangs on."""
    standing: tuple[int, ...]
    """Signals of what is open as a window closes: in no table, rounded instead."""
    additive: frozenset[int]
    """Signals whose week is the sum of its days."""
    hidden: frozenset[int]
    """Compartmented signals: for `/metrics` there are none."""


def relations(city: City) -> Relations:
    """The tables of a city's signals. In case of doubt the signal that comes first in the profile is shown."""
    signals = city.signals
    hidden = frozenset(i for i, is_hidden in enumerate(Layout(city).compartmented) if is_hidden)
    standing = tuple(i for i, s in enumerate(signals) if s.measure in STANDING and i not in hidden)
    by_filter = frozenset({Measure.EVENTS}) | _OF_CLOSINGS
    filtered = [i for i, s in enumerate(signals) if i not in hidden and s.measure in by_filter]
    shown: list[int] = []
    for i in filtered:
        if all(_settled(signals[i], signals[j]) for j in shown):
            shown.append(i)
    parents = {i: _smallest_holder(signals, i, shown) for i in shown}
    # A part of a part is left out: a table has two levels.
    kept = [i for i in shown if (above := parents[i]) is None or parents[above] is None]
    tables: list[Table] = []
    place: dict[int, int] = {}
    for whole in (i for i in kept if parents[i] is None):
        parts = tuple(i for i in kept if parents[i] == whole)
        place[whole] = len(tables)
        tables.append(Table(whole, parts, _exhaustive(city, signals[whole], [signals[i] for i in parts])))
    measured: list[int] = []
    for i, signal in enumerate(signals):
        if i in hidden or i in standing or signal.measure in by_filter:
            continue
        if any(signals[j].measure is signal.measure and not _apart(signal, signals[j]) for j in measured):
            continue
        measured.append(i)
        holder = _smallest_holder(signals, i, kept)
        if holder is None:
            tables.append(Table(i, (), exhaustive=False))
        else:
            above = parents[holder]
            tables.append(Table(holder, (i,), exhaustive=False, hangs_on=place[holder if above is None else above]))
    additive = frozenset(i for i, s in enumerate(signals) if s.measure in _ADDITIVE)
    return Relations(tuple(tables), standing, additive, hidden)


def _where(signal: Signal) -> dict[str, frozenset[str]]:
    where = dict(signal.where)
    if signal.measure in _OF_CLOSINGS:
        where["kind"] = where.get("kind", CLOSING_KINDS) & CLOSING_KINDS
    return where


def _apart(one: Signal, other: Signal) -> bool:
    """Whether no event counts in both."""
    mine, theirs = _where(one), _where(other)
    return any(not mine[field] & theirs[field] for field in mine.keys() & theirs.keys())


def _holds(whole: Signal, part: Signal) -> bool:
    """Whether everything that the part counts, the whole counts too."""
    narrower = whole.measure is Measure.EVENTS or whole.measure is part.measure
    if not narrower and (whole.measure, part.measure) != (Measure.DUE, Measure.ON_TIME):
        return False
    mine, theirs = _where(whole), _where(part)
    return all(field in theirs and theirs[field] <= values for field, values in mine.items())


def _settled(one: Signal, other: Signal) -> bool:
    """Whether two signals are apart, or one holds the other: else they cross, and their difference is anybody's."""
    return _apart(one, other) or (_holds(one, other) != _holds(other, one))


def _smallest_holder(signals: Sequence[Signal], of: int, among: Iterable[int]) -> int | None:
    holders = [i for i in among if i != of and _holds(signals[i], signals[of])]
    return next((i for i in holders if all(_holds(signals[j], signals[i]) for j in holders if j != i)), None)


def _exhaustive(city: City, whole: Signal, parts: Sequence[Signal]) -> bool:
    """Whether parts that differ from the whole in one field name all of its values there."""
    words = {
        "point": frozenset(city.points),
        "category": frozenset(category.code for category in city.categories),
        "kind": frozenset(KINDS),
        "outcome": frozenset(OUTCOMES),
        "sector": frozenset(city.sectors),
        "channel": frozenset(city.channels),
    }
    own = _where(whole)
    for field, all_values in words.items():
        if field not in own and field not in _ALWAYS_THERE:
            continue
        rest = {name: values for name, values in own.items() if name != field}
        alike = [_where(part) for part in parts if part.measure is whole.measure]
        named = [
            part[field] for part in alike if field in part and {n: v for n, v in part.items() if n != field} == rest
        ]
        if named and frozenset().union(*named) >= own.get(field, all_values):
            return True
    return False
