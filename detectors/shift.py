"""Slow change of level: is the sum of the last weeks far from what the baseline of before them expected?

The baseline (`detectors.baseline`) learns each window only once it has left the evidence span (4 weeks of days,
6 weeks of weeks), so a new level cannot become its own expectation while it is being judged. A window's p is the
exact tail of the sum over the last k blocks (k = 2, 3, 4 weeks of days; 3, 4, 6 weeks), times the number of spans
looked at (Bonferroni), so it is valid on every day taken by itself, which is what a budget of levels needs. Two
things keep it from crying "shift" at anything else: every block of the span must lie on that side by itself (at
p <= 0.1, which can only make p larger), and the variance of the sum holds the slow wandering that the series has
shown so far. Once a shift has been plain for a week, the detector takes the new level for normal and starts
afresh: a lasting change is news once. Sums against a guarded baseline: Farrington, Andrews, Beale and Catchpole, "A
statistical algorithm for the early detection of outbreaks of infectious disease", JRSS A 159 (1996); spans of
several lengths: Willsky and Jones, "A generalized likelihood ratio approach to the detection and estimation
of jumps in linear systems", IEEE TAC 21 (1976).
"""

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from detectors.baseline import dispersion, learn_window, size_of, state_forecast, step_time
from detectors.borrowing import LENT, borrowed, lend, lent_by
from detectors.compiled import in_place, inlined
from detectors.contract import Detector
from detectors.elementary import exp
from detectors.guard import LENGTH, PLACE, SLOT, WAVES, WEEK_ENDS, slot_numbers
from detectors.observation import Counts, Floats, ScoreReason, Scores, Slot, exposures_of
from detectors.packing import packed, unpacked
from detectors.rounding import rounded_count, rounded_number
from detectors.row import (
    COVARIANCE,
    DRIFT_RUN,
    DRIFT_SPREAD,
    DRIFT_SUM,
    FLOOR,
    LEVEL_NOISE,
    PARTS,
    SEEN,
    STATE,
    WARM_UP,
    WINDOWS_PER_WEEK,
    Rows,
    Settings,
    fresh_rows,
    reason_of,
    row_length,
    settings_for,
    slot_place,
)
from detectors.slots import centre_slots, slot_effect
from detectors.special_days import class_effect
from detectors.tails import TENTH, band, four_tails, in_lower_tenth, in_upper_tenth

HOURS = 168
BLOCK_LONG = TENTH
"""A block is on a side by itself from this p on."""
OUTLIER = 4.0
"""Standard deviations, and one count, above the mean at which a window's count is cut for the high side: a few days
of outbreak must not pass for weeks."""
SLOW_PRIOR, SLOW_STRENGTH, SLOW_LEAST = 0.2**2, 140.0, 0.1**2
"""Variance of the log level from one span to the next: prior, its worth in windows, and the least believed."""
SLOW_MEMORY = 1.0 - 1.0 / 730.0
PLAIN = 1e-6
"""A p that no level of a page budget is smaller than: whoever listens has heard it."""
SMALLEST_SAID = 1e-290
_SCORED = int(ScoreReason.SCORED)

_MEAN, _PHI, _HIGH, _LOW = range(4)
"""What scoring works out of each series and learning needs again: NaN where it did not."""

# Beside each series' baseline row lie: two sums of the slow wandering, windows for which a shift has been plain, and
# the ring of the evidence span: counts, what was expected, calendar classes, exposures.
SLOW_SUM, SLOW_WEIGHT, PLAIN_RUN, RING = 0, 1, 2, 3


def spans_for(windows_per_week: int) -> tuple[int, Counts]:
    """(windows a block, blocks of each span that is looked at, ascending)."""
    return (7, np.array([2, 3, 4])) if windows_per_week == 7 else (1, np.array([3, 4, 6]))


