"""Shares of wholes: exact tails, calibrated, no data where nothing was called back."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import betabinom

from detectors.observation import Counts, ScoreReason, Slot
from detectors.rates import COMMON_WORTH, LARGEST, ROW, RateBank, beta_binomial, common_of

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


COUNTIES = 11


def among(share: NDArray[np.float64], per_day: float, days: int, seed: int) -> tuple[RateBank, np.random.Generator]:
    """The counties of one signal, all but the last of them since the beginning; that one has no call-backs yet."""
    random = np.random.default_rng(seed)
    bank = RateBank.fresh(COUNTIES, 7)
    for day in range(days):
        wholes = random.poisson(per_day, COUNTIES)
        wholes[-1] = 0
        bank.learn(random.binomial(wholes, share), slot(day, wholes))
    return bank, random


def test_a_new_county_borrows_from_those_that_are_known_and_is_judged_early() -> None:
    shares = np.full(COUNTIES, 0.86)
    for bank, needed in ((among(shares, 12.0, 120, 1)[0], 7), (RateBank.fresh(COUNTIES, 7), 28)):
        wholes = np.zeros(COUNTIES, np.int64)
        wholes[-1] = 2 if needed == 7 else 12
        judged = []
        for day in range(120, 160):
            judged.append(bank.score(wholes, slot(day, wholes)).reason[-1] == ScoreReason.SCORED)
            bank.learn((wholes * 6) // 7, slot(day, wholes))
        assert judged.index(True) == needed


def test_what_is_said_of_a_new_county_is_right_however_alike_counties_are() -> None:
    """Its p in its first weeks is no smaller than it should be, with the randomised p between the exact pair."""
    for alike in (15.0, 300.0):
        found: list[float] = []
        for seed in range(60):
            random = np.random.default_rng(1000 + seed)
            shares = random.beta(0.86 * alike, 0.14 * alike, COUNTIES)
            bank, random = among(shares, 15.0, 60, seed)
            for day in range(60, 88):
                wholes = np.full(COUNTIES, 8)
                counts = random.binomial(wholes, shares)
                scores = bank.score(counts, slot(day, wholes))
                if scores.reason[-1] == ScoreReason.SCORED:
                    below = scores.p_below[-1]
                    found.append(float(below + random.random() * (scores.p_low[-1] - below)))
                bank.learn(counts, slot(day, wholes))
        assert len(found) == 60 * 21
        assert np.mean(np.array(found) <= 0.05) <= 0.05 * 1.4
        assert np.mean(np.array(found) <= 0.01) <= 0.01 * 2.0


def test_the_more_alike_counties_are_the_more_is_borrowed() -> None:
    worth = []
    for shares in (np.full(COUNTIES, 0.86), np.linspace(0.4, 0.95, COUNTIES)):
        bank, _ = among(shares, 40.0, 200, 3)
        rows = np.frombuffer(bank.snapshot(), "<f8", -1, len(b"jiantu.rates.2\n") + 16).reshape(COUNTIES, ROW)
        common = common_of(rows.astype(np.float64), np.zeros(COUNTIES, np.int64), 28.0)
        worth.append(float(common[0, COMMON_WORTH]))
    assert worth[0] > 60.0
    assert worth[1] < 20.0


def test_series_of_other_groups_are_nobodys_business() -> None:
    """Two signals in one bank say what each says alone."""
    random = np.random.default_rng(8)
    both, alone = RateBank.fresh(2 * COUNTIES, 7), RateBank.fresh(COUNTIES, 7)
    for day in range(60):
        wholes = random.poisson(9.0, 2 * COUNTIES)
        counts = random.binomial(wholes, np.repeat([0.86, 0.3], COUNTIES))
        together = replace(slot(day, wholes), groups=np.repeat([0, 1], COUNTIES))
        mine = slot(day, wholes[:COUNTIES])
        heard, own = both.score(counts, together), alone.score(counts[:COUNTIES], mine)
        assert np.array_equal(heard.p_low[:COUNTIES], own.p_low, equal_nan=True)
        both.learn(counts, together)
        alone.learn(counts[:COUNTIES], mine)
