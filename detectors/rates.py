"""A share of a whole that fell, or rose: calls answered in time, tickets solved, people satisfied.

The model: of `whole` call-backs a window had, each was good with a probability that varies a little from window to
window: count ~ beta-binomial(whole, m, rho) (Griffiths, "Maximum likelihood estimation for the beta-binomial
distribution", Biometrics 29 (1973)). The mean m is the share of the last weeks, shrunk towards the series' own long
share, and that towards one half; rho holds what the share varies by, learned by moments and shrunk, and what is not
known of m: a young series or one of few call-backs has a wide band by itself. A window far out teaches as much as one
at the edge of what is usual. 0 of 0 is no data: neither scored nor learned.

The counts are the good ones; what they are a part of comes in `Slot.wholes`. Both exact tails; no calendar, no season.
"""

from typing import ClassVar, Self

import numpy as np

from detectors.compiled import compiled
from detectors.contract import Detector
from detectors.elementary import exp, log
from detectors.observation import Counts, Floats, ScoreReason, Scores, Slot
from detectors.rounding import rounded_number
from detectors.tails import stirling_error

BAND = 0.025
LARGEST = 4096
"""A larger whole is taken as so many, in proportion: no share is known better than that, and tails stay short sums."""
SHORT_GOOD, SHORT_WHOLE, LONG_GOOD, LONG_WHOLE, SPREAD, SPREAD_WEIGHT, SEEN = range(7)
"""What a row remembers: good and all of the last weeks, and of long, decayed; moments of rho; windows with data."""
ROW = 7
PRIOR_WHOLE = 4.0
"""Call-backs that a first share of one half is worth."""
LONG_STRENGTH = 400.0
"""Call-backs that the long share is worth beside the last weeks' own."""
RHO_PRIOR, RHO_STRENGTH = 0.004, 400.0
LEAST_RHO, MOST_RHO = 0.0005, 0.2
MOST_ODD = 9.0
"""A squared residual above it counts as this much: an outbreak teaches no spread."""
MOST_TOLD = 50.0
"""Call-backs of one window that tell of the spread between windows: a few large ones must not speak alone."""
LEAST_WHOLE = 40.0
"""Call-backs seen before anything is judged."""
HALF_LOG_2PI = 0.9189385332046727418
SMALLEST_SAID = 1e-290
_SHORT_MEMORY = {168: 0.5 ** (1 / 336), 7: 0.5 ** (1 / 42), 1: 0.5 ** (1 / 8)}
_LONG_MEMORY = {168: 0.5 ** (1 / 4368), 7: 0.5 ** (1 / 364), 1: 0.5 ** (1 / 52)}
_WARM_UP = {168: 336.0, 7: 28.0, 1: 12.0}
_SCORED, _WARMING_UP, _MISSING = int(ScoreReason.SCORED), int(ScoreReason.WARMING_UP), int(ScoreReason.MISSING)
_MAGIC = b"jiantu.rates.1\n"


@compiled
def log_gamma(z: float) -> float:
    """Log of Gamma(z), z > 0."""
    return float(stirling_error(z) + (z + 0.5) * log(z) - z + HALF_LOG_2PI - log(z))


@compiled
def share_of(row: Floats) -> tuple[float, float]:
    """(mean share, what is not known of it as an intra-class correlation)."""
    long_share = (row[LONG_GOOD] + 0.5 * PRIOR_WHOLE) / (row[LONG_WHOLE] + PRIOR_WHOLE)
    known = min(row[LONG_WHOLE], LONG_STRENGTH)
    mean = (row[SHORT_GOOD] + known * long_share) / (row[SHORT_WHOLE] + known)
    if row[SHORT_WHOLE] + known <= 0.0:
        mean = long_share
    return min(max(mean, 1e-4), 1.0 - 1e-4), 1.0 / (1.0 + PRIOR_WHOLE + row[SHORT_WHOLE] + known)


