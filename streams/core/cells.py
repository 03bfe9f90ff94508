"""Cells: the finest things counted. Signals are sums of cells, taken when an hour closes.

So the work per event does not grow with the number of signals: an event is one code in its hour's list.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.core.cell_words import CellsByWords, CellWords
from streams.core.city import FILTER_FIELDS, STANDING, Measure, Signal
from streams.core.event import INTAKE_KINDS
from streams.core.tickets import role_of

Counts = NDArray[np.int64]

ROLE, INTAKE = range(2)
"""Columns of a cell's rules: what its events do to their tickets; 1 where they are a matter's first."""
MEASURES = {measure: number for number, measure in enumerate(Measure, 1)}
"""Measures as `CellRegistry.counted_as` has them."""
_OF_ALL = (Measure.EVENTS, Measure.DUE, Measure.ON_TIME)
"""Measures not of intake alone; of those of closings, tickets know which."""


class Cell(NamedTuple):
    """What the events of one cell agree in: city.FILTER_FIELDS, in that order."""

    point: str
    category: str
    kind: str
    channel: str | None
    sector: str | None
    outcome: str | None


def matches(signal: Signal, cell: Cell) -> bool:
    """Whether a signal's filter takes the events of a cell."""
    for field, values in signal.where.items():  # noqa: SIM110 - a generator costs twice as much, and evidence asks often
        if getattr(cell, field) not in values:
            return False
    return True


class NumberedCells(list[Cell]):
    """Cells by number, only ever appended to, and what is known of their words."""

    def __init__(self) -> None:
        super().__init__()
        self.words = CellWords()


class CellRegistry:
    """Numbers cells in the order of their first event, and knows which signals count which cell."""

    def __init__(self, signals: Sequence[Signal], cells: Iterable[Cell] = ()) -> None:
        self.signals = signals
        self.cells = NumberedCells()
        self.codes: dict[Cell, int] = {}
        self._additive = np.zeros((256, len(signals)), dtype=np.int64)
        self.counted_as: NDArray[np.uint8] = np.zeros(self._additive.shape, dtype=np.uint8)
        """Shape (codes or more, signals): MEASURES of a signal that counts a cell, 0 of one that does not."""
        self.rules: Counts = np.zeros((len(self._additive), 2), dtype=np.int64)
        """Shape (codes or more, 2)."""
        self._values: dict[str, dict[str, int]] = {field: {} for field in FILTER_FIELDS}
        """Field -> its values so far, numbered; "" where a cell has none."""
        self._of_cell: dict[str, array[int]] = {field: array("q") for field in FILTER_FIELDS}
        """Field -> number of the value of each cell."""
        self._by_kind: dict[str, list[int]] = {}
        for cell in cells:
            self.code(cell)

    def code(self, cell: Cell) -> int:
        """The cell's number; a new cell gets the next one."""
        known = self.codes.get(cell)
        if known is not None:
            return known
        number = self.codes[cell] = len(self.cells)
        self.cells.append(cell)
        for field in FILTER_FIELDS:
            numbers = self._values[field]
            self._of_cell[field].append(numbers.setdefault(getattr(cell, field) or "", len(numbers)))
        if number == len(self._additive):
            self._additive, self.counted_as, self.rules = (
                np.concatenate([held, np.zeros_like(held)]) for held in (self._additive, self.counted_as, self.rules)
            )
        is_intake = cell.kind in INTAKE_KINDS
        self.rules[number] = role_of(cell.kind), is_intake
        for i in self._of_kind(cell.kind):
            measure = self.signals[i].measure
            if (is_intake or measure in _OF_ALL) and matches(self.signals[i], cell):
                self.counted_as[number, i] = MEASURES[measure]
                self._additive[number, i] = measure is Measure.EVENTS
        return number

    def _of_kind(self, kind: str) -> list[int]:
        """The signals that may count events of a kind: most name theirs, and there are thousands of cells."""
        found = self._by_kind.get(kind)
        if found is None:
            found = self._by_kind[kind] = [
                i for i, signal in enumerate(self.signals) if kind in signal.where.get("kind", (kind,))
            ]
        return found

    @property
    def counted_by(self) -> Counts:
        """Shape (codes or more, signals): 1 where a signal counts a cell's events."""
        return self._additive

    def signals_of(self, code: int) -> tuple[str, ...]:
        """Names of the signals that count a cell's events, whatever their measure."""
        cell = self.cells[code]
        return tuple(s.name for s in self.signals if s.measure not in STANDING and matches(s, cell))

    def margin(self, counts: Counts, field: str, kinds: frozenset[str] | None = None) -> dict[str, int]:
        """Events by one field of their cells, sorted by value; of some kinds only, or of all."""
        values = self._values[field]
        which = np.flatnonzero(counts)  # of thousands of cells a county's day has hundreds
        if kinds is not None:
            taken = np.array([kind in kinds for kind in self._values["kind"]], dtype=np.bool_)
            which = which[taken[self._numbers("kind")[which]]]
        total = np.bincount(self._numbers(field)[which], weights=counts[which], minlength=len(values))
        found = {value: int(events) for value, events in zip(values, total.tolist(), strict=True) if value and events}
        return dict(sorted(found.items()))

    def _numbers(self, field: str) -> Counts:
        """Number of the field's value of each cell: read in place, so to be let go before the next new cell."""
        return np.frombuffer(self._of_cell[field], dtype=np.int64)

    def event_counts(self, codes: Counts) -> Counts:
        """Events per signal, shape (signals,), of an hour's event codes, shape (events,)."""
        total: Counts = np.add.reduce(self._additive.take(codes, axis=0), axis=0)
        return total


