"""A share of a whole that fell, or rose: calls answered in time, tickets solved, people satisfied.

The model: of `whole` call-backs a window had, each was good with a probability that varies a little from window to
window: count ~ beta-binomial(whole, m, rho) (Griffiths, "Maximum likelihood estimation for the beta-binomial
distribution", Biometrics 29 (1973)). The mean m is the share of the last weeks, shrunk towards the series' own long
share, and that towards what the signal's other counties have, the more so the more alike they are: an empirical Bayes
prior by moments (Kleinman, "Proportions with extraneous variance: single and independent samples", JASA 68 (1973)). A
county of few call-backs so borrows strength, and a new one is judged, with a wide band, after a quarter of the warm-up;
alone, it is shrunk towards one half. rho holds what the share varies by, learned by moments and shrunk to the counties'
common one, and what is not known of m. A window far out teaches as much as one at the edge of what is usual. 0 of 0 is
no data: neither scored nor learned.

The counts are the good ones; what they are a part of comes in `Slot.wholes`. Both exact tails; no calendar, no season.
"""

from typing import ClassVar, Self

import numpy as np

from detectors.compiled import compiled
from detectors.contract import Detector
from detectors.elementary import exp, log
from detectors.observation import Counts, Floats, ScoreReason, Scores, Slot
from detectors.packing import packed, unpacked
from detectors.rounding import rounded_number
from detectors.tails import stirling_error

BAND = 0.025
LARGEST = 4096
"""A larger whole is taken as so many, in proportion: no share is known better than that, and tails stay short sums."""
SHORT_GOOD, SHORT_WHOLE, LONG_GOOD, LONG_WHOLE, SPREAD, SPREAD_WEIGHT, SEEN = range(7)
"""What a row remembers: good and all of the last weeks, and of long, decayed; moments of rho; windows with data."""
ROW = 7
PRIOR_WHOLE, MOST_BORROWED = 4.0, 100.0
"""Call-backs that a first share of one half is worth; and the least and the most that a group's common share is."""
LONG_STRENGTH = 400.0
"""Call-backs that the long share is worth beside the last weeks' own; and the most that a series counts for in its
group."""
RHO_PRIOR, RHO_STRENGTH = 0.004, 400.0
LEAST_RHO, MOST_RHO, MOST_DOUBTED = 0.0005, 0.2, 0.4
FAR, FAR_TAIL = 3.0, 3.0
"""No window is taken to be farther out than FAR standard deviations and, on the side where chance alone has the longer
tail (towards less of a large share), FAR_TAIL of the scale on which it falls: an outbreak teaches no spread."""
DOUBT = 1.0
"""How much the variance is widened for its spread being an estimate: see `spread_doubt` of `detectors.row.Settings`."""
MOST_TOLD = 50.0
"""Call-backs of one window that tell of the spread between windows: a few large ones must not speak alone."""
LEAST_WHOLE = 40.0
"""Call-backs seen, or borrowed, before anything is judged."""
BORROWED_FROM = 3.0
"""Series that a group has at least, where it is borrowed from; so many past their warm-up, where others need less."""
EARLY = 0.25
"""Of the warm-up, where the common share is worth what else is missing."""
COMMON_SHARE, COMMON_WORTH, COMMON_RHO, COMMON_KNOWN = range(4)
"""What a group knows: the share, the call-backs that it is worth to each, the spread between windows, and how many of
its series are past their warm-up."""
_UNIT = 1e-6
"""Sums over a group are of whole numbers of it: then the order of its series cannot matter."""
HALF_LOG_2PI = 0.9189385332046727418
SMALLEST_SAID = 1e-290
_SHORT_MEMORY = {168: 0.5 ** (1 / 336), 7: 0.5 ** (1 / 42), 1: 0.5 ** (1 / 8)}
_LONG_MEMORY = {168: 0.5 ** (1 / 4368), 7: 0.5 ** (1 / 364), 1: 0.5 ** (1 / 52)}
_WARM_UP = {168: 336.0, 7: 28.0, 1: 12.0}
_SCORED, _WARMING_UP, _MISSING = int(ScoreReason.SCORED), int(ScoreReason.WARMING_UP), int(ScoreReason.MISSING)


@compiled
def log_gamma(z: float) -> float:
    """Log of Gamma(z), z > 0."""
    return float(stirling_error(z) + (z + 0.5) * log(z) - z + HALF_LOG_2PI - log(z))


