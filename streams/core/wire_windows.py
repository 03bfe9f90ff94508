"""Closed and scored windows in the shape in which they are sent: arrays by type and shape, words once.

Floats are little-endian doubles without their NaNs: most series have no score, so a bit a value says which has
one. So every NaN is the same, whatever processor made it.
"""

from math import prod

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.observation import Floats, Scores
from streams.core.cell_words import CellsByWords, Head, Tail
from streams.core.cells import Cell, CellCounts
from streams.core.city import Size
from streams.core.instant import Instant
from streams.core.outputs import AlwaysPage, ClosedWindow, CountyMetrics, ScoredWindow, SeriesDetail

_FLOATS = ("expected", "low", "high", "p_high", "p_above", "p_low", "p_below", "size")
"""Of Scores: all that are floats."""


class WiredCells(Struct, frozen=True, array_like=True):
    """Cells and their events, in the order of the cells' words; words that cells share are said once, and numbered."""

    heads: tuple[Head, ...]
    """Point, category and kind, in the order in which the cells below first have them."""
    tails: tuple[Tail, ...]
    """Channel, sector and outcome, likewise."""
    head_of: tuple[int, ...]
    """Of every cell a number into `heads`."""
    tail_of: tuple[int, ...]
    """And one into `tails`."""
    events: tuple[int, ...]


class WiredWindow(Struct, frozen=True, array_like=True, tag="window"):
    """A ClosedWindow."""

    county: str
    size: Size
    start: Instant
    end: Instant
    counts: tuple[int, ...]
    cells: WiredCells
    metrics: CountyMetrics | None
    people: tuple[tuple[int, ...], ...] | None = None


class WiredFloats(Struct, frozen=True, array_like=True):
    """An array of doubles: which are numbers, a bit each, first bit first; then those."""

    known: bytes
    values: bytes


class WiredDetector(Struct, frozen=True, array_like=True):
    """The Scores of one detector: arrays in the order of _FLOATS, then a byte a series."""

    name: str
    floats: tuple[WiredFloats, ...]
    reason: bytes


class WiredScores(Struct, frozen=True, array_like=True, tag="scores"):
    """A ScoredWindow."""

    size: Size
    start: Instant
    end: Instant
    shape: tuple[int, int]
    counts: tuple[int, ...]
    detectors: tuple[WiredDetector, ...]
    """By name."""
    details: tuple[tuple[int, int, SeriesDetail], ...]
    """By (signal, series)."""


class WiredPage(Struct, frozen=True, array_like=True, tag="page"):
    """An AlwaysPage."""

    event: str
    ticket: str | None
    at: Instant
    county: str
    category: str
    point: str


# ---- to the wire ---------------------------------------------------------------------------------------------


def packed_window(window: ClosedWindow) -> WiredWindow:
    """A closed window, ready to be encoded."""
    cells = WiredCells(*window.cells.by_words())
    counts = tuple(window.counts.tolist())
    people = None if window.people is None else tuple(map(tuple, window.people.tolist()))
    return WiredWindow(window.county, window.size, window.start, window.end, counts, cells, window.metrics, people)


def packed_scores(scored: ScoredWindow) -> WiredScores:
    """A scored window, ready to be encoded."""
    rows, columns = scored.counts.shape
    return WiredScores(
        size=scored.size,
        start=scored.start,
        end=scored.end,
        shape=(rows, columns),
        counts=tuple(scored.counts.ravel().tolist()),
        detectors=tuple(_packed_detector(name, scored.scores[name]) for name in sorted(scored.scores)),
        details=tuple((i, j, scored.details[i, j]) for i, j in sorted(scored.details)),
    )


def _packed_detector(name: str, scores: Scores) -> WiredDetector:
    floats = tuple(_packed_floats(getattr(scores, field)) for field in _FLOATS)
    return WiredDetector(name, floats, scores.reason.astype("u1").tobytes())


