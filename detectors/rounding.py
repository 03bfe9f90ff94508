"""Rounding to 6 significant decimal digits, the same on every CPU.

What is decided is decided on rounded numbers, so that a last bit that differs between machines cannot change
an alert. The decimal exponent is found by comparing with a table of powers of ten (no log10), and the table
carries each power as an unevaluated sum of two doubles, so that the result is the double nearest to the decimal
number: the same as float(f"{x:.6g}").
"""

from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, in_place, inlined
from detectors.observation import FIELDS, Counts, Floats, Scores

DIGITS = 6
_LOWEST, _HIGHEST = -307, 308
_EXACT_PRODUCT = 134217729.0  # 2**27 + 1: splits a double in two halves (Veltkamp)


def _powers() -> tuple[Floats, Floats]:
    """10**k for k = -307..308 as high + low."""
    with localcontext() as context:
        context.prec = 60
        exact = [Decimal(10) ** k for k in range(_LOWEST, _HIGHEST + 1)]
        high = [float(x) for x in exact]
        low = [float(x - Decimal(h)) for x, h in zip(exact, high, strict=True)]
    return np.array(high), np.array(low)


POWER_HIGH, POWER_LOW = _powers()


def _exponents() -> NDArray[np.int64]:
    """The largest k with 10**k <= 2**(b - 1023), by b, the bits of a double's exponent; -308 stands for none."""
    with np.errstate(over="ignore"):
        return np.searchsorted(POWER_HIGH, np.ldexp(1.0, np.arange(2048) - 1023), side="right") + (_LOWEST - 1)


EXPONENTS = _exponents()
EXACT = 22
"""10 to this power and to all smaller ones is a double."""


@compiled
def _product_error(a: float, b: float, product: float) -> float:
    """What a * b is more than product, exactly, where nothing over- or underflows (Dekker 1971)."""
    t = _EXACT_PRODUCT * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = _EXACT_PRODUCT * b
    b_high = t - (t - b)
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@compiled
def _times_power(x: float, k: int) -> tuple[float, float]:
    """The product x * 10**k as high + low."""
    if k < 0:
        divisor, rest = POWER_HIGH[-k - _LOWEST], POWER_LOW[-k - _LOWEST]
        high = x / divisor
        product = high * divisor
        remainder = (x - product) - _product_error(high, divisor, product) - high * rest
        return high, remainder / divisor
    factor, rest = POWER_HIGH[k - _LOWEST], POWER_LOW[k - _LOWEST]
    high = x * factor
    return high, _product_error(x, factor, high) + x * rest


@compiled
def _exponent(x: float) -> int:
    """The k with 10**k <= x < 10**(k + 1), for x > 1e-290."""
    k = int(EXPONENTS[np.float64(x).view(np.int64) >> 52])
    return k + 1 if x >= POWER_HIGH[k + 1 - _LOWEST] else k  # no power of two holds two of ten


@compiled
def rounded_number(x: float) -> float:
    """Rounds to 6 significant digits, half to even. 0, NaN and what is beyond 1e290 stay; below 1e-290 it is 0."""
    size = abs(x)
    if 1.0 <= size < 10.0**DIGITS and size == np.floor(size):
        return x  # as most p of what is nothing are: 1
    if not (1e-290 <= size < 1e290):
        return 0.0 if size < 1e-290 else x
    k = _exponent(size)
    ups = DIGITS - 1 - k
    if -EXACT <= ups <= EXACT:
        power = POWER_HIGH[abs(ups) - _LOWEST]
        scaled = size * power if ups >= 0 else size / power
        whole = np.floor(scaled)
        behind = scaled - whole - 0.5
        if behind != 0.0:
            # The half is a double, so what was rounded once lies on its side of it, or on it; and whole and power are
            # doubles as they stand, so that their ratio, or product, is rounded just once, too.
            whole = whole + 1.0 if behind > 0.0 else whole
            result = float(whole / power if ups >= 0 else whole * power)
            return result if x > 0.0 else -result
    scaled, rest = _times_power(size, DIGITS - 1 - k)
    whole = np.floor(scaled)
    above = (scaled - whole - 0.5) + rest
    if above > 0.0 or (above == 0.0 and whole % 2.0 == 1.0):
        whole += 1.0
    high, low = _times_power(whole, k - DIGITS + 1)
    result = high + low
    return result if x > 0.0 else -result


@inlined
def rounded_count(count: int) -> float:
    """A count of at least 0 to 6 significant digits: most have no more."""
    return float(count) if count < 10**DIGITS else rounded_number(float(count))


@compiled
def _round_each(values: Floats, out: Floats) -> None:
    for i in range(values.size):
        out[i] = rounded_number(values[i])


def rounded_array(values: Floats) -> Floats:
    """Every number of an array (any shape) to 6 significant digits, in a new array."""
    out = np.empty(values.size)
    _round_each(np.ascontiguousarray(values, dtype=np.float64).ravel(), out)
    return out.reshape(values.shape)


@in_place
def _round_fields(fields: tuple[Floats, ...], places: Counts, out: Floats) -> None:
    for f in range(len(fields)):
        for i in range(out.shape[1]):
            out[f, i] = np.nan
        for i in range(places.size):
            out[f, places[i]] = rounded_number(fields[f][i])


def rounded_fields(scores: Scores, places: Counts, series: int) -> Floats:
    """Every number of some series' scores to 6 significant digits, shape (fields, series): those of the first where
    `places` says, and so on; NaN elsewhere. Rounding what is rounded changes nothing."""
    out = np.empty((len(FIELDS), series))
    fields = tuple(np.ascontiguousarray(getattr(scores, name), dtype=np.float64) for name in FIELDS)
    _round_fields(fields, places, out)
    return out
