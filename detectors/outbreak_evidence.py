"""Evidence for an outbreak that began lately: likelihood ratios of the last windows' counts, and what they are worth.

An outbreak adds Poisson cases to a negative binomial count. It may have begun in any of the last LAGS windows; its
size is one of SIZES, in standard deviations of a window's count; PROFILE spreads it over the windows. That is all
that is said of outbreaks, for every series and window size. The evidence is the mean likelihood ratio over all of
these, so it is 1 on average where there is no outbreak; a sum over starts after Shiryaev, "On optimum methods in
quickest detection problems", Theory Probab. Appl. 8 (1963).

How probable so much evidence is without an outbreak stands in a table (`detectors.outbreak_table`) over the starts
that are looked at, the mean, the dispersion and the evidence, interpolated. `tests/benchmarks/outbreaks_table.py`
makes it, by importance sampling from the outbreaks themselves.
"""

import numpy as np

from detectors.compiled import compiled, in_place, inlined
from detectors.elementary import exp, log, log1p
from detectors.observation import Floats
from detectors.outbreak_table import ABOVE, AT_LEAST
from detectors.row import Rows

LAGS = 4
SIZES = (2.0, 4.0, 8.0, 16.0, 32.0)
PROFILE = (0.4, 0.3, 0.2, 0.1)
DOSES = np.array([0.2, 0.4, 0.6, 0.8, 1.2, 1.6, 2.4, 3.2, 4.8, 6.4, 9.6, 12.8])
"""Every product of a size and a share of the profile, ascending: cases added to a window, in standard deviations."""
LANES = np.append(DOSES, np.zeros(-DOSES.size % 8))
"""The same, filled up to what a processor takes at once."""
_LAST = len(DOSES) - 1
PLACES = np.array([[3, 5, 7, 9, 11], [2, 4, 6, 8, 10], [1, 3, 5, 7, 9], [0, 1, 3, 5, 7]])
"""Shape (lags, sizes): which dose a window gets so many windows after the start."""
FEW = 256
"""Up to this count the likelihood ratio is summed; beyond, it is that of the smooth law."""
LEAST_RATIO, LARGEST_RATIO = 1e-30, 1e60
FAINTEST, LOG_STEP = -1.5, 0.625
"""First log evidence of the table, and its step."""
LOWEST_MEAN, MEAN_STEP = -3.5065578973199818, 0.7374753168
"""First log mean of the table (0.03), and its step (to 100)."""
SPREAD_STEP = 0.25
"""Step of the table's square root of the log of the dispersion, from 0."""


@inlined
def _step(n: int, count: int, of: tuple[float, float, float, float]) -> float:
    """What a dose's term for n added cases is multiplied by, a unit of dose, for n + 1."""
    spread, mean, still, more = of
    inside = count - n
    return spread * inside / (mean * (still + (inside - 1.0) * more) * (n + 1.0))


@inlined
def _is_over(term: float, total: float, growth: float) -> bool:
    """Whether the terms to come add nothing that counts."""
    return term < 1e-7 * total and growth < 0.9


@in_place
def ratios(count: int, mean: float, size: float, lanes: Floats, work: Rows, out: Floats) -> None:
    """out (doses,): P(count | as expected + Poisson(dose standard deviations)) / P(count | as expected).

    `lanes` is LANES, and `work`, of shape (2, lanes), nobody's: of a length that the compiler does not know, it takes
    eight at once."""
    spread = np.sqrt(mean * (1.0 + mean / size))
    if count > FEW:
        for i in range(_LAST + 1):
            out[i] = _smooth_ratio(float(count), mean, size, lanes[i] * spread)
        return
    terms, totals = work[0], work[1]
    for i in range(lanes.size):
        terms[i] = exp(-lanes[i] * spread)
        totals[i] = terms[i]
    of = spread, mean, 1.0 / (1.0 + mean / size), 1.0 / (mean + size)
    n, over, largest = 0, False, lanes[_LAST]
    while n < count and not over:
        # Three terms at once, where the largest dose needs them: a third of the reading and writing.
        first, second, third = _step(n, count, of), _step(n + 1, count, of), _step(n + 2, count, of)
        term = terms[_LAST] * (largest * first)
        total = totals[_LAST] + term
        over = _is_over(term, total, largest * first)
        next_term = term * (largest * second)
        if over or n + 3 > count or _is_over(next_term, total + next_term, largest * second):
            for i in range(lanes.size):
                term = terms[i] * (lanes[i] * first)
                terms[i] = term
                totals[i] += term
            n += 1
        else:
            for i in range(lanes.size):
                term = terms[i] * (lanes[i] * first)
                total = totals[i] + term
                term *= lanes[i] * second
                total += term
                term *= lanes[i] * third
                terms[i] = term
                totals[i] = total + term
            over = _is_over(terms[_LAST], totals[_LAST], largest * third)
            n += 3
    for i in range(_LAST + 1):
        out[i] = min(max(totals[i], LEAST_RATIO), LARGEST_RATIO)


