"""Space-time scan: neighbouring places that are a little high together, for days.

Every connected set of two to four places (`zones`) is looked at over the last 1 to 28 windows, as in Kulldorff,
"Prospective time periodic geographical disease surveillance using a scan statistic", JRSS A 164 (2001), with expected
counts that are known from each series' own past (Tango, Takahashi and Kohriyama, "A space-time scan statistic for
detecting emerging outbreaks", Biometrics 67 (2011)): the cluster is the set and span with the largest negative-binomial
likelihood ratio of "all of it is higher by one factor" to "as expected". Its exact tail is then paid for having been
searched for: by what the smallest of all these tails is like where nothing happens, simulated once from a fixed seed
(`searched`), or by Bonferroni's bound where that is less. Windows are taken to be independent, given what was expected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import erfc, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.elementary import exp, log
from detectors.observation import Floats
from detectors.rounding import rounded_number
from detectors.tails import four_tails, quantile

MOST_PLACES = 4
SPANS = (1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 28)
"""Windows that a cluster may have lasted."""
LONGEST = SPANS[-1]
SIMULATED = 4000
SEED = 19640711
_EXACT = 8
"""Candidates, by likelihood ratio, whose exact tail is taken: the smallest is among the first few."""
_LARGEST_COUNT = 10**10

Zones = NDArray[np.int64]
"""Shape (zones, MOST_PLACES): places of each, -1 where it has fewer."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The most unlikely cluster of one window end."""

    places: tuple[int, ...]
    """Ascending."""
    span: int
    """Windows that it has lasted."""
    count: int
    expected: float
    low: float
    high: float
    """Central 95 % band of the count, were nothing the matter there."""
    size: float
    """Of the negative binomial that these come from (variance = expected + expected² / size)."""
    p: float
    """Probability that any cluster as unlikely as this one is found in a window, where nothing happens."""

    @property
    def recurrence(self) -> float:
        """Windows between two such finds by chance, on average."""
        return 1.0 / self.p


class Scan:
    """What a profile's `detectors: scan` means: not a detector of series, the judge holds it over all of them."""

    name: ClassVar[str] = "scan"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "neighbouring counties that are high together, for up to 28 days: space-time scan (days)"
    judges: ClassVar[tuple[int, ...]] = (7,)


def zones_of(neighbours: Sequence[Sequence[int]]) -> Zones:
    """Every connected set of 2 to MOST_PLACES places, in the order of their numbers; `neighbours[i]` are place i's.

    >>> zones_of([[1], [0, 2], [1]]).tolist()
    [[0, 1, -1, -1], [0, 1, 2, -1], [1, 2, -1, -1]]
    """
    sets: set[tuple[int, ...]] = {(i,) for i in range(len(neighbours))}
    found: set[tuple[int, ...]] = set()
    for _ in range(MOST_PLACES - 1):
        sets = {
            tuple(sorted((*one, other))) for one in sets for i in one for other in neighbours[i] if other not in one
        }
        found |= sets
    zones = np.full((len(found), MOST_PLACES), -1, dtype=np.int64)
    for row, one in enumerate(sorted(found)):
        zones[row, : len(one)] = one
    return zones


@compiled
def _sums(counts: Floats, expected: Floats, extra: Floats, zones: Zones, spans: Zones, out: Floats) -> None:
    """out, shape (zones, spans, 4): count, expected, variance beyond Poisson's, log likelihood ratio; NaN where one of
    the series has no window. Inputs have shape (places, windows), the last window last."""
    windows = counts.shape[1]
    for z in range(zones.shape[0]):
        for s in range(spans.size):
            x, mean, more = 0.0, 0.0, 0.0
            for k in range(zones.shape[1]):
                place = zones[z, k]
                if place < 0:
                    break
                for w in range(windows - spans[s], windows):
                    x += counts[place, w]
                    mean += expected[place, w]
                    more += extra[place, w]
            out[z, s, 0], out[z, s, 1], out[z, s, 2] = x, mean, more
            ratio = np.nan
            if mean > 0.0:
                ratio = 0.0
                if x > mean:
                    size = mean * mean / max(more, 1e-9)
                    ratio = x * log(x / mean) - (x + size) * log((x + size) / (mean + size))
            out[z, s, 3] = ratio