@compiled
def row_is_known(row: Floats, warm_up: float) -> bool:
    """Whether a series knows enough of itself to be judged."""
    return bool(row[SEEN] >= warm_up and row[LONG_WHOLE] >= LEAST_WHOLE)


@compiled
def _is_known(row: Floats, common: Floats, warm_up: float) -> bool:
    """The same, with what it can borrow."""
    if row_is_known(row, warm_up):
        return True
    borrowed = row[LONG_WHOLE] + common[COMMON_WORTH] >= LEAST_WHOLE and common[COMMON_KNOWN] >= BORROWED_FROM
    return bool(borrowed and row[SEEN] >= EARLY * warm_up)


@compiled
def common_of(rows: Floats, groups: Counts, warm_up: float) -> Floats:
    """What each group of series has in common, shape (groups, 4): see COMMON_SHARE."""
    common = np.zeros((groups.max() + 1 if groups.size else 0, 4))
    sums = np.zeros((common.shape[0], 7), dtype=np.int64)
    for i in range(groups.size):
        whole = rows[i, LONG_WHOLE]
        if whole <= 0.0:
            continue
        counted, of = min(whole, LONG_STRENGTH), sums[groups[i]]
        common[groups[i], COMMON_KNOWN] += row_is_known(rows[i], warm_up)
        good = rows[i, LONG_GOOD] * (counted / whole)
        of[0] += 1
        of[1] += int(good / _UNIT)
        of[2] += int(counted / _UNIT)
        of[3] += int(good * good / counted / _UNIT)
        of[4] += int(counted * counted)
        of[5] += int(rows[i, SPREAD] / _UNIT)
        of[6] += int(rows[i, SPREAD_WEIGHT] / _UNIT)
    for g in range(common.shape[0]):
        series, good, whole = float(sums[g, 0]), sums[g, 1] * _UNIT, sums[g, 2] * _UNIT
        common[g, COMMON_SHARE], common[g, COMMON_WORTH] = 0.5, PRIOR_WHOLE
        rho = (sums[g, 5] * _UNIT + RHO_STRENGTH * RHO_PRIOR) / (sums[g, 6] * _UNIT + RHO_STRENGTH)
        common[g, COMMON_RHO] = min(max(rho, LEAST_RHO), MOST_RHO)
        if series < BORROWED_FROM or whole < PRIOR_WHOLE:
            continue
        share = (good + 0.5 * PRIOR_WHOLE) / (whole + PRIOR_WHOLE)
        apart = max(sums[g, 3] * _UNIT - 2.0 * share * good + share * share * whole, 0.0) / (share * (1.0 - share))
        # Its mean is (series - 1) (1 - tau) + tau (whole - sum of squares / whole), tau the counties' correlation.
        spare = whole - sums[g, 4] / whole - (series - 1.0)
        tau = (apart - (series - 1.0)) / spare if spare > 0.0 else 1.0
        worth = 1.0 / min(max(tau, 1e-9), 1.0) - 1.0
        # Of so few counties tau is not known well: as if one more had shown what none is believed to show.
        worth *= (series - 1.0) / (series + 1.0)
        common[g, COMMON_SHARE] = share
        common[g, COMMON_WORTH] = min(max(worth, PRIOR_WHOLE), MOST_BORROWED, whole)
    return common


@compiled
def share_of(row: Floats, common: Floats) -> tuple[float, float]:
    """(mean share, what is not known of it as an intra-class correlation)."""
    prior = common[COMMON_WORTH]
    long_share = (row[LONG_GOOD] + common[COMMON_SHARE] * prior) / (row[LONG_WHOLE] + prior)
    known = min(row[LONG_WHOLE] + prior, LONG_STRENGTH)
    mean = (row[SHORT_GOOD] + known * long_share) / (row[SHORT_WHOLE] + known)
    return min(max(mean, 1e-4), 1.0 - 1e-4), 1.0 / (1.0 + row[SHORT_WHOLE] + known)


@compiled
def spread_of(row: Floats, common: Floats) -> float:
    """What the share varies by from window to window, as an intra-class correlation."""
    rho = (row[SPREAD] + RHO_STRENGTH * common[COMMON_RHO]) / (row[SPREAD_WEIGHT] + RHO_STRENGTH)
    return float(min(max(rho, LEAST_RHO), MOST_RHO))


