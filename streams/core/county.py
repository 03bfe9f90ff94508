"""Tally's state of one county: its open windows, remembered ids, books; and the closing of windows.

Everything here is a function of the county's own events and of ticks, so it does not matter which other
counties share a partition with it.
"""

import numpy as np
from msgspec import Struct

from streams.core.books import Books
from streams.core.cells import CellCounts, CellRegistry, Counts
from streams.core.city import STANDING, City, Measure, Size
from streams.core.counting import CLOSE_AT, CLOSED_UNTIL, MAX_AT, OpenHours
from streams.core.county_metrics import county_metrics, standing
from streams.core.event import Event
from streams.core.instant import Instant
from streams.core.outputs import ClosedWindow, Correction, CountyMetrics
from streams.core.people import people_by_signal
from streams.core.remembered import Remembered
from streams.core.span import Span, SpanState, span_of, span_state
from streams.core.tickets import Backlog, role_of
from streams.core.window import Window, WindowGrid


class CountyState(Struct, array_like=True):
    """A County without its remembered ids and its books, serialisable."""

    max_at: Instant
    closed_until: Instant
    forget_before: Instant
    hours: list[tuple[Instant, list[int]]]
    """Start of each open hour, cell codes of its events in order of arrival."""
    day: SpanState
    week: SpanState
    day_codes: list[int]
    closes: bool


