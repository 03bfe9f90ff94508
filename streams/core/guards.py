"""Which scores are verdicts: the tests of a city, their levels, and the guards before them.

A verdict is p <= level, on the side that the signal looks at, of a series that is past its warm-up and
large enough to be worth a page. Nothing here remembers anything; corroboration and alerts are the judge's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.budget import rounded_down
from detectors.observation import Floats, ScoreReason, Scores
from streams.core.city import City, Direction, Size
from streams.core.instant import WEEK, Instant
from streams.core.outputs import ScoredWindow

NEAR = 20.0
NEAR_AT_MOST = 0.02
"""A p at or below NEAR x level, and at or below NEAR_AT_MOST where that is less, is a near-verdict: it keeps an
alert open and corroborates, but raises nothing. (A week's level may be a percent: 20 of it would be nothing.)"""

LevelKey = tuple[str, Size, str]
"""(signal, size, detector)."""


@dataclass(frozen=True, slots=True)
class LevelTable:
    """All tests of one window size and one detector; arrays of shape (signals, counties + 1)."""

    detector: str
    high: Floats
    """Level of the upper tail, per series; 0 where there is no test."""
    low: Floats
    series: NDArray[np.bool_]
    """Where the detector tests at all."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test that fired. `signal` and `series` index the city's vectors."""

    size: Size
    signal: int
    series: int
    detector: str
    side: Direction
    """HIGH or LOW: the side that the count fell on."""
    count: int
    expected: float
    low: float
    high: float
    p: float
    level: float

    @property
    def excess(self) -> float:
        """How far the count is from the expected, on the verdict's side."""
        return self.count - self.expected if self.side is Direction.HIGH else self.expected - self.count


def level_tables(city: City, levels: Mapping[LevelKey, float]) -> dict[Size, tuple[LevelTable, ...]]:
    """The tests of a city by window size, detectors in the order in which the signals first name them.

    `levels` gives what one series of (signal, size, detector) may spend per window, both sides together:
    a two-sided signal spends half of it on each. A combination that is not in it is not tested.
    """
    width = len(city.counties) + 1
    detectors = tuple(dict.fromkeys(name for signal in city.signals for name in signal.detectors))
    tables: dict[Size, tuple[LevelTable, ...]] = {}
    for size in Size:
        made = []
        for detector in detectors:
            high = np.zeros((len(city.signals), width))
            low = np.zeros((len(city.signals), width))
            for i, signal in enumerate(city.signals):
                if size not in signal.sizes or detector not in signal.detectors:
                    continue
                level = levels.get((signal.name, size, detector), 0.0)
                columns = slice(0, width if signal.citywide else width - 1)
                share = rounded_down(level / 2 if signal.direction is Direction.BOTH else level)
                if signal.direction is not Direction.LOW:
                    high[i, columns] = share
                if signal.direction is not Direction.HIGH:
                    low[i, columns] = share
            tested = (high > 0) | (low > 0)
            if tested.any():
                made.append(LevelTable(detector, high, low, tested))
        tables[size] = tuple(made)
    return tables


def spending(window: ScoredWindow, tables: tuple[LevelTable, ...]) -> float:
    """What the tests of one scored window spend of the budget: the levels of every series that has a verdict
    to give, whatever the verdict is. Exactly rounded, so equal everywhere."""
    levels: list[float] = []
    for table in tables:
        scores = window.scores.get(table.detector)
        if scores is not None:
            scored = (scores.reason == ScoreReason.SCORED) & table.series
            levels += table.high[scored].tolist() + table.low[scored].tolist()
    return math.fsum(levels)


Spent = tuple[tuple[Instant, float], ...]
"""(window end, what its tests spent), oldest first."""


def week_before(spent: Spent, at: Instant) -> Spent:
    """What was spent in the 7 days that end at `at`: window ends in (at - 7 d, at]."""
    return tuple(one for one in spent if at - WEEK < one[0] <= at)


def affordable(spent: Spent, at: Instant, planned: float, budget: float) -> float:
    """The share of its levels that a window end may use, so that no 7 days spend more than the budget.

    1 as a rule: the levels are made to sum to the budget. Less where the clock is changed and 7 days hold
    the ends of 8 reporting days.
    """
    left = budget - math.fsum(spending for _, spending in week_before(spent, at))
    if planned <= left * (1 + 1e-9):
        return 1.0
    return max(0.0, left / planned)


def verdicts(
    window: ScoredWindow, tables: tuple[LevelTable, ...], minimum: NDArray[np.int64], share: float = 1.0
) -> list[Verdict]:
    """The verdicts of one scored window in canonical order: signal, county, detector, side.

    `minimum` has shape (signals,): a count below it is no verdict on the high side, an expected value below
    it none on the low side. `share` is the part of every level that the budget has left, 1 as a rule.
    """
    found: list[tuple[tuple[int, int, int, int], Verdict]] = []
    floor = minimum[:, None]
    for order, table in enumerate(tables):
        scores = window.scores.get(table.detector)
        if scores is None:
            continue
        scored = scores.reason == ScoreReason.SCORED
        for rank, side, levels, p, large in (
            (0, Direction.HIGH, table.high, scores.p_high, window.counts >= floor),
            (1, Direction.LOW, table.low, scores.p_low, scores.expected >= floor),
        ):
            allowed = levels if share == 1.0 else np.vectorize(rounded_down, otypes=[float])(levels * share)
            fired = scored & (levels > 0) & (p <= allowed) & large
            for signal, series in np.argwhere(fired).tolist():
                found.append(
                    (
                        (signal, series, order, rank),
                        Verdict(
                            window.size,
                            signal,
                            series,
                            table.detector,
                            side,
                            int(window.counts[signal, series]),
                            float(scores.expected[signal, series]),
                            float(scores.low[signal, series]),
                            float(scores.high[signal, series]),
                            float(p[signal, series]),
                            float(allowed[signal, series]),
                        ),
                    )
                )
    found.sort(key=lambda item: item[0])
    return [verdict for _, verdict in found]


def side_p(scores: Scores, side: Direction) -> Floats:
    """The tail probability of a side."""
    return scores.p_high if side is Direction.HIGH else scores.p_low


def near_level(level: Floats) -> Floats:
    """What p may be at most for a near-verdict, level by level."""
    return np.maximum(level, np.minimum(NEAR * level, NEAR_AT_MOST))


def near_lows(
    window: ScoredWindow, tables: tuple[LevelTable, ...], minimum: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """(signal, series) of every near-verdict on the low side, sorted: what can corroborate a drought."""
    near = np.zeros(window.counts.shape, dtype=bool)
    for table in tables:
        scores = window.scores.get(table.detector)
        if scores is not None:
            scored = scores.reason == ScoreReason.SCORED
            large = scores.expected >= minimum[:, None]
            near |= scored & (table.low > 0) & (scores.p_low <= near_level(table.low)) & large
    return [(signal, series) for signal, series in np.argwhere(near).tolist()]


def is_near(window: ScoredWindow, table: LevelTable, signal: int, series: int, side: Direction) -> bool | None:
    """Whether a series is at or near a verdict in this window; None where it has no verdict to give."""
    scores = window.scores.get(table.detector)
    if scores is None or scores.reason[signal, series] != ScoreReason.SCORED:
        return None
    level = (table.high if side is Direction.HIGH else table.low)[signal, series]
    return bool(level > 0 and side_p(scores, side)[signal, series] <= near_level(level))


def excess(
    window: ScoredWindow, tables: tuple[LevelTable, ...], signal: int, series: int, side: Direction, prefer: str = ""
) -> float | None:
    """How far a series is from its expected value on a side, by the first detector that has one.

    `prefer` names a detector to ask before the others. None where none has scored the series.
    """
    for table in sorted(tables, key=lambda t: t.detector != prefer):
        scores = window.scores.get(table.detector)
        if scores is not None and scores.reason[signal, series] == ScoreReason.SCORED:
            above = float(window.counts[signal, series]) - float(scores.expected[signal, series])
            return above if side is Direction.HIGH else -above
    return None