def quiet_settings(windows_per_week: int) -> Settings:
    """The baseline's settings with a level that moves half as much: what wanders slowly is looked for here."""
    usual = settings_for(windows_per_week)
    return replace(
        usual,
        level_noise=min(usual.level_noise, 0.02**2 / windows_per_week),
        warm_up=20 if windows_per_week == 1 else usual.warm_up,
        calm=0.0,
        guard=0,
    )


@in_place
def _forecast(
    row: Floats, waves: Floats, place: int, day_class: int, scale: tuple[float, float], ahead: int, settings: Floats
) -> tuple[float, float, float]:
    """(mean, variance of its log in sums over weeks, dispersion) of the window that lies `ahead` windows after the
    row's next one. Errors of the slots of a week average out over it; those of level and season do not. `scale`: the
    window's length, and its exposure."""
    phi = dispersion(row, settings)
    log_mean, q = state_forecast(row, STATE, waves)
    slot, q_slot = slot_effect(row, place, int(settings[WINDOWS_PER_WEEK]), phi)
    special, q_class = class_effect(row, day_class, phi, settings)
    log_mean = min(log_mean + ahead * row[STATE + 1], 23.0)
    trend = ahead * (ahead * row[COVARIANCE + PARTS + 1] + 2.0 * row[COVARIANCE + 1])
    q = max(q + ahead * settings[LEVEL_NOISE] + trend, 0.0)
    mean = max(exp(log_mean) * slot * special * scale[1], settings[FLOOR]) * scale[0]
    return mean, q + (q_slot + q_class) / settings[WINDOWS_PER_WEEK], phi


@in_place
def _slow_variance(extra: Floats) -> float:
    """Variance of the log level over a span, shrunk to its prior."""
    shrunk = (extra[SLOW_SUM] + SLOW_STRENGTH * SLOW_PRIOR) / (extra[SLOW_WEIGHT] + SLOW_STRENGTH)
    return max(SLOW_LEAST, float(shrunk))


@inlined
def _is_high(count: float, mean: float, size: float) -> bool:
    """Whether a block is on the high side. Of a size of at least 1, a count up to the mean never is."""
    return not (size >= 1.0 and count <= mean) and in_upper_tenth(int(count), mean, size)


@inlined
def _is_low(count: float, mean: float, size: float) -> bool:
    return not (size >= 1.0 and count >= mean) and in_lower_tenth(int(count), mean, size)


@inlined
def _block_sums(
    extra: Floats, now: tuple[float, float], start: int, end: int, span: int, spread: tuple[float, float]
) -> tuple[float, float, float]:
    """(counted, counted with every window's outliers cut, expected) of the windows from `start` to `end` of a span
    that ends with the present one, which is `now`: its count, and what was expected. A count of -1 is missing."""
    phi, q = spread
    counted, cut, mean = 0.0, 0.0, 0.0
    for i in range(start, end):
        count = now[0] if i == span - 1 else extra[RING + i + 1]
        if count >= 0.0:
            m = now[1] if i == span - 1 else extra[RING + span + i + 1]
            counted += count
            cut += min(count, np.floor(m + OUTLIER * np.sqrt(phi * m + m * m * q) + 1.0))
            mean += m
    return counted, cut, mean


@in_place
def _judge_spans(
    extra: Floats,
    now: tuple[float, float],
    block: int,
    spans: Counts,
    spread: tuple[float, float],
    of: tuple[Floats, Floats],
) -> tuple[float, float, float, float]:
    """p_high, p_above, p_low, p_below of the most telling span; `extra` and `now` as in `_block_sums`. `spread`:
    dispersion, and variance of the log mean; `of`: the series' row, and the settings."""
    phi, q = spread
    row, settings = of
    high, above, low, below = 1.0, 1.0, 1.0, 1.0
    counted, cut, mean = 0.0, 0.0, 0.0
    all_high, all_low = True, True
    which, span = 0, block * spans[-1]
    for blocks in range(1, spans[-1] + 1):
        start = span - blocks * block
        block_counted, block_cut, block_mean = _block_sums(extra, now, start, start + block, span, spread)
        if block_mean <= 0.0:
            break
        size = size_of(block_mean, phi, q, row, settings)
        all_high = all_high and _is_high(block_cut, block_mean, size)
        all_low = all_low and _is_low(block_counted, block_mean, size)
        if not (all_high or all_low):
            break
        counted, cut, mean = counted + block_counted, cut + block_cut, mean + block_mean
        if blocks == spans[which]:
            which += 1
            size = size_of(mean, phi, q, row, settings)
            if all_high:
                tails = four_tails(int(cut), mean, size)
                if tails[0] * spans.size < high:
                    high, above = tails[0] * spans.size, tails[1] * spans.size
            if all_low:
                tails = four_tails(int(counted), mean, size)
                if tails[2] * spans.size < low:
                    low, below = tails[2] * spans.size, tails[3] * spans.size
    return high, above, low, below


