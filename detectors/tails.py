"""Exact tails and quantiles of counts: negative binomial, and Poisson as its limit.

X has mean m and size r: variance m + m*m/r (r infinite: Poisson). All four tails are given, each from its own
side, so none loses digits to 1 - p: relative error about 1e-12 down to 1e-300, for means 1e-3..1e9.

* The probability of one count is Loader's saddle-point form ("Fast and accurate computation of binomial
  probabilities", 2000), with the deviance taken from x - m directly.
* Few counts: plain sums. Else the continued fraction of the incomplete beta function by Didonato and Morris,
  "Significant digit computation of the incomplete beta function ratios", ACM TOMS 18 (1992), written so that
  its limit for an infinite size is the fraction of the incomplete gamma function.
"""

import numpy as np

from detectors.compiled import compiled, inlined
from detectors.elementary import exp, log, log1p
from detectors.sure_quantiles import SURE_SKEW, SURE_Z_TENTH, UNSURE, skews, sure_band, sure_quantile

HALF_LOG_2PI = 0.9189385332046727418
FEW, MOST_ADDED = 64, 200.0
"""Up to this count, of at most this mean, tails are plain sums."""
MOST_WALKED = 50.0
"""Up to this mean, quantiles are found by adding up from 0."""
POISSON_FROM = 1e20
"""A size beyond it is infinite."""
INFINITE = 1e300
"""Stands for an infinite size where only ratios to it are taken."""
SMALLEST_P = 1e-300
"""What is more improbable than this is said to be this improbable."""
BAND_LOW, BAND_HIGH = 0.025, 0.975
"""A band leaves out this share on either side."""
Z_LOW, Z_HIGH = -1.96039491692534, 1.9603949169253396
"""What `normal_quantile` says of them."""
TENTH = 0.1
VAST = 1e8
FURTHEST_WALK = 100_000
"""Counts. Beyond a vast mean the digits of a tail cannot tell single counts apart: a quantile is looked for until it
is near, and nobody walks the rest of a long way."""
FULL, ROUGH = 4e-16, 1e-9
"""Relative error of a tail: all digits for a p, few for finding a quantile."""
_STIRLING = (1 / 12, 1 / 360, 1 / 1260, 1 / 1680, 1 / 1188, 691 / 360360, 1 / 156)


@compiled
def stirling_error(z: float) -> float:
    """Log of Gamma(z + 1) - [(z + 1/2) log z - z + log(2 pi)/2], z > 0."""
    if z < 15.0:
        product = 1.0
        shifted = z
        while shifted < 15.0:
            shifted += 1.0
            product *= shifted
        at_shifted = stirling_error(shifted) + (shifted + 0.5) * log(shifted) - shifted
        return at_shifted - log(product) - ((z + 0.5) * log(z) - z)
    w = 1.0 / (z * z)
    series = _STIRLING[5] - w * _STIRLING[6]
    for i in range(4, -1, -1):
        series = _STIRLING[i] - w * series
    return series / z


@compiled
def deviance(x: float, mean: float, difference: float) -> float:
    """The sum x log(x / mean) + mean - x, given difference = x - mean as exactly as the caller knows it."""
    if abs(difference) < 0.1 * (x + mean):
        v = difference / (x + mean)
        total = difference * v
        term = 2.0 * x * v
        square = v * v
        for j in range(1, 1000):
            term *= square
            longer = total + term / (2 * j + 1)
            if longer == total:
                break
            total = longer
        return total
    return x * log(x / mean) - difference


@compiled
def probability(x: int, mean: float, size: float) -> float:
    """P(X = x), x >= 0, mean > 0."""
    return _probability(x, mean, size, error_of_size(size) if x > 0 else 0.0)


@inlined
def error_of_size(size: float) -> float:
    """What several questions about one size have in common: its Stirling error."""
    return stirling_error(size) if size < POISSON_FROM else 0.0


