"""exp, log and log(1 + x) made of IEEE arithmetic alone: the same bits on every CPU, within 1 unit in the last place.

The C library picks other code for other CPUs, and its exp and log then differ in the last bit. These are
the algorithms of fdlibm (Sun Microsystems 1993: e_exp.c, e_log.c, s_log1p.c), which need only + - * / and bits.
"""

import numpy as np

from detectors.compiled import compiled

LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
INVERSE_LN2 = 1.44269504088896338700
LARGEST = 709.782712893383973096
SMALLEST = -745.13321910194110842
HALF_SQRT2_MANTISSA = 0x6A09E667F3BCD  # of sqrt(2): above it the exponent is raised and the fraction halved
MANTISSA = 0xFFFFFFFFFFFFF


@compiled
def power_of_two(k: int) -> float:
    """2**k for -1022 <= k <= 1023."""
    return np.int64((k + 1023) << 52).view(np.float64)


@compiled
def exp(x: float) -> float:
    """e**x; 0 below -745.1, infinite above 709.8."""
    if x > LARGEST:
        return np.inf
    if x < SMALLEST:
        return 0.0
    k = int(np.floor(x * INVERSE_LN2 + 0.5))
    high = x - k * LN2_HIGH
    low = k * LN2_LOW
    r = high - low
    t = r * r
    c = r - t * (
        1.66666666666666019037e-01
        + t
        * (
            -2.77777777770155933842e-03
            + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))
        )
    )
    y = 1.0 - ((low - (r * c) / (2.0 - c)) - high)
    if k < -1021:
        return y * power_of_two(k + 64) * power_of_two(-64)
    if k > 1022:
        return y * 2.0 * power_of_two(k - 1)
    return y * power_of_two(k)


@compiled
def _log_series(f: float) -> float:
    """(log(1 + f) - f + f*f/2) with f in [-0.2929, 0.4143], as s * (f*f/2 + R): the caller adds the rest."""
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    even = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    return s * (0.5 * f * f + odd + even)


@compiled
def log(x: float) -> float:
    """Natural logarithm of a positive number; -infinity for 0, NaN below."""
    if not x > 0.0:
        return -np.inf if x == 0.0 else np.nan
    if x == np.inf:
        return x
    k = 0
    if x < 2.2250738585072014e-308:
        x *= 18014398509481984.0
        k = -54
    bits = np.float64(x).view(np.int64)
    k += int(bits >> 52) - 1023
    fraction = bits & MANTISSA
    if fraction > HALF_SQRT2_MANTISSA:
        k += 1
        f = np.int64(fraction | (1022 << 52)).view(np.float64) - 1.0
    else:
        f = np.int64(fraction | (1023 << 52)).view(np.float64) - 1.0
    return k * LN2_HIGH - ((0.5 * f * f - (_log_series(f) + k * LN2_LOW)) - f)


@compiled
def log1p(x: float) -> float:
    """log(1 + x) without loss for small x; -infinity for -1, NaN below."""
    if not x > -1.0:
        return -np.inf if x == -1.0 else np.nan
    if -0.29 < x < 0.41:
        return x - (0.5 * x * x - _log_series(x))
    if x > 1e18:
        return log(x)
    u = 1.0 + x
    lost = 1.0 - (u - x) if x >= 1.0 else x - (u - 1.0)
    return log(u) + lost / u
