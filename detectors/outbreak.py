"""What builds up: did an outbreak begin in one of the last windows? For days and weeks.

Each count is held against the baseline's forecast of it (`detectors.baseline`), and the likelihood ratio of an outbreak
against none is gathered over the last windows, for a start in any of them and several sizes
(`detectors.outbreak_evidence`). Its p is that of so much evidence where there is no outbreak. Once an outbreak has
been plain, starts before it no longer count: what comes next needs evidence of its own.

>>> import numpy as np
>>> from detectors.observation import Slot
>>> bank = OutbreakBank.fresh(series=1, windows_per_week=1)
>>> for week in range(60):
...     bank.learn(np.array([4 + week % 3]), Slot(week, 0, week / 52, 1.0, np.zeros(1, np.int64)))
>>> for week, count in ((60, 9), (61, 11)):
...     slot = Slot(week, 0, week / 52, 1.0, np.zeros(1, np.int64))
...     scores = bank.score(np.array([count]), slot)
...     bank.learn(np.array([count]), slot)
>>> bool(scores.p_high[0] < 0.01)
True
"""

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from detectors.baseline import centre_slots, forecast, learn_window, step_time
from detectors.borrowing import LENT, borrowed, lend, lent_by
from detectors.compiled import compiled
from detectors.contract import Detector
from detectors.observation import Counts, Floats, ScoreReason, Scores, Slot
from detectors.outbreak_evidence import DOSES, LAGS, PLACES, SIZES, evidence, ratios, survival
from detectors.packing import packed, unpacked
from detectors.rounding import rounded_count, rounded_number
from detectors.row import (
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
from detectors.tails import band

HOURS = 168
SPREAD_DOUBT = 1.0
"""See `detectors.row.Settings`."""
PLAIN = 1e-5
"""A p at which an outbreak is plain: whoever listens has heard it."""
SMALLEST_SAID = 1e-290
STARTS, GATHERED = 0, 1
"""Beside each series' baseline row lie: how many starts count, and the likelihood ratio so far by start and size."""
EXTRA = GATHERED + LAGS * len(SIZES)
_SIZES = len(SIZES)
_FOUND, _AT_LEAST = len(DOSES), len(DOSES) + 1
_WORKED_OUT = len(DOSES) + 2
_LARGEST_COUNT = 10**10
_SCORED, _WARMING_UP, _MISSING = int(ScoreReason.SCORED), int(ScoreReason.WARMING_UP), int(ScoreReason.MISSING)


@compiled
def _score_rows(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    rows: Rows,
    extras: Rows,
    counts: Counts,
    waves: Floats,
    where: tuple[int, float],
    classes: Counts,
    settings: Floats,
    doses: Floats,
    out: Rows,
    worked_out: Rows,
) -> None:
    """out (series, 9) as in `detectors.counts`; `where`: the slot's place and the window's length; `worked_out`
    (series, doses + 2): the window's likelihood ratios, the evidence, and the p of so much."""
    work = np.empty(doses.size)
    for i in range(counts.size):
        row, extra = rows[i], extras[i]
        out[i] = np.nan
        if counts[i] < 0:
            out[i, 8] = _MISSING
            continue
        if row[SEEN] < settings[WARM_UP]:
            out[i, 8] = _WARMING_UP
            continue
        mean, size, _ = forecast(row, waves, where[0], classes[i], where[1], settings)
        mean, size = rounded_number(mean), rounded_number(size)
        now = worked_out[i]
        ratios(min(counts[i], _LARGEST_COUNT), mean, size, doses, work, now)
        starts = int(extra[STARTS])
        now[_FOUND] = evidence(extra[GATHERED:], now, starts)
        at_least, above = survival(now[_FOUND], mean, size, starts)
        now[_AT_LEAST] = at_least
        out[i, 8] = _SCORED
        out[i, 0] = mean
        low, high = band(mean, size)
        out[i, 1], out[i, 2] = rounded_count(low), rounded_count(high)
        out[i, 3] = rounded_number(max(at_least, SMALLEST_SAID))
        out[i, 4] = rounded_number(max(min(above, at_least), SMALLEST_SAID))
        out[i, 5], out[i, 6] = 1.0, 1.0


@compiled
def _learn_rows(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    rows: Rows,
    extras: Rows,
    counts: Counts,
    waves: Floats,
    where: tuple[int, float, bool],
    classes: Counts,
    settings: Floats,
    resets_at: float,
    doses: Floats,
    worked_out: Rows,
) -> Counts:
    """What the series lend from now on: see `detectors.borrowing`. `worked_out` as scoring left it; NaN where it did
    not."""
    per_week, sums = int(settings[0]), np.zeros(LENT, np.int64)
    work, terms = np.empty((2, PARTS)), np.empty(doses.size)
    for i in range(counts.size):
        row, extra, now = rows[i], extras[i], worked_out[i]
        starts = int(extra[STARTS])
        plain = False
        if counts[i] >= 0:
            count = min(counts[i], _LARGEST_COUNT)
            if row[SEEN] >= settings[WARM_UP]:
                if np.isnan(now[_FOUND]):
                    mean, size, _ = forecast(row, waves, where[0], classes[i], where[1], settings)
                    mean, size = rounded_number(mean), rounded_number(size)
                    ratios(count, mean, size, doses, terms, now)
                    now[_FOUND] = evidence(extra[GATHERED:], now, starts)
                    now[_AT_LEAST] = survival(now[_FOUND], mean, size, starts)[0]
                plain = now[_FOUND] > 1.0 and now[_AT_LEAST] <= resets_at  # no p is small before
            learn_window(row, count, waves, where[0], classes[i], where[1], settings, work)
        if where[2] and per_week > 1:
            centre_slots(row, per_week)
        step_time(row, per_week, settings)
        lend(row, sums)
        nothing = np.isnan(now[_FOUND])
        for lag in range(LAGS - 1, 0, -1):
            for k in range(_SIZES):
                before = extra[GATHERED + (lag - 1) * _SIZES + k]
                if not nothing:
                    before *= now[PLACES[lag - 1, k]]
                extra[GATHERED + lag * _SIZES + k] = min(before, 1e240)
        extra[STARTS] = 1.0 if plain else min(starts + 1.0, float(LAGS))
    return sums


class OutbreakBank(Detector):
    """Likelihood ratio of an outbreak that began in one of the last four windows; days and weeks."""

    name: ClassVar[str] = "outbreak"
    version: ClassVar[str] = "3"
    summary: ClassVar[str] = "what builds up over the last four days or weeks: likelihood ratio of an outbreak"
    judges: ClassVar[tuple[int, ...]] = (7, 1)
    sides: ClassVar[tuple[str, ...]] = ("high",)

    def __init__(self, rows: Rows, extras: Rows, windows_per_week: int, resets_at: float) -> None:
        self._rows = rows
        self._extras = extras
        self._windows_per_week = windows_per_week
        self._resets_at = resets_at
        self._alone = replace(settings_for(windows_per_week), spread_doubt=SPREAD_DOUBT).as_array()
        self._settings = borrowed(lent_by(rows), self._alone)
        """With what the series have lent each other so far."""
        self._scored: tuple[Counts, Floats, Counts, Rows] | None = None
        """The last window scored, and what was worked out of it: as a rule it is learned next. No part of the state:
        what was not worked out is worked out again."""

    @classmethod
    def fresh(cls, series: int, windows_per_week: int, resets_at: float = PLAIN) -> Self:
        """See `Detector.fresh`. `resets_at`: the p at which starts up to now are told, and count no longer."""
        watched = 0 if windows_per_week == HOURS else series
        extras = np.ones((watched, EXTRA))
        return cls(fresh_rows(watched, windows_per_week), extras, windows_per_week, resets_at)

    def resetting_at(self, resets_at: float) -> Self:
        """The same detector, with a memory that is reset at another p from now on."""
        return type(self)(self._rows.copy(), self._extras.copy(), self._windows_per_week, resets_at)

    @property
    def warm_up(self) -> int:
        """Windows that a series must have been observed for before it is judged."""
        return int(self._settings[WARM_UP])

    def score(self, counts: Counts, slot: Slot) -> Scores:
        """See `Detector.score`. `size` is NaN, since p is not that of this window's count alone; the low side is not
        judged, its p are 1."""
        out = np.full((counts.size, 9), np.nan)
        if self._windows_per_week == HOURS:
            out[:, 8] = ScoreReason.NOT_JUDGED
        else:
            place = slot_place(slot.hour_of_week, self._windows_per_week)
            classes = classes_of(slot)
            where = (place, float(slot.length))
            waves = annual_waves(slot.year_phase)
            counts, worked_out = counts.astype(np.int64), np.full((counts.size, _WORKED_OUT), np.nan)
            _score_rows(self._rows, self._extras, counts, waves, where, classes, self._settings, DOSES, out, worked_out)
            self._scored = counts, np.array([*where, *waves]), classes, worked_out
        expected, low, high, p_high, p_above, p_low, p_below, size, reason = np.ascontiguousarray(out.T)
        return Scores(expected, low, high, p_high, p_above, p_low, p_below, size, reason.astype(np.uint8))

    def learn(self, counts: Counts, slot: Slot) -> None:
        """See `Detector.learn`."""
        if self._windows_per_week == HOURS:
            return
        place, length = slot_place(slot.hour_of_week, self._windows_per_week), float(slot.length)
        week_ends = slot.index % self._windows_per_week == self._windows_per_week - 1
        waves = annual_waves(slot.year_phase)
        classes = classes_of(slot)
        counts, worked_out = counts.astype(np.int64), np.full((counts.size, _WORKED_OUT), np.nan)
        if self._scored is not None:
            same = all(map(np.array_equal, self._scored, (counts, np.array([place, length, *waves]), classes)))
            worked_out = self._scored[3] if same else worked_out
            self._scored = None
        where = (place, length, week_ends)
        rows, extras, settings = self._rows, self._extras, self._settings
        sums = _learn_rows(rows, extras, counts, waves, where, classes, settings, self._resets_at, DOSES, worked_out)
        self._settings = borrowed(sums, self._alone)

    def snapshot(self) -> bytes:
        """See `Detector.snapshot`."""
        arrays = np.array([self._resets_at]), self._rows, self._extras
        return packed(type(self), self._windows_per_week, self._rows.shape[0], *arrays)

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """See `Detector.restore`. Raises ValueError for bytes that are no snapshot of this version."""

        def shapes(windows_per_week: int, series: int) -> list[tuple[int, ...]]:
            return [(1,), (series, row_length(windows_per_week)), (series, EXTRA)]

        windows_per_week, (resets_at, rows, extras) = unpacked(cls, snapshot, shapes)
        return cls(rows, extras, windows_per_week, float(resets_at[0]))