class County:
    """One county's tally."""

    def __init__(
        self,
        code: str,
        city: City,
        grid: WindowGrid,
        registry: CellRegistry,
        hours: OpenHours,
        remembered: Remembered,
        books: Books,
        start: Instant,
    ) -> None:
        self.code = code
        self.city = city
        self.grid = grid
        self.registry = registry
        self.row = [county.code for county in city.counties].index(code)
        self._hours = hours
        self._remembered = remembered
        self._books = books
        self._marks = hours.board.marks[self.row]
        first = grid.hour(start)
        self.first_start = first.start
        self.max_at = first.start
        self.closed_until = first.start
        self._close_at(first)
        self.forget_before: Instant = grid.day(first.start - city.dedup_horizon).start
        remembered.forget(self.row, self.forget_before)
        signals = len(city.signals)
        self.day = Span(grid.day(first.start).start, signals)
        self._day_end = grid.day(first.start).end
        self.week = Span(grid.week(first.start).start, signals)
        self._day_codes: list[Counts] = []
        self._closes = False
        """Whether a ticket was ever closed here: of a source that tells of no closings, nothing stands."""
        by_people = {Measure.DISTINCT_CALLERS: 1, Measure.DISTINCT_MATTERS: 3}
        self._distinct = [(i, by_people[one.measure]) for i, one in enumerate(city.signals) if one.measure in by_people]
        """(signal, row of its count among People) of the signals that count callers or matters."""
        self._distinct_by_hour = [(i, row) for i, row in self._distinct if Size.HOUR in city.signals[i].sizes]
        self._no_sum = np.array([signal.measure is not Measure.EVENTS for signal in city.signals], dtype=np.bool_)
        self._not_of_size = {
            size: np.array([size not in signal.sizes for signal in city.signals], dtype=np.bool_) for size in Size
        }

    @property
    def max_at(self) -> Instant:
        """Largest event time heard of, its own events' or a tick's; the watermark is this - allowed lateness."""
        return int(self._marks[MAX_AT])

    @max_at.setter
    def max_at(self, at: Instant) -> None:
        self._marks[MAX_AT] = at

    @property
    def closed_until(self) -> Instant:
        """Up to where its hours are closed."""
        return int(self._marks[CLOSED_UNTIL])

    @closed_until.setter
    def closed_until(self, at: Instant) -> None:
        self._marks[CLOSED_UNTIL] = at

    def _close_at(self, following: Window) -> None:
        """Note when the hour that is to close next is due."""
        self._marks[CLOSE_AT] = following.end + self.city.allowed_lateness

    def take(self, event: Event, at: Instant, due: Instant | None, code: int, *, is_step: bool) -> None:
        """Count an event of an open hour, whose id is remembered already."""
        hour = self.grid.hour(at).start
        self._hours.add(self.row, hour, code)
        if is_step:
            texts = event.id, event.ticket, event.caller, event.matter
            self._books.add_step(self.row, hour, at, due, code, texts)
        self.max_at = max(self.max_at, at)

    def take_late(self, event: Event, at: Instant, due: Instant | None, code: int) -> Correction:
        """Take an event whose hour is closed: its ticket is corrected, the window stands, a correction is appended.

        Its id is remembered, so that a resend is a duplicate, unless it is past the horizon already.
        """
        day = self.grid.day(at).start
        if day >= self.forget_before:
            self._remembered.remember(self.row, event.id, day)
        self.day.late += 1
        self._books.take_late(self.row, at, role_of(event.kind), event.ticket, event.id, due)
        window = self.grid.hour(at)
        return Correction(event.id, self.code, at, window.start, window.end, self.registry.signals_of(code))

    @property
    def is_due(self) -> bool:
        """Whether the watermark has passed the end of the hour that closes next."""
        return bool(self._marks[MAX_AT] >= self._marks[CLOSE_AT])

    def close_due_hours(self) -> list[ClosedWindow]:
        """Close every hour that the watermark has passed, and the days and weeks that end with one."""
        closed: list[ClosedWindow] = []
        while self.is_due:
            window = self.grid.hour(self.closed_until)
            closed.append(self._close_hour(window))
            self.closed_until = window.end
            self._close_at(self.grid.hour(window.end))
            if window.end >= self._day_end:
                closed.extend(self._close_day(window.end))
                self._day_end = self.grid.day(window.end).end
        return closed

    def _close_hour(self, window: Window) -> ClosedWindow:
        registry = self.registry
        codes = self._hours.take(self.row, window.start)
        if not len(codes):
            zeros = np.zeros(len(self.city.signals), dtype=np.int64)
            return self._closed(Size.HOUR, window, zeros, CellCounts(registry.cells, codes))
        counts = registry.event_counts(codes)
        self._day_codes.append(codes)
        first = self._books.called(self.row)
        with_due, on_time, repeats = self._books.take_hour(self.row, window.start, registry, counts)
        self.day.with_due += with_due
        self.day.on_time += on_time
        self.day.repeats += repeats
        self.day.counts += counts
        if self._distinct_by_hour:
            people, _, _ = people_by_signal(self._books.calls_since(self.row, first), registry.counted_as)
            for i, row in self._distinct_by_hour:
                counts[i] = people[row, i]
        return self._closed(Size.HOUR, window, counts, CellCounts.of_events(registry.cells, codes))

    def _close_day(self, end: Instant) -> list[ClosedWindow]:
        closed: list[ClosedWindow] = []
        backlog = self._books.backlog(self.row, end)
        self._closes = self._closes or self._books.has_closed(self.row)
        codes = np.concatenate(self._day_codes) if self._day_codes else np.zeros(0, dtype=np.int64)
        self._day_codes = []
        cells: Counts = np.bincount(codes)
        self.day.add_cells(cells)
        self.week.add_cells(cells)
        self.week.counts += self.day.counts
        self.week.add(self.day)
        for size, span in ((Size.DAY, self.day), (Size.WEEK, self.week)):
            if self.grid.window(size, end - 1).end != end:
                continue
            if span.start >= self.first_start:
                closed.append(self._close_span(size, span, end, backlog))
            fresh = Span(end, len(self.city.signals))
            if size is Size.DAY:
                self.day = fresh
            else:
                self.week = fresh
        self._books.end_day(self.row, ends_week=self.week.start == end)
        self._forget(end)
        return closed

    def _close_span(self, size: Size, span: Span, end: Instant, backlog: Backlog) -> ClosedWindow:
        counts, books = span.counts, self._books
        calls = books.calls_of_day(self.row) if size is Size.DAY else books.calls_since(self.row, 0)
        people, span.distinct_callers, span.distinct_matters = people_by_signal(calls, self.registry.counted_as)
        for i, row in self._distinct:
            counts[i] = people[row, i]
        for i, signal in enumerate(self.city.signals):
            if signal.measure in STANDING:
                counts[i] = standing(signal.measure, backlog) if self._closes else 0
        people[:, self._no_sum] = 0
        metrics = county_metrics(self.registry, span, backlog)
        cells, window = CellCounts(self.registry.cells, span.cells), Window(span.start, end)
        return self._closed(size, window, counts, cells, metrics, people if size is Size.DAY else None)

    def _closed(
        self,
        size: Size,
        window: Window,
        counts: Counts,
        cells: CellCounts,
        metrics: CountyMetrics | None = None,
        people: Counts | None = None,
    ) -> ClosedWindow:
        counts[self._not_of_size[size]] = -1
        return ClosedWindow(self.code, size, window.start, window.end, counts, cells, metrics, people)

    def _forget(self, end: Instant) -> None:
        """Drop ids past the horizon and tickets past theirs: once a day, as the day closes."""
        self.forget_before = self.grid.day(end - self.city.dedup_horizon).start
        self._remembered.forget(self.row, self.forget_before)
        horizon, retention, span = self.city.dedup_horizon, self.city.ticket_retention, self.city.repeat_span
        self._books.forget(self.row, end - horizon, end - retention, end - span)

    # -- snapshot ---------------------------------------------------------------------------------------

    def state(self) -> CountyState:
        """Everything but the remembered ids and the books."""
        return CountyState(
            self.max_at,
            self.closed_until,
            self.forget_before,
            list(self._hours.codes(self.row).items()),
            span_state(self.day),
            span_state(self.week),
            [code for codes in self._day_codes for code in codes.tolist()],
            self._closes,
        )

    def restore(self, state: CountyState) -> None:
        """Go on from a snapshot."""
        self.max_at, self.closed_until, self.forget_before = state.max_at, state.closed_until, state.forget_before
        self._close_at(self.grid.hour(self.closed_until))
        self._remembered.forget(self.row, self.forget_before)
        for hour, codes in state.hours:
            for code in codes:
                self._hours.add(self.row, hour, code)
        self._day_end = self.grid.day(self.closed_until).end
        self.day, self.week = span_of(state.day), span_of(state.week)
        self._day_codes = [np.array(state.day_codes, dtype=np.int64)] if state.day_codes else []
        self._closes = state.closes
