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
>>> for week, count in ((60, 9), (61, 13)):
...     slot = Slot(week, 0, week / 52, 1.0, np.zeros(1, np.int64))
...     scores = bank.score(np.array([count]), slot)
...     bank.learn(np.array([count]), slot)
>>> bool(scores.p_high[0] < 0.01)
True
"""

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from detectors.baseline import forecast
from detectors.borrowing import LENT, borrowed, lend, lent_by
from detectors.compiled import in_place
from detectors.contract import Detector
from detectors.guard import BEHIND, MOST, GuardedRows, pass_window, slot_numbers, slot_parts
from detectors.observation import Counts, Floats, ScoreReason, Scores, Slot, exposures_of
from detectors.outbreak_evidence import DOSES, LAGS, LANES, PLACES, PROFILE, SIZES, evidence, ratios, survival
from detectors.packing import packed, unpacked
from detectors.rounding import rounded_count, rounded_number
from detectors.row import (
    PARTS,
    SEEN,
    WARM_UP,
    Rows,
    Settings,
    reason_of,
    settings_for,
)
from detectors.tails import band

HOURS = 168
SPREAD_DOUBT = 1.0
"""See `detectors.row.Settings`."""
SHARED_BY_STARTS = sum(sum(PROFILE[:n]) ** 2 / sum(w * w for w in PROFILE[:n]) for n in range(1, LAGS + 1)) / LAGS
"""See `detectors.row.Settings`: how many times the variance that is common to all windows counts in a sum weighted as
outbreaks are, over that of one window; the mean of all starts, 2.27."""
PLAIN = 1e-5
"""A p at which an outbreak is plain: whoever listens has heard it."""
SMALLEST_SAID = 1e-290
STARTS, GATHERED = 0, 1
"""Beside each series' baseline row lie: how many starts count, and the likelihood ratio so far by start and size."""
EXTRA = GATHERED + LAGS * len(SIZES)
_SIZES = len(SIZES)
_FOUND, _AT_LEAST = len(DOSES), len(DOSES) + 1
_WORKED_OUT = len(DOSES) + 2
_SCORED = int(ScoreReason.SCORED)


def watchful_settings(windows_per_week: int) -> Settings:
    """The baseline's settings where evidence over several windows is looked at.

    Weeks are learned at once: a guard of as little as a week finds a slow rise no better where levels are steady (+30 %
    over four weeks, at p's rate of 0.1 %: 0.568 without, 0.571 with), and a high week less often where they wander
    (+60 %: 0.488, 0.428), since an error of the level then lies in every week of the evidence. Of days, +30 % over four
    weeks is found 0.399 of the time without, 0.492 with."""
    usual = settings_for(windows_per_week)
    guard = 0 if windows_per_week == 1 else usual.guard
    return replace(usual, spread_doubt=SPREAD_DOUBT, guard=guard, shared=SHARED_BY_STARTS)


@in_place
def _score_rows(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    rows: Rows,
    held: Rows,
    extras: Rows,
    counts: Counts,
    where: tuple[Floats, int, float],
    classes: Counts,
    exposures: Floats,
    settings: Floats,
    lanes: Floats,
    out: Rows,
    worked_out: Rows,
    terms: Rows,
) -> None:
    """out (series, 9) as in `detectors.counts`; `where` as from `slot_parts`; `worked_out` (series, doses + 2): the
    window's likelihood ratios, the evidence, and the p of so much; `terms`, shape (2, lanes), is nobody's."""
    waves, place, length = where
    for i in range(counts.size):
        row, extra = rows[i], extras[i]
        out[i] = np.nan
        out[i, 8] = reason_of(row, counts[i], exposures[i], settings)
        if out[i, 8] != _SCORED:
            continue
        waves[1] = held[i, BEHIND]
        mean, size, _ = forecast(row, waves, place, classes[i], length, exposures[i], settings)
        mean, size = rounded_number(mean), rounded_number(size)
        now = worked_out[i]
        ratios(min(counts[i], MOST), mean, size, lanes, terms, now)
        starts = int(extra[STARTS])
        now[_FOUND] = evidence(extra[GATHERED:], now, starts)
        at_least, above = survival(now[_FOUND], mean, size, starts)
        now[_AT_LEAST] = at_least
        out[i, 0] = mean
        low, high = band(mean, size)
        out[i, 1], out[i, 2] = rounded_count(low), rounded_count(high)
        out[i, 3] = rounded_number(max(at_least, SMALLEST_SAID))
        out[i, 4] = rounded_number(max(min(above, at_least), SMALLEST_SAID))
        out[i, 5], out[i, 6] = 1.0, 1.0


