"""Alerts as metrics: open until somebody takes them up, whatever becomes of the process that raised them (law 7).

Compartmented alerts are counted for the city and appear nowhere else; the signal and the size of an alert whose count
is below k are not said, nor whether it was one event that paged, nor its very time (law 6).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from streams.core.alert import Evidence, Severity, Shape
from streams.core.city import City
from streams.core.incident import Layout
from streams.core.instant import DAY, HOUR, SECOND, WEEK, Duration, Instant
from streams.ledger.audit import StepTaken
from streams.ledger.glance import AlertRow, Look
from streams.ledger.lifecycle import LEADS_TO, AlertState, DiscardReason

RECENT: Duration = 14 * DAY
"""Alerts raised so long before the watermark are shown though people are done with them: boards mark them."""
MONTH: Duration = 28 * DAY
BUCKETS = (60, 300, 900, 3600, 4 * 3600, 86400, 3 * 86400, 7 * 86400, 30 * 86400)
"""Upper bounds, seconds: from a minute to a month."""
K = TypeVar("K", str, tuple[str, str])

_DECIDED = frozenset({AlertState.DISPOSED, AlertState.DISCARDED, AlertState.RESOLVED})


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """One alert with the words that may be said of it."""

    id: str
    county: str
    category: str
    signal: str
    size: str
    severity: str
    raised_at: Instant
    taken_up: bool
    decided: bool


@dataclass(frozen=True, slots=True)
class AlertSpan:
    """An alert's life with people; None: not yet."""

    alert: ShownAlert
    taken_up_at: Instant | None
    decided_at: Instant | None


@dataclass(slots=True)
class Histogram:
    """Durations in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def take(self, seconds: float) -> None:
        """Count one."""
        self.counts[next((i for i, most in enumerate(BUCKETS) if seconds <= most), len(BUCKETS))] += 1
        self.total += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound, how many at most so long), as Prometheus has them."""
        so_far, made = 0, []
        for most, count in zip([*map(str, BUCKETS), "+Inf"], self.counts, strict=True):
            so_far += count
            made.append((most, float(so_far)))
        return made


