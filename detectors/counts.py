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

from detectors.baseline import forecast, level_of
from detectors.borrowing import LENT, borrowed, lend, lent_by
from detectors.compiled import in_place
from detectors.contract import Detector
from detectors.elementary import exp
from detectors.guard import BEHIND, MOST, GuardedRows, pass_window, slot_numbers, slot_parts
from detectors.observation import Counts, Floats, ScoreReason, Scores, Slot, exposures_of
from detectors.packing import packed, unpacked
from detectors.rounding import rounded_count, rounded_number
from detectors.row import (
    FLOOR,
    FORMER,
    FORMER_LEFT,
    PARTS,
    WARM_UP,
    Rows,
    reason_of,
    settings_for,
)
from detectors.tails import BAND_LOW, tails_and_band

SMALLEST_SAID = 1e-290
_SCORED = int(ScoreReason.SCORED)


@in_place
def _score_rows(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    rows: Rows,
    held: Rows,
    counts: Counts,
    where: tuple[Floats, int, float],
    classes: Counts,
    exposures: Floats,
    settings: Floats,
    out: Rows,
    work: Floats,
) -> None:
    """out, shape (series, 9): expected, low, high, p_high, p_above, p_low, p_below, size, reason; rounded. `where` as
    from `slot_parts`; `work`, shape (8,), is nobody's."""
    waves, place, length = where
    for i in range(counts.size):
        row = rows[i]
        out[i] = np.nan
        out[i, 8] = reason_of(row, counts[i], exposures[i], settings)
        if out[i, 8] != _SCORED:
            continue
        waves[1] = held[i, BEHIND]
        mean, size, _ = forecast(row, waves, place, classes[i], length, exposures[i], settings)
        mean, size = rounded_number(mean), rounded_number(size)
        _say(out[i], min(counts[i], MOST), mean, size)
        if row[FORMER_LEFT] > 0.0:
            former = max(mean * exp(row[FORMER] - level_of(row, settings)), settings[FLOOR] * length)
            _allow_former(out[i], min(counts[i], MOST), rounded_number(former), size, work)


@in_place
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


@in_place
def _allow_former(out: Floats, count: int, former: float, size: float, other: Floats) -> None:
    """A new level has not proved itself yet: what the former one explains is no news. Each p is the larger of both,
    the band spans both, and the mean said is the former one where the count lies outside the new one's band. `other`,
    shape (8,), is nobody's."""
    _say(other, count, former, size)
    side = 3 if count >= out[0] else 5
    if out[side] < BAND_LOW and other[side] > out[side]:
        out[0] = former
    out[1], out[2] = min(out[1], other[1]), max(out[2], other[2])
    for j in range(3, 7):
        out[j] = max(out[j], other[j])


@in_place
def _learn_rows(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    rows: Rows,
    held: Rows,
    ring: Rows,
    at: int,
    counts: Counts,
    classes: Counts,
    exposures: Floats,
    settings: Floats,
    work: Rows,
    sums: Counts,
) -> None:
    """`work`, shape (2, PARTS), is nobody's; `sums`, zeros of shape (LENT,), become what the series lend from now on
    (`detectors.borrowing`)."""
    for i in range(counts.size):
        pass_window(rows[i], held[i], ring, at, counts[i], classes[i], exposures[i], settings, work)
        lend(rows[i], sums)


class CountBank(Detector):
    """Level, trend, season, slot of the week and calendar class per series; see `detectors.baseline`."""

    name: ClassVar[str] = "counts"
    version: ClassVar[str] = "8"
    summary: ClassVar[str] = "negative-binomial baseline with season, calendar and trend; both exact tails"

    def __init__(self, guarded: GuardedRows, windows_per_week: int) -> None:
        self._guarded = guarded
        self._windows_per_week = windows_per_week
        self._alone = settings_for(windows_per_week).as_array()
        self._settings = borrowed(lent_by(guarded.rows), self._alone)
        """With what the series have lent each other so far."""

    @classmethod
    def fresh(cls, series: int, windows_per_week: int) -> Self:
        """See `Detector.fresh`."""
        return cls(GuardedRows.fresh(series, settings_for(windows_per_week)), windows_per_week)

    @property
    def warm_up(self) -> int:
        """Windows that a series must have been observed for before it is judged."""
        return int(self._settings[WARM_UP])

    def score(self, counts: Counts, slot: Slot) -> Scores:
        """See `Detector.score`."""
        now, classes = slot_numbers(slot, self._windows_per_week)
        out = np.empty((counts.size, 9))
        rows, held = self._guarded.rows, self._guarded.held
        counts, where, exposures = counts.astype(np.int64), slot_parts(now), exposures_of(slot, counts.size)
        _score_rows(rows, held, counts, where, classes, exposures, self._settings, out, np.empty(8))
        expected, low, high, p_high, p_above, p_low, p_below, size, reason = np.ascontiguousarray(out.T)
        return Scores(expected, low, high, p_high, p_above, p_low, p_below, size, reason.astype(np.uint8))

    def learn(self, counts: Counts, slot: Slot) -> None:
        """See `Detector.learn`."""
        now, classes = slot_numbers(slot, self._windows_per_week)
        of, counts, exposures = self._guarded, counts.astype(np.int64), exposures_of(slot, counts.size)
        settings, work, sums = self._settings, np.empty((2, PARTS)), np.zeros(LENT, np.int64)
        _learn_rows(of.rows, of.held, of.ring, of.opened(now), counts, classes, exposures, settings, work, sums)
        self._settings = borrowed(sums, self._alone)

    def snapshot(self) -> bytes:
        """See `Detector.snapshot`."""
        return packed(type(self), self._windows_per_week, len(self._guarded.rows), *self._guarded.arrays())

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """See `Detector.restore`. Raises ValueError for bytes that are no snapshot of this version."""

        def shapes(windows_per_week: int, series: int) -> list[tuple[int, ...]]:
            return GuardedRows.shapes(settings_for(windows_per_week), series)

        windows_per_week, arrays = unpacked(cls, snapshot, shapes)
        return cls(GuardedRows(*arrays), windows_per_week)


def warm_up() -> None:
    """Compile (or load from numba's cache) everything that scoring and learning need, outside the hot path."""
    for windows_per_week in (168, 7, 1):
        bank = CountBank.fresh(1, windows_per_week)
        slot = Slot(0, 0, 0.0, 1.0, np.zeros(1, np.int64))
        bank.learn(np.array([3]), slot)
        bank.score(np.array([3]), slot)
