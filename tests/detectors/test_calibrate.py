"""Conformal p-values: valid whatever the scores, monotone, and never surer than the past allows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.calibrate import conformal


def test_p_is_valid_for_scores_of_any_shape() -> None:
    """P(p <= a) <= a, on both sides, for heavy tails and for scores with many ties alike."""
    random = np.random.default_rng(5)
    for draw in (random.standard_cauchy, lambda shape: np.round(random.normal(size=shape))):
        scores = draw((40_000, 100))
        ranks = conformal(scores[:, :-1], scores[:, -1])
        for level in (0.01, 0.05, 0.2):
            spread = 4 * np.sqrt(level / 40_000)
            assert (ranks.p_high <= level).mean() <= level + spread
            assert (ranks.p_low <= level).mean() <= level + spread


def test_between_the_pair_p_is_uniform() -> None:
    """Drawn at random between P(S > s) and P(S >= s), p is uniform to the last tie: nothing is given away."""
    random = np.random.default_rng(6)
    scores = random.poisson(1.0, (40_000, 60)).astype(float)
    ranks = conformal(scores[:, :-1], scores[:, -1])
    drawn = ranks.p_above + random.random(40_000) * (ranks.p_high - ranks.p_above)
    for level in (0.05, 0.5, 0.9):
        assert abs((drawn <= level).mean() - level) < 4 * np.sqrt(level * (1 - level) / 40_000)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.integers(-5, 5), st.integers(0, 5))
def test_a_larger_score_is_never_less_surprising(past: list[int], score: int, more: int) -> None:
    before = np.array([past], dtype=float)
    one, other = conformal(before, np.array([float(score)])), conformal(before, np.array([float(score + more)]))
    assert other.p_high[0] <= one.p_high[0]
    assert other.p_low[0] >= one.p_low[0]
    assert 1 / (len(past) + 1) <= one.p_high[0] <= 1


def test_too_little_seen_is_no_p() -> None:
    past = np.array([[1.0, np.nan, np.nan], [1.0, 2.0, 3.0]])
    assert np.isnan(conformal(past, np.array([5.0, 5.0]), least=2).p_high).tolist() == [True, False]
    assert np.isnan(conformal(past, np.array([np.nan, np.nan])).p_low).all()
