"""Incidents to put into a simulated stream: what, where, when and how strong, drawn from the seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from streams.core.city import City, Measure, Signal
from streams.core.instant import DAY, HOUR, Duration, Instant
from streams.replay.draws import Draws, Floats
from streams.replay.intensity import Intensity, Stream
from streams.replay.labels import EVERY, Shape

_WARM_UP = 56 * DAY
"""Nothing happens before, where the span allows: detectors learn."""
_WARM_UP_SHARE = 0.45
_MARGIN = 14 * DAY
"""Between two incidents in one county and family: whose alert it is must be clear."""
_TRIES = 200
_PLAN_PURPOSE = 3


class SimulationError(ValueError):
    """What was asked for cannot be simulated: what, and what to ask for instead."""


@dataclass(frozen=True, slots=True)
class Design:
    """What incidents of one shape are like."""

    shape: Shape
    days: tuple[int, int]
    """Shortest and longest."""
    change: tuple[float, float]
    """Relative to the expected: +1.0 doubles."""
    deviations: float
    """Stronger than `change` where the numbers are small: what is added is at least this many standard deviations of
    what is expected meanwhile, or nobody could call it an incident. A drought takes longer instead."""
    least_daily: float
    """Only where so many tickets a day are expected, if there is such a place."""


CATALOGUE = (
    Design(Shape.BURST, (1, 2), (1.0, 2.5), 8.0, 3.0),
    Design(Shape.SLOW_RISE, (28, 28), (0.3, 0.6), 7.0, 12.0),
    Design(Shape.SHIFT, (56, 84), (0.5, 0.9), 8.0, 8.0),
    Design(Shape.DROUGHT, (3, 12), (-0.7, -0.7), 5.0, 8.0),
    Design(Shape.CLUSTER, (3, 6), (0.6, 1.0), 8.0, 2.0),
    Design(Shape.CALLER_FLOOD, (2, 3), (0.0, 0.0), 0.0, 0.0),
)
"""What is planned unless other shapes are asked for."""
SATISFACTION = Design(Shape.SATISFACTION, (28, 28), (-0.15, -0.15), 0.0, 8.0)
"""Its change is in points: -0.15 is 15 fewer of a hundred."""
_DESIGNS = (*CATALOGUE, SATISFACTION)
EVERY_STREAM = -1
_SHORTEST_SHIFT = 21
FLOOD_CALLS = (48, 60)
_MOST_TIMES = 8.0
_JUDGED_DAYS = 28
"""A change that lasts is weighed by its first four weeks."""
_DISPERSION = 1.6
"""Variance of a day's count over its mean, roughly."""
"""No incident multiplies the expected by more."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, before anything is drawn of it."""

    number: int
    shape: Shape
    counties: tuple[int, ...]
    """Indices into City.counties."""
    stream: int
    """Index into Intensity.streams; EVERY_STREAM where what people answer changes, whatever it was about."""
    start: Instant
    end: Instant
    change: float

    def changes(self, hours: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Floats:
        """Relative change in each of some hours, given by their starts: 0 outside of the incident."""
        inside = (hours >= self.start) & (hours < self.end)
        if self.shape is Shape.SLOW_RISE:
            ramp = (hours - self.start + HOUR / 2) / (self.end - self.start)
            return np.where(inside, self.change * ramp, 0.0)
        return np.where(inside, self.change, 0.0)


def signals_asking(city: City) -> tuple[str, ...]:
    """Names of the signals that are judged by what people answer when they are called back, in the city's order."""
    return tuple(s.name for s in city.signals if "outcome" in s.where and s.detectors)


def signals_counting(city: City, stream: Stream, shape: Shape) -> tuple[str, ...]:
    """Names of the signals whose filter matches an incident's tickets as they come in, in the city's order."""
    if shape is Shape.CALLER_FLOOD:
        measures = {Measure.EVENTS, Measure.REPEATS}
    else:
        measures = {Measure.EVENTS, Measure.REPEATS, Measure.DISTINCT_CALLERS, Measure.DISTINCT_MATTERS}
    return tuple(s.name for s in city.signals if s.measure in measures and not s.of and _matches(s, stream))


def _matches(signal: Signal, stream: Stream) -> bool:
    fixed = {"point": stream.point, "category": stream.category, "kind": stream.intake}
    # Channels and sectors vary within an incident, so a filter on them still counts part of it; an
    # outcome belongs to a call-back, which comes much later.
    return "outcome" not in signal.where and all(
        value in signal.where[name] for name, value in fixed.items() if name in signal.where
    )


class Planner:
    """Places incidents so that no two share a county and a category family at nearby times."""

    def __init__(self, intensity: Intensity, span: tuple[Instant, Instant]) -> None:
        city, streams = intensity.city, intensity.streams
        self._city = city
        self._streams = streams
        self._intensity = intensity
        self._daily = intensity.daily
        self._start, self._end = span
        length = self._end - self._start
        self._first = self._start + _hours(min(_WARM_UP, int(length * _WARM_UP_SHARE)))
        self._taken: list[tuple[str, str, Instant, Instant]] = []
        codes = [county.code for county in city.counties]
        self._neighbours = [tuple(codes.index(n) for n in county.neighbours) for county in city.counties]
        # Where several points take matters in, an incident is in the one that takes most of a category.
        self._open = [i for i, s in enumerate(streams) if s.intake == "accepted" and not s.quiet]

    def plan(self, count: int, seed: int, shapes: Sequence[Shape] = ()) -> list[Incident]:
        """`count` incidents, shapes taken in turns: these, or those of CATALOGUE; SimulationError where they do not
        fit."""
        draws = Draws(seed, _PLAN_PURPOSE)
        wanted = [design for design in _DESIGNS if design.shape in shapes] if shapes else CATALOGUE
        designs = [design for design in wanted if self._possible(design)]
        if count and not designs:
            days = (self._end - self._start) // DAY
            raise SimulationError(f"{days} days are too short for incidents; ask for at least 7 days, or for none")
        incidents: list[Incident] = []
        order: list[Design] = []
        slots = np.argsort(draws.uniform(count), kind="stable")
        for number in range(count):
            if not order:
                ranks = np.argsort(draws.uniform(len(designs)), kind="stable")
                order = [designs[int(rank)] for rank in ranks]
            incident = self._place(number, order.pop(), int(slots[number]) / count, 1 / count, draws)
            if incident is None:
                raise SimulationError(
                    f"only {len(incidents)} of {count} incidents fit beside each other; ask for fewer, or more days"
                )
            incidents.append(incident)
        return incidents

    def _possible(self, design: Design) -> bool:
        if design.shape is Shape.CLUSTER and not any(self._neighbours):
            return False
        if design.shape is Shape.DROUGHT and not (self._daily[:, self._open] >= design.least_daily).any():
            return False
        if design.shape is Shape.SATISFACTION and not signals_asking(self._city):
            return False
        return bool(self._open) and self._room(design) >= design.days[0] * DAY

    def _room(self, design: Design) -> Duration:
        room = self._end - self._first - DAY
        if design.shape is Shape.SHIFT and room >= _SHORTEST_SHIFT * DAY:
            return max(room, design.days[0] * DAY)
        return room

    def _place(self, number: int, design: Design, slot: float, width: float, draws: Draws) -> Incident | None:
        for attempt in range(_TRIES):
            stream, counties = self._where(design, draws)
            days = self._days(design, counties, stream, draws)
            latest = self._end - DAY - (_SHORTEST_SHIFT if design.shape is Shape.SHIFT else days) * DAY
            u, hour, change = (float(v) for v in draws.uniform(3))
            # The first tries stay in the incident's own slot, so that incidents spread over the year.
            share = slot + u * width if attempt < _TRIES // 4 else u
            day = int((latest - self._first) * share) // DAY
            start = self._first + max(day, 0) * DAY + int(hour * 12) * HOUR
            start = min(start, latest)
            end = min(start + days * DAY, self._end)
            if start >= end or not self._free(counties, stream, start, end):
                continue
            if attempt < _TRIES // 2 and not self._seen(stream, design.shape):
                continue
            family = self._family(stream)
            self._taken += [(self._city.counties[c].code, family, start, end) for c in counties]
            strength = self._strength(design, counties, stream, (start, end), change)
            return Incident(number, design.shape, counties, stream, start, end, strength)
        return None

    def _seen(self, stream: int, shape: Shape) -> bool:
        """Whether a signal counts an incident's tickets, or asks for its answers."""
        return stream == EVERY_STREAM or bool(signals_counting(self._city, self._streams[stream], shape))

    def _family(self, stream: int) -> str:
        return EVERY if stream == EVERY_STREAM else self._streams[stream].family

    def _where(self, design: Design, draws: Draws) -> tuple[int, tuple[int, ...]]:
        """A stream and counties, among those with enough tickets; among the largest where none has."""
        if design.shape is Shape.SATISFACTION:
            enough_of_all = np.flatnonzero(self._daily[:, self._open].sum(axis=1) >= design.least_daily).tolist()
            counties = enough_of_all or [int(np.argmax(self._daily[:, self._open].sum(axis=1)))]
            return EVERY_STREAM, (counties[int(draws.uniform(1)[0] * len(counties))],)
        cells = [
            (float(self._daily[c, s]), c, s)
            for c in range(len(self._city.counties))
            for s in self._open
            if design.shape is not Shape.CLUSTER or self._neighbours[c]
        ]
        cells.sort(reverse=True)
        enough = [cell for cell in cells if cell[0] >= design.least_daily]
        # Where hardly anything is expected, nothing can be missing.
        if len(enough) < 6 and design.shape is not Shape.DROUGHT:
            enough = cells[: max(6, len(cells) // 10)]
        u, v = (float(x) for x in draws.uniform(2))
        # First a county, then a stream: the largest county has most of the cells.
        counties = sorted({c for _, c, _ in enough})
        county = counties[int(u * len(counties))]
        streams = [s for _, c, s in enough if c == county]
        stream = streams[int(v * len(streams))]
        if design.shape is not Shape.CLUSTER:
            return stream, (county,)
        ranks = np.argsort(draws.uniform(len(self._neighbours[county])), kind="stable")
        group = [county, *(self._neighbours[county][int(rank)] for rank in ranks[:3])]
        return stream, tuple(sorted(group))

    def _free(self, counties: tuple[int, ...], stream: int, start: Instant, end: Instant) -> bool:
        codes = {self._city.counties[c].code for c in counties}
        family = self._family(stream)
        return not any(
            code in codes and taken == family and start < last + _MARGIN and first < end + _MARGIN
            for code, taken, first, last in self._taken
        )

    def _days(self, design: Design, counties: tuple[int, ...], stream: int, draws: Draws) -> int:
        days = int(draws.whole(design.days[0], design.days[1], 1)[0])
        if design.shape is not Shape.DROUGHT:
            return days
        # share * n of n expected are missing, with a deviation of sqrt(dispersion * n).
        needed = (design.deviations / design.change[0]) ** 2 * _DISPERSION
        return int(min(max(design.days[0], needed / float(self._daily[counties[0], stream])), design.days[1]))

    def _strength(
        self, design: Design, counties: tuple[int, ...], stream: int, span: tuple[Instant, Instant], u: float
    ) -> float:
        low, high = design.change
        change = low + u * (high - low)
        if change > 0:
            hours = min(span[1] - span[0], _JUDGED_DAYS * DAY) // HOUR
            means = self._intensity.hours(self._start, (span[0] - self._start) // HOUR, hours)
            expected = max(fsum(means[list(counties), stream].reshape(-1).tolist()), 0.5)
            share = 0.5 if design.shape is Shape.SLOW_RISE else 1.0
            deviation = float(np.sqrt(_DISPERSION * expected))
            change = max(change, design.deviations * deviation / (share * expected))
        return min(change, _MOST_TIMES)


def _hours(duration: Duration) -> Duration:
    return duration // HOUR * HOUR