@in_place
def _score_rows(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    rows: Rows,
    extras: Rows,
    counts: Counts,
    now: Floats,
    classes: Counts,
    exposures: Floats,
    settings: Floats,
    spans: Counts,
    out: Rows,
    worked_out: Rows,
) -> None:
    """out (series, 9) as in `detectors.counts`; `now` as from `slot_numbers`; `worked_out` (series, 4)."""
    block = 7 if settings[WINDOWS_PER_WEEK] == 7 else 1
    span = block * spans[-1]
    for i in range(counts.size):
        row, extra = rows[i], extras[i]
        out[i] = np.nan
        out[i, 8] = reason_of(row, counts[i], exposures[i], settings)
        if out[i, 8] != _SCORED:
            continue
        mean, q, phi = _forecast(
            row, now[WAVES:], int(now[PLACE]), classes[i], (now[LENGTH], exposures[i]), span, settings
        )
        q = q + _slow_variance(extra)
        judged = _judge_spans(extra, (float(counts[i]), mean), block, spans, (phi, q), (row, settings))
        worked_out[i, _MEAN], worked_out[i, _PHI] = mean, phi
        worked_out[i, _HIGH], worked_out[i, _LOW] = judged[0], judged[2]
        size = size_of(mean, phi, q, row, settings)
        out[i, 0] = rounded_number(mean)
        low, high = band(mean, size)
        out[i, 1], out[i, 2] = rounded_count(low), rounded_count(high)
        for j in range(4):
            out[i, 3 + j] = rounded_number(min(max(judged[j], SMALLEST_SAID), 1.0))


@in_place
def _take_in(
    row: Floats, count: int, past: Floats, day_class: int, exposure: float, settings: Floats, work: Rows
) -> None:
    if count >= 0:
        learn_window(row, count, past[WAVES:], int(past[PLACE]), day_class, past[LENGTH], exposure, settings, work)


@in_place
def _pass_time(row: Floats, past: Floats, settings: Floats) -> None:
    per_week = int(settings[WINDOWS_PER_WEEK])
    if past[WEEK_ENDS] > 0.0 and per_week > 1:
        centre_slots(row, per_week)
    step_time(row, per_week, settings)


@in_place
def _wander(extra: Floats, now: tuple[float, float], span: int, phi: float) -> None:
    """Learn how far sums over a whole span wander more than single windows explain; `now` as in `_block_sums`."""
    counted, mean = 0.0, 0.0
    for i in range(RING + 1, RING + span):
        if extra[i] >= 0.0:
            counted += extra[i]
            mean += extra[span + i]
    counted, mean = counted + now[0], mean + now[1]
    if mean <= 0.0:
        return
    slow = _slow_variance(extra)
    variance = phi * mean + slow * mean * mean
    square = min((counted - mean) ** 2, 6.0 * variance)
    weight = (SLOW_PRIOR / (phi / mean + SLOW_PRIOR)) ** 2
    extra[SLOW_SUM] = SLOW_MEMORY * extra[SLOW_SUM] + weight * (square - phi * mean) / (mean * mean)
    extra[SLOW_WEIGHT] = SLOW_MEMORY * extra[SLOW_WEIGHT] + weight


