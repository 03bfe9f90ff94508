"""The largest non-alerts: what came nearest to paging and did not.

How near is p over its level: how many times less it would have had to be. A side that a signal does not look at is
near only where it would have been a verdict, at the level of the one it does; a verdict that a guard held back is
nearer than everything that was none.
"""

from typing import NamedTuple

import numpy as np

from detectors.observation import ScoreReason
from streams.core.city import Direction, Size
from streams.core.clusters import ScannedDay
from streams.core.guards import side_p
from streams.core.instant import Instant
from streams.core.judge import JudgePlan
from streams.core.outputs import ScoredWindow


class Near(NamedTuple):
    """A series in a window, by how near it came; sorts nearest first."""

    ratio: float
    """The p over the level, of the test that came nearest."""
    start: Instant
    size: Size
    county: str
    signal: str


def nearest(plan: JudgePlan, window: ScoredWindow, most: int) -> list[Near]:
    """The series of one scored window that came nearest to a page, nearest first: those that paged among them."""
    ratio = np.full(window.counts.shape, np.inf)
    for table in plan.tables[window.size]:
        scores = window.scores.get(table.detector)
        if scores is None:
            continue
        level = np.maximum(table.high, table.low)
        tested = (scores.reason == ScoreReason.SCORED) & (level > 0)
        for side in (Direction.HIGH, Direction.LOW):
            looked_at = table.levels(side) > 0
            with np.errstate(invalid="ignore", divide="ignore"):
                here = np.where(tested, side_p(scores, side) / np.where(looked_at, table.levels(side), level), np.inf)
            near = looked_at | (here <= 1.0)
            ratio = np.minimum(ratio, np.where(near & ~np.isnan(here), here, np.inf))
    flat = ratio.ravel()
    order = np.argsort(flat, kind="stable")[:most].tolist()
    width = len(plan.layout.codes)
    places = [(divmod(place, width), float(flat[place])) for place in order if np.isfinite(flat[place])]
    return [
        Near(near, window.start, window.size, plan.layout.codes[j], plan.city.signals[i].name)
        for (i, j), near in places
    ]


def nearest_clusters(plan: JudgePlan, window: ScoredWindow, scanned: tuple[ScannedDay, ...]) -> list[Near]:
    """How near the most unlikely cluster of each scanned signal came as a day ended, by the county that it rests on
    most. `scanned`: what the scan had before it (`recall.scans`)."""
    found = []
    for signal, level in zip(plan.scans.signals, plan.scans.levels, strict=True):
        cluster = plan.scans.most_unlikely(scanned, signal, None)
        if cluster is not None:
            county = plan.city.counties[plan.scans.main(scanned, signal, cluster)].code
            found.append(Near(cluster.p / level, window.start, window.size, county, plan.city.signals[signal].name))
    return found


class Nearest:
    """The nearest of many windows, the best window of each series: bounded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._best: dict[tuple[Size, str, str], Near] = {}

    def take(self, found: list[Near]) -> None:
        """More of them."""
        for one in found:
            series = (one.size, one.county, one.signal)
            self._best[series] = min(one, self._best.get(series, one))
        if len(self._best) > 4 * self._most:
            self._best = {(one.size, one.county, one.signal): one for one in self.sorted()}

    def sorted(self) -> list[Near]:
        """Nearest first."""
        return sorted(self._best.values())[: self._most]