class CellCounts:
    """How many events of each cell a closed window holds."""

    __slots__ = ("_by_kind", "_by_point", "_cells", "_codes", "_counts", "_items")

    def __init__(self, cells: Sequence[Cell], counts: Counts) -> None:
        """`counts[i]` events of `cells[i]`; cells past the end of counts have none."""
        self._cells = cells
        self._counts = counts
        self._codes: Counts | None = None
        self._items: list[tuple[Cell, int]] | None = None
        self._by_kind: dict[str, list[tuple[Cell, int]]] | None = None
        self._by_point: dict[str, int] | None = None

    @classmethod
    def of_events(cls, cells: Sequence[Cell], codes: Counts) -> "CellCounts":
        """Of the events' codes; they are counted when somebody asks: of most hours nobody does."""
        made = cls(cells, codes)
        made._codes = codes
        return made

    def items(self) -> list[tuple[Cell, int]]:
        """(cell, events) of the cells that have any, in the order of their numbers."""
        if self._items is None:  # who asks once asks for several signals
            counts = self._counted()
            which = np.flatnonzero(counts)
            events = counts[which].tolist()
            self._items = [(self._cells[code], n) for code, n in zip(which.tolist(), events, strict=True)]
        return self._items

    def by_words(self) -> CellsByWords:
        """The cells that have any as they are sent."""
        words = self._cells.words if isinstance(self._cells, NumberedCells) else CellWords()
        words.learn(self._cells)
        return words.by_words(self._counted())

    def _counted(self) -> Counts:
        if self._codes is not None:
            self._counts, self._codes = np.bincount(self._codes), None
        return self._counts

    def by_point(self) -> Mapping[str, int]:
        """Events of every kind, of the points that sent any."""
        if self._by_point is None:
            self._by_point = {}
            for cell, events in self.items():
                self._by_point[cell.point] = self._by_point.get(cell.point, 0) + events
        return self._by_point

    def heartbeat(self, signal: Signal) -> int:
        """Events of every kind from the points whose feed a signal counts."""
        points = signal.where.get("point")
        return sum(events for point, events in self.by_point().items() if points is None or point in points)

    def top(self, signal: Signal, fields: Sequence[str], most: int) -> tuple[tuple[tuple[str, int], ...], ...]:
        """The largest contributions to a signal by each of some fields: (value, events), largest first."""
        if self._by_kind is None:
            self._by_kind = {}
            for cell, events in self.items():
                self._by_kind.setdefault(cell.kind, []).append((cell, events))
        # Most cells differ from a signal in their kind; what is left to look at are the other fields.
        kinds = signal.where.get("kind", self._by_kind)
        others = [(FILTER_FIELDS.index(field), values) for field, values in signal.where.items() if field != "kind"]
        totals: list[dict[str, int]] = [{} for _ in fields]
        places = list(zip(totals, map(FILTER_FIELDS.index, fields), strict=True))
        for kind, cells in self._by_kind.items():
            if kind not in kinds:
                continue
            for cell, events in cells:
                for place, values in others:
                    if cell[place] not in values:
                        break
                else:
                    for total, place in places:
                        if (value := cell[place]) is not None:
                            total[value] = total.get(value, 0) + events
        return tuple(largest(total, most) for total in totals)


def largest(total: Mapping[str, int], most: int) -> tuple[tuple[str, int], ...]:
    """The `most` largest of some totals, largest first, then by name."""
    return tuple(sorted(total.items(), key=lambda item: (-item[1], item[0]))[:most])
