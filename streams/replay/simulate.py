"""A simulated stream of a city: seeded, honest about its incidents, the same bytes on every machine.

    simulation = simulate(profile, days=365, seed=7, incidents=12)
    for block in simulation.blocks():      # bytes: lines of a recording, in the order of `received`
        writer.write_lines(block)
    simulation.labels                      # what really happened

Day by day: expected counts, negative-binomial draws of them, people, and the whole life of every ticket;
events wait for the day on which they are received, so that memory does not grow with the length.
An incident adds tickets to the stream, or takes some away, and changes nothing else in it: the same seed
without incidents is the same stream but for those.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from streams.core.event import KINDS, OUTCOMES
from streams.core.instant import DAY, HOUR, SECOND, Instant, format_instant
from streams.profile.model import Profile
from streams.replay.draws import Draws, Floats, Numbers, Quantiles, Whole
from streams.replay.incidents import (
    EVERY_STREAM,
    FLOOD_CALLS,
    Incident,
    Planner,
    SimulationError,
    signals_asking,
    signals_counting,
)
from streams.replay.intensity import DAY_PURPOSE, Intensity, first_instant
from streams.replay.labels import EVERY, Label, Shape
from streams.replay.lifecycle import Rows, Tickets, dissatisfied, joined, steps_of
from streams.replay.lines import LineWriter, offsets
from streams.replay.residents import Residents

FIRST_DAY = date(2025, 1, 1)
"""Where no start is given."""

_DISPERSION = 1.3
"""Of an hour's counts; days and counties add theirs."""
_COUNTY_DAY, _CELL_DAY = 0.06, 0.12
_SAME_MATTER_IN_INCIDENT = 0.6
_EARLIER_DAYS = 21
"""Tickets of the days before the start: the stream begins in the middle of a city's life."""

_DELAY_SECONDS: Quantiles = ((0, 0.2), (0.5, 3), (0.9, 60), (0.99, 600), (0.999, 3600), (1, 5400))
_BEYOND_LATENESS = 0.0004
_DUPLICATES = 0.005
_RESENT_SECONDS: Quantiles = ((0, 0.5), (0.8, 30), (0.98, 900), (1, 172_800))

_BLOCK_LINES = 4000
_TICKETS_A_BATCH = 1 << 24
_INCIDENT_NUMBERS = 1 << 48
_BASE, _EXTRA, _MISSING, _ANSWERS = 0, 1, 2, 3
_HOURS_A_DAY = 24
_ADDS_NOTHING = (Shape.DROUGHT, Shape.SATISFACTION)
_CALLED_BACK, _DISSATISFIED = KINDS.index("called_back"), OUTCOMES.index("dissatisfied")

Progress = Callable[[int, int], None]
"""Called with (days done, days in all)."""


class Block(NamedTuple):
    """Some lines in stream order."""

    lines: bytes
    events: int
    ticks: int


