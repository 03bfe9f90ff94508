"""Six significant digits, and exp and log, as any machine must give them."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import elementary
from detectors.observation import FIELDS, Scores
from detectors.rounding import rounded_array, rounded_fields, rounded_number


@given(st.floats(1e-289, 1e289))
def test_rounding_gives_the_double_nearest_to_six_digits(x: float) -> None:
    assert rounded_number(x) == float(f"{x:.6g}")
    assert rounded_number(-x) == -float(f"{x:.6g}")


@given(st.integers(1, 10**6 - 1), st.integers(-200, 200), st.sampled_from([0, 5]))
def test_rounding_is_right_at_ties_and_at_what_is_rounded_already(digits: int, exponent: int, last: int) -> None:
    x = float(f"{digits * 10 + last}e{exponent}")
    assert rounded_number(x) == float(f"{x:.6g}")
    assert rounded_number(rounded_number(x)) == rounded_number(x)


def test_what_lies_exactly_between_goes_to_the_even_digit() -> None:
    ties = np.array([1000005.0, 1000015.0, 1234565.0, 1234575.0, 2.0**-20 * 5**7, 100000.5, 100001.5])
    np.testing.assert_array_equal(rounded_array(ties), [float(f"{tie:.6g}") for tie in ties.tolist()])
    assert rounded_array(ties[:2]).tolist() == [1000000.0, 1000020.0]


def test_nothing_infinity_and_nan_stay_what_they_are() -> None:
    given_numbers = np.array([[0.0, math.inf], [-math.inf, math.nan]])
    np.testing.assert_array_equal(rounded_array(given_numbers), given_numbers)


@pytest.mark.parametrize("at", [0, 1])
def test_scores_are_rounded_into_the_places_of_their_series(at: int) -> None:
    random = np.random.default_rng(12)
    numbers = random.uniform(0.0, 1.0, (len(FIELDS), 2, 3)) ** 9
    expected, low, high, p_high, p_above, p_low, p_below, size = numbers[:, at]
    scores = Scores(expected, low, high, p_high, p_above, p_low, p_below, size, np.zeros(3, np.uint8))
    found = rounded_fields(scores, np.array([4, 0, 2]), 6)
    np.testing.assert_array_equal(found[:, [4, 0, 2]], rounded_array(numbers[:, at]))
    assert np.isnan(found[:, [1, 3, 5]]).all()


@given(st.integers(1, 10**6 - 1), st.integers(-30, 30), st.sampled_from([0, -1, 1]))
def test_what_all_but_lies_between_two_is_rounded_to_the_nearer(digits: int, exponent: int, side: int) -> None:
    """Where one multiplication cannot tell, and just beyond."""
    half = float(f"{digits}.5e{exponent}")
    for steps in (1, 3, 40, 10**6, 10**8):
        x = half * (1.0 + side * steps * 2.0**-52)
        assert rounded_number(x) == float(f"{x:.6g}")


def ulps(found: float, exact: float) -> float:
    return abs(found - exact) / math.ulp(exact) if found != exact else 0.0


@given(st.floats(-700.0, 700.0))
def test_exp_is_within_an_ulp_of_the_c_library(x: float) -> None:
    assert ulps(elementary.exp(x), math.exp(x)) <= 1.0


@given(st.floats(1e-300, 1e300))
def test_log_is_within_an_ulp_of_the_c_library(x: float) -> None:
    assert ulps(elementary.log(x), math.log(x)) <= 1.0


@given(st.floats(-0.999999, 1e300))
def test_log1p_is_within_two_ulps_of_the_c_library(x: float) -> None:
    assert ulps(elementary.log1p(x), math.log1p(x)) <= 2.0


def test_the_edges_of_exp_and_log() -> None:
    assert elementary.exp(-800.0) == 0.0
    assert elementary.exp(800.0) == math.inf
    assert elementary.exp(-740.0) == math.exp(-740.0), "smaller than any normal number"
    assert elementary.log(0.0) == -math.inf
    assert math.isnan(elementary.log(-1.0))
    assert elementary.log(5e-324) == math.log(5e-324)
    assert elementary.log1p(-1.0) == -math.inf


def test_the_bits_are_pinned() -> None:
    # The C library of another CPU may give another last bit; these never may.
    found = [elementary.exp(1.0 / 3.0), elementary.log(10.0), elementary.log1p(1e-5), rounded_number(math.pi * 1e-9)]
    assert [struct.pack(">d", x).hex() for x in found] == [
        "3ff6546db1ba2d13",
        "40026bb1bbb55516",
        "3ee4f8aea9ae7317",
        "3e2afc6df1b50ce6",
    ]
