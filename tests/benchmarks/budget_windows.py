"""The closed windows of a simulated city, without lines, decoder and de-duplication: what the tally makes of the
same events, window for window (`test_budget.py` holds the two beside each other)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from streams.core.cells import INTAKE, MEASURES, ROLE, Cell, CellCounts, CellRegistry
from streams.core.city import STANDING, City, Measure, Size
from streams.core.county_metrics import standing
from streams.core.event import KINDS, OUTCOMES
from streams.core.instant import DAY, HOUR, SECOND, Instant
from streams.core.outputs import ClosedWindow
from streams.core.span import Span
from streams.core.tickets import STEP_KINDS, Backlog, Role
from streams.core.window import Window, WindowGrid
from streams.profile.model import Profile
from streams.replay.draws import Flags, Whole
from streams.replay.intensity import Stream, streams_of
from streams.replay.lifecycle import MOST_STEPS, ROW, Rows, joined
from streams.replay.simulate import Simulation
from tests.core.plain_tickets import Repeats, Tickets

Counts = NDArray[np.int64]

_RESENT_DAYS = 4
"""An event may be sent again for so long."""
_STEPS = np.array([kind in STEP_KINDS for kind in KINDS])
_STEP_FIELDS = ("at", "ticket", "step", "caller", "matter", "due")


_Step = tuple[int, int, int, int, int, int, int, bool]
"""A step of a ticket: at, ticket, step, caller, matter, due, as rows have them; cell; whether it is of the hour that it
is taken with (a late one only corrects its ticket)."""


class _County:
    """The part of a county's tally that is not arithmetic over all of them: people and tickets."""

    def __init__(self, city: City, grid: WindowGrid, start: Instant) -> None:
        signals = len(city.signals)
        self.tickets = Tickets()
        self.repeats = Repeats(city.repeat_span)
        self.day = Span(grid.day(start).start, signals)
        self.week = Span(grid.week(start).start, signals)
        self.people: dict[Size, defaultdict[int, set[str]]] = {size: defaultdict(set) for size in (Size.DAY, Size.WEEK)}
        """Signal -> its callers, or its matters, of the day and of the week so far."""
        self.codes: list[Counts] = []
        self.closes = False