@in_place
def _learn_rows(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    rows: Rows,
    held: Rows,
    ring: Rows,
    at: int,
    extras: Rows,
    counts: Counts,
    where: tuple[Floats, int, float],
    classes: Counts,
    exposures: Floats,
    settings: Floats,
    resets_at: float,
    lanes: Floats,
    worked_out: Rows,
    work: tuple[Rows, Rows],
    sums: Counts,
) -> None:
    """`worked_out` as scoring left it, NaN where it did not; `work`, shapes (2, lanes) and (2, PARTS), is nobody's;
    `sums`, zeros of shape (LENT,), become what the series lend from now on (`detectors.borrowing`)."""
    waves, place, length = where
    terms, space = work
    for i in range(counts.size):
        row, extra, now = rows[i], extras[i], worked_out[i]
        starts = int(extra[STARTS])
        plain = False
        if counts[i] >= 0 and exposures[i] > 0.0:
            count = min(counts[i], MOST)
            if row[SEEN] >= settings[WARM_UP]:
                if np.isnan(now[_FOUND]):
                    waves[1] = held[i, BEHIND]
                    mean, size, _ = forecast(row, waves, place, classes[i], length, exposures[i], settings)
                    mean, size = rounded_number(mean), rounded_number(size)
                    ratios(count, mean, size, lanes, terms, now)
                    now[_FOUND] = evidence(extra[GATHERED:], now, starts)
                    now[_AT_LEAST] = survival(now[_FOUND], mean, size, starts)[0]
                plain = now[_FOUND] > 1.0 and now[_AT_LEAST] <= resets_at  # no p is small before
        pass_window(row, held[i], ring, at, counts[i], classes[i], exposures[i], settings, space)
        lend(row, sums)
        nothing = np.isnan(now[_FOUND])
        for lag in range(LAGS - 1, 0, -1):
            for k in range(_SIZES):
                before = extra[GATHERED + (lag - 1) * _SIZES + k]
                if not nothing:
                    before *= now[PLACES[lag - 1, k]]
                extra[GATHERED + lag * _SIZES + k] = min(before, 1e240)
        extra[STARTS] = 1.0 if plain else min(starts + 1.0, float(LAGS))


class OutbreakBank(Detector):
    """Likelihood ratio of an outbreak that began in one of the last four windows; days and weeks."""

    name: ClassVar[str] = "outbreak"
    version: ClassVar[str] = "7"
    summary: ClassVar[str] = "what builds up over the last four days or weeks: likelihood ratio of an outbreak"
    judges: ClassVar[tuple[int, ...]] = (7, 1)
    sides: ClassVar[tuple[str, ...]] = ("high",)

    def __init__(self, guarded: GuardedRows, extras: Rows, windows_per_week: int, resets_at: float) -> None:
        self._guarded = guarded
        self._extras = extras
        self._windows_per_week = windows_per_week
        self._resets_at = resets_at
        self._alone = watchful_settings(windows_per_week).as_array()
        self._settings = borrowed(lent_by(guarded.rows), self._alone)
        """With what the series have lent each other so far."""
        self._scored: tuple[Counts, Floats, Counts, Floats, Rows] | None = None
        """The last window scored, and what was worked out of it: as a rule it is learned next. No part of the state:
        what was not worked out is worked out again."""

    @classmethod
    def fresh(cls, series: int, windows_per_week: int, resets_at: float = PLAIN) -> Self:
        """See `Detector.fresh`. `resets_at`: the p at which starts up to now are told, and count no longer."""
        watched = 0 if windows_per_week == HOURS else series
        extras = np.ones((watched, EXTRA))
        return cls(GuardedRows.fresh(watched, watchful_settings(windows_per_week)), extras, windows_per_week, resets_at)

    def resetting_at(self, resets_at: float) -> Self:
        """The same detector, with a memory that is reset at another p from now on."""
        return type(self)(self._guarded.copy(), self._extras.copy(), self._windows_per_week, resets_at)

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
            now, classes = slot_numbers(slot, self._windows_per_week)
            counts, worked_out = counts.astype(np.int64), np.full((counts.size, _WORKED_OUT), np.nan)
            exposures = exposures_of(slot, counts.size)
            _score_rows(
                self._guarded.rows,
                self._guarded.held,
                self._extras,
                counts,
                slot_parts(now),
                classes,
                exposures,
                self._settings,
                LANES,
                out,
                worked_out,
                np.empty((2, LANES.size)),
            )
            self._scored = counts, now, classes, exposures, worked_out
        expected, low, high, p_high, p_above, p_low, p_below, size, reason = np.ascontiguousarray(out.T)
        return Scores(expected, low, high, p_high, p_above, p_low, p_below, size, reason.astype(np.uint8))

    def learn(self, counts: Counts, slot: Slot) -> None:
        """See `Detector.learn`."""
        if self._windows_per_week == HOURS:
            return
        now, classes = slot_numbers(slot, self._windows_per_week)
        counts, worked_out = counts.astype(np.int64), np.full((counts.size, _WORKED_OUT), np.nan)
        exposures = exposures_of(slot, counts.size)
        if self._scored is not None:
            same = all(map(np.array_equal, self._scored, (counts, now, classes, exposures)))
            worked_out = self._scored[4] if same else worked_out
            self._scored = None
        of, sums = self._guarded, np.zeros(LENT, np.int64)
        _learn_rows(
            of.rows,
            of.held,
            of.ring,
            of.opened(now),
            self._extras,
            counts,
            slot_parts(now),
            classes,
            exposures,
            self._settings,
            self._resets_at,
            LANES,
            worked_out,
            (np.empty((2, LANES.size)), np.empty((2, PARTS))),
            sums,
        )
        self._settings = borrowed(sums, self._alone)

    def snapshot(self) -> bytes:
        """See `Detector.snapshot`."""
        arrays = np.array([self._resets_at]), self._extras, *self._guarded.arrays()
        return packed(type(self), self._windows_per_week, len(self._extras), *arrays)

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """See `Detector.restore`. Raises ValueError for bytes that are no snapshot of this version."""

        def shapes(windows_per_week: int, series: int) -> list[tuple[int, ...]]:
            return [(1,), (series, EXTRA), *GuardedRows.shapes(watchful_settings(windows_per_week), series)]

        windows_per_week, (resets_at, extras, *guarded) = unpacked(cls, snapshot, shapes)
        return cls(GuardedRows(*guarded), extras, windows_per_week, float(resets_at[0]))
