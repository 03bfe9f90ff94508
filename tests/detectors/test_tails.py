"""Tails and quantiles of counts: right to the last digits, whatever the mean."""

import math
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detectors.shift import BLOCK_LONG
from detectors.sure_quantiles import UNSURE, sure_band
from detectors.tails import (
    BAND_HIGH,
    BAND_LOW,
    SMALLEST_P,
    TENTH,
    Z_HIGH,
    Z_LOW,
    band,
    four_tails,
    in_lower_tenth,
    in_upper_tenth,
    normal_quantile,
    probability,
    quantile,
    tails_and_band,
)
from tests.detectors.exact import tails

INFINITE = math.inf
CASES = [
    (mean, size, sigmas)
    for mean in (1e-3, 0.05, 0.7, 3.0, 21.5, 180.0)
    for size in (0.01, 0.4, 3.0, 250.0, 1e7, 1e18, INFINITE)
    for sigmas in (-5.0, -1.5, 0.0, 1.0, 4.0, 9.0, 30.0)
    if mean <= 100 * size
]


def relative_error(found: float, exact: Decimal) -> float:
    return float(abs(Decimal(found) / exact - 1)) if exact > Decimal("1e-300") else 0.0


def close(found: tuple[float, ...], exact: tuple[Decimal, ...], within: float) -> bool:
    return all(relative_error(p, q) <= within for p, q in zip(found, exact, strict=True) if q != 0)


@pytest.mark.parametrize(("mean", "size", "sigmas"), CASES)
def test_four_tails_agree_with_sums_of_forty_digits(mean: float, size: float, sigmas: float) -> None:
    x = max(0, round(mean + sigmas * math.sqrt(mean + mean * mean / size)))
    assert close(four_tails(x, mean, size), tails(x, mean, size), within=2e-12)


@pytest.mark.parametrize(
    ("mean", "size", "sigmas"),
    [(1e9, INFINITE, 8.0), (1e9, INFINITE, -30.0), (1e9, 1e12, 20.0), (1e5, 1e3, -6.0), (1e5, 1e9, 36.0)],
)
def test_large_means_keep_their_digits(mean: float, size: float, sigmas: float) -> None:
    # Here p turns on the last bit of the mean: a relative change of 1e-16 moves it by 1e-16 * sigmas * sqrt(mean).
    x = round(mean + sigmas * math.sqrt(mean + mean * mean / size))
    assert close(four_tails(x, mean, size), tails(x, mean, size), within=1e-12 + 1e-15 * abs(sigmas) * math.sqrt(mean))


def test_the_middle_of_a_billion_agrees_with_scipy() -> None:
    exact = stats.poisson(1e9)
    found = four_tails(10**9, 1e9, INFINITE)
    assert found[0] == pytest.approx(exact.sf(10**9 - 1), rel=1e-9)
    assert found[2] == pytest.approx(exact.cdf(10**9), rel=1e-9)


@given(
    st.integers(0, 10**6),
    st.floats(1e-3, 1e6),
    st.one_of(st.floats(1e-3, 1e9), st.just(INFINITE)),
)
def test_tails_are_probabilities_that_fit_together(x: int, mean: float, size: float) -> None:
    at_least, above, at_most, below = four_tails(x, mean, size)
    for p in (at_least, above, at_most, below):
        assert 0.0 <= p <= 1.0
    assert above <= at_least
    assert below <= at_most
    assert at_least + below == pytest.approx(1.0, abs=1e-9)
    assert at_most + above == pytest.approx(1.0, abs=1e-9)
    assert at_least - above == pytest.approx(probability(x, mean, size), rel=1e-6, abs=1e-9)


@given(st.integers(0, 3000), st.floats(1e-2, 1e3), st.floats(1e-2, 1e6))
def test_a_larger_count_is_never_more_probable_to_reach(x: int, mean: float, size: float) -> None:
    here, further = four_tails(x, mean, size), four_tails(x + 1, mean, size)
    assert further[0] <= here[0] * (1 + 1e-12)
    assert further[2] >= here[2] * (1 - 1e-12)