@compiled
def doubted(row: Floats, whole: int, mean: float, rho: float, remembered: float) -> float:
    """The intra-class correlation, widened for being an estimate of at most `remembered` windows, as the dispersion of
    counts is (`detectors.baseline.size_of`): what one window tells of a variance has a relative variance of 2 and the
    excess kurtosis, here that of those that are fewer, good or bad ones."""
    if whole < 2:  # one alone has no spread
        return rho
    phi = 1.0 + (whole - 1.0) * rho
    fewer = whole * min(mean, 1.0 - mean)
    own = row[SPREAD_WEIGHT] / (row[SPREAD_WEIGHT] + RHO_STRENGTH)
    doubt = DOUBT * own * own * (2.0 + (6.0 * (phi - 1.0) + 1.0 / phi) / fewer) / max(min(row[SEEN], remembered), 1.0)
    return float(min(rho + doubt * phi / (whole - 1.0), MOST_DOUBTED))


@compiled
def beta_binomial(whole: int, mean: float, rho: float) -> Floats:
    """P(K = 0), ..., P(K = whole) of a beta-binomial with this mean share and intra-class correlation rho > 0.

    From the likeliest count outwards, so that nothing underflows where it matters; made to sum to 1.
    """
    strength = 1.0 / rho - 1.0
    a, b = mean * strength, (1.0 - mean) * strength
    start = min(max(int(whole * mean), 0), whole)
    chances = np.empty(whole + 1)
    at = log_gamma(whole + 1.0) - log_gamma(start + 1.0) - log_gamma(whole - start + 1.0)
    at += log_gamma(start + a) + log_gamma(whole - start + b) - log_gamma(whole + strength)
    at += log_gamma(strength) - log_gamma(a) - log_gamma(b)
    chances[start] = exp(at)
    for k in range(start, whole):
        chances[k + 1] = chances[k] * ((whole - k) / (k + 1.0)) * ((k + a) / (whole - k - 1.0 + b))
    for k in range(start, 0, -1):
        chances[k - 1] = chances[k] * (k / (whole - k + 1.0)) * ((whole - k + b) / (k - 1.0 + a))
    chances /= chances.sum()
    return chances


@compiled
def _in_proportion(count: int, whole: int, up: bool) -> int:
    """A count of so large a whole as one of LARGEST: rounded to where it is the less extreme."""
    exact = count * (LARGEST / whole)
    return int(np.ceil(exact)) if up else int(np.floor(exact))


@compiled
def _score_rows(
    rows: Floats,
    counts: Counts,
    wholes: Counts,
    groups: Counts,
    memories: tuple[float, float],
    warm_up: float,
    out: Floats,
) -> None:
    """out, shape (series, 8): expected, low, high, p_high, p_above, p_low, p_below, reason; rounded."""
    all_common = common_of(rows, groups, warm_up)
    remembered = 2.0 / (1.0 - memories[1])
    for i in range(counts.size):
        row, common = rows[i], all_common[groups[i]]
        out[i] = np.nan
        if counts[i] < 0 or wholes[i] <= 0:
            out[i, 7] = _MISSING
            continue
        if not _is_known(row, common, warm_up):
            out[i, 7] = _WARMING_UP
            continue
        whole = min(wholes[i], LARGEST)
        count = min(counts[i], wholes[i])
        fewer = more = count
        if wholes[i] > LARGEST:
            fewer, more = _in_proportion(count, wholes[i], True), _in_proportion(count, wholes[i], False)
        mean, unknown = share_of(row, common)
        rho = doubted(row, whole, mean, spread_of(row, common) + unknown, remembered)
        chances = beta_binomial(whole, rounded_number(mean), rounded_number(rho))
        scale = wholes[i] / whole
        out[i, 0] = rounded_number(mean * wholes[i])
        below = 0.0
        low, high = -1, -1
        for k in range(whole + 1):
            below += chances[k]
            if low < 0 and below >= BAND:
                low = k
            if high < 0 and below >= 1.0 - BAND:
                high = k
        out[i, 1] = rounded_number(low * scale)
        out[i, 2] = rounded_number((high if high >= 0 else whole) * scale)
        above, below = 0.0, 0.0
        for k in range(whole, more, -1):
            above += chances[k]
        for k in range(fewer):
            below += chances[k]
        out[i, 3] = rounded_number(min(max(above + chances[more], SMALLEST_SAID), 1.0))
        out[i, 4] = rounded_number(min(above, 1.0))
        out[i, 5] = rounded_number(min(max(below + chances[fewer], SMALLEST_SAID), 1.0))
        out[i, 6] = rounded_number(min(below, 1.0))
        out[i, 7] = _SCORED


