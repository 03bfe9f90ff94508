"""Tally's state of one county: its open windows, remembered ids, tickets; and the closing of windows.

Everything here is a function of the county's own events and of ticks, so it does not matter which other
counties share a partition with it.
"""

from array import array
from collections import defaultdict
from typing import Any

import msgspec
import numpy as np

from streams.core.cells import CellCounts, CellRegistry, Counts
from streams.core.city import City, Measure, Size
from streams.core.county_metrics import county_metrics
from streams.core.event import INTAKE_KINDS, Event
from streams.core.instant import Instant
from streams.core.outputs import ClosedWindow, Correction, CountyMetrics
from streams.core.people import Call, people_by_signal
from streams.core.span import Span, SpanState, span_of, span_state
from streams.core.tickets import Backlog, Repeats, Ticket, Tickets
from streams.core.window import QUARTER, Window, WindowGrid

Step = tuple[Instant, str, Event, Instant | None, int]
"""(at, id, event, due, cell code): sorts by (at, id), which is unique within a county."""


class OpenHour:
    """An hour that still counts."""

    __slots__ = ("codes", "day", "ids", "steps", "window")

    def __init__(self, window: Window, day: Instant, ids: list[str]) -> None:
        self.window = window
        self.day = day
        """Start of its reporting day: ids are remembered and forgotten by day."""
        self.ids = ids
        """The ids of its reporting day, in order of arrival; shared by the day's hours."""
        self.codes = array("q")
        """Cell code of each event: an array that numpy reads in place."""
        self.steps: list[Step] = []


class CountyState(msgspec.Struct, array_like=True):
    """A County without its remembered ids, serialisable."""

    max_at: Instant
    closed_until: Instant
    forget_before: Instant
    hours: list[tuple[Instant, list[int], list[tuple[Instant, bytes, Instant | None, int]]]]
    day: SpanState
    week: SpanState
    day_codes: list[int]
    open_tickets: dict[str, Ticket]
    done_tickets: dict[str, Ticket]
    repeats: list[tuple[str, str, Instant]]
    day_calls: list[tuple[int, list[Call]]]


