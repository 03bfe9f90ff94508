"""Tally's state of one county: its open windows, remembered ids, tickets; and the closing of windows.

Everything here is a function of the county's own events and of ticks, so it does not matter which other
counties share a partition with it.
"""

from collections import defaultdict

import numpy as np
from msgspec import Struct

from streams.core.cells import CellCounts, CellRegistry, Counts
from streams.core.city import STANDING, City, Measure, Size
from streams.core.counting import CLOSE_AT, CLOSED_UNTIL, MAX_AT, OpenHours
from streams.core.county_metrics import county_metrics, standing
from streams.core.event import Event
from streams.core.instant import Instant
from streams.core.outputs import ClosedWindow, Correction, CountyMetrics
from streams.core.people import Call, people_by_signal
from streams.core.remembered import Remembered
from streams.core.span import Span, SpanState, span_of, span_state
from streams.core.tickets import Backlog, Repeats, Ticket, Tickets
from streams.core.window import Window, WindowGrid

Step = tuple[Instant, str, str | None, str | None, str | None, Instant | None, int]
"""(at, id, ticket, caller, matter, due, cell code): sorts by (at, id), which is unique within a county."""


class CountyState(Struct, array_like=True):
    """A County without its remembered ids, serialisable."""

    max_at: Instant
    closed_until: Instant
    forget_before: Instant
    hours: list[tuple[Instant, list[int], list[Step]]]
    """Start of each open hour, cell codes of its events in order of arrival, its steps sorted."""
    day: SpanState
    week: SpanState
    day_codes: list[int]
    open_tickets: dict[str, Ticket]
    done_tickets: dict[str, Ticket]
    repeats: list[tuple[str, str, Instant]]
    day_calls: list[tuple[int, list[Call]]]
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
        start: Instant,
    ) -> None:
        self.code = code
        self.city = city
        self.grid = grid
        self.registry = registry
        self.row = [county.code for county in city.counties].index(code)
        self._hours = hours
        self._remembered = remembered
        self._marks = hours.board.marks[self.row]
        first = grid.hour(start)
        self.first_start = first.start
        self.max_at = first.start
        self.closed_until = first.start
        self._close_at(first)
        self.forget_before: Instant = grid.day(first.start - city.dedup_horizon).start
        remembered.forget(self.row, self.forget_before)
        self.steps: dict[Instant, list[Step]] = {}
        """Start of an open hour -> the steps of its events, in order of arrival."""
        self.tickets = Tickets()
        self.repeats = Repeats(city.repeat_span)
        signals = len(city.signals)
        self.day = Span(grid.day(first.start).start, signals)
        self._day_end = grid.day(first.start).end
        self.week = Span(grid.week(first.start).start, signals)
        self._day_codes: list[Counts] = []
        self._day_calls: defaultdict[int, list[Call]] = defaultdict(list)
        """Who called about what, by cell code: of the reporting day so far."""
        self._closes = False
        """Whether a ticket was ever closed here: of a source that tells of no closings, nothing stands."""
        self._distinct_by_hour = [
            i
            for i, signal in enumerate(city.signals)
            if Size.HOUR in signal.sizes and signal.measure in (Measure.DISTINCT_CALLERS, Measure.DISTINCT_MATTERS)
        ]
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
            step = (at, event.id, event.ticket, event.caller, event.matter, due, code)
            self.steps.setdefault(hour, []).append(step)
        self.max_at = max(self.max_at, at)

    def take_late(self, event: Event, at: Instant, due: Instant | None, code: int) -> Correction:
        """Take an event whose hour is closed: its ticket is corrected, the window stands, a correction is appended.

        Its id is remembered, so that a resend is a duplicate, unless it is past the horizon already.
        """
        day = self.grid.day(at).start
        if day >= self.forget_before:
            self._remembered.remember(self.row, event.id, day)
        self.day.late += 1
        self.tickets.take(at, self.registry.roles[code], event.ticket, event.id, due)
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
        hourly = self._take_steps(self.steps.pop(window.start, []), counts)
        self.day.counts += counts
        for i, names in hourly.items():
            counts[i] = len(names)
        return self._closed(Size.HOUR, window, counts, CellCounts.of_events(registry.cells, codes))

    def _take_steps(self, steps: list[Step], counts: Counts) -> dict[int, set[str]]:
        """Tickets, repeats and distinct sets of an hour: all go to its day at once. Returns the hour's own sets of
        the signals that are counted by the hour as well."""
        registry, day, take = self.registry, self.day, self.tickets.take
        roles, intake = registry.roles, registry.intake
        hourly: dict[int, set[str]] = {i: set() for i in self._distinct_by_hour}
        steps.sort()
        for at, step, ticket, caller, matter, due, code in steps:
            on_time = take(at, roles[code], ticket, step, due)
            if intake[code]:
                self._take_intake(at, caller, matter, code, counts)
                if hourly:
                    self._take_hourly(caller, matter, code, hourly)
            elif on_time is not None:
                day.with_due += 1
                day.on_time += on_time
                for i in registry.due[code]:
                    counts[i] += 1
                for i in registry.on_time[code] if on_time else ():
                    counts[i] += 1
        return hourly

    def _take_intake(self, at: Instant, caller: str | None, matter: str | None, code: int, counts: Counts) -> None:
        """Who came, with what matter, and whether both came before."""
        registry, day = self.registry, self.day
        self._day_calls[code].append((caller, matter))
        if caller is not None:
            callers = day.callers
            callers[-1].add(caller)
            for i in registry.distinct_callers[code]:
                callers[i].add(caller)
        if matter is None:
            return
        matters = day.matters
        matters[-1].add(matter)
        for i in registry.distinct_matters[code]:
            matters[i].add(matter)
        if caller is not None and self.repeats.take(at, caller, matter):
            day.repeats += 1
            for i in registry.repeats[code]:
                counts[i] += 1

    def _take_hourly(self, caller: str | None, matter: str | None, code: int, hourly: dict[int, set[str]]) -> None:
        for name, signals in ((caller, self.registry.distinct_callers), (matter, self.registry.distinct_matters)):
            if name is not None:
                for i in signals[code]:
                    if i in hourly:
                        hourly[i].add(name)

    def _close_day(self, end: Instant) -> list[ClosedWindow]:
        closed: list[ClosedWindow] = []
        backlog = self.tickets.backlog(end)
        self._closes = self._closes or bool(self.tickets.done)
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
                people = people_by_signal(self._day_calls, self.registry.counted_by) if size is Size.DAY else None
                closed.append(self._close_span(size, span, end, backlog, people))
            fresh = Span(end, len(self.city.signals))
            if size is Size.DAY:
                self.day = fresh
            else:
                self.week = fresh
        self._day_calls.clear()
        self._forget(end)
        return closed

    def _close_span(
        self, size: Size, span: Span, end: Instant, backlog: Backlog, people: Counts | None
    ) -> ClosedWindow:
        counts = span.counts
        for i, signal in enumerate(self.city.signals):
            if signal.measure is Measure.DISTINCT_CALLERS:
                counts[i] = len(span.callers.get(i, ()))
            elif signal.measure is Measure.DISTINCT_MATTERS:
                counts[i] = len(span.matters.get(i, ()))
            elif signal.measure in STANDING:
                counts[i] = standing(signal.measure, backlog) if self._closes else 0
        metrics = county_metrics(self.registry, span, backlog)
        cells = CellCounts(self.registry.cells, span.cells)
        return self._closed(size, Window(span.start, end), counts, cells, metrics, people)

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
        self.tickets.forget(end - self.city.dedup_horizon, end - self.city.ticket_retention)
        self.repeats.forget(end - self.city.repeat_span)

    # -- snapshot ---------------------------------------------------------------------------------------

    def state(self) -> CountyState:
        """Everything but the remembered ids."""
        return CountyState(
            self.max_at,
            self.closed_until,
            self.forget_before,
            [(hour, codes, sorted(self.steps.get(hour, []))) for hour, codes in self._hours.codes(self.row).items()],
            span_state(self.day),
            span_state(self.week),
            [code for codes in self._day_codes for code in codes.tolist()],
            self.tickets.open,
            self.tickets.done,
            [(matter, caller, at) for (matter, caller), at in self.repeats.last.items()],
            sorted((code, calls) for code, calls in self._day_calls.items() if calls),
            self._closes,
        )

    def restore(self, state: CountyState) -> None:
        """Go on from a snapshot."""
        self.max_at, self.closed_until, self.forget_before = state.max_at, state.closed_until, state.forget_before
        self._close_at(self.grid.hour(self.closed_until))
        self._remembered.forget(self.row, self.forget_before)
        for hour, codes, steps in state.hours:
            for code in codes:
                self._hours.add(self.row, hour, code)
            if steps:
                self.steps[hour] = steps
        self._day_end = self.grid.day(self.closed_until).end
        self.day, self.week = span_of(state.day), span_of(state.week)
        self._day_codes = [np.array(state.day_codes, dtype=np.int64)] if state.day_codes else []
        self.tickets.open, self.tickets.done = state.open_tickets, state.done_tickets
        self.repeats.last = {(matter, caller): at for matter, caller, at in state.repeats}
        self._day_calls.clear()
        self._day_calls.update(state.day_calls)
        self._closes = state.closes
