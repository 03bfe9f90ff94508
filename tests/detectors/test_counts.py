"""The baseline bank: right probabilities on quiet series, and sense on all others."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.contract import Detector
from detectors.counts import CountBank
from detectors.observation import ScoreReason
from detectors.row import HAS_CALM
from tests.detectors.streams_of_counts import DAYS, HOURS, WEEKS, all_sound, learned, noisy, run, slot

YEAR = {HOURS: 24 * 365, DAYS: 365, WEEKS: 52}


def randomised(detector: Detector, counts: NDArray[np.int64], size: int, skip: int) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower p of every window after `skip`, made uniform between the halves of their exact pairs."""
    random = np.random.default_rng(1)
    high, low = [], []
    for index, scores in enumerate(run(detector, counts, size)):
        if index >= skip:
            u = random.random(counts.shape[1])
            high.append(scores.p_above + u * (scores.p_high - scores.p_above))
            low.append(scores.p_below + u * (scores.p_low - scores.p_below))
    return np.concatenate(high), np.concatenate(low)


@pytest.mark.parametrize(
    ("size", "mean", "phi", "windows", "series"),
    [
        (HOURS, 0.05, 1.5, 2600, 200),
        (HOURS, 2.0, 2.0, 2600, 200),
        (DAYS, 1.0, 1.5, 700, 600),
        (DAYS, 50.0, 3.0, 700, 600),
        (WEEKS, 5.0, 1.5, 260, 1500),
        (WEEKS, 500.0, 2.0, 260, 1500),
    ],
)
def test_quiet_series_give_probabilities_that_are_what_they_say(
    size: int, mean: float, phi: float, windows: int, series: int
) -> None:
    index = np.arange(windows)
    season = 1.0 + 0.3 * np.cos(2 * np.pi * index / (52.18 * size))
    week = 1.0 + 0.5 * np.sin(2 * np.pi * index / {HOURS: 24, DAYS: 7, WEEKS: 1e9}[size])
    random = np.random.default_rng(5)
    counts = noisy(np.repeat((mean * season * week)[:, None], series, axis=1), phi, random)
    for p in randomised(CountBank.fresh(series, size), counts, size, skip=windows // 2):
        for level in (0.05, 0.01, 0.001):
            assert (p < level).mean() < 1.5 * level
        assert (p < 1e-4).mean() < 2.5e-4
        assert (p < 1e-5).mean() < 6e-5, "a page budget's levels lie out there"
        assert (p < 0.05).mean() > 0.7 * 0.05, "nor may it be blind"


@pytest.mark.parametrize(("size", "warm"), [(HOURS, 336), (DAYS, 21), (WEEKS, 8)])
def test_warm_up_is_said_and_then_over(size: int, warm: int) -> None:
    bank = CountBank.fresh(1, size)
    assert bank.warm_up == warm
    counts = np.full((warm + 1, 1), 3, dtype=np.int64)
    reasons = [int(scores.reason[0]) for scores in run(bank, counts, size)]
    assert reasons == [ScoreReason.WARMING_UP] * warm + [ScoreReason.SCORED]


def test_missing_windows_do_not_count_for_warm_up_and_get_no_verdict() -> None:
    bank = CountBank.fresh(2, DAYS)
    counts = np.tile(np.array([4, -1]), (30, 1))
    last = list(run(bank, counts, DAYS))[-1]
    assert last.reason.tolist() == [ScoreReason.SCORED, ScoreReason.MISSING]
    assert bank.score(np.array([4, 4]), slot(30, DAYS, 2)).reason.tolist() == [
        ScoreReason.SCORED,
        ScoreReason.WARMING_UP,
    ]


def test_a_short_history_gives_a_wide_band_and_a_long_one_a_narrow_band() -> None:
    counts = noisy(np.full((YEAR[DAYS], 1), 20.0), 1.0, np.random.default_rng(2))
    widths = [float(s.high[0] - s.low[0]) for s in run(CountBank.fresh(1, DAYS), counts, DAYS) if s.reason[0] == 0]
    assert widths[0] > 1.2 * widths[-1]
    assert 14 <= widths[-1] <= 26, "a Poisson of 20 has 12 to 29"


@pytest.mark.parametrize("size", [HOURS, DAYS, WEEKS])
def test_odd_series_stay_finite(size: int) -> None:
    windows = {HOURS: 900, DAYS: 400, WEEKS: 150}[size]
    counts = np.zeros((windows, 8), dtype=np.int64)
    counts[:, 1] = 1
    counts[:, 2] = 10**9
    counts[-5:, 3] = 1
    counts[::2, 4] = -1
    counts[:, 5] = np.arange(windows) % 2 * 10**9
    counts[windows // 2 :, 6] = 50
    counts[-1, 7] = 10**9
    for scores in run(CountBank.fresh(8, size), counts, size):
        assert all_sound(scores)


def test_a_billion_is_forecast_like_any_count() -> None:
    counts = noisy(np.full((100, 1), 1e9), 1.0, np.random.default_rng(3))
    last = list(run(CountBank.fresh(1, DAYS), counts, DAYS))[-1]
    assert last.expected[0] == pytest.approx(1e9, rel=1e-2)


@pytest.mark.parametrize("size", [HOURS, DAYS, WEEKS])
def test_first_reports_after_months_of_none_are_judged_with_sense(size: int) -> None:
    bank = learned(CountBank.fresh(1, size), np.zeros((YEAR[size], 1), dtype=np.int64), size)
    p = [float(bank.score(np.array([count]), slot(YEAR[size], size, 1)).p_high[0]) for count in range(60)]
    assert p[0] == 1.0
    assert p[1] > {HOURS: 1e-3, DAYS: 1e-2, WEEKS: 1e-2}[size], "one report is no outbreak"
    assert p[2] > {HOURS: 2e-4, DAYS: 3e-3, WEEKS: 5e-3}[size]
    assert p[40] < 1e-5, "forty are"
    assert all(later < earlier for earlier, later in pairwise(p))


@pytest.mark.parametrize("zeros", [1, 2, 7, 63])
def test_zeros_before_a_series_begins_do_not_widen_its_band_for_a_year(zeros: int) -> None:
    counts = np.random.default_rng(1).poisson(36.0, (zeros + 112, 6))
    late = np.where(np.arange(len(counts))[:, None] < zeros, 0, counts)
    now = slot(len(counts), DAYS, 6)
    begun, usual = (learned(CountBank.fresh(6, DAYS), one, DAYS).score(counts[-1], now) for one in (late, counts))
    assert ((begun.high - begun.low) < 1.25 * (usual.high - usual.low)).all()


def test_what_is_seen_every_week_and_every_year_is_expected() -> None:
    index = np.arange(3 * 365)
    mean = 30.0 * (1.0 + 0.6 * (index % 7 == 2)) * np.exp(0.5 * np.cos(2 * np.pi * index / (52.18 * 7)))
    counts = noisy(np.repeat(mean[:, None], 50, axis=1), 1.0, np.random.default_rng(4))
    expected = np.array([scores.expected for scores in run(CountBank.fresh(50, DAYS), counts, DAYS)])
    error = np.log(expected[2 * 365 :].mean(axis=1) / mean[2 * 365 :])
    assert np.abs(error).mean() < 0.06
    assert np.abs(error).max() < 0.25


def test_hours_of_the_week_are_learned_also_by_small_series() -> None:
    index = np.arange(24 * 7 * 30)
    mean = 0.3 * np.exp(1.2 * np.sin(2 * np.pi * (index % 24) / 24)) * (1.0 - 0.5 * (index // 24 % 7 >= 5))
    counts = noisy(np.repeat(mean[:, None], 60, axis=1), 1.0, np.random.default_rng(6))
    expected = np.array([scores.expected for scores in run(CountBank.fresh(60, HOURS), counts, HOURS)])
    error = np.log(expected[-168:].mean(axis=1) / mean[-168:])
    assert np.abs(error).mean() < 0.15


def test_a_calendar_class_has_its_own_level_and_an_unknown_one_a_wide_band() -> None:
    bank = CountBank.fresh(1, DAYS)
    random = np.random.default_rng(7)
    for index in range(500):
        special = int(index % 50 == 49)
        bank.learn(random.poisson([10.0 if special else 40.0]), slot(index, DAYS, 1, special))
    ordinary, holiday, unknown = (bank.score(np.array([20]), slot(500, DAYS, 1, c)) for c in (0, 1, 2))
    assert ordinary.expected[0] == pytest.approx(40.0, rel=0.15)
    assert holiday.expected[0] == pytest.approx(11.0, rel=0.35)
    assert ordinary.p_low[0] < 1e-2 < holiday.p_high[0]
    assert unknown.high[0] - unknown.low[0] > 1.5 * (ordinary.high[0] - ordinary.low[0])


def test_a_short_day_is_expected_to_count_less() -> None:
    bank = learned(CountBank.fresh(1, DAYS), np.full((100, 1), 240, dtype=np.int64), DAYS)
    whole = bank.score(np.array([240]), slot(100, DAYS, 1)).expected[0]
    short = bank.score(np.array([240]), slot(100, DAYS, 1, length=23 / 24)).expected[0]
    assert short == pytest.approx(whole * 23 / 24, rel=1e-5)


def errors(counts: NDArray[np.int64], mean: NDArray[np.float64], calm: float) -> float:
    """Root mean square error of the log forecasts of the second half, of a bank with the calm state or without."""
    bank = CountBank.fresh(counts.shape[1], WEEKS)
    bank._alone[HAS_CALM] = bank._settings[HAS_CALM] = calm
    expected = np.array([scores.expected for scores in run(bank, counts, WEEKS)])
    half = len(counts) // 2
    return float(np.sqrt(np.mean(np.log(expected[half:] / mean[half:]) ** 2)))


def test_a_still_series_is_known_from_all_its_past() -> None:
    mean = np.full((416, 60), 100.0)
    counts = noisy(mean, 1.0, np.random.default_rng(20))
    still = errors(counts, mean, calm=1.0)
    assert still < 0.02, "a fifth of the noise of one week"
    assert still < 0.6 * errors(counts, mean, calm=0.0)


def test_a_wandering_series_is_followed_all_the_same() -> None:
    random = np.random.default_rng(21)
    mean = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.05, (416, 60)), axis=0))
    counts = noisy(mean, 1.0, random)
    assert errors(counts, mean, calm=1.0) < 1.1 * errors(counts, mean, calm=0.0)


def test_a_county_that_appears_late_warms_up_by_itself_and_one_that_goes_is_missing() -> None:
    counts = noisy(np.full((120, 2), 8.0), 1.2, np.random.default_rng(22))
    counts[:60, 0] = -1
    counts[90:, 1] = -1
    reasons = np.array([scores.reason for scores in run(CountBank.fresh(2, DAYS), counts, DAYS)])
    assert set(reasons[60:81, 0].tolist()) == {ScoreReason.WARMING_UP}
    assert set(reasons[81:, 0].tolist()) == {ScoreReason.SCORED}
    assert set(reasons[90:, 1].tolist()) == {ScoreReason.MISSING}


@pytest.mark.parametrize("factor", [10.0, 0.0])
def test_a_past_outbreak_or_gap_teaches_little(factor: float) -> None:
    random = np.random.default_rng(8)
    quiet = noisy(np.full((200, 40), 20.0), 1.5, random)
    disturbed = quiet.copy()
    disturbed[195:198] = (disturbed[195:198] * factor).astype(np.int64)
    expected = [
        learned(CountBank.fresh(40, DAYS), counts, DAYS).score(counts[0], slot(200, DAYS, 40)).expected.mean()
        for counts in (quiet, disturbed)
    ]
    assert expected[1] == pytest.approx(expected[0], rel=0.08)


@pytest.mark.parametrize(("before", "after"), [(5.0, 20.0), (40.0, 10.0), (0.3, 1.2)])
def test_a_level_that_lasts_becomes_the_normal_one(before: float, after: float) -> None:
    mean = np.full((360, 60), before)
    mean[300:] = after
    counts = noisy(mean, 1.3, np.random.default_rng(9))
    scores = list(run(CountBank.fresh(60, DAYS), counts, DAYS))
    expected = np.array([np.median(s.expected) for s in scores])
    assert expected[301] == pytest.approx(before, rel=0.35), "not yet"
    assert expected[-1] == pytest.approx(after, rel=0.25), "eight weeks on"
    alarms = np.array([(s.p_high < 1e-4) | (s.p_low < 1e-4) for s in scores[321:]])
    assert alarms.mean() < 2e-3, "what lasts pages no longer after two weeks and the guard"


def test_a_series_that_falls_silent_is_expected_to_be_silent_a_month_later() -> None:
    mean = np.full((330, 60), 6.0)
    mean[300:] = 0.0
    scores = list(run(CountBank.fresh(60, DAYS), noisy(mean, 1.3, np.random.default_rng(13)), DAYS))
    assert np.median(scores[302].expected) > 4.0
    assert np.median(scores[-1].expected) < 0.5


def test_a_return_to_the_former_level_is_no_news() -> None:
    mean = np.full((420, 60), 20.0)
    mean[300:325] = 120.0
    counts = noisy(mean, 1.3, np.random.default_rng(10))
    scores = list(run(CountBank.fresh(60, DAYS), counts, DAYS))
    assert np.mean([s.p_high < 1e-6 for s in scores[300:304]]) > 0.95, "the rise is"
    assert np.mean([s.p_low < 1e-4 for s in scores[325:340]]) < 0.005, "the way back is not"


def test_an_outbreak_of_a_small_series_is_found() -> None:
    counts = noisy(np.full((200, 30), 0.5), 1.2, np.random.default_rng(11))
    bank = learned(CountBank.fresh(30, DAYS), counts, DAYS)
    p = bank.score(np.full(30, 8), slot(200, DAYS, 30)).p_high
    assert np.median(p) < 1e-3


def test_a_snapshot_goes_on_bit_for_bit() -> None:
    counts = noisy(np.tile(np.array([0.2, 3.0, 80.0]), (300, 1)), 1.5, np.random.default_rng(12))
    first = learned(CountBank.fresh(3, HOURS), counts[:200], HOURS)
    second = CountBank.restore(first.snapshot())
    for one, other in zip(run(first, counts[200:], HOURS, 200), run(second, counts[200:], HOURS, 200), strict=True):
        np.testing.assert_array_equal(one.p_high, other.p_high)
    assert first.snapshot() == second.snapshot()
    with pytest.raises(ValueError, match="not a snapshot of the counts detector"):
        CountBank.restore(b"something else")


def test_a_series_takes_less_than_four_kilobytes() -> None:
    for size in (HOURS, DAYS, WEEKS):
        hundred = len(CountBank.fresh(100, size).snapshot())
        assert hundred <= 100 * 4096
        assert len(learned(CountBank.fresh(100, size), np.ones((300, 100), np.int64), size).snapshot()) == hundred
