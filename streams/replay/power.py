"""How large a burst must be to be found: the smallest number of extra events that a signal's own tests page on.

    power_of(city, signal, usual, seed=7)  # one Power a county, and one for the city where it is judged as a whole

Every county's series is simulated many times over: so many weeks that the detectors learn from, at the scale of the
real one, then a burst that starts at any hour. What the signal's detectors say of its hours, days and weeks, at the
levels that the city's budget gives them, decides whether it is found, and when: as in score and judge, an alert is
raised when a window closes and the allowed lateness has passed. For each history the smallest burst that is found is
searched for by halving; the one found in `share` of the histories is the answer. Clusters and other signals, which may
find it sooner, are left out; so is the season of the year.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import NamedTuple

import numpy as np

from detectors.contract import Detector
from detectors.observation import ScoreReason, Slot
from detectors.registry import DETECTORS, create
from streams.core.city import City, Direction, Measure, Signal, Size
from streams.core.event import INTAKE_KINDS, KINDS, OUTCOMES
from streams.core.guards import level_tables
from streams.core.instant import HOUR, SECOND, to_datetime
from streams.core.levels import WINDOWS_PER_WEEK, levels_of
from streams.profile.model import Profile
from streams.replay.draws import Draws, Floats, Whole
from streams.replay.incidents import SimulationError
from streams.replay.intensity import streams_of
from streams.replay.lifecycle import MOST_STEPS, Rows
from streams.replay.simulate import simulate

WEEK_HOURS, DAY_HOURS = 168, 24
SHARE, REPLICATES, HISTORY_WEEKS, BURST_HOURS = 0.8, 60, 60, 24
COUNTED = (Measure.EVENTS, Measure.DISTINCT_CALLERS, Measure.DISTINCT_MATTERS)
"""Measures of which a burst can be told in events: each extra one, of a caller and a matter of its own, counts one."""
_AHEAD_WEEKS = 2
"""Simulated behind the history: the burst starts in the first, and is looked for until the end of the second."""
_USUAL_FROM, _USUAL_DAYS = date(2025, 3, 3), 56
"""Weeks that are as good as all ordinary ones."""
_DISPERSION, _DAY_DEVIATION = 1.3, 0.12
"""The simulator's own: an hour's variance over its mean; how much the factor of a day varies."""
_NEARLY_POISSON = 1.01
"""The least dispersion."""
_MOST_TIMES = 64
_PURPOSE, _BURSTS = 81, 82

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


class PowerError(SimulationError):
    """What was asked for has no answer: why, and what to ask for instead."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What the counts of a signal are usually like."""

    hours: Floats
    """Expected events by local hour of the week, Monday 0:00 first, shape (counties, 168)."""
    dispersion: Floats
    """Variance of an hour's count over its mean, given the factor of its day; more than 1, shape (counties,)."""
    day_deviation: Floats
    """Standard deviation of that factor, which is 1 on average, shape (counties,)."""


@dataclass(frozen=True, slots=True)
class Power:
    """The answer for one county, or for the city as a whole."""

    county: str
    expected_per_day: float
    within_day: int | None
    """Extra events of the smallest burst found within 24 hours of its start; None: no burst that was tried is."""
    within_week: int | None
    """Likewise within 7 days."""


