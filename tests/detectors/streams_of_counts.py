"""Made-up series that the tests of detectors look at, window by window."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Detector
from detectors.observation import Counts, ScoreReason, Scores, Slot

DAYS, WEEKS, HOURS = 7, 1, 168


def slot(index: int, windows_per_week: int, series: int, day_class: int = 0, length: float = 1.0) -> Slot:
    """The window of that number, of a stream that begins on a Monday, the first of January."""
    hour = {HOURS: index % 168, DAYS: index % 7 * 24, WEEKS: 0}[windows_per_week]
    phase = (index + 0.5) / (52.18 * windows_per_week) % 1.0
    return Slot(index, hour, phase, length, np.full(series, day_class, dtype=np.int64))


def noisy(mean: NDArray[np.float64], phi: float, random: np.random.Generator) -> Counts:
    """Negative binomial counts of that mean, variance phi times the mean (phi 1: Poisson)."""
    if phi == 1.0:
        return random.poisson(mean).astype(np.int64)
    return random.negative_binomial(np.maximum(mean, 1e-12) / (phi - 1.0), 1.0 / phi).astype(np.int64)


def run(detector: Detector, counts: NDArray[np.int64], windows_per_week: int, start: int = 0) -> Iterator[Scores]:
    """Score, then learn, every row of `counts` (windows, series)."""
    for index, row in enumerate(counts, start):
        here = slot(index, windows_per_week, row.size)
        yield detector.score(row, here)
        detector.learn(row, here)


def learned(detector: Detector, counts: NDArray[np.int64], windows_per_week: int) -> Detector:
    """The detector after all rows."""
    for _ in run(detector, counts, windows_per_week):
        pass
    return detector


def all_sound(scores: Scores) -> bool:
    """Whether every scored series has finite numbers and probabilities."""
    scored = scores.reason == ScoreReason.SCORED
    numbers = (scores.expected, scores.low, scores.high, scores.p_high, scores.p_above, scores.p_low, scores.p_below)
    finite = all(np.isfinite(one[scored]).all() for one in numbers)
    return finite and all(((one[scored] >= 0) & (one[scored] <= 1)).all() for one in numbers[3:])
