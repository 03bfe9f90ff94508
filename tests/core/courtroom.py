"""A small city before the judge: scored windows written down as counts, what was expected, and p-values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from detectors.observation import ScoreReason, Scores
from streams.core.alert import Ended, Joined, Raised, Transition
from streams.core.city import Category, City, Direction, Size
from streams.core.instant import DAY, HOUR, WEEK, Instant
from streams.core.judge import JudgePlan, step
from streams.core.judge_state import JudgeState
from streams.core.outputs import AlwaysPage, ScoredWindow, SeriesDetail
from tests.core.towns import START, PlainCalendar, signal, towns

LEVEL = 1e-4
LENGTH = {Size.HOUR: HOUR, Size.DAY: DAY, Size.WEEK: WEEK}
MONDAY = START
"""Midnight of Monday, 2 March 2026, UTC: the zone of the small city."""

SIGNALS = (
    signal("total", {"kind": ["accepted"]}, citywide=True),
    signal("noise", {"category": ["noise"]}, family="environment", citywide=True),
    signal("dust", {"category": ["dust"]}, family="environment", direction=Direction.HIGH),
    signal("road", {"category": ["road"]}, family="transport", citywide=True),
    replace(signal("accusation", {"category": ["accusation"]}, family="conduct"), compartmented=True),
)
CATEGORIES = (
    Category("noise", "噪声", "Noise", "environment"),
    Category("dust", "扬尘", "Dust", "environment"),
    Category("road", "道路", "Road", "transport"),
    Category("accusation", "检举控告", "Accusation", "conduct", compartmented=True),
    Category("threat", "威胁", "Threat", "safety", always_page=True),
)


class FestiveCalendar(PlainCalendar):
    """One holiday: Wednesday, 4 March."""

    def facts(self, county: str, day: date) -> tuple[str, ...]:
        return ("节日",) if day == date(2026, 3, 4) else ()


@dataclass(frozen=True)
class Seen:
    """What one detector makes of one series in one window."""

    count: int
    expected: float = 10.0
    p: float | None = None
    """The tail on the count's side; None: unremarkable, 0.4."""
    detector: str = "counts"
    reason: ScoreReason = ScoreReason.SCORED


WindowSeen = Mapping[tuple[str, str], Seen | tuple[Seen, ...]]
"""(signal, county) -> what its detectors saw."""


def small_city(signals: Iterable[object] = SIGNALS, **changes: object) -> City:
    """Three counties, one holiday, five signals."""
    city = replace(towns(signals=tuple(signals)), categories=CATEGORIES, calendar=FestiveCalendar())  # type: ignore[arg-type]  # signals of towns
    return replace(city, **changes)  # type: ignore[arg-type]  # a test's own changes


def flat_levels(city: City, level: float = LEVEL) -> dict[tuple[str, Size, str], float]:
    """The same level for every test."""
    return {(s.name, size, name): level for s in city.signals for size in s.sizes for name in s.detectors}


class Courtroom:
    """A judge with a state, fed window by window; remembers everything it did."""

    def __init__(
        self,
        city: City | None = None,
        *,
        levels: Mapping[tuple[str, Size, str], float] | None = None,
        detectors: tuple[str, ...] = ("counts",),
    ) -> None:
        given = city or small_city()
        self.city = replace(given, signals=tuple(replace(s, detectors=detectors) for s in given.signals))
        self.plan = JudgePlan.of(self.city, levels or flat_levels(self.city), {"counts": "1", "shift": "2"})
        self.state = JudgeState(began=MONDAY - WEEK)  # so that every window which ends here can come
        self.made: list[Transition] = []
        self.series = [*(county.code for county in self.city.counties), self.city.code]
        self.signals = [s.name for s in self.city.signals]

    def window(self, end: Instant, size: Size, seen: WindowSeen) -> ScoredWindow:
        """A scored window; what `seen` does not name is 10 as expected."""
        shape = (len(self.signals), len(self.series))
        counts = np.full(shape, 10, dtype=np.int64)
        for i, s in enumerate(self.city.signals):
            if size not in s.sizes:
                counts[i] = -1
        scores = {name: _ordinary(shape, counts) for name in self.city.signals[0].detectors}
        details = {}
        for (name, county), at_once in seen.items():
            i, j = self.signals.index(name), self.series.index(county)
            for one in at_once if isinstance(at_once, tuple) else (at_once,):
                counts[i, j] = one.count
                _write(scores[one.detector], i, j, one)
            details[i, j] = SeriesDetail(
                (9, 11, 10), ((name, counts[i, j].item()),), (("hotline", counts[i, j].item()),)
            )
        return ScoredWindow(size, end - LENGTH[size], end, counts, scores, details)

    def hear(self, given: ScoredWindow | AlwaysPage) -> list[Transition]:
        """One step; what it led to."""
        self.state, made = step(self.plan, self.state, given)
        self.made.extend(made)
        return list(made)

    def hour(self, end: Instant, seen: WindowSeen | None = None) -> list[Transition]:
        """One hour, and whatever day or week ends with it, ordinary."""
        return self.at(end, {Size.HOUR: seen or {}})

    def at(self, end: Instant, seen: Mapping[Size, WindowSeen]) -> list[Transition]:
        """Everything that ends at one instant."""
        made: list[Transition] = []
        for size in self.plan.grid.sizes_ending(end):
            if size in self.plan.sizes:
                made += self.hear(self.window(end, size, seen.get(size, {})))
        return made

    def quiet(self, after: Instant, hours: int) -> Instant:
        """Ordinary hours; returns the last one's end."""
        for n in range(1, hours + 1):
            self.hour(after + n * HOUR)
        return after + hours * HOUR

    @property
    def raised(self) -> list[Raised]:
        return [one for one in self.made if isinstance(one, Raised)]

    @property
    def joined(self) -> list[Joined]:
        return [one for one in self.made if isinstance(one, Joined)]

    @property
    def ended(self) -> list[Ended]:
        return [one for one in self.made if isinstance(one, Ended)]

    def pages(self) -> list[tuple[str, str]]:
        """(county, family) of every alert raised."""
        return [(one.county, one.family) for one in self.raised]


def _ordinary(shape: tuple[int, int], counts: np.ndarray) -> Scores:
    def full(value: float) -> np.ndarray:
        return np.where(counts >= 0, value, np.nan)

    reason = np.where(counts >= 0, ScoreReason.SCORED, ScoreReason.NOT_JUDGED).astype(np.uint8)
    return Scores(full(10), full(4), full(17), full(0.4), full(0.4), full(0.4), full(0.4), full(50), reason)


def _write(scores: Scores, i: int, j: int, seen: Seen) -> None:
    scores.reason[i, j] = seen.reason
    if seen.reason is not ScoreReason.SCORED:
        for field in ("expected", "low", "high", "p_high", "p_above", "p_low", "p_below", "size"):
            getattr(scores, field)[i, j] = np.nan
        return
    scores.expected[i, j] = seen.expected
    p = 0.4 if seen.p is None else seen.p
    above = seen.count >= seen.expected
    scores.p_high[i, j], scores.p_low[i, j] = (p, 1.0) if above else (1.0, p)
