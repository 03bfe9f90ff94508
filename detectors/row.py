"""What a baseline remembers of one series, and how it behaves: the places in its row of numbers, and its settings.

`detectors.baseline` works on such rows; `fresh_rows` makes those of series that have seen nothing.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from detectors.observation import CLASSES, Floats, ScoreReason

Rows = NDArray[np.float64]
"""Shape (series, row_length)."""

PARTS = 6
"""Level, trend, and cosine and sine of one and of two cycles a year."""
STATE, COVARIANCE = 0, PARTS
SEEN = COVARIANCE + PARTS * PARTS
"""Windows observed."""
SPREAD_SUM, SPREAD_WEIGHT = SEEN + 1, SEEN + 2
"""Discounted sums whose ratio is the dispersion."""
DRIFT_SUM, DRIFT_SPREAD, DRIFT_RUN = SEEN + 3, SEEN + 4, SEEN + 5
"""Discounted sum of clipped residuals, of their variances, and windows since when they lie on one side (signed)."""
FORMER, FORMER_LEFT = SEEN + 6, SEEN + 7
"""The level from before the last move, and for how many more windows a return to it would be no news."""
LAST_ERROR, RESTLESS = SEEN + 8, SEEN + 9
"""Last standardised residual; log of how many times the usual the level's noise has proved to be."""
CLASS_COUNTED = SEEN + 10
CLASS_EXPECTED = CLASS_COUNTED + CLASSES
CALM = CLASS_EXPECTED + CLASSES
"""A second state and its covariance, laid out like the first, that hardly moves with time."""
CALM_EVIDENCE = CALM + PARTS + PARTS * PARTS
"""Log of how much better the calm state has foretold the counts of late than the lively one."""
SLOTS = CALM_EVIDENCE + 1
"""From here on: (counted, expected) of each slot of the week, the days of one hour beside each other."""

LARGEST_LOG_MEAN = 23.0
"""Of 1e10: the state is kept within +-."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a baseline of one window size behaves; times are in windows. See `settings_for`."""

    windows_per_week: int
    floor: float
    """No mean is believed to be smaller."""
    warm_up: int
    level_noise: float
    """Variance that the level gains per window; so the others."""
    trend_noise: float
    season_noise: float
    trend_damping: float
    spread_memory: float
    """Discount of the dispersion's sums per window."""
    spread_prior: float
    spread_strength: float
    """The dispersion expected before anything is seen, and its weight in counts or pairs of windows; what all series of
    the bank have shown takes their place (`detectors.borrowing`)."""
    spread_doubt: float
    """How much the dispersion is widened for being an estimate: (z^2 + 1) / 4 at z standard deviations, as in the
    expansion of Student's quantiles; a bank of single windows looks 1e-5 out, one of evidence over several 1e-3. About
    half of it, where discounted sums have forgotten as much as they hold: they are surer than their weight."""
    class_strength: float
    """How many counts a calendar class is believed to have no effect."""
    class_varies: float
    """Variance of the log effect from one window of a class to the next."""
    slot_memory: float
    """Discount of a slot's sums per visit."""
    drift_memory: float
    drift_limit: float
    drift_run: float
    """Standardised sum of residuals, and how long it must stay beyond, before the level is opened."""
    former_kept: float
    """For how many windows a level is remembered after it was left."""
    restless_gain: float
    restless_leak: float
    """How fast the level's noise follows what residuals say of it, and how fast it goes back to the usual."""
    calm: float
    """1 where the calm state is kept beside the lively one, 0 where there is only the latter."""
    evidence_memory: float
    """Discount per window of what the two have proved against each other."""
    guard: int
    """How many windows are held back before they are learned (`detectors.guard`)."""
    shared: float
    """How many times the level's variance counts where windows are held back: all of these are forecast from one level,
    so that a sum of their residuals varies more than as many of its own would."""

    def as_array(self) -> Floats:
        """The settings in the order of the constants below."""
        return np.array([float(getattr(self, name)) for name in self.__slots__])


(WINDOWS_PER_WEEK, FLOOR, WARM_UP, LEVEL_NOISE, TREND_NOISE, SEASON_NOISE, TREND_DAMPING, SPREAD_MEMORY,
 SPREAD_PRIOR, SPREAD_STRENGTH, SPREAD_DOUBT, CLASS_STRENGTH, CLASS_VARIES, SLOT_MEMORY,
 DRIFT_MEMORY, DRIFT_LIMIT, DRIFT_RUN_LIMIT, FORMER_KEPT, RESTLESS_GAIN, RESTLESS_LEAK,
 HAS_CALM, EVIDENCE_MEMORY, GUARD, SHARED) = range(24)  # fmt: skip