class RowTally:
    """Rows to closed windows, for all counties of one city."""

    def __init__(self, profile: Profile, start: Instant, *, standing: bool = True) -> None:
        """`start`: of the simulation's span. `standing`: also how counties stand (backlog and the like), which rules
        look at; without it they stand at nothing."""
        self._standing = standing
        self.city = profile.city
        self.grid = WindowGrid(self.city.zone, self.city.day_start)
        self._start = start
        self._streams: Sequence[Stream] = streams_of(profile)
        self._channels, self._sectors = tuple(self.city.channels), tuple(self.city.sectors)
        self._registry = CellRegistry(self.city.signals)
        self._code: dict[int, int] = {}
        self._counted: dict[tuple[int, Measure], tuple[int, ...]] = {}
        self._counties = [_County(self.city, self.grid, start) for _ in self.city.counties]
        self._open: Rows = np.zeros(0, ROW)
        self._recent: list[NDArray[np.uint64]] = []
        self._hour = 0
        """Number of the hour that closes next, from the start."""
        self._not_of_size = {
            size: np.array([size not in signal.sizes for signal in self.city.signals]) for size in Size
        }

    def take(self, rows: Rows, until: Instant) -> Iterator[ClosedWindow]:
        """Take what was received next; closes the hours that end by `until`, and the days and weeks with them.

        By then everything must have been taken that was received before `until` + allowed lateness.
        """
        rows = joined((self._open, self._first(rows)))
        late_from = self.city.allowed_lateness + self._start
        hour = (rows["at"] * SECOND - self._start) // HOUR
        slot = np.maximum(hour, (rows["received"] * 1000 - late_from) // HOUR)
        """The hour with which a row is taken: its own, or if that is closed the next that is not."""
        last = (until - self._start) // HOUR
        own = slot == hour
        waits = slot >= last
        self._open = rows[waits]
        rows, slot, own = rows[~waits], slot[~waits], own[~waits]
        order = np.lexsort((rows["step"], rows["ticket"], rows["at"], own, rows["county"], slot))
        yield from self._hours(rows[order], slot[order], own[order], last)

    def _first(self, rows: Rows) -> Rows:
        """Without what was sent again."""
        numbers = rows["ticket"] * np.uint64(MOST_STEPS) + rows["step"].astype(np.uint64)
        known, first = np.unique(numbers, return_index=True)
        fresh = ~np.isin(known, np.concatenate(self._recent)) if self._recent else np.ones(len(known), np.bool_)
        self._recent = [*self._recent[1 - _RESENT_DAYS :], known]
        return rows[np.sort(first[fresh])]

    def _hours(self, rows: Rows, slot: Whole, own: Flags, last: int) -> Iterator[ClosedWindow]:
        codes = self._codes(rows)
        steps = self._steps(rows, codes, own)
        width = len(self._counties)
        place = slot * width + rows["county"]
        edges = np.searchsorted(place, np.arange(self._hour * width, last * width + 1)).tolist()
        step_edges = np.searchsorted(place[_STEPS[rows["kind"]]], np.arange(self._hour * width, last * width + 1))
        at = 0
        for number in range(self._hour, last):
            start = self._start + number * HOUR
            window = Window(start, start + HOUR)
            for row in range(width):
                part = slice(edges[at], edges[at + 1])
                taken = steps[step_edges[at] : step_edges[at + 1]]
                yield self._close_hour(row, window, codes[part][own[part]], taken)
                at += 1
            if self.grid.day(start).end == window.end:
                for row in range(width):
                    yield from self._close_day(row, window.end)
        self._hour = max(self._hour, last)

    def _codes(self, rows: Rows) -> Counts:
        """The cell of each row."""
        packed = rows["stream"].astype(np.int64)
        for field, radix in (("kind", len(KINDS)), ("channel", 64), ("sector", 64), ("outcome", 16)):
            packed = packed * radix + rows[field] + 1
        found, place = np.unique(packed, return_inverse=True)
        firsts = np.zeros(len(found), np.int64)
        firsts[place[::-1]] = np.arange(len(rows))[::-1]
        for number, first in zip(found.tolist(), firsts.tolist(), strict=True):
            if number not in self._code:
                self._code[number] = self._registry.code(self._cell(rows[first]))
        return np.array([self._code[number] for number in found.tolist()], np.int64)[place]

    def _cell(self, row: np.void) -> Cell:
        stream = self._streams[row["stream"]]

        def word(words: Sequence[str], field: str) -> str | None:
            return None if row[field] < 0 else words[row[field]]

        channel, sector = word(self._channels, "channel"), word(self._sectors, "sector")
        return Cell(stream.point, stream.category, KINDS[row["kind"]], channel, sector, word(OUTCOMES, "outcome"))

    def _steps(self, rows: Rows, codes: Counts, own: Flags) -> list[_Step]:
        which = _STEPS[rows["kind"]]
        at, ticket, step, caller, matter, due = (rows[field][which].tolist() for field in _STEP_FIELDS)
        return list(zip(at, ticket, step, caller, matter, due, codes[which].tolist(), own[which].tolist(), strict=True))

    def _close_hour(self, row: int, window: Window, codes: Counts, steps: list[_Step]) -> ClosedWindow:
        county, registry = self._counties[row], self._registry
        counts = registry.event_counts(codes) if len(codes) else np.zeros(len(self.city.signals), np.int64)
        self._take_steps(county, steps, counts)
        county.codes.append(codes)
        county.day.counts += counts
        return self._closed(row, Size.HOUR, window, counts, CellCounts.of_events(registry.cells, codes))

    def _take_steps(self, county: _County, steps: list[_Step], counts: Counts) -> None:
        registry, take, again = self._registry, county.tickets.take, county.repeats.take
        today, rules = county.people[Size.DAY], registry.rules
        for second, ticket, step, caller, matter, due, code, own in steps:
            at = second * SECOND
            on_time = take(at, Role(rules[code, ROLE]), str(ticket), f"{step:02d}", due * SECOND if due else None)
            if not own:
                continue
            if rules[code, INTAKE]:
                who, what = str(caller), str(matter)
                for i in self._counting(code, Measure.DISTINCT_CALLERS):
                    today[i].add(who)
                for i in self._counting(code, Measure.DISTINCT_MATTERS):
                    today[i].add(what)
                if again(at, who, what):
                    for i in self._counting(code, Measure.REPEATS):
                        counts[i] += 1
            elif on_time is not None:
                for i in self._counting(code, Measure.DUE):
                    counts[i] += 1
                for i in self._counting(code, Measure.ON_TIME) if on_time else ():
                    counts[i] += 1

    def _counting(self, code: int, measure: Measure) -> tuple[int, ...]:
        """The signals of a measure that count a cell."""
        known = self._counted.get((code, measure))
        if known is None:
            signals = np.flatnonzero(self._registry.counted_as[code] == MEASURES[measure])
            known = self._counted[code, measure] = tuple(signals.tolist())
        return known

    def _close_day(self, row: int, end: Instant) -> Iterator[ClosedWindow]:
        county = self._counties[row]
        county.closes = self._standing and (county.closes or bool(county.tickets.done))
        backlog = county.tickets.backlog(end) if county.closes else Backlog(0, 0, None)
        cells = np.bincount(np.concatenate(county.codes))
        county.codes = []
        county.day.add_cells(cells)
        county.week.add_cells(cells)
        county.week.counts += county.day.counts
        county.week.add(county.day)
        for i, names in county.people[Size.DAY].items():
            county.people[Size.WEEK][i] |= names
        for size, span in ((Size.DAY, county.day), (Size.WEEK, county.week)):
            if self.grid.window(size, end - 1).end != end:
                continue
            for i, signal in enumerate(self.city.signals):
                if signal.measure in (Measure.DISTINCT_CALLERS, Measure.DISTINCT_MATTERS):
                    span.counts[i] = len(county.people[size].get(i, ()))
                elif signal.measure in STANDING:
                    span.counts[i] = standing(signal.measure, backlog) if county.closes else 0
            if span.start >= self._start:
                made = CellCounts(self._registry.cells, span.cells)
                yield self._closed(row, size, Window(span.start, end), span.counts, made)
            setattr(county, size.value, Span(end, len(self.city.signals)))
            county.people[size].clear()
        county.tickets.forget(end - self.city.dedup_horizon, end - self.city.ticket_retention)
        county.repeats.forget(end - self.city.repeat_span)

    def _closed(self, row: int, size: Size, window: Window, counts: Counts, cells: CellCounts) -> ClosedWindow:
        counts[self._not_of_size[size]] = -1
        return ClosedWindow(self.city.counties[row].code, size, window.start, window.end, counts, cells)


def windows_of(
    simulation: Simulation, rows: Iterator[Rows] | None = None, *, standing: bool = True
) -> Iterator[ClosedWindow]:
    """All closed windows of a simulation, hour by hour. `rows`: its own, or what became of them."""
    start, end = simulation.span
    lateness = simulation.profile.city.allowed_lateness
    tally = RowTally(simulation.profile, start, standing=standing)
    for day, received in enumerate(rows or simulation.rows(), 1):
        yield from tally.take(received, min(start + day * DAY - lateness, end) // HOUR * HOUR)