def _packed_floats(values: Floats) -> WiredFloats:
    known = ~np.isnan(values)
    return WiredFloats(np.packbits(known).tobytes(), values[known].astype("<f8").tobytes())


def packed_page(page: AlwaysPage) -> WiredPage:
    """An always-page event, ready to be encoded."""
    return WiredPage(page.event, page.ticket, page.at, page.county, page.category, page.point)


# ---- from the wire; what cannot be is a ValueError -----------------------------------------------------------


def window_of(packed: WiredWindow) -> ClosedWindow:
    """The closed window that was packed."""
    counts = np.array(packed.counts, dtype=np.int64)
    cells = _cells_of(packed.cells)
    people = None if packed.people is None else np.array(packed.people, dtype=np.int64)
    if people is not None and people.shape != (4, counts.size):
        raise ValueError("people of another number of signals")
    return ClosedWindow(packed.county, packed.size, packed.start, packed.end, counts, cells, packed.metrics, people)


class _SentCells(CellCounts):
    """Cells as they were sent: looked at when somebody asks for them, and of most hours nobody does."""

    __slots__ = ("_sent",)

    def __init__(self, sent: WiredCells, events: NDArray[np.int64]) -> None:
        super().__init__((), events)
        self._sent: WiredCells | None = sent

    def items(self) -> list[tuple[Cell, int]]:
        """(cell, events) of the cells that have any."""
        self._look()
        return super().items()

    def by_words(self) -> CellsByWords:
        """As they were sent."""
        self._look()
        return super().by_words()

    def _look(self) -> None:
        if self._sent is not None:
            heads, tails = self._sent.heads, self._sent.tails
            pairs = zip(self._sent.head_of, self._sent.tail_of, strict=True)
            self._cells = [Cell(*heads[head], *tails[tail]) for head, tail in pairs]
            self._sent = None


def _cells_of(packed: WiredCells) -> CellCounts:
    if not len(packed.head_of) == len(packed.tail_of) == len(packed.events):
        raise ValueError("cells of another number of events")
    for numbers, words in ((packed.head_of, packed.heads), (packed.tail_of, packed.tails)):
        if numbers and (min(numbers) < 0 or max(numbers) >= len(words)):
            raise ValueError("a cell without words")
    return _SentCells(packed, np.array(packed.events, dtype=np.int64))


def scores_of(packed: WiredScores) -> ScoredWindow:
    """The scored window that was packed."""
    shape = packed.shape
    if min(shape) < 0 or len(packed.counts) != prod(shape):
        raise ValueError("counts of another shape")
    return ScoredWindow(
        size=packed.size,
        start=packed.start,
        end=packed.end,
        counts=np.array(packed.counts, dtype=np.int64).reshape(shape),
        scores={one.name: _scores_of(one, shape) for one in packed.detectors},
        details={(i, j): detail for i, j, detail in packed.details},
    )


def _scores_of(packed: WiredDetector, shape: tuple[int, int]) -> Scores:
    floats = [_floats_of(one, shape) for one in packed.floats]
    reason = np.frombuffer(packed.reason, "u1").astype(np.uint8).reshape(shape)
    return Scores(**dict(zip(_FLOATS, floats, strict=True)), reason=reason)


def _floats_of(packed: WiredFloats, shape: tuple[int, int]) -> Floats:
    bits: NDArray[np.uint8] = np.frombuffer(packed.known, "u1")
    if len(bits) != (prod(shape) + 7) // 8:
        raise ValueError("bits of another shape")
    known = np.unpackbits(bits, count=prod(shape)).astype(np.bool_)
    values = np.full(prod(shape), np.nan)
    values[known] = np.frombuffer(packed.values, "<f8")
    return values.reshape(shape)


def page_of(packed: WiredPage) -> AlwaysPage:
    """The always-page event that was packed."""
    return AlwaysPage(*msgspec.structs.astuple(packed))
