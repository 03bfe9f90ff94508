"""Shares of wholes: exact tails, calibrated, no data where nothing was called back."""

import numpy as np
import pytest
from scipy.stats import betabinom

from detectors.observation import Counts, ScoreReason, Slot
from detectors.rates import LARGEST, RateBank, beta_binomial

SERIES = 300


def slot(day: int, wholes: Counts) -> Slot:
    return Slot(day, day % 7 * 24, 0.0, 1.0, np.zeros(wholes.size, np.int64), wholes)


def trained(share: float, whole: int, days: int = 200, series: int = 1) -> RateBank:
    """A bank that has seen as many good ones, every day, as the share says."""
    bank = RateBank.fresh(series, 7)
    for day in range(days):
        bank.learn(np.full(series, round(share * whole)), slot(day, np.full(series, whole)))
    return bank


@pytest.mark.parametrize(("whole", "mean", "rho"), [(1, 0.5, 0.1), (40, 0.85, 0.01), (4000, 0.97, 0.0007)])
def test_probabilities_are_those_of_the_beta_binomial(whole: int, mean: float, rho: float) -> None:
    strength = 1 / rho - 1
    exact = betabinom.pmf(np.arange(whole + 1), whole, mean * strength, (1 - mean) * strength)
    np.testing.assert_allclose(beta_binomial(whole, mean, rho), exact, rtol=1e-7, atol=1e-300)


@pytest.mark.parametrize(
    ("whole", "share", "rho"), [(3, 0.95, 0.0), (10, 0.85, 0.0), (60, 0.85, 0.01), (400, 0.9, 0.003)]
)
def test_p_is_calibrated_on_both_sides(whole: int, share: float, rho: float) -> None:
    """Drawn between the exact pair, p <= a in about a share a of the windows; never much more."""
    random = np.random.default_rng(7)
    bank = RateBank.fresh(SERIES, 7)
    low: list[float] = []
    high: list[float] = []
    for day in range(250):
        wholes = random.poisson(whole, SERIES)
        strength = 1 / rho - 1 if rho else 0.0
        shares = random.beta(share * strength, (1 - share) * strength, SERIES) if rho else np.full(SERIES, share)
        good = random.binomial(wholes, shares)
        scores = bank.score(good, slot(day, wholes))
        bank.learn(good, slot(day, wholes))
        seen, drawn = scores.reason == ScoreReason.SCORED, random.random(SERIES)
        low += (scores.p_below + drawn * (scores.p_low - scores.p_below))[seen].tolist()
        high += (scores.p_above + drawn * (scores.p_high - scores.p_above))[seen].tolist()
    for level in (0.05, 0.01, 0.001):
        for tail in (low, high):
            ratio = np.mean(np.array(tail) <= level) / level
            print(f"{whole=} {share=} {rho=} {level=} {ratio:.2f}")
            assert ratio <= (1.2 if level > 0.001 else 1.6)
            assert ratio >= 0.4  # and not idle


def test_fifteen_points_less_are_seen_and_a_thin_day_is_no_news() -> None:
    bank = trained(0.85, 60)
    fell = bank.score(np.array([42]), slot(200, np.array([60])))
    assert fell.p_low[0] < 0.01
    assert fell.low[0] <= fell.expected[0] == pytest.approx(51.0, abs=0.5)
    assert bank.score(np.array([2]), slot(200, np.array([3]))).p_low[0] > 0.1
    weeks = RateBank.fresh(1, 1)
    for week in range(60):
        weeks.learn(np.array([357]), Slot(week, 0, 0.0, 1.0, np.zeros(1, np.int64), np.array([420])))
    last = Slot(60, 0, 0.0, 1.0, np.zeros(1, np.int64), np.array([420]))
    assert weeks.score(np.array([294]), last).p_low[0] < 1e-5


def test_nothing_of_nothing_is_no_data_and_teaches_nothing() -> None:
    bank = trained(0.9, 50)
    before = bank.score(np.array([45]), slot(200, np.array([50])))
    for wholes in (np.array([0]), np.array([-1])):
        assert bank.score(np.array([0]), slot(200, wholes)).reason[0] == ScoreReason.MISSING
    for day in range(200, 205):
        bank.learn(np.array([0]), slot(day, np.array([0])))
    after = bank.score(np.array([45]), slot(205, np.array([50])))
    assert after.expected[0] == pytest.approx(before.expected[0], rel=1e-3)
    plain = Slot(3, 0, 0.0, 1.0, np.zeros(1, np.int64))
    assert bank.score(np.array([5]), plain).reason[0] == ScoreReason.MISSING


def test_one_bad_week_teaches_little() -> None:
    bank = trained(0.9, 50)
    for day in range(200, 203):
        bank.learn(np.array([5]), slot(day, np.array([50])))
    assert bank.score(np.array([45]), slot(203, np.array([50]))).expected[0] > 0.85 * 50


def test_a_young_series_has_a_wider_band() -> None:
    young = trained(0.9, 20, days=30).score(np.array([18]), slot(30, np.array([20])))
    old = trained(0.9, 20, days=400).score(np.array([18]), slot(400, np.array([20])))
    assert old.low[0] >= young.low[0]
    assert old.p_low[0] != young.p_low[0]


def test_a_whole_beyond_all_bounds_is_judged_as_a_large_one() -> None:
    bank = trained(0.9, 50)
    large, beyond = (
        bank.score(np.array([9 * whole // 10 - whole // 4]), slot(200, np.array([whole]))) for whole in (LARGEST, 10**9)
    )
    assert beyond.p_low[0] == pytest.approx(large.p_low[0], rel=0.05)
    assert beyond.expected[0] == pytest.approx(9e8, rel=0.01)
    assert (beyond.p_low[0] >= beyond.p_below[0], beyond.p_high[0] <= 1) == (True, True)
