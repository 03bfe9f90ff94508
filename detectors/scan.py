"""Space-time scan: neighbouring places that are a little high together, for days.

Every connected set of two to four places (`zones`) is looked at over the last 1 to 28 windows, as in Kulldorff,
"Prospective time periodic geographical disease surveillance using a scan statistic", JRSS A 164 (2001), with expected
counts that are known from each series' own past (Tango, Takahashi and Kohriyama, "A space-time scan statistic for
detecting emerging outbreaks", Biometrics 67 (2011)): the cluster is the set and span with the largest negative-binomial
likelihood ratio of "all of it is higher by one factor" to "as expected". Its exact tail is then paid for having been
searched for: by what the smallest of all these tails is like where nothing happens, simulated once from a fixed seed
(`searched`), or by Bonferroni's bound where that is less. Windows are taken to be independent, given what was expected.

One window may have several clusters (`find_all`): after the most unlikely one the most unlikely of those that share no
place with it, and so on (secondary clusters: Kulldorff, "A spatial scan statistic", Communications in Statistics 26
(1997)). Taking a cluster's places out before looking again is the sequential removal of Zhang, Assunção and Kulldorff,
"Spatial scan statistics adjusted for multiple clusters", Journal of Probability and Statistics (2010); as what is
expected here is known beforehand, and not shared out from a total that the first cluster has swollen, no other zone's
figures move by it, so that both are the same. Each p is that of the search over all zones, the null of the maximum.

How often this tells of a cluster where there is none: let every look be at a level of `step_level(a)` = a / (1 + a).
The first false one comes in at most that share of windows. Given the clusters before it, the places that are left have
counts of their own, independent of theirs, and known only to be no more unlikely than what was found: that can but
lessen how often something unlikely is found among them (Harris' inequality), and they are fewer zones than all. So
every further false one comes in at most a / (1 + a) of the cases in which the one before it did, and the number that
is expected in a window is at most b + b² + ... = b / (1 - b) = a, for b = a / (1 + a): the level of one test.
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
    version: ClassVar[str] = "2"
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
    search = _Search(counts, expected, size, zones)
    if place is not None:
        search.keep(place)
    return search.most_unlikely()


def find_all(
    counts: Floats, expected: Floats, size: Floats, zones: Zones, at_most: float, least: int = 0
) -> list[Cluster]:
    """The clusters of at least `least` that end with the last window, the most unlikely first, each the most unlikely
    of those that share no place with the ones before it, as long as p is at most `at_most`. Shapes as in `find`.
    """
    search = _Search(counts, expected, size, zones)
    search.ratios[search.sums[:, :, 0] < least] = 0.0
    found: list[Cluster] = []
    while (cluster := search.most_unlikely()) is not None and cluster.p <= at_most:
        found.append(cluster)
        search.leave_out(cluster.places)
    return found


def step_level(level: float) -> float:
    """What every look of `find_all` may spend, so that as many false clusters are expected in a window as one test of
    `level` has false finds.

    >>> step_level(0.25)
    0.2
    """
    return level / (1.0 + level)


class _Search:
    """Sums over all zones and spans that end with the last window, looked through more than once."""

    def __init__(self, counts: Floats, expected: Floats, size: Floats, zones: Zones) -> None:
        self.zones = zones
        self.spans = np.array([span for span in SPANS if span <= counts.shape[1]], dtype=np.int64)
        self.sums = np.empty((len(zones), len(self.spans), 4))
        if self.sums.size:
            _sums(counts, expected, expected * expected / size, zones, self.spans, self.sums)
        self.ratios = np.nan_to_num(self.sums[:, :, 3], nan=0.0)

    def keep(self, place: int) -> None:
        """Look only at the zones that a place is part of."""
        self.ratios[~(self.zones == place).any(axis=1)] = 0.0

    def leave_out(self, places: tuple[int, ...]) -> None:
        """Look no more at the zones that one of these places is part of."""
        self.ratios[np.isin(self.zones, places).any(axis=1)] = 0.0

    def most_unlikely(self) -> Cluster | None:
        """The most unlikely cluster of the zones that are left."""
        best: tuple[float, int] | None = None
        for candidate in np.argsort(-self.ratios, axis=None, kind="stable")[:_EXACT].tolist():
            if not self.ratios.flat[candidate] > 0:
                break
            count, mean, more, _ = self.sums.reshape(-1, 4)[candidate].tolist()
            tail = four_tails(min(int(count), _LARGEST_COUNT), mean, mean * mean / max(more, 1e-9))[0]
            if best is None or tail < best[0]:
                best = (tail, candidate)
        if best is None:
            return None
        zone, span = divmod(best[1], len(self.spans))
        count, mean, more, _ = self.sums[zone, span].tolist()
        mean, spread = rounded_number(mean), rounded_number(mean * mean / max(more, 1e-9))
        return Cluster(
            places=tuple(one for one in self.zones[zone].tolist() if one >= 0),
            span=int(self.spans[span]),
            count=int(count),
            expected=mean,
            low=float(quantile(0.025, mean, spread)),
            high=float(quantile(0.975, mean, spread)),
            size=spread,
            p=rounded_number(searched(best[0], self.zones)),
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
