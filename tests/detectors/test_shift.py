"""The shift detector: a level that moves and stays is found within weeks, said once, and then normal."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.observation import ScoreReason, Scores
from detectors.shift import ShiftBank
from tests.detectors.streams_of_counts import DAYS, HOURS, WEEKS, all_sound, learned, noisy, run, slot

LEVEL = 3e-4
"""What a budget of two pages a week gives to such a test."""
START = 400
"""Day on which the level moves."""


def scored(counts: NDArray[np.int64], size: int = DAYS) -> list[Scores]:
    return list(run(ShiftBank.fresh(counts.shape[1], size), counts, size))


@pytest.mark.parametrize(
    ("before", "factor", "weeks", "share"),
    [(6.0, 3.0, 3, 0.95), (3.0, 3.0, 3, 0.9), (1.0, 4.0, 3, 0.8), (0.5, 4.0, 4, 0.65), (0.3, 4.0, 6, 0.4)],
)
def test_growth_that_lasts_is_found_within_weeks(before: float, factor: float, weeks: int, share: float) -> None:
    mean = np.full((START + 7 * weeks, 200), before)
    mean[START:] *= factor
    scores = scored(noisy(mean, 1.2, np.random.default_rng(1)))
    found = np.array([s.p_high <= LEVEL for s in scores[START:]]).any(axis=0)
    assert found.mean() >= share
    assert not np.array([s.p_high <= LEVEL for s in scores[START - 60 : START]]).any()


def test_a_fall_that_lasts_is_found_on_the_low_side() -> None:
    mean = np.full((START + 28, 100), 5.0)
    mean[START:] /= 4.0
    scores = scored(noisy(mean, 1.2, np.random.default_rng(2)))
    assert np.array([s.p_low <= LEVEL for s in scores[START:]]).any(axis=0).mean() > 0.95
    assert not np.array([s.p_high <= LEVEL for s in scores[START:]]).any()


def test_a_shift_is_news_once() -> None:
    mean = np.full((START + 150, 100), 4.0)
    mean[START:] *= 4.0
    scores = scored(noisy(mean, 1.2, np.random.default_rng(3)))
    said = np.array([s.p_high <= LEVEL for s in scores])
    assert said[START : START + 21].any(axis=0).all()
    assert not said[START + 40 :].any(), "six weeks on it is normal"
    expected = np.array([s.expected for s in scores])
    assert np.median(expected[START + 35]) == pytest.approx(16.0, rel=0.2)


def test_a_second_shift_is_news_again() -> None:
    mean = np.full((START + 160, 60), 4.0)
    mean[START:] *= 4.0
    mean[START + 100 :] *= 3.0
    scores = scored(noisy(mean, 1.2, np.random.default_rng(4)))
    said = np.array([s.p_high <= LEVEL for s in scores])
    assert not said[START + 60 : START + 100].any()
    assert said[START + 100 : START + 121].any(axis=0).mean() > 0.95


def test_three_days_of_outbreak_are_no_shift() -> None:
    mean = np.full((START + 40, 200), 4.0)
    mean[START : START + 3] *= 20.0
    scores = scored(noisy(mean, 1.2, np.random.default_rng(5)))
    assert not np.array([s.p_high <= LEVEL for s in scores[START:]]).any()


@pytest.mark.parametrize(
    ("size", "mean", "phi", "windows"), [(DAYS, 0.5, 1.3, 800), (DAYS, 10.0, 2.0, 800), (WEEKS, 20.0, 1.5, 250)]
)
def test_quiet_series_are_rarely_said_to_have_shifted(size: int, mean: float, phi: float, windows: int) -> None:
    index = np.arange(windows)
    season = mean * np.exp(0.3 * np.cos(2 * np.pi * index / (52.18 * size)))
    counts = noisy(np.repeat(season[:, None], 300, axis=1), phi, np.random.default_rng(6))
    late = scored(counts, size)[windows // 2 :]
    for p in (np.array([s.p_high for s in late]), np.array([s.p_low for s in late])):
        for level in (0.01, 0.001, 1e-4):
            assert (p <= level).mean() <= level, "conservative at every window"


def test_hours_are_not_judged() -> None:
    scores = scored(np.ones((30, 3), dtype=np.int64), HOURS)
    assert (scores[-1].reason == ScoreReason.NOT_JUDGED).all()
    assert HOURS not in ShiftBank.judges


@pytest.mark.parametrize("size", [DAYS, WEEKS])
def test_odd_series_stay_finite(size: int) -> None:
    windows = {DAYS: 300, WEEKS: 120}[size]
    counts = np.zeros((windows, 6), dtype=np.int64)
    counts[:, 1] = 10**9
    counts[windows // 2 :, 2] = 10**9
    counts[: windows // 2, 3] = 10**9
    counts[::3, 4] = -1
    counts[windows // 3 :, 5] = -1
    assert all(all_sound(scores) for scores in scored(counts, size))


def test_a_feed_that_was_not_observed_for_weeks_is_no_shift() -> None:
    counts = noisy(np.full((START, 20), 5.0), 1.2, np.random.default_rng(7))
    counts[START - 40 : START - 2] = -1
    last = scored(counts)[-1]
    assert (last.p_high > 0.01).all()
    assert (last.p_low > 0.01).all()


def test_a_snapshot_goes_on_bit_for_bit() -> None:
    counts = noisy(np.full((200, 4), 3.0), 1.5, np.random.default_rng(8))
    counts[120:] *= 4
    first = learned(ShiftBank.fresh(4, DAYS), counts[:135], DAYS)
    second = ShiftBank.restore(first.snapshot())
    for one, other in zip(run(first, counts[135:], DAYS, 135), run(second, counts[135:], DAYS, 135), strict=True):
        np.testing.assert_array_equal(one.p_high, other.p_high)
    assert first.snapshot() == second.snapshot()
    assert np.isnan(first.score(counts[0], slot(200, DAYS, 4)).size).all()
    with pytest.raises(ValueError, match="not a snapshot of the shift detector"):
        ShiftBank.restore(b"something else")
