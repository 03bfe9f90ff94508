"""What a day or a week sums up as its hours close, and how that is stored."""

import msgspec
import numpy as np

from streams.core.cells import Counts
from streams.core.instant import Instant


class Span:
    """What a day or a week sums up from the hours closed so far."""

    __slots__ = (
        "cells",
        "counts",
        "distinct_callers",
        "distinct_matters",
        "late",
        "on_time",
        "repeats",
        "start",
        "with_due",
    )

    def __init__(self, start: Instant, signals: int) -> None:
        self.start = start
        self.counts = np.zeros(signals, dtype=np.int64)
        self.cells: Counts = np.zeros(0, dtype=np.int64)
        self.distinct_callers = self.distinct_matters = 0
        """Of all intake; known when it ends."""
        self.repeats = self.on_time = self.with_due = self.late = 0

    def add(self, part: "Span") -> None:
        """Add a part's totals; its counts and cells are added by themselves."""
        self.repeats += part.repeats
        self.on_time += part.on_time
        self.with_due += part.with_due
        self.late += part.late

    def add_cells(self, counts: Counts) -> None:
        """Add cell counts; the registry may have grown since."""
        if len(counts) > len(self.cells):
            counts = counts.copy()
            counts[: len(self.cells)] += self.cells
            self.cells = counts
        else:
            self.cells[: len(counts)] += counts


class SpanState(msgspec.Struct, array_like=True):
    """A Span, serialisable."""

    start: Instant
    counts: list[int]
    cells: list[tuple[int, int]]
    totals: tuple[int, int, int, int]


def span_state(span: Span) -> SpanState:
    return SpanState(
        span.start,
        span.counts.tolist(),
        [(int(code), int(span.cells[code])) for code in np.flatnonzero(span.cells)],
        (span.repeats, span.on_time, span.with_due, span.late),
    )


def span_of(state: SpanState) -> Span:
    span = Span(state.start, len(state.counts))
    span.counts = np.array(state.counts, dtype=np.int64)
    span.cells = np.zeros(max((code for code, _ in state.cells), default=-1) + 1, dtype=np.int64)
    for code, events in state.cells:
        span.cells[code] = events
    span.repeats, span.on_time, span.with_due, span.late = state.totals
    return span
