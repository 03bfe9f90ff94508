"""Which scores are verdicts: the tests of a city, their levels, and the guards before them.

A verdict is p <= level, on the side that the signal looks at, of a series that is past its warm-up and
large enough to be worth a page. Nothing here remembers anything; corroboration and alerts are the judge's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.budget import rounded_down
from detectors.observation import Floats, ScoreReason, Scores
from detectors.registry import SCANS
from streams.core.city import City, Direction, Size
from streams.core.levels import sides_judged
from streams.core.outputs import ScoredWindow
from streams.core.spending import units_of

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
    near_high: Floats
    """What p may be at most for a near-verdict; 0 where there is no test. Likewise near_low."""
    near_low: Floats
    cost: NDArray[np.int64]
    """Both levels together, in units of `spending`."""

    def levels(self, side: Direction) -> Floats:
        """The levels of a side."""
        return self.high if side is Direction.HIGH else self.low

    def near(self, side: Direction) -> Floats:
        """The near-levels of a side."""
        return self.near_high if side is Direction.HIGH else self.near_low


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
    a signal that is judged on two spends half of it on each. A combination that is not in it is not tested.
    """
    width = len(city.counties) + 1
    names = dict.fromkeys(name for signal in city.signals for name in signal.detectors)
    detectors = tuple(name for name in names if name not in SCANS)
    tables: dict[Size, tuple[LevelTable, ...]] = {}
    for size in Size:
        made = []
        for detector in detectors:
            high = np.zeros((len(city.signals), width))
            low = np.zeros((len(city.signals), width))
            for i, signal in enumerate(city.signals):
                if detector not in signal.detectors_at(size):
                    continue
                level = levels.get((signal.name, size, detector), 0.0)
                columns = slice(0, width if signal.citywide else width - 1)
                sides = sides_judged(signal.direction, detector)
                for side, own in ((Direction.HIGH, high), (Direction.LOW, low)):
                    if side in sides:
                        own[i, columns] = rounded_down(level / len(sides))
            if high.any() or low.any():
                cost = units_of(high) + units_of(low)
                made.append(LevelTable(detector, high, low, _near_level(high), _near_level(low), cost))
        tables[size] = tuple(made)
    return tables


def cost(window: ScoredWindow, tables: tuple[LevelTable, ...]) -> int:
    """What the tests of one scored window spend, in units: the levels of every series that has a verdict to
    give, whatever the verdict is."""
    total = 0
    for table in tables:
        scores = window.scores.get(table.detector)
        if scores is not None:
            total += int(table.cost[scores.reason == ScoreReason.SCORED].sum())
    return total


def _near_level(level: Floats) -> Floats:
    return np.maximum(level, np.minimum(NEAR * level, NEAR_AT_MOST))


def verdicts(
    window: ScoredWindow, tables: tuple[LevelTable, ...], minimum: NDArray[np.int64], share: float = 1.0
) -> list[Verdict]:
    """The verdicts of one scored window in canonical order: signal, county, detector, side.

    `minimum` has shape (signals,): a count below it is no verdict on the high side, an expected value below
    it none on the low side. `share` is the part of every level that the budget has left, 1 as a rule.
    """
    found: list[tuple[tuple[int, int, int, int], Verdict]] = []
    for order, table in enumerate(tables):
        scores = window.scores.get(table.detector)
        if scores is None:
            continue
        for rank, side in enumerate((Direction.HIGH, Direction.LOW)):
            levels, p = table.levels(side), side_p(scores, side)
            allowed = levels if share == 1.0 else np.vectorize(rounded_down, otypes=[float])(levels * share)
            for i, j in _places(p <= allowed):
                if levels[i, j] > 0 and _speaks(window, scores, i, j, side, int(minimum[i])):
                    verdict = Verdict(
                        size=window.size,
                        signal=i,
                        series=j,
                        detector=table.detector,
                        side=side,
                        count=int(window.counts[i, j]),
                        expected=float(scores.expected[i, j]),
                        low=float(scores.low[i, j]),
                        high=float(scores.high[i, j]),
                        p=float(p[i, j]),
                        level=float(allowed[i, j]),
                    )
                    found.append(((i, j, order, rank), verdict))
    found.sort(key=lambda item: item[0])
    return [verdict for _, verdict in found]


def _places(where: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(signal, series) of what is true: few, so the other guards are asked one by one."""
    width = where.shape[1]
    return [divmod(place, width) for place in np.flatnonzero(where).tolist()]


def _speaks(window: ScoredWindow, scores: Scores, i: int, j: int, side: Direction, minimum: int) -> bool:
    """Whether a series has a verdict to give, and is large enough for it on this side."""
    large = window.counts[i, j] if side is Direction.HIGH else scores.expected[i, j]
    return bool(scores.reason[i, j] == ScoreReason.SCORED and large >= minimum)


def side_p(scores: Scores, side: Direction) -> Floats:
    """The tail probability of a side."""
    return scores.p_high if side is Direction.HIGH else scores.p_low


def near_lows(
    window: ScoredWindow, tables: tuple[LevelTable, ...], minimum: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """(signal, series) of every near-verdict on the low side: what can corroborate a drought."""
    return _near_verdicts(window, tables, minimum, Direction.LOW)


def near_highs(
    window: ScoredWindow, tables: tuple[LevelTable, ...], minimum: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Likewise on the high side."""
    return _near_verdicts(window, tables, minimum, Direction.HIGH)


def _near_verdicts(
    window: ScoredWindow, tables: tuple[LevelTable, ...], minimum: NDArray[np.int64], side: Direction
) -> list[tuple[int, int]]:
    return [
        (i, j)
        for table in tables
        if (scores := window.scores.get(table.detector)) is not None
        for i, j in _places(side_p(scores, side) <= table.near(side))
        if table.levels(side)[i, j] > 0 and _speaks(window, scores, i, j, side, int(minimum[i]))
    ]


def is_near(window: ScoredWindow, table: LevelTable, signal: int, series: int, side: Direction) -> bool | None:
    """Whether a series is at or near a verdict in this window; None where it has no verdict to give."""
    scores = window.scores.get(table.detector)
    if scores is None or scores.reason[signal, series] != ScoreReason.SCORED:
        return None
    near = table.near(side)[signal, series]
    return bool(near > 0 and side_p(scores, side)[signal, series] <= near)


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