@in_place
def _adopt(row: Floats, extra: Floats, classes: Floats, ring: Rows, settings: Floats, work: Rows) -> None:
    """Take the evidence for the new normal: open the level and learn the whole span now; it has then been used.
    `classes`: those of the span, then its exposures."""
    span = ring.shape[0]
    row[DRIFT_SUM], row[DRIFT_SPREAD] = 0.0, 0.0
    for i in range(span):
        row[DRIFT_RUN] = 0.0
        if extra[RING + i] >= 0.0:
            counted = extra[RING + i]
            row[COVARIANCE] = max(row[COVARIANCE], 0.5)
            _take_in(row, int(counted), ring[i], int(classes[i]), classes[span + i], settings, work)
            extra[RING + i] = -1.0
    row[DRIFT_RUN] = 0.0
    extra[PLAIN_RUN] = 0.0


@in_place
def _turn(ring: Rows, now: Floats) -> None:
    """The oldest slot leaves the ring, the present one comes in."""
    last = ring.shape[0] - 1
    for j in range(last + 1):
        for k in range(now.size):
            ring[j, k] = ring[j + 1, k] if j < last else now[k]


@in_place
def _learn_rows(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    rows: Rows,
    extras: Rows,
    ring: Rows,
    counts: Counts,
    now: Floats,
    classes: Counts,
    exposures: Floats,
    settings: Floats,
    spans: Counts,
    worked_out: Rows,
    work: Rows,
    sums: Counts,
) -> None:
    """`worked_out` as scoring left it, NaN where it did not; `work`, shape (2, PARTS), is nobody's; `sums`, zeros of
    shape (LENT,), become what the series lend from now on (`detectors.borrowing`)."""
    block = 7 if settings[WINDOWS_PER_WEEK] == 7 else 1
    span = block * spans[-1]
    for i in range(counts.size):
        row, extra = rows[i], extras[i]
        mean, phi, p_high, p_low = worked_out[i]
        is_known = not np.isnan(mean)
        if not is_known:
            mean, q, phi = _forecast(
                row, now[WAVES:], int(now[PLACE]), classes[i], (now[LENGTH], exposures[i]), span, settings
            )
        if row[SEEN] >= settings[WARM_UP]:
            here = float(counts[i]), mean
            if not is_known:
                q = q + _slow_variance(extra)
                judged = _judge_spans(extra, here, block, spans, (phi, q), (row, settings))
                p_high, p_low = judged[0], judged[2]
            extra[PLAIN_RUN] = extra[PLAIN_RUN] + 1.0 if min(p_high, p_low) <= PLAIN else 0.0
            if counts[i] >= 0:
                _wander(extra, here, span, phi)
        day_class, exposure = int(extra[RING + 2 * span]), extra[RING + 3 * span]
        _take_in(row, int(extra[RING]), ring[0], day_class, exposure, settings, work)
        _pass_time(row, ring[0], settings)
        for part in range(4):
            start = RING + part * span
            for j in range(span - 1):
                extra[start + j] = extra[start + j + 1]
        extra[RING + span - 1] = float(counts[i])
        extra[RING + 2 * span - 1] = mean
        extra[RING + 3 * span - 1] = float(classes[i])
        extra[RING + 4 * span - 1] = exposures[i]
        if extra[PLAIN_RUN] < block:
            lend(row, sums)
    _turn(ring, now)
    for i in range(counts.size):
        if extras[i, PLAIN_RUN] >= block:
            _adopt(rows[i], extras[i], extras[i, RING + 2 * span :], ring, settings, work)
            lend(rows[i], sums)


def _shapes(windows_per_week: int, series: int) -> list[tuple[int, ...]]:
    """Of a bank's rows, what lies beside them, and the ring of slots; of hours nothing is kept."""
    if windows_per_week == HOURS:
        return [(series, 0), (series, 0), (0, SLOT)]
    block, spans = spans_for(windows_per_week)
    span = block * int(spans[-1])
    return [(series, row_length(windows_per_week)), (series, RING + 4 * span), (span, SLOT)]