def test_what_cannot_be_told_from_zero_is_said_to_be_1e_300() -> None:
    assert four_tails(10**6, 1.0, INFINITE)[:2] == (SMALLEST_P, SMALLEST_P)
    assert four_tails(0, 5.0, 2.0)[3] == 0.0, "below no count at all lies nothing"


@given(st.floats(0.001, 0.999), st.floats(1e-2, 1e7), st.one_of(st.floats(1e-2, 1e9), st.just(INFINITE)))
def test_a_quantile_is_the_smallest_count_that_reaches_its_share(share: float, mean: float, size: float) -> None:
    k = quantile(share, mean, size)
    assert four_tails(k, mean, size)[2] >= share * (1 - 1e-7)
    if k > 0:
        assert four_tails(k - 1, mean, size)[2] < share * (1 + 1e-7)


@pytest.mark.parametrize(("mean", "size"), [(1e9, INFINITE), (1e9, 5.0), (49.9, 1e3), (50.1, 1e3)])
def test_quantiles_agree_with_scipy(mean: float, size: float) -> None:
    exact = stats.poisson(mean) if size == INFINITE else stats.nbinom(size, size / (mean + size))
    for share in (0.025, 0.5, 0.975):
        assert quantile(share, mean, size) == pytest.approx(exact.ppf(share), rel=1e-8, abs=1)


COUNTED = (st.integers(0, 400), st.floats(1e-3, 400.0), st.one_of(st.floats(1e-2, 1e9), st.just(INFINITE)))


@given(*COUNTED)
def test_asked_together_tails_and_band_are_the_same_numbers_to_the_last_bit(x: int, mean: float, size: float) -> None:
    alone = quantile(BAND_LOW, mean, size), quantile(BAND_HIGH, mean, size)
    assert band(mean, size) == alone
    assert tails_and_band(x, mean, size) == (four_tails(x, mean, size), *alone)
    assert (normal_quantile(BAND_LOW), normal_quantile(BAND_HIGH)) == (Z_LOW, Z_HIGH)


@given(*COUNTED)
def test_a_count_on_the_other_side_of_the_mean_is_never_rare(x: int, mean: float, size: float) -> None:
    """What lets `shift` leave the tail of such a block out."""
    size = max(size, 1.0)
    at_least, _, at_most, _ = four_tails(x, mean, size)
    assert at_least > BLOCK_LONG if x <= mean else at_most > BLOCK_LONG


def vast_and_small() -> Iterator[tuple[float, float]]:
    """(mean, size), where a series knows the quantiles and beyond, seeded."""
    random = np.random.default_rng(20130330)
    means = np.exp(random.uniform(math.log(5.0), math.log(3e4), 6000))
    overs = np.exp(random.uniform(math.log(1e-6), math.log(60.0), 6000))
    yield from zip(means.tolist(), (means / overs).tolist(), strict=True)


def test_where_a_series_knows_the_band_it_is_the_one_that_is_worked_out() -> None:
    sure = 0
    for mean, size in vast_and_small():
        exact = quantile(BAND_LOW, mean, size), quantile(BAND_HIGH, mean, size)
        assert band(mean, size) == exact, (mean, size)
        known = sure_band(mean, size)
        assert all(k in (UNSURE, q) for k, q in zip(known, exact, strict=True)), (mean, size)
        sure += UNSURE not in known
    assert sure > 0.5 * 6000


def test_where_a_series_knows_it_a_count_is_in_a_tenth_as_its_tail_says() -> None:
    for mean, size in vast_and_small():
        for share in (0.1, 0.9):
            edge = quantile(share, mean, size)
            for x in (max(edge - 1, 0), edge, edge + 1):
                at_least, _, at_most, _ = four_tails(x, mean, size)
                assert in_upper_tenth(x, mean, size) == (at_least <= TENTH), (x, mean, size)
                assert in_lower_tenth(x, mean, size) == (at_most <= TENTH), (x, mean, size)