class Simulation:
    """One simulated stream: iterate `blocks` once, then read `labels`."""

    def __init__(
        self,
        profile: Profile,
        days: int,
        seed: int,
        incidents: int,
        scale: float,
        start: date,
        planned: Sequence[Incident] | None = None,
        shapes: Sequence[Shape] = (),
    ) -> None:
        _check(days, seed, incidents, scale)
        self.profile = profile
        self.days = days
        self.seed = seed
        try:
            begin = first_instant(profile, start)
            self.span: tuple[Instant, Instant] = (begin, begin + days * DAY)
            format_instant(self.span[1] + 200 * DAY, profile.city.zone)
        except (ValueError, OverflowError):
            raise SimulationError(f"{days} days from {start} leave the calendar; ask for fewer days") from None
        self._last_day = -(-(days * DAY + profile.city.allowed_lateness) // DAY)
        self._intensity = Intensity(profile, seed, scale)
        self._streams = self._intensity.streams
        self._intake = np.array([KINDS.index(stream.intake) for stream in self._streams])
        self._writer = LineWriter(profile.city, self._streams, seed)
        self._residents = Residents(len(profile.city.counties), len(self._streams))
        if planned is None:
            planned = Planner(self._intensity, self.span).plan(incidents, seed, shapes)
        self._incidents = list(planned)
        self._sizes = [0] * len(self._incidents)
        self._pending: dict[int, list[Rows]] = {}
        self._started = False
        self._finished = False

    @property
    def span_text(self) -> tuple[str, str]:
        """The span as a recording's header writes it."""
        zone = self.profile.city.zone
        return format_instant(self.span[0], zone), format_instant(self.span[1], zone)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The incidents with their true sizes, by start; known once `blocks` has run to its end."""
        if not self._finished:
            raise RuntimeError("labels are known after the last block")
        labels = [self._label(incident, self._sizes[incident.number]) for incident in self._incidents]
        return tuple(sorted(labels, key=lambda label: (label.start, label.id)))

    def blocks(self, progress: Progress | None = None) -> Iterator[Block]:
        """All lines: events in the order in which they are received, a tick every hour.

        The last tick closes every window of the span: its end + allowed lateness.
        """
        for day, rows in self._days(progress):
            yield from self._received(day, rows)

    def rows(self, progress: Progress | None = None) -> Iterator[Rows]:
        """Instead of `blocks`: the same events, those received on one day at a time, for who needs no lines.

        Resends and late ones are among them, in the order of `received`; ticks would come every full hour from the
        start on, behind all that was received before.
        """
        for _, rows in self._days(progress):
            yield rows

    def _days(self, progress: Progress | None) -> Iterator[tuple[int, Rows]]:
        """Number of each day of the span, and of those on which its last hours close, with what it received."""
        if self._started:
            raise RuntimeError("a simulation runs once; make another one of the same seed")
        self._started = True
        for day in range(-_EARLIER_DAYS, self._last_day):
            if day < self.days:
                self._simulate(day)
            if day >= 0:
                rows = joined(self._pending.pop(day, []))
                rows = rows[np.lexsort((rows["step"], rows["ticket"], rows["received"]))]
                yield day, rows[: np.searchsorted(rows["received"], self._last_tick // 1000, side="left")]
            if progress is not None and 0 <= day < self.days:
                progress(day + 1, self.days)
        self._finished = True

    @property
    def _last_tick(self) -> Instant:
        return self.span[1] + self.profile.city.allowed_lateness

    # -- one day -------------------------------------------------------------------------------

    def _simulate(self, day: int) -> None:
        """The tickets that come in on one day, with all that ever comes of them."""
        number = day + _EARLIER_DAYS
        draws = Draws(self.seed, DAY_PURPOSE, number, _BASE)
        first_hour = day * _HOURS_A_DAY
        means = self._intensity.hours(self.span[0], first_hour, _HOURS_A_DAY)
        means *= draws.spread(means.shape[:1], _COUNTY_DAY)[:, None, None]
        means *= draws.spread(means.shape[:2], _CELL_DAY)[:, :, None]
        offset = offsets(self.profile.city, self.span[0] + day * DAY, _HOURS_A_DAY)
        numbers = (number + 1) * _TICKETS_A_BATCH
        arrivals = _Arrivals.of(draws.counts(means, _DISPERSION), numbers, draws)
        callers, matters = self._residents.call(arrivals.county, arrivals.stream, arrivals.number, draws)
        tickets = self._tickets(day, arrivals, callers, matters, offset, draws)
        missing = self._missing(day, tickets)
        self._later(tickets, draws, missing, (day, _BASE))
        for incident in self._incidents:
            self._add(incident, day, means, offset)

    def _tickets(
        self, day: int, arrivals: "_Arrivals", callers: Numbers, matters: Numbers, offset: Whole, draws: Draws
    ) -> Tickets:
        count = len(arrivals.number)
        midnight = (self.span[0] + day * DAY) // SECOND
        simulation = self.profile.simulation
        return Tickets(
            arrivals.number,
            midnight + arrivals.hour * 3600 + draws.whole(0, 3599, count),
            arrivals.county,
            arrivals.stream,
            draws.pick([simulation.channel_share[code] for code in self.profile.city.channels], count),
            draws.pick([simulation.sector_share[code] for code in self.profile.city.sectors], count),
            callers,
            matters,
            offset[arrivals.hour],
        )

    def _missing(self, day: int, tickets: Tickets) -> Numbers:
        """Numbers of the tickets that droughts keep from coming in."""
        missing: list[Numbers] = []
        for incident in self._incidents:
            start = self.span[0] + day * DAY
            if incident.shape is not Shape.DROUGHT or incident.end <= start or incident.start >= start + DAY:
                continue
            at = tickets.at * SECOND
            hit = (at >= incident.start) & (at < incident.end)
            hit &= (tickets.stream == incident.stream) & np.isin(tickets.county, incident.counties)
            u = Draws(self.seed, DAY_PURPOSE, day + _EARLIER_DAYS, _MISSING, incident.number).uniform(len(hit))
            hit &= u < -incident.change
            self._sizes[incident.number] += int(hit.sum())
            missing.append(tickets.number[hit])
        return np.concatenate(missing) if missing else np.zeros(0, np.uint64)

    def _add(self, incident: Incident, day: int, means: Floats, offset: Whole) -> None:
        """The tickets that an incident adds on one day."""
        start = self.span[0] + day * DAY
        if incident.shape in _ADDS_NOTHING or incident.end <= start or incident.start >= start + DAY:
            return
        draws = Draws(self.seed, DAY_PURPOSE, day + _EARLIER_DAYS, _EXTRA, incident.number)
        hours = start + np.arange(_HOURS_A_DAY, dtype=np.int64) * HOUR
        if incident.shape is Shape.CALLER_FLOOD:
            counts = self._calls(incident, hours, means.shape)
        else:
            extra = np.zeros_like(means)
            where = (np.array(incident.counties), incident.stream)
            extra[where] = means[where] * incident.changes(hours)[None, :]
            counts = draws.counts(extra, _DISPERSION)
        own = _INCIDENT_NUMBERS + incident.number * _INCIDENT_NUMBERS // 4096
        arrivals = _Arrivals.of(counts, own + (day + 1) * _TICKETS_A_BATCH // 64, draws)
        callers = arrivals.number
        matters = np.where(draws.chance(len(callers), _SAME_MATTER_IN_INCIDENT), np.uint64(own), callers)
        if incident.shape is Shape.CALLER_FLOOD:
            callers = matters = np.full(len(callers), own, np.uint64)
        self._sizes[incident.number] += len(callers)
        tickets = self._tickets(day, arrivals, callers, matters, offset, draws)
        self._later(tickets, draws, np.zeros(0, np.uint64), (day, 1 + incident.number))

    def _calls(self, incident: Incident, hours: Whole, shape: tuple[int, ...]) -> Whole:
        """One caller's calls in each hour: by day, as many as FLOOD_CALLS says in all."""
        draws = Draws(self.seed, DAY_PURPOSE, 0, _EXTRA, incident.number)
        calls = int(draws.whole(*FLOOD_CALLS, 1)[0])
        length = (incident.end - incident.start) // HOUR
        # At eight to twenty-two o'clock; where the clock is changed for summer, by the clock of the first day.
        first = (incident.start - self.span[0]) // HOUR
        awake = [i for i in range(length) if 8 <= (first + i + self._local_hour) % _HOURS_A_DAY < 22]
        chosen = incident.start + np.array(awake, np.int64)[draws.pick([1.0] * len(awake), calls)] * HOUR
        counts = np.zeros(shape, np.int64)
        counts[incident.counties[0], incident.stream] = (chosen[None, :] == hours[:, None]).sum(axis=1)
        return counts

    @property
    def _local_hour(self) -> int:
        return self.profile.city.day_start.hour

    def _answers(self, rows: Rows, missing: Numbers, whose: tuple[int, int]) -> None:
        """What people answer where fewer of them are satisfied; what is reopened of it stays what it was."""
        for incident in self._incidents:
            if incident.shape is not Shape.SATISFACTION:
                continue
            at = rows["at"] * SECOND
            asked = (rows["kind"] == _CALLED_BACK) & np.isin(rows["county"], incident.counties)
            asked &= (at >= incident.start) & (at < incident.end)
            draws = Draws(self.seed, DAY_PURPOSE, whose[0] + _EARLIER_DAYS, _ANSWERS, incident.number, whose[1])
            changed = dissatisfied(rows, asked, -incident.change, draws)
            rows["outcome"][changed] = _DISSATISFIED
            self._sizes[incident.number] += int((changed & ~np.isin(rows["ticket"], missing)).sum())

    def _later(self, tickets: Tickets, draws: Draws, missing: Numbers, whose: tuple[int, int]) -> None:
        """Puts all events of some tickets where they wait for the day on which they are received. `whose`: the day on
        which they came in, and what they are part of."""
        rows = steps_of(tickets, self._intake[tickets.stream], draws)
        self._answers(rows, missing, whose)
        count = len(rows)
        delay = draws.times(_DELAY_SECONDS, count, 1000)
        beyond = draws.chance(count, _BEYOND_LATENESS)
        # Later than the hour that it lies in stays open.
        lateness = self.profile.city.allowed_lateness // 1000
        delay += np.where(beyond, lateness + draws.whole(1, 12, count) * 3_600_000, 0)
        rows["received"] = rows["at"] * 1000 + delay
        again = draws.chance(count, _DUPLICATES)
        resent = draws.times(_RESENT_SECONDS, count, 1000)
        copies = rows[again]
        copies["received"] += resent[again]
        rows = joined((rows, copies))
        start, end = (edge // SECOND for edge in self.span)
        kept = (rows["at"] >= start) & (rows["at"] < end)
        if len(missing):
            kept &= ~np.isin(rows["ticket"], missing)
        rows = rows[kept]
        if not len(rows):
            return
        day = (rows["received"] - start * 1000) // (DAY // 1000)
        order = np.argsort(day, kind="stable")
        rows, day = rows[order], day[order]
        days, first = np.unique(day, return_index=True)
        for number, part in zip(days.tolist(), np.split(rows, first[1:]), strict=True):
            if number < self._last_day:
                self._pending.setdefault(number, []).append(part.copy())

    # -- one day's lines -----------------------------------------------------------------------

    def _received(self, day: int, rows: Rows) -> Iterator[Block]:
        """The lines of everything received on one day, with the ticks that a live clock would make."""
        start, last_tick = self.span[0] + day * DAY, self._last_tick
        ticks = [start + hour * HOUR for hour in range(1, _HOURS_A_DAY + 1) if start + hour * HOUR < last_tick]
        if start < last_tick <= start + DAY:
            ticks.append(last_tick)
        ends = np.searchsorted(rows["received"], np.array(ticks, np.int64) // 1000, side="left").tolist()
        rows = rows[: ends[-1] if ends else 0]
        # Blocks of lines, with each tick behind the last record received before it.
        due = list(zip(ends, ticks, strict=True))
        for first in range(0, max(len(rows), 1), _BLOCK_LINES):
            lines = self._writer.lines(rows[first : first + _BLOCK_LINES])
            events = len(lines)
            last = first + events
            inside = [(end, tick) for end, tick in due if end < last or last == len(rows)]
            due = due[len(inside) :]
            for end, tick in reversed(inside):
                lines.insert(end - first, self._writer.tick(tick))
            if lines:
                yield Block("".join(lines).encode(), events, len(inside))

    def _label(self, incident: Incident, size: int) -> Label:
        city = self.profile.city
        counties = tuple(city.counties[c].code for c in incident.counties)
        if incident.stream == EVERY_STREAM:
            category, signals = EVERY, signals_asking(city)
        else:
            stream = self._streams[incident.stream]
            category, signals = stream.category, signals_counting(city, stream, incident.shape)
        name = f"{incident.number + 1:03d}-{incident.shape}"
        return Label(name, incident.shape, counties, category, signals, incident.start, incident.end, size)


class _Arrivals(NamedTuple):
    number: Numbers
    county: Whole
    stream: Whole
    hour: Whole

    @classmethod
    def of(cls, counts: Whole, first: int, draws: Draws) -> "_Arrivals":
        """One entry per ticket of (counties, streams, hours) counts, in the order of their hours."""
        which = np.flatnonzero(counts)
        cells = np.repeat(which, counts.reshape(-1)[which])
        county, stream, hour = np.unravel_index(cells, counts.shape)
        # A repeat of the same hour must not always be of the later county.
        order = np.lexsort((draws.uniform(len(cells)), hour))
        numbers = np.uint64(first) + np.arange(len(cells), dtype=np.uint64)
        return cls(numbers, *(column[order].astype(np.int64) for column in (county, stream, hour)))


def simulate(
    profile: Profile,
    days: int,
    seed: int,
    *,
    incidents: int = 0,
    scale: float = 1.0,
    start: date | None = None,
    planned: Sequence[Incident] | None = None,
    shapes: Sequence[Shape] = (),
) -> Simulation:
    """A simulated stream of `days` reporting days from the one called `start` (FIRST_DAY) on.

    `scale` multiplies the volume. `shapes`: incidents of these shapes only. `planned`: these incidents, numbered from
    0, instead of any that the seed places. SimulationError where that cannot be done.
    """
    return Simulation(profile, days, seed, incidents, scale, start or FIRST_DAY, planned, shapes)


def _check(days: int, seed: int, incidents: int, scale: float) -> None:
    if days < 1:
        raise SimulationError(f"{days} days; ask for at least 1")
    if seed < 0:
        raise SimulationError(f"seed {seed}; a seed is a whole number from 0")
    if not 0 <= incidents <= 2000:
        raise SimulationError(f"{incidents} incidents; ask for 0 to 2000")
    if not 0 < scale <= 1000:
        raise SimulationError(f"scale {scale}; ask for more than 0, at most 1000")