class ShiftBank(Detector):
    """A level that has moved and stays moved, days and weeks; hours are not judged."""

    name: ClassVar[str] = "shift"
    version: ClassVar[str] = "7"
    summary: ClassVar[str] = "lasting change of level: sums over weeks against the baseline of before (days, weeks)"
    judges: ClassVar[tuple[int, ...]] = (7, 1)

    def __init__(self, rows: Rows, extras: Rows, ring: Rows, windows_per_week: int) -> None:
        self._rows = rows
        self._extras = extras
        self._ring = ring
        self._windows_per_week = windows_per_week
        self._alone = quiet_settings(windows_per_week).as_array()
        self._settings = self._alone if windows_per_week == HOURS else borrowed(lent_by(rows), self._alone)
        """With what the series have lent each other so far."""
        self._spans = spans_for(windows_per_week)[1]
        self._scored: tuple[Floats, Counts, Counts, Floats, Rows] | None = None
        """The last window scored, and what was worked out of it: as a rule it is learned next. No part of the state:
        what was not worked out is worked out again."""

    @classmethod
    def fresh(cls, series: int, windows_per_week: int) -> Self:
        """See `Detector.fresh`."""
        rows, extras, ring = (np.zeros(shape) for shape in _shapes(windows_per_week, series))
        if windows_per_week != HOURS:
            rows = fresh_rows(series, windows_per_week)
            extras[:, RING : RING + ring.shape[0]] = -1.0
            ring[:, PLACE] = slot_place(0, windows_per_week)
        return cls(rows, extras, ring, windows_per_week)

    def score(self, counts: Counts, slot: Slot) -> Scores:
        """See `Detector.score`. `size` is NaN: the p is that of a sum, not of this window's count."""
        out = np.full((counts.size, 9), np.nan)
        if self._windows_per_week == HOURS:
            out[:, 8] = ScoreReason.NOT_JUDGED
        else:
            now, classes = slot_numbers(slot, self._windows_per_week)
            counts, worked_out = counts.astype(np.int64), np.full((counts.size, 4), np.nan)
            exposures, settings, spans = exposures_of(slot, counts.size), self._settings, self._spans
            _score_rows(self._rows, self._extras, counts, now, classes, exposures, settings, spans, out, worked_out)
            self._scored = now, counts, classes, exposures, worked_out
        expected, low, high, p_high, p_above, p_low, p_below, size, reason = np.ascontiguousarray(out.T)
        return Scores(expected, low, high, p_high, p_above, p_low, p_below, size, reason.astype(np.uint8))

    def learn(self, counts: Counts, slot: Slot) -> None:
        """See `Detector.learn`."""
        if self._windows_per_week == HOURS:
            return
        now, classes = slot_numbers(slot, self._windows_per_week)
        counts, worked_out = counts.astype(np.int64), np.full((counts.size, 4), np.nan)
        exposures = exposures_of(slot, counts.size)
        if self._scored is not None:
            same = all(map(np.array_equal, self._scored, (now, counts, classes, exposures)))
            worked_out = self._scored[4] if same else worked_out
            self._scored = None
        counts = np.where(exposures > 0.0, counts, -1)
        work, sums = np.empty((2, PARTS)), np.zeros(LENT, np.int64)
        _learn_rows(
            self._rows,
            self._extras,
            self._ring,
            counts,
            now,
            classes,
            exposures,
            self._settings,
            self._spans,
            worked_out,
            work,
            sums,
        )
        self._settings = borrowed(sums, self._alone)

    def snapshot(self) -> bytes:
        """See `Detector.snapshot`."""
        return packed(type(self), self._windows_per_week, self._rows.shape[0], self._rows, self._extras, self._ring)

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """See `Detector.restore`. Raises ValueError for bytes that are no snapshot of this version."""
        windows_per_week, (rows, extras, ring) = unpacked(cls, snapshot, _shapes)
        return cls(rows, extras, ring, windows_per_week)
