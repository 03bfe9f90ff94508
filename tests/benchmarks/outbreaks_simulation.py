"""Weekly counts with known outbreaks, the field's reference scheme: what detectors are compared on.

Noufaily et al., "An improved algorithm for outbreak detection in multiple surveillance systems", Stat Med 32 (2013),
in the design of Bedubourg and Le Strat, PLoS ONE 12 (2017): seven parameter sets x trend or none x 0, 1 or 2 annual
harmonics are 42 scenarios; counts are negative binomial with variance phi * mean. Of 624 weeks the first six years
are quiet, the next five hold four past outbreaks of strength k1, and the last 49, which alone are scored, hold one
of strength k2. Each scenario has every pair of k1 in {0, 2, 3, 5, 10} and k2 in 1..10 once: 2,100 series.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

WEEKS = 624
FIRST_SCORED = 575
SCENARIOS = 42
PAST_STRENGTHS, STRENGTHS = (0, 2, 3, 5, 10), range(1, 11)
_QUIET_UNTIL = 312
_THETA = (0.1, -2.0, 1.5, 0.5, 2.5, 3.75, 5.0)
_BETA = (0.0025, 0.005, 0.003, 0.002, 0.001, 0.001, 0.0001)
_COSINE = (0.6, 0.1, 0.2, 0.5, 1.0, 0.1, 0.05)
_SINE = (0.6, 0.3, -0.4, 0.5, 0.1, -0.1, 0.01)
_PHI = (1.5, 2.0, 1.0, 5.0, 3.0, 1.1, 1.2)


@dataclass(frozen=True, slots=True)
class Simulation:
    """Series by weeks, and what only the simulator knows of them."""

    quiet: Counts
    """Shape (n, 624): counts without the current outbreak, on which false alarms are counted."""
    cases: Counts
    """Shape (n, 624): what the current outbreak adds."""
    start: Counts
    """Shape (n,): the week, from 0, in which it starts."""
    scenario: Counts
    """Shape (n,): 1..42."""
    mean: Floats
    """Shape (n, 624): true mean of the quiet counts, past outbreaks aside."""
    phi: Floats
    """Shape (n,): true dispersion."""

    @property
    def with_outbreak(self) -> Counts:
        """Shape (n, 624): counts with the current outbreak."""
        return self.quiet + self.cases

    def some(self, series: int) -> "Simulation":
        """About that many of the series, as many of each scenario, strengths mixed; all where that is no fewer."""
        each = len(PAST_STRENGTHS) * len(STRENGTHS)
        wanted = max(1, round(series / SCENARIOS))
        if wanted >= each:
            return self
        # 7 and 50 have no common factor, so every ten of these have all ten strengths
        rows = np.array([block * each + 7 * i % each for block in range(SCENARIOS) for i in range(wanted)])
        return Simulation(
            self.quiet[rows], self.cases[rows], self.start[rows], self.scenario[rows], self.mean[rows], self.phi[rows]
        )

    def outbreak_weeks(self) -> NDArray[np.bool_]:
        """Shape (n, 49): from the outbreak's start to its last week with cases, among the scored weeks."""
        cases = self.cases[:, FIRST_SCORED:] > 0
        week = np.arange(cases.shape[1])
        start = self.start - FIRST_SCORED
        last = np.where(cases.any(axis=1), cases.shape[1] - 1 - cases[:, ::-1].argmax(axis=1), start)
        within: NDArray[np.bool_] = (week >= start[:, None]) & (week <= last[:, None])
        return within


def scenarios() -> Iterator[tuple[Floats, float]]:
    """(mean of each week, dispersion) of scenario 1..42."""
    week = np.arange(1, WEEKS + 1)
    for theta, beta, cosine, sine, phi in zip(_THETA, _BETA, _COSINE, _SINE, _PHI, strict=True):
        for trend in (0, 1):
            for harmonics in (0, 1, 2):
                log_mean = theta + trend * beta * week
                for j in range(1, harmonics + 1):
                    angle = 2 * np.pi * j * week / 52
                    log_mean = log_mean + cosine * np.cos(angle) + sine * np.sin(angle)
                yield np.exp(log_mean), phi


def simulate(seed: int) -> Simulation:
    """All 2,100 series of one seed."""
    random = np.random.default_rng(seed)
    quiet, cases, start, scenario, means, phis = [], [], [], [], [], []
    for number, (mean, phi) in enumerate(scenarios(), 1):
        spread = np.sqrt(phi * mean)
        for past_strength in PAST_STRENGTHS:
            for strength in STRENGTHS:
                counts = _baseline(random, mean, phi)
                counts[:FIRST_SCORED] += _past(random, past_strength, spread)[:FIRST_SCORED]
                week = int(random.integers(FIRST_SCORED, WEEKS))
                quiet.append(counts)
                cases.append(_outbreak(random, strength, spread, week))
                start.append(week)
                scenario.append(number)
                means.append(mean)
                phis.append(phi)
    return Simulation(
        np.array(quiet), np.array(cases), np.array(start), np.array(scenario), np.array(means), np.array(phis)
    )


def _baseline(random: np.random.Generator, mean: Floats, phi: float) -> Counts:
    return random.poisson(mean) if phi == 1 else random.negative_binomial(mean / (phi - 1), 1 / phi)


def _past(random: np.random.Generator, strength: int, spread: Floats) -> Counts:
    cases = np.zeros(WEEKS, np.int64)
    if strength:
        for week in random.choice(np.arange(_QUIET_UNTIL, FIRST_SCORED), 4, replace=False):
            cases += _outbreak(random, strength, spread, int(week))
    return cases


def _outbreak(random: np.random.Generator, strength: int, spread: Floats, start: int) -> Counts:
    """Cases by week: Poisson(strength standard deviations) of them, at least 2, lognormal(0, 0.5) weeks after."""
    size = 0
    while size < 2:
        size = int(random.poisson(strength * spread[start]))
    week = start + np.ceil(random.lognormal(0, 0.5, size)).astype(int) - 1
    cases = np.zeros(WEEKS, np.int64)
    np.add.at(cases, week[week < WEEKS], 1)
    return cases
