"""From p-values, or any scores, of the last 49 weeks to figures at matched rates of false alarms.

One threshold serves all scenarios, as an operator would set it, so that the pooled share of quiet weeks alarmed is 1,
2.5 or 5 %. Figures are taken per scenario; what is given is the mean of the scenarios.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.outbreaks_simulation import FIRST_SCORED, Floats, Simulation

RATES = (0.01, 0.025, 0.05)
Alarms = NDArray[np.bool_]
AlarmsAt = Callable[[float], tuple[Alarms, Alarms]]
"""Threshold on p -> alarms (n, 49) of the series with the outbreak, and of the quiet ones."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a detector reached at one rate of false alarms."""

    false_alarms: float
    """Share of quiet weeks alarmed, really."""
    pod: float
    """Outbreaks with an alarm between their first week and their last week with cases."""
    sensitivity: float
    """Alarmed outbreak weeks / outbreak weeks."""
    specificity: float
    """Weeks outside the outbreak, same series, not alarmed."""
    delay: float
    """Weeks from the start to the first alarm, median of the outbreaks found; NaN where none was."""


def plain_alarms(with_outbreak: Floats, quiet: Floats, rate: float) -> tuple[Alarms, Alarms]:
    """Alarms where a score, higher is more alarming, passes the threshold of that rate; ties are broken by lot."""
    random = np.random.default_rng(1)
    outbreak_scores, quiet_scores = (_without_ties(scores, random) for scores in (with_outbreak, quiet))
    threshold = np.quantile(quiet_scores, 1 - rate, method="higher")
    return outbreak_scores > threshold, quiet_scores > threshold


def _without_ties(scores: Floats, random: np.random.Generator) -> Floats:
    finite = np.nan_to_num(scores, nan=-1e12, posinf=1e12, neginf=-1e12)
    return finite + random.random(scores.shape) * 1e-9 * np.maximum(1, np.abs(finite))


def alarms_with_memory(alarms_at: AlarmsAt, rate: float) -> tuple[Alarms, Alarms]:
    """Alarms of a detector whose memory depends on them, at the highest threshold on p that keeps the rate."""
    low, high = np.log(1e-4), np.log(0.3)
    kept = alarms_at(float(np.exp(low)))
    for _ in range(11):
        middle = (low + high) / 2
        alarms = alarms_at(float(np.exp(middle)))
        if alarms[1].mean() > rate:
            high = middle
        else:
            low, kept = middle, alarms
    return kept


def figures(alarms: Alarms, quiet: Alarms, simulated: Simulation) -> Figures:
    """Mean of the scenarios."""
    window, start = simulated.outbreak_weeks(), simulated.start - FIRST_SCORED
    rows = []
    for number in np.unique(simulated.scenario):
        r = simulated.scenario == number
        alarmed, inside = alarms[r], window[r]
        hit = alarmed & inside
        found = hit.any(axis=1)
        delays = hit.argmax(axis=1)[found] - start[r][found]
        rows.append(
            (
                quiet[r].mean(),
                found.mean(),
                hit.sum() / inside.sum(),
                1 - (alarmed & ~inside).sum() / (~inside).sum(),
                np.median(delays) if found.any() else np.nan,
            )
        )
    return Figures(*(_mean(column) for column in np.array(rows).T))


def _mean(values: Floats) -> float:
    """Of those that there are; NaN where there is none."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else float("nan")
