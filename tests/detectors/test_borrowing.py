"""What series lend each other: dispersions are right from the first weeks on, and nobody is swayed by one neighbour."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors import counts as bank
from detectors.borrowing import borrowed, lent_by
from detectors.counts import CountBank
from detectors.observation import Counts, Floats, ScoreReason
from detectors.outbreak import OutbreakBank
from detectors.row import SPREAD_PRIOR, SPREAD_STRENGTH, SPREAD_SUM, SPREAD_WEIGHT, Rows, fresh_rows, settings_for
from detectors.shift import ShiftBank
from tests.detectors.streams_of_counts import DAYS, HOURS, WEEKS, noisy, run, slot

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


def unborrowed(sums: Counts, alone: Floats) -> Floats:
    del sums
    return alone


@pytest.mark.parametrize("phi", [1.0, 5.0])
def test_after_few_weeks_p_is_what_it_says_and_without_the_others_it_is_not(
    phi: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = weekly(phi, 4)
    together = share_below(counts, 0.01)
    assert 0.3 < together < 1.2
    monkeypatch.setattr(bank, "borrowed", unborrowed)
    alone = share_below(counts, 0.01)
    assert alone > 1.5 if phi > 1.5 else alone < 0.5


def rows_of(dispersions: list[float], seen: float) -> Floats:
    rows = fresh_rows(len(dispersions), WEEKS)
    rows[:, SPREAD_WEIGHT] = seen
    rows[:, SPREAD_SUM] = seen * np.array(dispersions)
    return rows


def lent(rows: Floats) -> Floats:
    return borrowed(lent_by(rows), settings_for(WEEKS).as_array())


def test_series_that_are_alike_lend_much_and_those_that_differ_little() -> None:
    alike, differ = lent(rows_of([2.0] * 50, 60.0)), lent(rows_of([1.0, 3.0] * 25, 60.0))
    assert alike[SPREAD_PRIOR] == pytest.approx(2.0, abs=0.05)
    assert differ[SPREAD_PRIOR] == pytest.approx(2.0, abs=0.05)
    assert alike[SPREAD_STRENGTH] > 4 * differ[SPREAD_STRENGTH]


def test_nothing_seen_is_the_prior_and_one_wild_series_sways_nobody() -> None:
    np.testing.assert_allclose(lent(fresh_rows(5, WEEKS)), settings_for(WEEKS).as_array())
    assert lent(rows_of([1.2] * 60 + [900.0], 60.0))[SPREAD_PRIOR] < 1.4


def test_the_order_of_series_changes_no_bit() -> None:
    random = np.random.default_rng(8)
    rows = rows_of(random.uniform(0.3, 9.0, 200).tolist(), 1.0)
    rows[:, SPREAD_WEIGHT] = random.uniform(0.0, 80.0, 200)
    for _ in range(5):
        assert np.array_equal(lent_by(random.permutation(rows)), lent_by(rows))


BANKS = (CountBank, HOURS), (CountBank, DAYS), (OutbreakBank, DAYS), (OutbreakBank, WEEKS), (ShiftBank, WEEKS)
SOME = 7


def _rows_of(bank: CountBank | OutbreakBank | ShiftBank) -> Rows:
    return bank._rows if isinstance(bank, ShiftBank) else bank._guarded.rows


@settings(max_examples=12, deadline=None)
@given(
    of=st.sampled_from(BANKS),
    seed=st.integers(0, 2**32 - 1),
    windows=st.integers(1, 120),
    falls=st.lists(st.integers(0, 119), max_size=3),
    restarts=st.sets(st.integers(0, 119), max_size=3),
)
@example(of=(ShiftBank, WEEKS), seed=1, windows=70, falls=[60, 60, 60], restarts={61})
def test_what_is_gathered_while_learning_is_what_all_rows_say_whatever_was_learned(
    of: tuple[type[CountBank | OutbreakBank | ShiftBank], int],
    seed: int,
    windows: int,
    falls: list[int],
    restarts: set[int],
) -> None:
    """In the example a bank takes a new level for normal, and so learns a second time in the same window."""
    made, per_week = of
    random = np.random.default_rng(seed)
    order = random.permutation(SOME)
    bank, permuted = made.fresh(SOME, per_week), made.fresh(SOME, per_week)
    means = np.exp(random.uniform(-3.0, 6.0, SOME))
    for window in range(windows):
        means /= 4.0 ** falls.count(window)
        counts = noisy(means, 1.7, random)
        counts[random.random(SOME) < 0.05] = -1
        if window in restarts:
            bank = made.restore(bank.snapshot())
        here = slot(window, per_week, SOME, day_class=int(random.integers(2)))
        bank.learn(counts, here)
        permuted.learn(counts[order], here)
        assert np.array_equal(bank._settings, borrowed(lent_by(_rows_of(bank)), bank._alone))
        assert np.array_equal(bank._settings, permuted._settings)


@pytest.mark.parametrize(("made", "per_week"), BANKS)
def test_a_bank_restored_says_what_the_one_that_went_on_says(
    made: type[CountBank | OutbreakBank | ShiftBank], per_week: int
) -> None:
    counts = noisy(np.full((40, SOME), 9.0), 3.0, np.random.default_rng(15))
    bank = made.fresh(SOME, per_week)
    for window, row in enumerate(counts):
        bank.learn(row, slot(window, per_week, SOME))
        restored = made.restore(bank.snapshot())
        assert np.array_equal(restored._settings, bank._settings)
    assert not np.array_equal(bank._settings, bank._alone), "something was lent"