@compiled
def _probability(x: int, mean: float, size: float, of_size: float) -> float:
    if size >= POISSON_FROM:
        if x == 0:
            return exp(-mean)
        return exp(-stirling_error(float(x)) - deviance(float(x), mean, x - mean) - HALF_LOG_2PI - 0.5 * log(float(x)))
    if x == 0:
        return exp(-size * log1p(mean / size))
    trials = size + x
    share = mean / (mean + size)
    rest = size / (mean + size)
    difference = (x - mean) * rest
    exponent = stirling_error(trials) - stirling_error(float(x)) - of_size
    exponent -= deviance(float(x), trials * share, difference) + deviance(size, trials * rest, -difference)
    return exp(exponent - HALF_LOG_2PI + 0.5 * log(size / (x * trials)))


@compiled
def _fraction(a: float, z: float, y: float, ay: float, bz: float, within: float) -> float:
    """F with I_z(a, b) = z^a y^b / (B(a, b) F), y = 1 - z: Didonato and Morris's fraction by modified Lentz.

    It takes the products a y and b z instead of b, so that they stay right when a or b is infinite.
    Quick where z < a / (a + b); near the mean it takes some sqrt(a + b) steps. The relative error is about `within`.
    """
    fraction = a / (a + 1.0) * (ay - bz + 1.0)
    fraction = fraction if fraction != 0.0 else 1e-300
    c, d = fraction, 0.0
    for k in range(1, 1_000_000):
        inner = 1.0 / (a + 2 * k - 1.0)
        share = (a + k - 1.0) * inner
        left = k * (bz - k * z)
        numerator = share * ((a + k - 1.0) * z + bz) * inner * left
        denominator = k + left * inner + (a + k) / (a + 2 * k + 1.0) * (ay - bz + 1.0 + k * (1.0 + y))
        d = denominator + numerator * d
        d = 1.0 / (d if d != 0.0 else 1e-300)
        c = denominator + numerator / c
        c = c if c != 0.0 else 1e-300
        change = c * d
        fraction *= change
        if abs(change - 1.0) < within:
            break
    return fraction


@compiled
def _next(chance: float, x: int, mean: float, size: float) -> float:
    """P(X = x + 1) from P(X = x)."""
    if size >= POISSON_FROM:
        return chance * mean / (x + 1.0)
    return chance * ((size + x) / (x + 1.0)) * (mean / (mean + size))


@compiled
def _above(x: int, mean: float, size: float, here: float, within: float) -> float:
    """P(X > x) = I_z(x + 1, size) with z = mean / (mean + size), from its own side, given P(X = x): for x >= mean."""
    if size >= POISSON_FROM:
        return here * mean / _fraction(x + 1.0, 0.0, 1.0, x + 1.0, mean, within)
    if x == 0:
        return -_expm1_of_negative(size * log1p(mean / size))
    z, y = mean / (mean + size), size / (mean + size)
    return here * z * (size + x) / _fraction(x + 1.0, z, y, (x + 1.0) * y, size * z, within)


@compiled
def _below(x: int, mean: float, size: float, here: float, within: float) -> float:
    """P(X < x) = I_y(size, x) from its own side, given P(X = x): for x <= mean."""
    if x == 0:
        return 0.0
    # here * x = P(X = x - 1) * z * (size + x - 1)
    if size >= POISSON_FROM:
        return here * x / _fraction(INFINITE, 1.0, 0.0, mean, float(x), within)
    z, y = mean / (mean + size), size / (mean + size)
    return here * x / _fraction(size, y, z, size * z, x * y, within)


@compiled
def _expm1_of_negative(y: float) -> float:
    """The value of exp(-y) - 1 for y >= 0, without loss for small y."""
    if y > 0.5:
        return exp(-y) - 1.0
    term, total = -y, -y
    for i in range(2, 30):
        term *= -y / i
        total += term
    return total


@compiled
def _few(x: int, mean: float, size: float) -> tuple[float, float]:
    """(P(X < x), P(X = x)) by adding up, where neither underflows."""
    chance = probability(0, mean, size)
    total = 0.0
    for k in range(x):
        total += chance
        chance = _next(chance, k, mean, size)
    return total, chance


@compiled
def four_tails(x: int, mean: float, size: float) -> tuple[float, float, float, float]:
    """P(X >= x), P(X > x), P(X <= x), P(X < x) for a count x >= 0, mean > 0 and size > 0."""
    if x <= FEW and mean < MOST_ADDED:
        lower, here = _few(x, mean, size)
        return _tails_of_few(x, mean, size, lower, here)
    return _tails_of_many(x, mean, size, error_of_size(size))