PRIOR_VARIANCE = np.array([1.0, 0.006**2, 0.35**2, 0.35**2, 0.2**2, 0.2**2])
"""Of the state before anything is seen, and the most that it ever has; the trend's is per week."""
HOUR_STRENGTH, SLOT_STRENGTH, DAY_STRENGTH = 1.5, 8.0, 4.0
"""How many counts the shrinkage of a profile part to its parent is worth (1 / variance of the log effect)."""
MOVED_VARIANCE = 0.5
CALM_LEVEL, CALM_TREND, CALM_SEASON = 0.002**2, 2e-6**2, 1e-4**2
"""Variance that the calm state gains per week; its trend is not damped."""
CALM_PRIOR, CALM_MOST, CALM_REFUTED = 1.0, 6.0, 4.0
"""Log odds that a series is calm before anything is seen, the most that is ever believed, and the odds against it at
which it starts again."""
LEAST_RESTLESS, MOST_RESTLESS = -6.0, 5.0
"""Bounds of the log of how much more than usual the level moves."""
FAR, FAR_TAIL = 3.0, 4.0
"""A deviance residual beyond FAR is an outlier; no residual is taken for more than FAR standard deviations and
FAR_TAIL dispersions (the scale on which a negative binomial's tail falls)."""
FAR_KNOWN = 0.05
"""What an outlier still teaches of the dispersion, so that counts which are all outliers widen the band."""
STEEPEST = 0.05
"""The most that a trend moves the log mean in a week."""
SPREAD_LEAST = 0.5
"""No dispersion is taken for less."""
YOUNG_DOUBT = 12.0
"""What is doubted of a dispersion besides `Settings.spread_doubt`, while discounted sums have forgotten nothing yet."""
CLEAR = 5.0
"""The most standard deviations that a residual counts for in what is said of the level's noise."""


def settings_for(windows_per_week: int) -> Settings:
    """The settings for hours (168 windows a week), days (7) or weeks (1)."""
    per_week = float(windows_per_week)
    floor, warm_up, memory, limit, run = {
        168: (0.005, 336, 120.0, 5.0, 120.0),
        7: (0.05, 21, 7.0, 4.0, 7.0),
        1: (0.1, 8, 4.0, 3.5, 4.0),
    }[windows_per_week]
    return Settings(
        windows_per_week=windows_per_week,
        floor=floor,
        warm_up=warm_up,
        level_noise={168: 0.04, 7: 0.04, 1: 0.02}[windows_per_week] ** 2 / per_week,
        trend_noise=1e-4**2 / per_week**3,
        season_noise=0.004**2 / per_week,
        trend_damping=1.0 - 0.004 / per_week,
        spread_memory=1.0 - 1.0 / {168: 1800.0, 7: 730.0, 1: 520.0}[windows_per_week],
        spread_prior=1.5,
        spread_strength=4.0 if windows_per_week == 1 else 8.0,
        spread_doubt={168: 2.0, 7: 2.0, 1: 3.0}[windows_per_week],
        class_strength=1.5,
        class_varies=0.02,
        slot_memory=1.0 - 1.0 / 60.0,
        drift_memory=1.0 - 1.0 / memory,
        drift_limit=limit,
        drift_run=run,
        former_kept=8.0 * per_week,
        restless_gain={168: 0.003, 7: 0.04, 1: 0.1}[windows_per_week],
        restless_leak={168: 1e-4, 7: 2e-3, 1: 1e-2}[windows_per_week],
        calm=1.0,
        evidence_memory=1.0 - 1.0 / (104.0 * per_week),
        guard={168: 24, 7: 7, 1: 2}[windows_per_week],
        shared=1.0,
    )


def row_length(windows_per_week: int) -> int:
    """Numbers in one series' row: 119 for weeks, 133 for days, 455 (3.6 kB) for hours."""
    return SLOTS + (2 * windows_per_week if windows_per_week > 1 else 0)


def fresh_rows(series: int, windows_per_week: int) -> Floats:
    """Rows of series that have seen nothing."""
    rows = np.zeros((series, row_length(windows_per_week)))
    scale = np.array([1.0, 1.0 / windows_per_week**2, 1.0, 1.0, 1.0, 1.0])
    for i in range(PARTS):
        rows[:, COVARIANCE + i * PARTS + i] = PRIOR_VARIANCE[i] * scale[i]
    rows[:, CALM : CALM + PARTS + PARTS * PARTS] = rows[:, : PARTS + PARTS * PARTS]
    rows[:, CALM_EVIDENCE] = CALM_PRIOR
    return rows


_SCORED, _WARMING_UP, _MISSING = int(ScoreReason.SCORED), int(ScoreReason.WARMING_UP), int(ScoreReason.MISSING)
_NO_EXPOSURE = int(ScoreReason.NO_EXPOSURE)


@inlined
def reason_of(row: Floats, count: int, exposure: float, settings: Floats) -> int:
    """ScoreReason of a window of a series: whether there is something to judge, and enough is known for it."""
    if count < 0:
        return _MISSING
    if exposure <= 0.0:
        return _NO_EXPOSURE
    return _WARMING_UP if row[SEEN] < settings[WARM_UP] else _SCORED


@compiled
def slot_place(hour_of_week: int, per_week: int) -> int:
    """Where the slot's pair lies in the row."""
    if per_week == 168:
        return SLOTS + 2 * ((hour_of_week % 24) * 7 + hour_of_week // 24)
    return SLOTS + 2 * (hour_of_week // 24)


def annual_waves(year_phase: float) -> Floats:
    """(1, 0, cos, sin, cos 2, sin 2) of the position in the year, from polynomials: the same bits everywhere."""
    c, s = _cosine_sine(year_phase)
    return np.array([1.0, 0.0, c, s, c * c - s * s, 2.0 * c * s])


@lru_cache(maxsize=8)
def _cosine_sine(turns: float) -> tuple[float, float]:
    """Cosine and sine of 2 pi times `turns`, within 1e-15. All detectors ask about one window after the other."""
    quarter = round(4.0 * turns)
    a = 2.0 * np.pi * (turns - quarter / 4.0)
    square = a * a
    cosine, sine = 1.0, 1.0
    for n in range(16, 0, -2):
        cosine = 1.0 - square * cosine / (n * (n - 1))
        sine = 1.0 - square * sine / (n * (n + 1))
    sine *= a
    pair = ((cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine))[quarter % 4]
    return float(pair[0]), float(pair[1])