def usual_of(profile: Profile, signal: Signal, seed: int) -> Usual:
    """As the simulator has it: from eight weeks of simulated events. Raises PowerError for a signal without any."""
    check(signal)
    simulation = simulate(profile, _USUAL_DAYS, seed, start=_USUAL_FROM)
    zone = profile.city.zone
    counts = np.zeros((len(profile.city.counties), WEEK_HOURS))
    start = to_datetime(simulation.span[0], zone)
    first = start.weekday() * DAY_HOURS + start.hour
    for received in simulation.rows():
        rows = received[_counted(profile, signal, received)]
        hour = (first + (rows["at"] * SECOND - simulation.span[0]) // HOUR) % WEEK_HOURS
        np.add.at(counts, (rows["county"], hour), 1.0)
    total = counts.sum()
    if not total:
        raise PowerError(f"no event of {signal.name} is simulated in {_USUAL_DAYS} days; choose another signal")
    # The week's shape is the city's: what one small county happened to count in eight weeks is no shape.
    shape = counts.sum(axis=0) / total
    hours = counts.sum(axis=1)[:, None] * shape / (_USUAL_DAYS / 7)
    return Usual(hours, np.full(len(hours), _DISPERSION), np.full(len(hours), _DAY_DEVIATION))


class Expected(NamedTuple):
    """What one window of a county's series was expected to count."""

    county: int
    """Its place in the city."""
    size: Size
    hour_of_week: int
    """Local hour in which the window starts, from Monday 0:00."""
    mean: float
    dispersion: float | None
    """Size r of the negative binomial (variance = m + m*m/r); None: not known."""


def usual_of_expected(simulated: Usual, expected: Sequence[Expected]) -> Usual:
    """As detectors expected it, by the shortest windows that there are; the hours within a day or a week, where these
    are the shortest, are those of `simulated`. Raises PowerError where a county has none."""
    sizes = [size for size in Size if any(one.size is size for one in expected)]
    counties = len(simulated.hours)
    if not sizes or len({one.county for one in expected}) < counties:
        raise PowerError("nothing is expected of this signal yet; replay more weeks, or leave the data directory out")
    shortest = [one for one in expected if one.size is sizes[0]]
    hours, dispersion = np.zeros((counties, WEEK_HOURS)), np.full(counties, _NEARLY_POISSON)
    for county in range(counties):
        mine = [one for one in shortest if one.county == county]
        if sizes[0] is Size.HOUR:
            place = np.array([one.hour_of_week for one in mine])
            total = np.bincount(place, [one.mean for one in mine], minlength=WEEK_HOURS)
            hours[county] = total / np.maximum(np.bincount(place, minlength=WEEK_HOURS), 1)
        else:
            shape = simulated.hours.sum(axis=0) / simulated.hours.sum()
            hours[county] = np.mean([one.mean for one in mine]) * WINDOWS_PER_WEEK[sizes[0]] * shape
        known = [one for one in expected if one.county == county and one.dispersion]
        daily = [one for one in known if one.size is Size.DAY] or known
        if daily:  # hours that vary so much sum up to days that vary as they were found to
            found = np.median([1.0 + one.mean / (one.dispersion or np.inf) for one in daily])
            dispersion[county] = max(float(found), _NEARLY_POISSON)
    return Usual(hours, dispersion, np.zeros(counties))


def check(signal: Signal) -> None:
    """Raises PowerError for a signal that no burst of events is found by."""
    if signal.measure not in COUNTED or signal.of:
        raise PowerError(f"{signal.name} measures {signal.measure}, not events; choose a signal that counts events")
    if not any(name in DETECTORS for name in signal.detectors) or signal.direction is Direction.LOW:
        raise PowerError(f"{signal.name} is not watched for being high; choose a signal that is")


def _counted(profile: Profile, signal: Signal, rows: Rows) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which rows a signal counts; sent again, they are not counted twice."""
    streams = streams_of(profile)
    words: Mapping[str, tuple[Sequence[str], Whole]] = {
        "point": ([s.point for s in streams], rows["stream"]),
        "category": ([s.category for s in streams], rows["stream"]),
        "kind": (KINDS, rows["kind"]),
        "channel": (tuple(profile.city.channels), rows["channel"]),
        "sector": (tuple(profile.city.sectors), rows["sector"]),
        "outcome": (OUTCOMES, rows["outcome"]),
    }
    kept = np.zeros(len(rows), np.bool_)
    numbers = rows["ticket"] * np.uint64(MOST_STEPS) + rows["step"].astype(np.uint64)
    kept[np.unique(numbers, return_index=True)[1]] = True
    where = dict(signal.where)
    if signal.measure is not Measure.EVENTS:
        where.setdefault("kind", INTAKE_KINDS)
    for field, values in where.items():
        known, which = words[field]
        kept &= np.array([word in values for word in known] + [False])[which]  # -1, for none, is the last
    return kept


@dataclass(frozen=True, slots=True)
class Trial:
    """How it is tried."""

    seed: int = 7
    replicates: int = REPLICATES
    """Histories of each county."""
    weeks: int = HISTORY_WEEKS
    """That the detectors learn from."""
    burst_hours: int = BURST_HOURS
    """Over which the extra events come, as the usual ones do."""
    share: float = SHARE
    """Of the histories in which the burst is found."""

    def __post_init__(self) -> None:
        """Raises PowerError."""
        if self.seed < 0 or not 2 <= self.replicates <= 1000 or not 8 <= self.weeks <= 260:
            raise PowerError("a seed is at least 0; ask for 2 to 1000 replicates and 8 to 260 weeks")
        if not 1 <= self.burst_hours <= WEEK_HOURS or not 0 < self.share <= 1:
            raise PowerError("a burst lasts 1 to 168 hours, a share lies in (0, 1]")


def power_of(
    city: City,
    signal: Signal,
    usual: Usual,
    trial: Trial,
    counties: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> tuple[Power, ...]:
    """The smallest burst for each county, by its place in the city; the number of counties is the city as a whole.

    `counties`: None is all, and the city where it is judged. The same arguments give the same answer. Raises
    PowerError for a signal that counts no events.
    """
    check(signal)
    if counties is None:
        counties = range(len(city.counties) + signal.citywide)
    whole, deviation = usual.hours.sum(axis=0, keepdims=True), usual.day_deviation.mean(keepdims=True)
    shares = usual.hours.sum(axis=1) / max(float(usual.hours.sum()), 1e-12)
    hours = np.concatenate([usual.hours, whole])
    deviations = np.concatenate([usual.day_deviation, deviation * np.sqrt((shares**2).sum())])
    dispersions = np.concatenate([usual.dispersion, (usual.dispersion * shares).sum(keepdims=True)])
    codes = [*(county.code for county in city.counties), city.code]
    histories = _Histories(city, signal, Usual(hours, dispersions, deviations), trial, counties)
    return histories.answers([codes[row] for row in counties], progress or (lambda _done, _all: None))


@dataclass(slots=True)
class _Test:
    """One detector at one window size."""

    detector: Detector
    name: str
    size: Size
    level: Floats
    """Per series."""
    learned: bytes = b""
    """Its state behind the history."""


class _Histories:
    """All histories of all chosen counties: one series each."""

    def __init__(self, city: City, signal: Signal, usual: Usual, trial: Trial, counties: Sequence[int]) -> None:
        self._signal, self._trial, self._weeks, seed = signal, trial, trial.weeks, trial.seed
        series = np.repeat(np.array(counties, np.int64), trial.replicates)
        self._lateness = -(-city.allowed_lateness // HOUR)
        # Reporting days and weeks begin at the city's own hour: so does the simulated time.
        named_by_end = bool(city.day_start.hour or city.day_start.minute)
        self._first = (city.day_start.hour - (DAY_HOURS if named_by_end else 0)) % WEEK_HOURS
        self._means = np.roll(usual.hours, -self._first, axis=1)[series]
        self._daily = self._means.sum(axis=1) / 7
        self._deviation = usual.day_deviation[series]
        self._dispersion = np.maximum(usual.dispersion, _NEARLY_POISSON)[series]
        place = city.signals.index(signal)
        tables = level_tables(city, levels_of(city))
        self._tests = [
            _Test(create(table.detector, len(series), WINDOWS_PER_WEEK[size]), table.detector, size, level)
            for size, of_size in tables.items()
            for table in of_size
            if (level := table.high[place, series]).any()
        ]
        self._draws = Draws(seed, _PURPOSE)
        bursts = Draws(seed, _BURSTS)
        # Evenly over the hours of the week: what is found within a day depends much on when it starts.
        turn = np.tile(np.arange(trial.replicates), len(counties)) + bursts.uniform(len(series))
        self._start = (turn * WEEK_HOURS / trial.replicates).astype(np.int64)
        self._luck = bursts.uniform(len(series))

    def answers(self, codes: Sequence[str], progress: Progress) -> tuple[Power, ...]:
        """One for each code; its series lie together, in this order."""
        most = np.maximum(512, (self._daily * _MOST_TIMES).astype(np.int64))
        halvings = int(most.max()).bit_length()
        steps = self._weeks + 2 * halvings * _AHEAD_WEEKS
        for week in range(self._weeks):
            self._learn(week, self._drawn())
            progress(week + 1, steps)
        for test in self._tests:
            test.learned = test.detector.snapshot()
        ahead = np.concatenate([self._drawn() for _ in range(_AHEAD_WEEKS)], axis=1)
        smallest, done = [], self._weeks
        for within in (DAY_HOURS, WEEK_HOURS):
            low, high = np.full(len(most), -1), most + 1  # found by none that was tried
            for _ in range(halvings):
                middle = np.maximum((low + high) // 2, 0)  # a page without any burst is found as well
                found = self._found(ahead, middle, within)
                low, high = np.where(found, low, middle), np.where(found, middle, high)
                done += _AHEAD_WEEKS
                progress(done, steps)
            smallest.append(np.where(high > most, -1, high).reshape(len(codes), -1))
        expected = self._daily.reshape(len(codes), -1)[:, 0]
        return tuple(
            Power(code, round(float(mean), 3), *(_quantile(of[row], self._trial.share) for of in smallest))
            for row, (code, mean) in enumerate(zip(codes, expected, strict=True))
        )

    def _drawn(self) -> Whole:
        """A week's counts, shape (series, 168)."""
        days = self._draws.spread((len(self._means), 7), 1.0) - 1.0
        factors = np.maximum(1.0 + days * self._deviation[:, None], 0.2)
        means = self._means * np.repeat(factors, DAY_HOURS, axis=1)
        counts = np.zeros(means.shape, np.int64)
        for dispersion in np.unique(self._dispersion).tolist():
            alike = self._dispersion == dispersion
            counts[alike] = self._draws.counts(means[alike], dispersion)
        return counts

    def _learn(self, week: int, counts: Whole) -> None:
        for test in self._tests:
            for _, number, window in _windows(test.size, week, counts):
                test.detector.learn(window, self._slot(test.size, number, len(counts)))

    def _found(self, ahead: Whole, extra: Whole, within: int) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Whether a burst of `extra` events, one number a series, is found within so many hours of its start."""
        counts = ahead + self._burst(extra, ahead.shape[1])
        found = np.zeros(len(counts), np.bool_)
        for test in self._tests:
            detector = DETECTORS[test.name].restore(test.learned)
            for week in range(_AHEAD_WEEKS):
                part = counts[:, week * WEEK_HOURS : (week + 1) * WEEK_HOURS]
                for end, number, window in _windows(test.size, self._weeks + week, part):
                    slot = self._slot(test.size, number, len(counts))
                    hour = week * WEEK_HOURS + end
                    raised = hour + self._lateness
                    open_to = (hour > self._start) & (raised <= self._start + within)
                    if open_to.any():
                        scores = detector.score(window, slot)
                        pages = (scores.p_high <= test.level) & (scores.reason == ScoreReason.SCORED) & (test.level > 0)
                        found |= open_to & pages & (window >= self._signal.minimum_count)
                    detector.learn(window, slot)
        return found

    def _burst(self, extra: Whole, hours: int) -> Whole:
        """Where the extra events lie, shape (series, hours): as the usual ones do in the hours of the burst."""
        after = np.arange(hours)[None, :] - self._start[:, None]
        inside = (after >= 0) & (after < self._trial.burst_hours)
        usual = np.where(inside, np.tile(self._means, (1, hours // WEEK_HOURS)), 0.0)
        usual = np.where(usual.sum(axis=1, keepdims=True) > 0, usual, inside)
        cumulative = np.cumsum(usual, axis=1)
        cumulative /= cumulative[:, -1:]
        upto = np.floor(extra[:, None] * cumulative + self._luck[:, None]).astype(np.int64)
        made: Whole = np.diff(upto, axis=1, prepend=0)
        return made

    def _slot(self, size: Size, number: int, series: int) -> Slot:
        if size is Size.HOUR:
            hour = (self._first + number) % WEEK_HOURS
        else:
            hour = number % 7 * DAY_HOURS if size is Size.DAY else 0
        a_year = WINDOWS_PER_WEEK[size] * 365 / 7
        return Slot(number, hour, number / a_year % 1.0, 1.0, np.zeros(series, np.int64))


def _windows(size: Size, week: int, counts: Whole) -> list[tuple[int, int, Whole]]:
    """(hour at which it ends, number, counts) of each window of a week."""
    a_week = WINDOWS_PER_WEEK[size]
    length = WEEK_HOURS // a_week
    summed = counts.reshape(len(counts), a_week, length).sum(axis=2)
    return [((i + 1) * length, week * a_week + i, np.ascontiguousarray(summed[:, i])) for i in range(a_week)]


def _quantile(smallest: Whole, share: float) -> int | None:
    """The burst that is found in at least `share` of the histories; -1s are found by none."""
    ordered = np.sort(np.where(smallest < 0, np.iinfo(np.int64).max, smallest))
    found = int(ordered[ceil(share * len(ordered)) - 1])
    return None if found == np.iinfo(np.int64).max else found
