"""The limit on simulated outbreaks: a detector that knows the true mean, the dispersion and the law of outbreaks.

The Bayes filter for "this week lies inside an outbreak": a start in any of the last weeks, a size of k standard
deviations (k from 1 to 10, each as likely), cases spread over the weeks by the true profile. Its weekly sensitivity
is that of the plain filter; its POD is that of the filter whose memory is reset after an alarm, so that a false alarm
costs one week and not several. What is clearly above it is a mistake of the harness.
"""

import numpy as np
from scipy.special import ndtr

from detectors.compiled import compiled
from detectors.elementary import exp, log
from tests.benchmarks.outbreaks_simulation import FIRST_SCORED, Counts, Floats, Simulation

LAGS = 8
SIZES = np.arange(1.0, 11.0)
PROFILE = np.diff(np.concatenate([[0.0], ndtr(np.log(np.arange(1, LAGS + 1)) / 0.5)]))
PROFILE = PROFILE / PROFILE.sum()
RATE = 1 / 49
NEVER, UNLIKELY = -60.0, -50.0


@compiled
def _likelihood_ratio(count: int, mean: float, phi: float, added: float) -> float:
    """log P(count | negative binomial + Poisson(added)) - log P(count | negative binomial)."""
    added = max(added, 1e-12)
    share = 0.0 if phi <= 1.0001 else 1.0 - 1.0 / phi
    chance, total = exp(-added), 0.0
    for outside in range(count + 1):
        total += chance
        inside = count - outside
        # P(inside - 1) / P(inside) times Poisson(outside + 1) / Poisson(outside)
        quiet = mean / phi + share * (inside - 1.0) if phi > 1.0001 else mean
        chance *= inside / max(quiet, 1e-300) * added / (outside + 1.0)
    return log(max(total, 1e-300))


@compiled
def _by_lag(counts: Counts, mean: Floats, phi: float, profile: Floats, sizes: Floats, out: Floats) -> None:
    """out (weeks, lags): log odds that an outbreak began `lag` weeks ago."""
    weeks, lags = out.shape
    gain = np.empty((weeks, lags, sizes.size))
    tail = np.empty(lags)
    for lag in range(lags):
        tail[lag] = profile[lag:].sum()
    for t in range(weeks):
        for lag in range(lags):
            spread = np.sqrt(phi * mean[max(t - lag, 0)])
            for k in range(sizes.size):
                gain[t, lag, k] = _likelihood_ratio(counts[t], mean[t], phi, spread * sizes[k] * profile[lag])
    for t in range(weeks):
        for lag in range(lags):
            out[t, lag] = NEVER
            if lag > t:
                continue
            spread = np.sqrt(phi * mean[t - lag])
            total = 0.0
            for k in range(sizes.size):
                evidence = 0.0
                for u in range(lag + 1):
                    evidence += gain[t - lag + u, u, k]
                still = 1.0 - exp(-spread * sizes[k] * tail[lag])
                total += exp(min(evidence, 600.0)) * max(still, 1e-12)
            out[t, lag] = log(max(total, 1e-300)) - log(float(sizes.size)) + log(RATE)


def by_lag(counts: Counts, mean: Floats, phi: Floats, profile: Floats = PROFILE, sizes: Floats = SIZES) -> Floats:
    """Shape (n, weeks, lags): log odds of an outbreak that began so many weeks before; NEVER before week 0."""
    out = np.empty((*counts.shape, profile.size))
    for i in range(len(counts)):
        _by_lag(counts[i].astype(np.int64), mean[i], float(phi[i]), profile, sizes, out[i])
    return out


def of_simulation(simulated: Simulation) -> tuple[Floats, Floats]:
    """by_lag of the scored weeks, with the outbreak and without."""
    mean = simulated.mean[:, FIRST_SCORED:]
    with_outbreak, quiet = simulated.with_outbreak[:, FIRST_SCORED:], simulated.quiet[:, FIRST_SCORED:]
    return by_lag(with_outbreak, mean, simulated.phi), by_lag(quiet, mean, simulated.phi)


def odds(lagged: Floats) -> Floats:
    """Shape (n, weeks): log odds of being inside an outbreak."""
    total: Floats = np.logaddexp.reduce(lagged, axis=2)
    return total


def alarms_with_reset(lagged: Floats, threshold: float) -> np.ndarray:
    """Alarms (n, weeks) where only starts after the last alarm count."""
    n, weeks, lags = lagged.shape
    alarms, last = np.zeros((n, weeks), bool), np.full(n, -1)
    for t in range(weeks):
        free = (t - np.arange(lags))[None, :] > last[:, None]
        alarms[:, t] = np.logaddexp.reduce(np.where(free, lagged[:, t], NEVER), axis=1) > threshold
        last = np.where(alarms[:, t], t, last)
    return alarms


def threshold_with_reset(lagged_quiet: Floats, rate: float) -> float:
    """The threshold at which that share of quiet weeks is alarmed."""
    low, high = -15.0, 30.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if alarms_with_reset(lagged_quiet, middle).mean() > rate else (low, middle)
    return high