@compiled
def spread_of(row: Floats) -> float:
    """What the share varies by from window to window, as an intra-class correlation."""
    rho = (row[SPREAD] + RHO_STRENGTH * RHO_PRIOR) / (row[SPREAD_WEIGHT] + RHO_STRENGTH)
    return float(min(max(rho, LEAST_RHO), MOST_RHO))


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
def _score_rows(rows: Floats, counts: Counts, wholes: Counts, warm_up: float, out: Floats) -> None:
    """out, shape (series, 8): expected, low, high, p_high, p_above, p_low, p_below, reason; rounded."""
    for i in range(counts.size):
        row = rows[i]
        out[i] = np.nan
        if counts[i] < 0 or wholes[i] <= 0:
            out[i, 7] = _MISSING
            continue
        if row[SEEN] < warm_up or row[LONG_WHOLE] < LEAST_WHOLE:
            out[i, 7] = _WARMING_UP
            continue
        whole = min(wholes[i], LARGEST)
        count = min(counts[i], wholes[i])
        fewer = more = count
        if wholes[i] > LARGEST:
            fewer, more = _in_proportion(count, wholes[i], True), _in_proportion(count, wholes[i], False)
        mean, unknown = share_of(row)
        chances = beta_binomial(whole, rounded_number(mean), rounded_number(spread_of(row) + unknown))
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
def _learn_rows(rows: Floats, counts: Counts, wholes: Counts, short: float, long: float) -> None:
    for i in range(counts.size):
        row = rows[i]
        for part in (SHORT_GOOD, SHORT_WHOLE):
            row[part] *= short
        for part in (LONG_GOOD, LONG_WHOLE, SPREAD, SPREAD_WEIGHT):
            row[part] *= long
        if counts[i] < 0 or wholes[i] <= 0:
            continue
        whole = float(min(wholes[i], LARGEST))
        good = min(float(counts[i]), float(wholes[i])) * (whole / wholes[i])
        mean, unknown = share_of(row)
        plain = whole * mean * (1.0 - mean)
        if row[LONG_WHOLE] > 0.0:
            rho = spread_of(row) + unknown
            usual = np.sqrt(MOST_ODD * plain * (1.0 + (whole - 1.0) * rho))
            good = min(max(good, whole * mean - usual), whole * mean + usual)
            if whole > 1.0 and row[LONG_WHOLE] >= LEAST_WHOLE:
                odd = (good - whole * mean) ** 2 / plain - 1.0 - (whole - 1.0) * unknown
                weight = min(whole - 1.0, MOST_TOLD) / (1.0 + (whole - 1.0) * rho) ** 2
                row[SPREAD] += weight * odd
                row[SPREAD_WEIGHT] += weight * (whole - 1.0)
        row[SEEN] += 1.0
        # No window is worth more call-backs than its share can be known by.
        worth = whole / (1.0 + (whole - 1.0) * spread_of(row))
        row[SHORT_GOOD] += good / whole * worth
        row[SHORT_WHOLE] += worth
        row[LONG_GOOD] += good / whole * worth
        row[LONG_WHOLE] += worth


class RateBank(Detector):
    """Shares of wholes; a series without `Slot.wholes` has no data."""

    name: ClassVar[str] = "rates"
    version: ClassVar[str] = "1"
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
        _score_rows(self._rows, counts.astype(np.int64), _wholes(counts, slot), _WARM_UP[self._windows_per_week], out)
        expected, low, high, p_high, p_above, p_low, p_below, reason = np.ascontiguousarray(out.T)
        none = np.full(counts.shape, np.nan)
        return Scores(expected, low, high, p_high, p_above, p_low, p_below, none, reason.astype(np.uint8))

    def learn(self, counts: Counts, slot: Slot) -> None:
        """See `Detector.learn`."""
        short, long = _SHORT_MEMORY[self._windows_per_week], _LONG_MEMORY[self._windows_per_week]
        _learn_rows(self._rows, counts.astype(np.int64), _wholes(counts, slot), short, long)

    def snapshot(self) -> bytes:
        """See `Detector.snapshot`."""
        head = np.array([self._windows_per_week, self._rows.shape[0]], "<i8").tobytes()
        return _MAGIC + head + self._rows.astype("<f8").tobytes()

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """See `Detector.restore`. Raises ValueError for bytes that are no snapshot of this version."""
        if snapshot[: len(_MAGIC)] != _MAGIC:
            raise ValueError("not a snapshot of the rates detector, version 1")
        windows_per_week, series = (int(x) for x in np.frombuffer(snapshot, "<i8", 2, len(_MAGIC)))
        rows = np.frombuffer(snapshot, "<f8", -1, len(_MAGIC) + 16).astype(np.float64)
        return cls(rows.reshape(series, ROW), windows_per_week)


def _wholes(counts: Counts, slot: Slot) -> Counts:
    return np.zeros_like(counts) if slot.wholes is None else slot.wholes.astype(np.int64)
