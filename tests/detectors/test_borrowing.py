"""What series lend each other: dispersions are right from the first weeks on, and nobody is swayed by one neighbour."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import counts as bank
from detectors.borrowing import borrowed
from detectors.counts import CountBank
from detectors.observation import Counts, Floats, ScoreReason
from detectors.row import SPREAD_PRIOR, SPREAD_STRENGTH, SPREAD_SUM, SPREAD_WEIGHT, fresh_rows, settings_for
from tests.detectors.streams_of_counts import WEEKS, noisy, run

SERIES, FEW = 300, 26


def weekly(phi: float, seed: int) -> Counts:
    return noisy(np.full((FEW, SERIES), 30.0), phi, np.random.default_rng(seed))


def share_below(counts: Counts, level: float, seed: int = 1) -> float:
    """Of the p, made uniform, of the first weeks after the warm-up, over the level."""
    random = np.random.default_rng(seed)
    p: list[NDArray[np.float64]] = []
    for scores in run(CountBank.fresh(SERIES, WEEKS), counts, WEEKS):
        one = scores.p_above + random.random(SERIES) * (scores.p_high - scores.p_above)
        p.append(one[scores.reason == ScoreReason.SCORED])
    return float(np.mean(np.concatenate(p) < level)) / level


def unborrowed(rows: Floats, settings: Floats) -> Floats:
    del rows
    return settings


@pytest.mark.parametrize("phi", [1.0, 5.0])
def test_after_few_weeks_p_is_what_it_says_and_without_the_others_it_is_not(
    phi: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = weekly(phi, 4)
    together = share_below(counts, 0.01)
    assert 0.4 < together < 1.2
    monkeypatch.setattr(bank, "borrowed", unborrowed)
    alone = share_below(counts, 0.01)
    assert abs(np.log(alone)) > abs(np.log(together)) + 0.2


def rows_of(dispersions: list[float], seen: float) -> Floats:
    rows = fresh_rows(len(dispersions), WEEKS)
    rows[:, SPREAD_WEIGHT] = seen
    rows[:, SPREAD_SUM] = seen * np.array(dispersions)
    return rows


def test_series_that_are_alike_lend_much_and_those_that_differ_little() -> None:
    settings = settings_for(WEEKS).as_array()
    alike = borrowed(rows_of([2.0] * 50, 60.0), settings)
    differ = borrowed(rows_of([1.0, 3.0] * 25, 60.0), settings)
    assert alike[SPREAD_PRIOR] == pytest.approx(2.0, abs=0.05)
    assert differ[SPREAD_PRIOR] == pytest.approx(2.0, abs=0.05)
    assert alike[SPREAD_STRENGTH] > 4 * differ[SPREAD_STRENGTH]


def test_nothing_seen_is_the_prior_and_one_wild_series_sways_nobody() -> None:
    settings = settings_for(WEEKS).as_array()
    np.testing.assert_allclose(borrowed(fresh_rows(5, WEEKS), settings), settings)
    wild = borrowed(rows_of([1.2] * 60 + [900.0], 60.0), settings)
    assert wild[SPREAD_PRIOR] < 1.4


def test_the_order_of_series_changes_no_bit() -> None:
    random = np.random.default_rng(8)
    rows = rows_of(random.uniform(0.3, 9.0, 200).tolist(), 1.0)
    rows[:, SPREAD_WEIGHT] = random.uniform(0.0, 80.0, 200)
    settings = settings_for(WEEKS).as_array()
    for _ in range(5):
        assert np.array_equal(borrowed(random.permutation(rows), settings), borrowed(rows, settings))
