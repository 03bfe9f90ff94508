"""What detectors see and say, vectorised over series: observations in, scores out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]


CLASSES = 12
"""How many calendar classes there can be; 0 is the ordinary day."""
MOST_PARTS = 14
"""Half days of a week: so many digits to the base CLASSES are exact in a float, too."""


class ScoreReason(IntEnum):
    """Why a score is, or is not, a verdict."""

    SCORED = 0
    WARMING_UP = 1
    """Too little seen to judge."""
    MISSING = 2
    """No count to judge (a window that was not observed)."""
    NOT_JUDGED = 3
    """This detector is not set on this series."""
    NO_EXPOSURE = 4
    """Nothing is known of what the count is out of, or there was none of it: nothing is expected."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a window lies in time: all that a detector may know of the calendar.

    A detector for hours sees one Slot an hour, one for days one a day. Weekdays count from Monday = 0.
    """

    index: int
    """Number of the window since the detector's first, counting every window, from 0."""
    hour_of_week: int
    """0..167 by local clock for hours; weekday * 24 for days; 0 for weeks."""
    year_phase: float
    """Position of the window's middle in its year, [0, 1)."""
    length: float
    """Window length over its nominal length: 23/24 on the day the clock springs forward, else 1."""
    day_class: NDArray[np.int64]
    """Shape (series,): calendar class of the date that the window lies on (0: an ordinary one), or, where it lies on
    dates of several, what `mixed_class` makes of them."""
    wholes: NDArray[np.int64] | None = None
    """Shape (series,): what each count is a part of, of a share (of so many call-backs); at most 0 where it is none."""
    groups: NDArray[np.int64] | None = None
    """Shape (series,), from 0: series of one number count the same in different places, and may borrow strength from
    each other. None: all do."""
    exposure: NDArray[np.float64] | None = None
    """Shape (series,): what each count is out of (residents, requests), so that so many times as much is expected of
    so many times the exposure; 0 or less, or NaN: there was none, or it is not known. None: 1 everywhere."""


def exposures_of(slot: Slot, series: int) -> Floats:
    """`Slot.exposure` for compiled functions: 0 where there is none or none is known."""
    if slot.exposure is None:
        return np.ones(series)
    known = np.isfinite(slot.exposure) & (slot.exposure > 0.0)
    return np.where(known, slot.exposure, 0.0)


def mixed_class(parts: Sequence[int]) -> int:
    """One number for the classes of a window's equal parts, at most MOST_PARTS: the class where it is one, else the
    parts as digits to the base CLASSES, behind a leading 1.

    >>> mixed_class([3, 3]), mixed_class([0, 3]) == (1 * CLASSES + 0) * CLASSES + 3
    (3, True)
    """
    known = [min(max(part, 0), CLASSES - 1) for part in parts]
    if known.count(known[0]) == len(known):
        return known[0]
    number = 1
    for part in known:
        number = number * CLASSES + part
    return number


@dataclass(frozen=True, slots=True)
class Scores:
    """One window's verdict on every series; all arrays share one shape. NaN where reason is not SCORED.

    `p_high` = P(X >= x) and `p_low` = P(X <= x) are what decisions use; `p_above` = P(X > x) and
    `p_below` = P(X < x) are the other halves of the exact pairs, for calibration checks only.
    Rounded to 6 significant digits (`detectors.rounding`) before anything is decided.
    """

    expected: Floats
    """Predicted mean, in counts."""
    low: Floats
    high: Floats
    """Central 95 % predictive band, in counts."""
    p_high: Floats
    p_above: Floats
    p_low: Floats
    p_below: Floats
    size: Floats
    """Size r of the negative binomial that the tails come from (variance = m + m*m/r; inf: Poisson; NaN: the
    detector has no count distribution), so that the smallest count that would have paged can be named."""
    reason: Codes
    """ScoreReason, per series."""

    def map(self, change: Callable[[Floats], Floats]) -> "Scores":
        """The same scores with every float array changed."""
        return Scores(
            expected=change(self.expected),
            low=change(self.low),
            high=change(self.high),
            p_high=change(self.p_high),
            p_above=change(self.p_above),
            p_low=change(self.p_low),
            p_below=change(self.p_below),
            size=change(self.size),
            reason=self.reason,
        )


FIELDS = ("expected", "low", "high", "p_high", "p_above", "p_low", "p_below", "size")
"""Of Scores, in its order: all that are floats."""
