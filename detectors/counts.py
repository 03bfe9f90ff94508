"""The baseline bank: a negative-binomial forecast per series, both exact tails, learned online.

>>> import numpy as np
>>> from detectors.observation import ScoreReason, Slot
>>> bank = CountBank.fresh(series=2, windows_per_week=7)
>>> for day in range(60):
...     slot = Slot(day, (day % 7) * 24, day / 365, 1.0, np.zeros(2, np.int64))
...     scores = bank.score(np.array([5, 50]), slot)
...     bank.learn(np.array([5, 50]), slot)
>>> bool(bank.score(np.array([5, 500]), slot).p_high[1] < 1e-6)
True
"""

from typing import ClassVar, Self

import numpy as np

from detectors.baseline import centre_slots, forecast, learn_window, level_of, step_time
from detectors.borrowing import LENT, borrowed, lend, lent_by
from detectors.compiled import compiled
from detectors.contract import Detector
from detectors.elementary import exp
from detectors.observation import Counts, Floats, ScoreReason, Scores, Slot
from detectors.packing import packed, unpacked
from detectors.rounding import rounded_count, rounded_number
from detectors.row import (
    FLOOR,
    FORMER,
    FORMER_LEFT,
    PARTS,
    SEEN,
    WARM_UP,
    Rows,
    annual_waves,
    fresh_rows,
    row_length,
    settings_for,
    slot_place,
)
from detectors.special_days import classes_of
from detectors.tails import BAND_LOW, tails_and_band

SMALLEST_SAID = 1e-290
_SCORED, _WARMING_UP, _MISSING = int(ScoreReason.SCORED), int(ScoreReason.WARMING_UP), int(ScoreReason.MISSING)
_LARGEST_COUNT = 10**10


@compiled
def _score_rows(
    rows: Rows, counts: Counts, waves: Floats, place: int, classes: Counts, length: float, settings: Floats, out: Rows
) -> None:
    """out, shape (series, 9): expected, low, high, p_high, p_above, p_low, p_below, size, reason; rounded."""
    for i in range(counts.size):
        row = rows[i]
        out[i] = np.nan
        if counts[i] < 0:
            out[i, 8] = _MISSING
            continue
        if row[SEEN] < settings[WARM_UP]:
            out[i, 8] = _WARMING_UP
            continue
        mean, size, _ = forecast(row, waves, place, classes[i], length, settings)
        mean, size = rounded_number(mean), rounded_number(size)
        out[i, 8] = _SCORED
        _say(out[i], min(counts[i], _LARGEST_COUNT), mean, size)
        if row[FORMER_LEFT] > 0.0:
            former = max(mean * exp(row[FORMER] - level_of(row, settings)), settings[FLOOR] * length)
            _allow_former(out[i], min(counts[i], _LARGEST_COUNT), rounded_number(former), size)


@compiled
def _say(out: Floats, count: int, mean: float, size: float) -> None:
    """The verdict of one negative binomial."""
    out[0] = mean
    tails, low, high = tails_and_band(count, mean, size)
    out[1], out[2] = rounded_count(low), rounded_count(high)
    out[3] = rounded_number(max(tails[0], SMALLEST_SAID))
    out[4] = rounded_number(max(tails[1], SMALLEST_SAID))
    out[5] = rounded_number(max(tails[2], SMALLEST_SAID))
    out[6] = 0.0 if count == 0 else rounded_number(max(tails[3], SMALLEST_SAID))
    out[7] = size


@compiled
def _allow_former(out: Floats, count: int, former: float, size: float) -> None:
    """A new level has not proved itself yet: what the former one explains is no news. Each p is the larger of both,
    the band spans both, and the mean said is the former one where the count lies outside the new one's band."""
    other = np.empty(8)
    _say(other, count, former, size)
    side = 3 if count >= out[0] else 5
    if out[side] < BAND_LOW and other[side] > out[side]:
        out[0] = former
    out[1], out[2] = min(out[1], other[1]), max(out[2], other[2])
    for j in range(3, 7):
        out[j] = max(out[j], other[j])


@compiled
def _learn_rows(
    rows: Rows, counts: Counts, waves: Floats, place: int, classes: Counts, length: float, settings: Floats, week: bool
) -> Counts:
    """What the series lend from now on: see `detectors.borrowing`."""
    per_week = int(settings[0])
    work, sums = np.empty((2, PARTS)), np.zeros(LENT, np.int64)
    for i in range(counts.size):
        row = rows[i]
        if counts[i] >= 0:
            learn_window(row, min(counts[i], _LARGEST_COUNT), waves, place, classes[i], length, settings, work)
        if week and per_week > 1:
            centre_slots(row, per_week)
        step_time(row, per_week, settings)
        lend(row, sums)
    return sums


class CountBank(Detector):
    """Level, trend, season, slot of the week and calendar class per series; see `detectors.baseline`."""

    name: ClassVar[str] = "counts"
    version: ClassVar[str] = "4"
    summary: ClassVar[str] = "negative-binomial baseline with season, calendar and trend; both exact tails"

    def __init__(self, rows: Rows, windows_per_week: int) -> None:
        self._rows = rows
        self._windows_per_week = windows_per_week
        self._alone = settings_for(windows_per_week).as_array()
        self._settings = borrowed(lent_by(rows), self._alone)
        """With what the series have lent each other so far."""

    @classmethod
    def fresh(cls, series: int, windows_per_week: int) -> Self:
        """See `Detector.fresh`."""
        return cls(fresh_rows(series, windows_per_week), windows_per_week)

    @property
    def warm_up(self) -> int:
        """Windows that a series must have been observed for before it is judged."""
        return int(self._settings[WARM_UP])

    def _where(self, slot: Slot) -> tuple[Floats, int, Counts]:
        place = slot_place(slot.hour_of_week, self._windows_per_week)
        return annual_waves(slot.year_phase), place, classes_of(slot)

    def score(self, counts: Counts, slot: Slot) -> Scores:
        """See `Detector.score`."""
        waves, place, classes = self._where(slot)
        out = np.empty((counts.size, 9))
        length = float(slot.length)
        _score_rows(self._rows, counts.astype(np.int64), waves, place, classes, length, self._settings, out)
        expected, low, high, p_high, p_above, p_low, p_below, size, reason = np.ascontiguousarray(out.T)
        return Scores(expected, low, high, p_high, p_above, p_low, p_below, size, reason.astype(np.uint8))

    def learn(self, counts: Counts, slot: Slot) -> None:
        """See `Detector.learn`."""
        waves, place, classes = self._where(slot)
        week_ends = slot.index % self._windows_per_week == self._windows_per_week - 1
        length, settings = float(slot.length), self._settings
        sums = _learn_rows(self._rows, counts.astype(np.int64), waves, place, classes, length, settings, week_ends)
        self._settings = borrowed(sums, self._alone)

    def snapshot(self) -> bytes:
        """See `Detector.snapshot`."""
        return packed(type(self), self._windows_per_week, self._rows.shape[0], self._rows)

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """See `Detector.restore`. Raises ValueError for bytes that are no snapshot of this version."""
        windows_per_week, (rows,) = unpacked(cls, snapshot, lambda per_week, series: [(series, row_length(per_week))])
        return cls(rows, windows_per_week)


def warm_up() -> None:
    """Compile (or load from numba's cache) everything that scoring and learning need, outside the hot path."""
    for windows_per_week in (168, 7, 1):
        bank = CountBank.fresh(1, windows_per_week)
        slot = Slot(0, 0, 0.0, 1.0, np.zeros(1, np.int64))
        bank.learn(np.array([3]), slot)
        bank.score(np.array([3]), slot)