@dataclass(frozen=True, slots=True)
class AlertFigures:
    """What is told of all alerts."""

    shown: tuple[ShownAlert, ...]
    """Those that nobody has decided on, and recent ones; in the order in which they were raised."""
    unacknowledged: dict[tuple[str, str], int]
    """(county, severity) -> alerts."""
    undisposed: dict[tuple[str, str], int]
    compartmented: int
    """Nobody has taken them up, in the whole city."""
    raised: dict[str, int]
    """Severity -> alerts, since the beginning."""
    steps: dict[tuple[str, str], int]
    """(step, choice) -> how often."""
    pages: dict[str, int]
    """right, false, other, open -> alerts under the budget."""
    last_week: int | None
    """Pages of the 7 days up to the watermark; None: there is none."""
    false_per_week: float | None
    """Of the pages of the last `MONTH`, those that people discarded as false; None: there is no watermark."""
    acknowledge: dict[str, Histogram]
    """Severity -> from raised to first taken up."""
    dispose: dict[str, Histogram]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What never changes of an alert, as far as it matters here."""

    hidden: bool
    small: bool
    paged: bool


class AlertLedger:
    """The alerts of one ledger; remembers what never changes: `forget` where the ledger is another one."""

    def __init__(self, city: City) -> None:
        self._k = city.privacy_k
        self._counties = (*(county.code for county in city.counties), city.code)
        hidden = [signal.name for signal, is_so in zip(city.signals, Layout(city).compartmented, strict=True) if is_so]
        self._hidden = frozenset(hidden) | {category.code for category in city.categories if category.compartmented}
        self._families = {signal.family for signal in city.signals}
        self._known = {signal.name for signal in city.signals} | {category.code for category in city.categories}
        self._facts: dict[str, _Facts] = {}
        self._steps: list[StepTaken] = []

    def forget(self) -> None:
        """Remember nothing."""
        self._facts.clear()
        self._steps.clear()

    def read(self, look: Look, watermark: Instant | None, *, replayed: bool) -> AlertFigures:
        """What a ledger says of its alerts now."""
        rows = look.alerts()
        self._facts |= {name: self._facts_of(one) for name, one in look.evidence(self._unknown(rows))}
        self._steps += look.steps(self._steps[-1].number if self._steps else 0)
        open_rows = [row for row in rows if not self._facts[row.id].hidden]
        since = None if watermark is None else watermark - RECENT
        shown = tuple(
            self._shown(row)
            for row in open_rows
            if row.step not in _DECIDED or (since is not None and row.raised_at >= since)
        )
        acknowledge, dispose = self._durations(open_rows) if not replayed else ({}, {})
        names = {row.id for row in open_rows}
        return AlertFigures(
            shown=shown,
            unacknowledged=self.by_county(one for one in shown if not one.taken_up),
            undisposed=self.by_county(one for one in shown if not one.decided),
            compartmented=sum(self._facts[row.id].hidden and row.step is None for row in rows),
            raised=by_severity(row.severity for row in open_rows),
            steps=_counted((one.step.kind.value, _choice(one)) for one in self._steps if one.alert in names),
            pages=self._pages(open_rows),
            last_week=None
            if watermark is None
            else sum(self._facts[row.id].paged and row.raised_at > watermark - WEEK for row in open_rows),
            false_per_week=None
            if watermark is None
            else self._pages([row for row in open_rows if row.raised_at > watermark - MONTH])["false"] * WEEK / MONTH,
            acknowledge=acknowledge,
            dispose=dispose,
        )

    def lives(self, look: Look) -> tuple[list[AlertSpan], list[tuple[Instant, Instant | None]]]:
        """The life of every alert, in the order in which they were raised; and of compartmented ones only when they
        were raised and taken up."""
        rows = look.alerts()
        self._facts |= {name: self._facts_of(one) for name, one in look.evidence(self._unknown(rows))}
        self._steps += look.steps(self._steps[-1].number if self._steps else 0)
        taken_up, decided = dict[str, Instant](), dict[str, Instant]()
        for one in self._steps:
            taken_up.setdefault(one.alert, one.at)
            if LEADS_TO[one.step.kind] in _DECIDED:
                decided.setdefault(one.alert, one.at)
        shown = [row for row in rows if not self._facts[row.id].hidden]
        hidden = [(row.raised_at, taken_up.get(row.id)) for row in rows if self._facts[row.id].hidden]
        return [AlertSpan(self._shown(row), taken_up.get(row.id), decided.get(row.id)) for row in shown], hidden

    def pages_raised(self, look: Look) -> list[Instant]:
        """When every page under the budget was raised, compartmented ones aside; in order."""
        rows = look.alerts()
        self._facts |= {name: self._facts_of(one) for name, one in look.evidence(self._unknown(rows))}
        return [row.raised_at for row in rows if self._facts[row.id].paged and not self._facts[row.id].hidden]

    def _unknown(self, rows: Iterable[AlertRow]) -> list[str]:
        return [row.id for row in rows if row.id not in self._facts]

    def _facts_of(self, evidence: Evidence) -> _Facts:
        return _Facts(
            hidden=evidence.signal in self._hidden or evidence.signal not in self._known,
            small=evidence.count < self._k or evidence.shape == Shape.ALWAYS_PAGE,
            paged=evidence.shape not in (Shape.ALWAYS_PAGE, Shape.RULE),
        )

    def _shown(self, row: AlertRow) -> ShownAlert:
        small = self._facts[row.id].small
        return ShownAlert(
            row.id,
            row.county,
            row.family if not small or row.family in self._families else "",
            "" if small else row.signal,
            "" if small else row.size,
            row.severity,
            row.raised_at // HOUR * HOUR if small else row.raised_at,  # one event's own time is its own
            row.step is not None,
            row.step in _DECIDED,
        )

    def by_county(self, alerts: Iterable[ShownAlert]) -> dict[tuple[str, str], int]:
        """Of every county and severity: a panel that has nothing to show shows 0."""
        made = dict.fromkeys(((county, one.value) for county in self._counties for one in Severity), 0)
        return made | _counted((one.county, one.severity) for one in alerts)

    def _pages(self, rows: Sequence[AlertRow]) -> dict[str, int]:
        false = {one.alert for one in self._steps if one.step.reason == DiscardReason.FALSE_PAGE}
        made = dict.fromkeys(("right", "false", "other", "open"), 0)
        for row in rows:
            if not self._facts[row.id].paged:
                continue
            if row.step in (AlertState.DISPOSED, AlertState.RESOLVED):
                made["right"] += 1
            elif row.step is AlertState.DISCARDED:
                made["false" if row.id in false else "other"] += 1
            else:
                made["open"] += 1
        return made

    def _durations(self, rows: Sequence[AlertRow]) -> tuple[dict[str, Histogram], dict[str, Histogram]]:
        known = {row.id: row for row in rows}
        acknowledge, dispose = dict[str, Histogram](), dict[str, Histogram]()
        for into, states in ((acknowledge, None), (dispose, _DECIDED)):
            seen: set[str] = set()
            for one in self._steps:
                row = known.get(one.alert)
                if row is None or one.alert in seen or (states and LEADS_TO[one.step.kind] not in states):
                    continue
                seen.add(one.alert)
                into.setdefault(row.severity, Histogram()).take(max(0, one.at - row.raised_at) / SECOND)
        return acknowledge, dispose


def by_severity(severities: Iterable[str]) -> dict[str, int]:
    """Of every severity, how many."""
    return dict.fromkeys((one.value for one in Severity), 0) | _counted(severities)


def _choice(taken: StepTaken) -> str:
    """What was chosen with a step: a measure, or the reason why an alert was put aside."""
    chosen = taken.step.measure or taken.step.reason
    return "" if chosen is None else str(chosen.value)


def _counted(keys: Iterable[K]) -> dict[K, int]:
    made: dict[K, int] = {}
    for key in keys:
        made[key] = made.get(key, 0) + 1
    return {key: made[key] for key in sorted(made)}
