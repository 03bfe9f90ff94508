"""What others reach: EARS C1 to C3, and improved Farrington as published for the same scheme.

EARS: Hutwagner et al., "The bioterrorism preparedness and response Early Aberration Reporting System", J Urban Health
80 (2003): the count against mean and deviation of seven weeks, just before (C1), or two weeks earlier (C2), or the sum
of what C2 exceeded 1 by in the last three weeks (C3). Improved Farrington: R surveillance 1.20.3, farringtonFlexible,
all series of seed 20130330; it is slow, so its figures are told and not made again.
"""

import numpy as np

from tests.benchmarks.outbreaks_simulation import FIRST_SCORED, WEEKS, Counts, Floats

_BASE = 7
IMPROVED_FARRINGTON = {0.01: (0.521, 0.257), 0.025: (0.669, 0.363), 0.05: (0.763, 0.449)}
"""Rate of false alarms -> (POD, weekly sensitivity)."""
FARRINGTON_ORACLE = {0.01: (0.658, 0.543), 0.025: (0.756, 0.642), 0.05: (0.831, 0.712)}
"""The oracle of that seed, 840 of the series."""


def ears(counts: Counts) -> dict[str, Floats]:
    """Scores (n, 49) of the last weeks, by method, each from the counts up to its week alone."""
    c1 = np.array([_deviation(counts, week, 0) for week in range(FIRST_SCORED, WEEKS)]).T
    c2 = np.array([_deviation(counts, week, 2) for week in range(FIRST_SCORED - 2, WEEKS)]).T
    over = np.maximum(c2 - 1.0, 0.0)
    return {"EARS C1": c1, "EARS C2": c2[:, 2:], "EARS C3": over[:, 2:] + over[:, 1:-1] + over[:, :-2]}


def _deviation(counts: Counts, week: int, guard: int) -> Floats:
    base = counts[:, week - guard - _BASE : week - guard]
    deviation: Floats = (counts[:, week] - base.mean(axis=1)) / np.maximum(base.std(axis=1, ddof=1), 0.2)
    return deviation