@inlined
def _tails_of_few(x: int, mean: float, size: float, lower: float, here: float) -> tuple[float, float, float, float]:
    upper = 1.0 - (lower + here)
    if upper < 1e-2:
        upper = _above(x, mean, size, here, FULL)
    return _four(x, lower, here, upper)


@compiled
def _tails_of_many(x: int, mean: float, size: float, of_size: float) -> tuple[float, float, float, float]:
    here = _probability(x, mean, size, of_size)
    if x >= mean:
        upper = _above(x, mean, size, here, FULL)
        lower = 1.0 - (upper + here)
        if lower < 1e-2:
            lower = _below(x, mean, size, here, FULL)
    else:
        lower = _below(x, mean, size, here, FULL)
        upper = 1.0 - (lower + here)
        if upper < 1e-2:
            upper = _above(x, mean, size, here, FULL)
    return _four(x, lower, here, upper)


@inlined
def _four(x: int, lower: float, here: float, upper: float) -> tuple[float, float, float, float]:
    # The complement of a small number is exact; the other way round digits would be lost.
    high = upper + here
    low = lower + here
    high = 1.0 - lower if lower < 0.5 else high
    low = 1.0 - upper if upper < 0.5 else low
    upper = _said(upper)
    lower = _said(lower) if x > 0 else 0.0
    return max(_said(high), upper), upper, max(_said(low), lower), lower


@compiled
def _said(p: float) -> float:
    return min(max(p, SMALLEST_P), 1.0)


@compiled
def _at_most(x: int, mean: float, size: float, here: float) -> float:
    """P(X <= x) to some 9 digits, given P(X = x)."""
    if x >= mean:
        return 1.0 - _above(x, mean, size, here, ROUGH)
    return _below(x, mean, size, here, ROUGH) + here


@compiled
def quantile(share: float, mean: float, size: float) -> int:
    """The smallest count k with P(X <= k) >= share, 0 < share < 1."""
    if mean < MOST_WALKED:
        k, chance = 0, probability(0, mean, size)
        total = chance
        limit = mean + 60.0 * np.sqrt(mean * (1.0 + mean / size)) + 60.0
        while total < share and k < limit:
            chance = _next(chance, k, mean, size)
            total += chance
            k += 1
        return k
    return _quantile_of_many(share, normal_quantile(share), mean, size, error_of_size(size))


@compiled
def in_upper_tenth(x: int, mean: float, size: float) -> bool:
    """Whether P(X >= x) <= TENTH."""
    spread, third, fourth, fifth = skews(mean, size)
    if third <= SURE_SKEW:
        edge = sure_quantile(SURE_Z_TENTH, mean, spread, (third, fourth, fifth))
        if edge != UNSURE:
            return x > edge
    return four_tails(x, mean, size)[0] <= TENTH


@compiled
def in_lower_tenth(x: int, mean: float, size: float) -> bool:
    """Whether P(X <= x) <= TENTH."""
    spread, third, fourth, fifth = skews(mean, size)
    if third <= SURE_SKEW:
        edge = sure_quantile(-SURE_Z_TENTH, mean, spread, (third, fourth, fifth))
        if edge != UNSURE:
            return x < edge
    return four_tails(x, mean, size)[2] <= TENTH


@compiled
def band(mean: float, size: float) -> tuple[int, int]:
    """The quantiles at BAND_LOW and BAND_HIGH."""
    low, high = sure_band(mean, size)
    if min(low, high) > UNSURE:
        return low, high
    return _band_worked_out(mean, size)


@compiled
def _band_worked_out(mean: float, size: float) -> tuple[int, int]:
    """The same numbers in one pass, where the counts are few."""
    if mean >= MOST_WALKED:
        return _band_of_many(mean, size, error_of_size(size))
    k, chance = 0, probability(0, mean, size)
    total = chance
    limit = mean + 60.0 * np.sqrt(mean * (1.0 + mean / size)) + 60.0
    while total < BAND_LOW and k < limit:
        chance = _next(chance, k, mean, size)
        total += chance
        k += 1
    low = k
    while total < BAND_HIGH and k < limit:
        chance = _next(chance, k, mean, size)
        total += chance
        k += 1
    return low, k