@compiled
def _learn_rows(
    rows: Floats, counts: Counts, wholes: Counts, groups: Counts, memories: tuple[float, float], warm_up: float
) -> None:
    short, long = memories
    all_common = common_of(rows, groups, warm_up)
    for i in range(counts.size):
        row, common = rows[i], all_common[groups[i]]
        for part in (SHORT_GOOD, SHORT_WHOLE):
            row[part] *= short
        for part in (LONG_GOOD, LONG_WHOLE, SPREAD, SPREAD_WEIGHT):
            row[part] *= long
        if counts[i] < 0 or wholes[i] <= 0:
            continue
        whole = float(min(wholes[i], LARGEST))
        good = min(float(counts[i]), float(wholes[i])) * (whole / wholes[i])
        mean, unknown = share_of(row, common)
        plain = whole * mean * (1.0 - mean)
        if row[LONG_WHOLE] > 0.0:
            rho = spread_of(row, common) + unknown
            phi = 1.0 + (whole - 1.0) * rho
            far, tail = FAR * np.sqrt(plain * phi), FAR_TAIL * phi * (2.0 * mean - 1.0)
            good = min(max(good, whole * mean - far - max(tail, 0.0)), whole * mean + far + max(-tail, 0.0))
            if whole > 1.0 and row[LONG_WHOLE] >= LEAST_WHOLE:
                odd = (good - whole * mean) ** 2 / plain - 1.0 - (whole - 1.0) * unknown
                weight = min(whole - 1.0, MOST_TOLD) / (1.0 + (whole - 1.0) * rho) ** 2
                row[SPREAD] += weight * odd
                row[SPREAD_WEIGHT] += weight * (whole - 1.0)
        row[SEEN] += 1.0
        # No window is worth more call-backs than its share can be known by.
        worth = whole / (1.0 + (whole - 1.0) * spread_of(row, common))
        row[SHORT_GOOD] += good / whole * worth
        row[SHORT_WHOLE] += worth
        row[LONG_GOOD] += good / whole * worth
        row[LONG_WHOLE] += worth


class RateBank(Detector):
    """Shares of wholes; a series without `Slot.wholes` has no data."""

    name: ClassVar[str] = "rates"
    version: ClassVar[str] = "3"
    summary: ClassVar[str] = "a share of a whole (satisfied of called back): beta-binomial, both exact tails"

    def __init__(self, rows: Floats, windows_per_week: int) -> None:
        self._rows = rows
        self._windows_per_week = windows_per_week

    @classmethod
    def fresh(cls, series: int, windows_per_week: int) -> Self:
        """See `Detector.fresh`."""
        return cls(np.zeros((series, ROW)), windows_per_week)

    def score(self, counts: Counts, slot: Slot) -> Scores:
        """See `Detector.score`. `size` is NaN: the distribution is no negative binomial."""
        out = np.empty((counts.size, 8))
        warm_up = _WARM_UP[self._windows_per_week]
        memories = _SHORT_MEMORY[self._windows_per_week], _LONG_MEMORY[self._windows_per_week]
        _score_rows(
            self._rows, counts.astype(np.int64), _wholes(counts, slot), _groups(counts, slot), memories, warm_up, out
        )
        expected, low, high, p_high, p_above, p_low, p_below, reason = np.ascontiguousarray(out.T)
        none = np.full(counts.shape, np.nan)
        return Scores(expected, low, high, p_high, p_above, p_low, p_below, none, reason.astype(np.uint8))

    def learn(self, counts: Counts, slot: Slot) -> None:
        """See `Detector.learn`."""
        memories = _SHORT_MEMORY[self._windows_per_week], _LONG_MEMORY[self._windows_per_week]
        warm_up = _WARM_UP[self._windows_per_week]
        _learn_rows(
            self._rows, counts.astype(np.int64), _wholes(counts, slot), _groups(counts, slot), memories, warm_up
        )

    def snapshot(self) -> bytes:
        """See `Detector.snapshot`."""
        return packed(type(self), self._windows_per_week, self._rows.shape[0], self._rows)

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """See `Detector.restore`. Raises ValueError for bytes that are no snapshot of this version."""
        windows_per_week, (rows,) = unpacked(cls, snapshot, lambda _, series: [(series, ROW)])
        return cls(rows, windows_per_week)


def _wholes(counts: Counts, slot: Slot) -> Counts:
    return np.zeros_like(counts) if slot.wholes is None else slot.wholes.astype(np.int64)


def _groups(counts: Counts, slot: Slot) -> Counts:
    return np.zeros(counts.shape, np.int64) if slot.groups is None else slot.groups.astype(np.int64)
