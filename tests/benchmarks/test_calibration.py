"""Probabilities are what they say where nothing happens: every kind of them, on fewer series than the report has."""

from functools import reduce

import numpy as np
import pytest

from detectors.observation import ScoreReason, Scores
from tests.benchmarks import calibration, calibration_counts, calibration_scan, calibration_shares
from tests.benchmarks.calibration_counts import Cell, series_for
from tests.benchmarks.calibration_tally import LEVELS, POOLED, WORST_CELL, Tally
from tests.benchmarks.outbreaks_report import calibration_table


def uniform(series: int, p: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Scores:
    nothing = np.zeros(series)
    return Scores(nothing, nothing, nothing, p, p, 1 - p, 1 - p, nothing, np.full(series, ScoreReason.SCORED, np.uint8))


def test_the_interval_holds_what_is_true_and_tells_a_fault_from_chance() -> None:
    random = np.random.default_rng(1)
    exact, liberal = Tally(["a", "b"], 50), Tally(["a", "b"], 50)
    for _ in range(400):
        p = random.random(100)
        exact.add(uniform(100, p), random)
        liberal.add(uniform(100, np.where(np.arange(100) < 50, p, p / 2)), random)
    for tally, true in ((exact, 1.0), (liberal, 1.5)):
        for level in LEVELS[:2]:
            ratio = tally.pooled("high", level)
            assert ratio.low < true < ratio.high
            assert ratio.expected == pytest.approx(level * 40_000)
    assert exact.worst("high", 0.05).low < 1.0 < exact.worst("high", 0.05).high
    assert liberal.worst("high", 0.05).cell == "b"
    assert liberal.worst("high", 0.05).low > WORST_CELL


def test_series_that_share_their_luck_widen_the_interval() -> None:
    """Half of the series have every p small, as where a forecast stays wrong: nothing more is known of how many do."""
    random = np.random.default_rng(2)
    tally = Tally(["a"], 40)
    for _ in range(100):
        tally.add(uniform(40, np.where(np.arange(40) < 2, 0.001, 0.9)), random)
    ratio = tally.pooled("high", 0.05)
    assert ratio.value == pytest.approx(1.0)
    assert ratio.low < 0.4
    assert ratio.high > 2.0


def test_banks_of_a_cell_each_are_joined_in_order() -> None:
    cells = calibration_counts.cells(1)[:3]
    alone = [calibration_counts.of_cells("counts", [cell], 2, np.random.default_rng(3)) for cell in cells]
    joined = reduce(Tally.joined, alone)
    assert joined.row("low")["cells"] == 3
    assert joined.pooled("low", 0.05).expected == pytest.approx(sum(one.pooled("low", 0.05).expected for one in alone))


@pytest.mark.parametrize(
    ("detector", "windows_per_week"), [("counts", 168), ("counts", 7), ("counts", 1), ("outbreak", 7), ("outbreak", 1)]
)
def test_p_of_counts_is_what_it_says_in_every_cell(detector: str, windows_per_week: int) -> None:
    series = series_for(3 if windows_per_week == 168 else 10, windows_per_week)
    found = calibration_counts.tally(detector, windows_per_week, series, seed=3)
    for side in ("high", "low") if detector == "counts" else ("high",):
        for level, slack in zip(LEVELS, (0.0, 0.05, 0.1), strict=True):
            ratio = found.pooled(side, level)
            print(detector, windows_per_week, side, level, ratio)
            assert POOLED[0] - slack < ratio.value < POOLED[1] + slack
        assert found.worst(side, 0.05).value < WORST_CELL
        assert found.worst(side, 0.001).low < WORST_CELL


def test_hours_that_are_mostly_empty_and_then_have_several_are_not_taken_for_bursts() -> None:
    """Few counts that come in clumps say little of how they vary: what is known of it is doubted accordingly."""
    cells = [Cell(168, 0.05, 3.0, trend, season) for trend in (0.0, 0.15) for season in (0.0, 0.4)]
    found = calibration_counts.of_cells("counts", cells, 30, np.random.default_rng(4))
    ratio = found.pooled("high", 0.001)
    print(ratio)
    assert ratio.value < 1.25


@pytest.mark.parametrize("windows_per_week", [168, 7, 1])
def test_p_of_shares_is_what_it_says_whatever_they_are_of(windows_per_week: int) -> None:
    series = series_for({168: 3, 7: 4, 1: 8}[windows_per_week], windows_per_week)
    found = calibration_shares.tally(windows_per_week, series, seed=5)
    for side in ("high", "low"):
        for level, slack in ((0.05, 0.0), (0.01, 0.05)):
            ratio = found.pooled(side, level)
            print(windows_per_week, side, level, ratio)
            assert POOLED[0] - slack < ratio.value < POOLED[1] + slack
        assert found.worst(side, 0.05).value < WORST_CELL
        assert found.worst(side, 0.01).low < WORST_CELL


def test_the_one_call_that_was_not_answered_teaches_as_much_as_it_is() -> None:
    """Of a large share of few, what is usual is far out: cut, it would make the share seem larger than it is."""
    cells = [calibration_shares.Cell(0.5, 0.95, rho) for rho in calibration_shares.RHOS]
    found = calibration_shares.tally(168, 8, seed=10, some=cells)
    print(found.pooled("low", 0.05))
    assert found.pooled("low", 0.05).value < 1.12


@pytest.mark.parametrize("windows_per_week", [7, 1])
def test_shift_never_says_too_little(windows_per_week: int) -> None:
    found = calibration_counts.tally("shift", windows_per_week, series_for(2, windows_per_week), seed=6)
    for side in ("high", "low"):
        assert found.worst(side, 0.05).value < 1.0
        assert found.pooled(side, 0.001).value < 0.5


def test_the_scan_never_says_too_little_of_forecasts() -> None:
    found = calibration_scan.tally(1, seed=7)
    for level in LEVELS:
        print(found.pooled("high", level))
        assert found.pooled("high", level).low < POOLED[1]
    assert 0.1 < found.pooled("high", 0.05).value < 1.0


def test_ranks_of_rivers_scores_are_what_they_say() -> None:
    empty = [Cell(168, 0.05, phi, 0.0, 0.0) for phi in (1.0, 3.0)]
    found = calibration_counts.tally("gaussian_scorer", 1, 2, seed=8)
    for tally in (found, calibration_counts.of_cells("gaussian_scorer", empty, 2, np.random.default_rng(9))):
        for side in ("high", "low"):
            print(side, tally.pooled(side, 0.05))
            assert POOLED[0] < tally.pooled(side, 0.05).value < POOLED[1]


def test_the_table_has_every_kind_with_what_chance_leaves_it() -> None:
    names = {kind.name for kind in calibration.kinds()}
    assert {"counts", "outbreak", "shift", "rates", "scan", "half_space_trees", "adwin"} <= names
    lines = calibration_table(list(calibration.rows(1, 9, ("shift",))))
    assert sum(line.startswith("| shift* |") for line in lines) == 4
    assert any("Bonferroni" in line for line in lines)