@compiled
def _band_of_many(mean: float, size: float, of_size: float) -> tuple[int, int]:
    low = _quantile_of_many(BAND_LOW, Z_LOW, mean, size, of_size)
    return low, _quantile_of_many(BAND_HIGH, Z_HIGH, mean, size, of_size)


@compiled
def tails_and_band(x: int, mean: float, size: float) -> tuple[tuple[float, float, float, float], int, int]:
    """What `four_tails` and `band` say, number for number, for little more than one of them costs."""
    low, high = sure_band(mean, size)
    if min(low, high) > UNSURE:
        return four_tails(x, mean, size), low, high
    if x > FEW and mean >= MOST_WALKED:
        of_size = error_of_size(size)
        low, high = _band_of_many(mean, size, of_size)
        return _tails_of_many(x, mean, size, of_size), low, high
    if x > FEW or mean >= MOST_WALKED:
        low, high = _band_worked_out(mean, size)
        return four_tails(x, mean, size), low, high
    chance = probability(0, mean, size)
    total, lower, here = chance, 0.0, chance
    limit = mean + 60.0 * np.sqrt(mean * (1.0 + mean / size)) + 60.0
    low, high = (-1 if total < BAND_LOW else 0), (-1 if total < BAND_HIGH else 0)
    k = 0
    while k < x or (high < 0 and k < limit):
        before = total
        chance = _next(chance, k, mean, size)
        total += chance
        k += 1
        if k == x:
            lower, here = before, chance
        if low < 0 and (total >= BAND_LOW or k >= limit):
            low = k
        if high < 0 and (total >= BAND_HIGH or k >= limit):
            high = k
    return _tails_of_few(x, mean, size, lower, here), low, high


@compiled
def _quantile_of_many(share: float, z: float, mean: float, size: float, of_size: float) -> int:
    spread = mean * (1.0 + mean / size)
    k = _near_quantile(mean, size, z)
    here = _probability(k, mean, size, of_size)
    total = _at_most(k, mean, size, here)
    for _ in range(30):
        step = (share - total) / max(here, 1e-290)
        if abs(step) < (1.0 if mean > VAST else 16.0):
            break
        k = max(0, k + int(min(max(step, -np.sqrt(spread)), np.sqrt(spread))))
        here = _probability(k, mean, size, of_size)
        total = _at_most(k, mean, size, here)
    last = k + FURTHEST_WALK
    z = 0.0 if size >= POISSON_FROM else mean / (mean + size)
    sz = mean if size >= POISSON_FROM else size * z
    while total < share and k < last:
        here *= (sz + k * z) / (k + 1.0)
        k += 1
        total += here
    while k > max(0, last - 2 * FURTHEST_WALK) and total - here >= share:
        total -= here
        k -= 1
        here *= (k + 1.0) / (sz + k * z)
    return k


@compiled
def _near_quantile(mean: float, size: float, z: float) -> int:
    """A count some steps from the quantile at which a normal has z."""
    spread = mean * (1.0 + mean / size)
    skew = (1.0 + 2.0 * mean / size) / np.sqrt(spread)
    if skew < 1.0:  # Cornish and Fisher 1938
        bend = (z * z - 1.0) * skew / 6.0
        bend += (z * z - 3.0) * z * (6.0 / size + 1.0 / spread) / 24.0 - (2.0 * z * z - 5.0) * z * skew * skew / 36.0
        return max(0, int(mean + np.sqrt(spread) * (z + bend)))
    shape = mean * mean / spread  # a gamma's third root is nearly normal (Wilson and Hilferty 1931)
    root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * np.sqrt(shape))
    return int(mean * max(root, 0.0) ** 3)


@compiled
def normal_quantile(share: float) -> float:
    """The z with P(Z <= z) = share, within 5e-4: Abramowitz and Stegun 26.2.23."""
    small = min(share, 1.0 - share)
    t = float(np.sqrt(-2.0 * log(small)))
    z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    return z if share > 0.5 else -z