@compiled
def _smooth_ratio(x: float, mean: float, size: float, added: float) -> float:
    """The same for a large count: Laplace's method and Stirling's formula, around the cases most probably added."""
    inverse = 1.0 / size
    still = mean * (1.0 + x * inverse) / (1.0 + mean * inverse)
    share = mean * inverse / (1.0 + mean * inverse)
    sum_of_roots = added + still
    cases = 2.0 * added * x / (sum_of_roots + np.sqrt(max(sum_of_roots * sum_of_roots - 4.0 * share * added * x, 0.0)))
    rest = max(x - cases, 0.5)
    change = cases * log(x / still) - rest * log1p(-cases / x) + 0.5 * log(x / rest)
    if size > 1e12:
        change -= cases
        bend = 1.0 / rest
    else:
        everything = x + size
        change += (everything - cases) * log1p(-cases / everything) + 0.5 * log(everything / (rest + size))
        bend = 1.0 / rest - 1.0 / (rest + size)
    change += cases * log(added / cases) + cases - added - 0.5 * log(1.0 + cases * bend) - 1.0 / (12.0 * cases)
    return min(max(exp(min(max(change, -100.0), 130.0)), LEAST_RATIO), LARGEST_RATIO)


@in_place
def evidence(before: Floats, now: Floats, starts: int) -> float:
    """Mean likelihood ratio of the last `starts` starts and all sizes: `before` (lags * sizes,) that of the windows
    before this one, by start, `now` (doses,) that of this one's count."""
    total = 0.0
    for lag in range(starts):
        for k in range(PLACES.shape[1]):
            total += before[lag * PLACES.shape[1] + k] * now[PLACES[lag, k]]
    return float(total / (starts * PLACES.shape[1]))


@compiled
def survival(found: float, mean: float, size: float, starts: int) -> tuple[float, float]:
    """P(evidence >= found), P(evidence > found) where there is no outbreak."""
    level = min(max((log(mean) - LOWEST_MEAN) / MEAN_STEP, 0.0), AT_LEAST.shape[1] - 1.000001)
    spread = min(np.sqrt(log1p(mean / size)) / SPREAD_STEP, AT_LEAST.shape[2] - 1.000001)
    strength = (log(max(found, 1e-300)) - FAINTEST) / LOG_STEP
    if strength <= 0.0:
        return 1.0, 1.0
    last = AT_LEAST.shape[3] - 1
    beyond = max(strength - last, 0.0) * LOG_STEP
    strength = min(strength, last - 1e-6)
    i, j, k = int(level), int(spread), int(strength)
    u, v, w = level - i, spread - j, strength - k
    at_least, above = 0.0, 0.0
    for a in range(2):
        for b in range(2):
            share = (u if a == 1 else 1.0 - u) * (v if b == 1 else 1.0 - v)
            for c in range(2):
                part = share * (w if c == 1 else 1.0 - w)
                at_least += part * AT_LEAST[starts - 1, i + a, j + b, k + c]
                above += part * ABOVE[starts - 1, i + a, j + b, k + c]
    return min(exp(-at_least - beyond), 1.0), min(exp(-above - beyond), 1.0)