class County:
    """One county's tally."""

    def __init__(self, code: str, city: City, grid: WindowGrid, registry: CellRegistry, start: Instant) -> None:
        self.code = code
        self.city = city
        self.grid = grid
        self.registry = registry
        first = grid.hour(start)
        self.first_start = first.start
        self.max_at: Instant = first.start
        """Largest event time heard of, its own events' or a tick's; the watermark is this - allowed lateness."""
        self.closed_until: Instant = first.start
        self.close_at: Instant = first.end + city.allowed_lateness
        self.forget_before: Instant = grid.day(first.start - city.dedup_horizon).start
        self.open: dict[int, OpenHour] = {}
        """Quarter of an hour of UTC -> the open hour that it lies in."""
        self.seen: dict[str, Instant] = {}
        """Id -> start of the reporting day it is remembered by."""
        self.ids: dict[Instant, list[str]] = {}
        self.changed_days: set[Instant] = set()
        """Days whose ids changed since the last snapshot, dropped days among them."""
        self.tickets = Tickets()
        self.repeats = Repeats(city.repeat_span)
        signals = len(city.signals)
        self.day = Span(grid.day(first.start).start, signals)
        self._day_end = grid.day(first.start).end
        self.week = Span(grid.week(first.start).start, signals)
        self._day_codes: list[Counts] = []
        self._day_calls: defaultdict[int, list[Call]] = defaultdict(list)
        """Who called about what, by cell code: of the reporting day so far."""
        self._distinct_by_hour = [
            i
            for i, signal in enumerate(city.signals)
            if Size.HOUR in signal.sizes and signal.measure in (Measure.DISTINCT_CALLERS, Measure.DISTINCT_MATTERS)
        ]
        self._not_of_size = {
            size: np.array([size not in signal.sizes for signal in city.signals], dtype=np.bool_) for size in Size
        }

    def hour_at(self, at: Instant) -> OpenHour | None:
        """The open hour that an instant lies in, opened if need be; None if it is closed already."""
        if at < self.closed_until:
            return None
        window = self.grid.hour(at)
        day = self.grid.day(at).start
        hour = OpenHour(window, day, self.ids.setdefault(day, []))
        self.changed_days.add(day)
        for quarter in range(window.start // QUARTER, window.end // QUARTER):
            self.open[quarter] = hour
        return hour

    def remembers(self, event: str) -> bool:
        """Whether an id came before, within the horizon."""
        first = self.seen.get(event)
        return first is not None and first >= self.forget_before

    def take_late(self, event: Event, at: Instant, due: Instant | None, code: int) -> Correction:
        """Take an event whose hour is closed: its ticket is corrected, the window stands, a correction is appended.

        Its id is remembered, so that a resend is a duplicate, unless it is past the horizon already.
        """
        day = self.grid.day(at).start
        if day >= self.forget_before:
            self.seen[event.id] = day
            self.ids.setdefault(day, []).append(event.id)
            self.changed_days.add(day)
        self.day.late += 1
        self.tickets.take(at, event, due)
        window = self.grid.hour(at)
        return Correction(event.id, self.code, at, window.start, window.end, self.registry.signals_of(code))

    def close_due_hours(self) -> list[ClosedWindow]:
        """Close every hour that the watermark has passed, and the days and weeks that end with one."""
        closed: list[ClosedWindow] = []
        while self.max_at >= self.close_at:
            window = self.grid.hour(self.closed_until)
            closed.append(self._close_hour(window))
            self.closed_until = window.end
            self.close_at = self.grid.hour(window.end).end + self.city.allowed_lateness
            if window.end >= self._day_end:
                closed.extend(self._close_day(window.end))
                self._day_end = self.grid.day(window.end).end
        return closed

    def _close_hour(self, window: Window) -> ClosedWindow:
        hour = self.open.get(window.start // QUARTER)
        registry, signals = self.registry, self.city.signals
        if hour is None:
            zeros = np.zeros(len(signals), dtype=np.int64)
            return self._closed(Size.HOUR, window, zeros, CellCounts(registry.cells, zeros[:0]))
        for quarter in range(window.start // QUARTER, window.end // QUARTER):
            self.open.pop(quarter, None)
        self.changed_days.add(hour.day)
        codes: Counts = np.frombuffer(hour.codes, dtype=np.int64)
        counts = registry.event_counts(codes)
        self._day_codes.append(codes)
        hourly = self._take_steps(hour, counts)
        self.day.counts += counts
        for i, names in hourly.items():
            counts[i] = len(names)
        return self._closed(Size.HOUR, window, counts, CellCounts.of_events(registry.cells, codes))

    def _take_steps(self, hour: OpenHour, counts: Counts) -> dict[int, set[str]]:
        """Tickets, repeats and distinct sets of an hour: all go to its day at once. Returns the hour's own sets of
        the signals that are counted by the hour as well."""
        day, take = self.day, self.tickets.take
        hourly: dict[int, set[str]] = {i: set() for i in self._distinct_by_hour}
        hour.steps.sort()
        for at, _, event, due, code in hour.steps:
            on_time = take(at, event, due)
            if event.kind in INTAKE_KINDS:
                self._take_intake(at, event, code, hourly, counts)
            elif on_time is not None:
                day.with_due += 1
                day.on_time += on_time
                for i in self.registry.due[code]:
                    counts[i] += 1
                for i in self.registry.on_time[code] if on_time else ():
                    counts[i] += 1
        return hourly

    def _take_intake(self, at: Instant, event: Event, code: int, hourly: dict[int, set[str]], counts: Counts) -> None:
        """Who came, with what matter, and whether both came before."""
        registry, day, caller, matter = self.registry, self.day, event.caller, event.matter
        self._day_calls[code].append((caller, matter))
        if caller is not None:
            day.callers[-1].add(caller)
            for i in registry.distinct_callers[code]:
                day.callers[i].add(caller)
                if i in hourly:
                    hourly[i].add(caller)
        if matter is None:
            return
        day.matters[-1].add(matter)
        for i in registry.distinct_matters[code]:
            day.matters[i].add(matter)
            if i in hourly:
                hourly[i].add(matter)
        if caller is not None and self.repeats.take(at, caller, matter):
            day.repeats += 1
            for i in registry.repeats[code]:
                counts[i] += 1

    def _close_day(self, end: Instant) -> list[ClosedWindow]:
        closed: list[ClosedWindow] = []
        backlog = self.tickets.backlog(end)
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
        for day in sorted(day for day in self.ids if day < self.forget_before):
            for event in self.ids.pop(day):
                remembered = self.seen.pop(event, None)
                if remembered is not None and remembered != day:  # past the horizon it came again
                    self.seen[event] = remembered
            self.changed_days.add(day)
        self.tickets.forget(end - self.city.dedup_horizon, end - self.city.ticket_retention)
        self.repeats.forget(end - self.city.repeat_span)

    # -- snapshot ---------------------------------------------------------------------------------------

    def state(self) -> CountyState:
        """Everything but the remembered ids."""
        hours = {id(hour): hour for hour in self.open.values()}
        return CountyState(
            self.max_at,
            self.closed_until,
            self.forget_before,
            [
                (
                    hour.window.start,
                    hour.codes.tolist(),
                    [(at, msgspec.msgpack.encode(event), due, code) for at, _, event, due, code in sorted(hour.steps)],
                )
                for hour in sorted(hours.values(), key=lambda hour: hour.window.start)
            ],
            span_state(self.day),
            span_state(self.week),
            [code for codes in self._day_codes for code in codes.tolist()],
            self.tickets.open,
            self.tickets.done,
            [(matter, caller, at) for (matter, caller), at in self.repeats.last.items()],
            sorted((code, calls) for code, calls in self._day_calls.items() if calls),
        )

    def restore(self, state: CountyState, ids: dict[Instant, list[str]], events: msgspec.msgpack.Decoder[Any]) -> None:
        """Go on from a snapshot."""
        self.max_at, self.closed_until, self.forget_before = state.max_at, state.closed_until, state.forget_before
        self.close_at = self.grid.hour(self.closed_until).end + self.city.allowed_lateness
        self.ids = ids
        self.seen = {event: day for day, names in sorted(ids.items()) for event in names}
        for start, codes, steps in state.hours:
            hour = self.hour_at(start)
            assert hour is not None, "a snapshot holds open hours only"
            hour.codes = array("q", codes)
            for at, packed, due, code in steps:
                event: Event = events.decode(packed)
                hour.steps.append((at, event.id, event, due, code))
        # An open hour goes on remembering ids of its day: the next snapshot holds them too.
        self.changed_days = {hour.day for hour in self.open.values()}
        self._day_end = self.grid.day(self.closed_until).end
        self.day, self.week = span_of(state.day), span_of(state.week)
        self._day_codes = [np.array(state.day_codes, dtype=np.int64)] if state.day_codes else []
        self.tickets.open, self.tickets.done = state.open_tickets, state.done_tickets
        self.repeats.last = {(matter, caller): at for matter, caller, at in state.repeats}
        self._day_calls.clear()
        self._day_calls.update(state.day_calls)