def find(counts: Floats, expected: Floats, size: Floats, zones: Zones, place: int | None = None) -> Cluster | None:
    """The most unlikely cluster that ends with the last window; None where nothing is higher than expected.

    Shapes (places, windows), the last windows in order: counts, what was expected of them before they came, and the
    sizes of their negative binomials (`Scores.size`); NaN where a window was not scored. `place`: the most unlikely one
    that this place is part of; its p is still that of a search over all zones.
    """
    everywhere = zones
    if place is not None:
        zones = np.ascontiguousarray(zones[(zones == place).any(axis=1)])
    spans = np.array([span for span in SPANS if span <= counts.shape[1]], dtype=np.int64)
    if not len(zones) or not len(spans):
        return None
    sums = np.empty((len(zones), len(spans), 4))
    _sums(counts, expected, expected * expected / size, zones, spans, sums)
    ratios = np.nan_to_num(sums[:, :, 3].ravel(), nan=0.0)
    best: tuple[float, int] | None = None
    for candidate in np.argsort(-ratios, kind="stable")[:_EXACT].tolist():
        count, mean, more, ratio = sums.reshape(-1, 4)[candidate].tolist()
        if not ratio > 0:
            continue
        tail = four_tails(min(int(count), _LARGEST_COUNT), mean, mean * mean / max(more, 1e-9))[0]
        if best is None or tail < best[0]:
            best = (tail, candidate)
    if best is None:
        return None
    zone, span = divmod(best[1], len(spans))
    count, mean, more, _ = sums[zone, span].tolist()
    mean, spread = rounded_number(mean), rounded_number(mean * mean / max(more, 1e-9))
    return Cluster(
        places=tuple(one for one in zones[zone].tolist() if one >= 0),
        span=int(spans[span]),
        count=int(count),
        expected=mean,
        low=float(quantile(0.025, mean, spread)),
        high=float(quantile(0.975, mean, spread)),
        size=spread,
        p=rounded_number(searched(best[0], everywhere)),
    )


def smallest_count(cluster: Cluster, level: float, zones: Zones) -> int:
    """The smallest count with which a cluster, all else equal, would have had a p of at most a level."""
    below, above = 0, max(1, int(cluster.expected))
    while _p(cluster, above, zones) > level:
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if _p(cluster, middle, zones) <= level else (middle, above)
    return above


def _p(cluster: Cluster, count: int, zones: Zones) -> float:
    return rounded_number(searched(four_tails(count, cluster.expected, cluster.size)[0], zones))


def searched(tail: float, zones: Zones) -> float:
    """Probability that the smallest tail of a search over all zones and spans is at most this one.

    Below the simulated hundredth by the power law that fits between it and the tenth; never above Bonferroni's bound.
    """
    tenth, hundredth, slope = _smallest_tails(zones.tobytes())
    everywhere = min(1.0, tail * len(zones) * len(SPANS))
    if tail >= tenth:
        return everywhere  # where half of all windows have a cluster, nobody asks how many
    if tail >= hundredth:
        return min(everywhere, 0.1 * exp(slope * log(tail / tenth)))
    return min(everywhere, 0.01 * exp(slope * log(tail / hundredth)))


@cache
def _smallest_tails(zones: bytes) -> tuple[float, float, float]:
    """(its tenth, its hundredth, exponent between the two) of the smallest tail, for normal windows of equal spread."""
    sets = np.frombuffer(zones, dtype=np.int64).reshape(-1, MOST_PLACES)
    random = np.random.default_rng(SEED)
    largest = np.empty(SIMULATED)
    draws = random.standard_normal((SIMULATED, int(sets.max()) + 1, LONGEST))
    _largest_scores(draws, sets, np.array(SPANS, dtype=np.int64), largest)
    tails = np.sort([rounded_number(erfc(z / sqrt(2.0)) / 2.0) for z in largest.tolist()])
    tenth, hundredth = float(tails[SIMULATED // 10 - 1]), float(tails[SIMULATED // 100 - 1])
    slope = log(10.0) / log(tenth / hundredth)
    return tenth, hundredth, min(float(slope), 1.0)


@compiled
def _largest_scores(draws: Floats, zones: Zones, spans: Zones, out: Floats) -> None:
    """The largest sum over a zone and span, in its standard deviations, of each draw."""
    places, windows = draws.shape[1], draws.shape[2]
    for d in range(draws.shape[0]):
        sums = np.zeros((places, spans.size))
        for place in range(places):
            total, s = 0.0, 0
            for back in range(windows):
                total += draws[d, place, windows - 1 - back]
                if back + 1 == spans[s]:
                    sums[place, s] = total
                    s += 1
        largest = -1e9
        for z in range(zones.shape[0]):
            for s in range(spans.size):
                total, members = 0.0, 0
                for k in range(zones.shape[1]):
                    if zones[z, k] >= 0:
                        total += sums[zones[z, k], s]
                        members += 1
                largest = max(largest, total / np.sqrt(members * spans[s]))
        out[d] = largest
