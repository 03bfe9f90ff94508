"""Packed scores come back exactly as they were rounded, whatever they are."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.observation import Scores
from streams.core.city import Size
from streams.core.outputs import ScoredWindow
from streams.ledger.packing import Packer, Unpacker, detectors_of
from tests.ledger.samples import START, scored, six

SHAPE = (1, 3)

six_digits = st.floats(allow_nan=True, allow_infinity=True, width=64).map(lambda value: float(f"{value:.6g}"))
probabilities = st.floats(0, 1).map(lambda value: float(f"{value:.6g}"))
vectors = arrays.arrays(np.float64, SHAPE, elements=six_digits | probabilities)
verdicts = st.builds(Scores, *[vectors] * 8, reason=arrays.arrays(np.uint8, SHAPE, elements=st.integers(0, 3)))


def returned(window: ScoredWindow) -> tuple[np.ndarray, dict[str, Scores]]:
    """A window's counts and scores, packed and unpacked."""
    packed = Unpacker().unpack(Packer().pack(window), detectors_of(window))
    return packed.counts.reshape(window.counts.shape), packed.scores((window.counts.shape[0], window.counts.shape[1]))


@settings(max_examples=50)
@given(
    counts=arrays.arrays(np.int64, SHAPE, elements=st.integers(-1, 50) | st.integers(-1, 2**62)),
    by_detector=st.dictionaries(st.sampled_from(["counts", "shift"]), verdicts, max_size=2),
)
def test_what_is_packed_comes_back_exactly(counts: np.ndarray, by_detector: dict[str, Scores]) -> None:
    counts_back, scores_back = returned(ScoredWindow(Size.HOUR, START, START, counts, by_detector, {}))
    np.testing.assert_array_equal(counts_back, counts)
    assert scores_back.keys() == by_detector.keys()
    for name, scores in by_detector.items():
        for field in fields(Scores):
            back, there = getattr(scores_back[name], field.name), getattr(scores, field.name)
            assert np.array_equal(back, there, equal_nan=field.name != "reason"), field.name


@pytest.mark.parametrize(
    "p", [0.0, 1.0, 1e-300, 4.94066e-324, 1.23456e-39, 9.99999e-05, 0.999999, 1e-06, 3.4e38, 1e300]
)
def test_tails_however_small_are_kept(p: float) -> None:
    window = scored(START)
    window.scores["counts"].p_high[0, 0] = p
    window.scores["counts"].p_below[0, 0] = float(f"{1 - p:.6g}")
    _, back = returned(window)
    assert back["counts"].p_high[0, 0] == p
    assert back["counts"].p_below[0, 0] == float(f"{1 - p:.6g}")


def test_one_place_reads_as_it_does_among_all() -> None:
    window = scored(START)
    content, detectors = Packer().pack(window), detectors_of(window)
    whole = Unpacker().unpack(content, detectors)
    for place in range(window.counts.size):
        one = Unpacker().unpack(content, detectors, place)
        assert one.counts == whole.counts[place]
        np.testing.assert_array_equal(one.reasons[:, 0], whole.reasons[:, place])
        for field, values in whole.floats.items():
            np.testing.assert_array_equal(one.floats[field][:, 0], values[:, place])


def test_damage_is_noticed() -> None:
    window = scored(START)
    content = bytearray(Packer().pack(window))
    content[100] ^= 1
    with pytest.raises(ValueError, match="checksum"):
        Unpacker().unpack(bytes(content), detectors_of(window))


def test_a_form_from_the_future_is_not_guessed_at() -> None:
    window = scored(START)
    content = Packer().pack(window)
    with pytest.raises(ValueError, match="form 9"):
        Unpacker().unpack(b"\x09" + content[1:], detectors_of(window))
    with pytest.raises(ValueError, match="2 detectors"):
        Unpacker().unpack(content, ("counts",))


def test_a_number_that_was_not_rounded_is_kept_whole() -> None:
    window = scored(START)
    window.scores["counts"].expected[0, 0] = 1 / 3
    _, back = returned(window)
    assert back["counts"].expected[0, 0] == 1 / 3


def test_a_row_of_a_large_city_stays_small() -> None:
    """25 signals, 12 series, two detectors: every value noise, no value missing, all 6 digits used."""
    random = np.random.default_rng(7)
    shape = (25, 12)

    def verdict() -> Scores:
        tails = [six(random.uniform(0, 1, shape)) for _ in range(2)]
        return Scores(
            expected=six(random.gamma(2, 5, shape)),
            low=six(random.poisson(3, shape)),
            high=six(random.poisson(20, shape)),
            p_high=tails[0],
            p_above=six(1 - tails[1]),
            p_low=tails[1],
            p_below=six(1 - tails[0]),
            size=six(random.gamma(3, 3, shape)),
            reason=np.zeros(shape, dtype=np.uint8),
        )

    both = {"a": verdict(), "b": verdict()}
    window = ScoredWindow(Size.HOUR, START, START, random.poisson(9, shape), both, {})
    assert len(Packer().pack(window)) < 8600  # plain 32-bit numbers would be 21,000
