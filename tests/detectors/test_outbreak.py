"""The outbreak detector: probabilities that are what they say, and evidence that adds up over windows."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import outbreak_table
from detectors.observation import ScoreReason, Scores
from detectors.outbreak import OutbreakBank
from detectors.outbreak_evidence import DOSES, LANES, ratios, survival
from detectors.tails import probability
from tests.benchmarks.outbreaks_table import table
from tests.detectors.streams_of_counts import DAYS, HOURS, WEEKS, all_sound, learned, noisy, run, slot


def after(counts: NDArray[np.int64], size: int, now: list[list[int]]) -> list[Scores]:
    """Scores of the windows `now`, each a count per series, after all of `counts` (windows, series)."""
    bank = learned(OutbreakBank.fresh(counts.shape[1], size), counts, size)
    return list(run(bank, np.array(now), size, len(counts)))


@pytest.mark.parametrize(("mean", "size"), [(0.3, 0.5), (4.0, 3.0), (40.0, 1e20), (90.0, 30.0)])
def test_a_likelihood_ratio_is_the_one_of_poisson_cases_on_top(mean: float, size: float) -> None:
    spread = np.sqrt(mean * (1.0 + mean / size))
    found = np.empty(DOSES.size)
    for count in (0, 1, 3, int(mean), int(mean + 4 * spread) + 2):
        ratios(count, mean, size, LANES, np.empty((2, LANES.size)), found)
        for dose, ratio in zip(DOSES, found, strict=True):
            both = sum(
                probability(count - added, mean, size) * probability(added, float(dose * spread), 1e21)
                for added in range(count + 1)
            )
            assert ratio == pytest.approx(both / probability(count, mean, size), rel=1e-5)


@pytest.mark.parametrize(("mean", "size", "count"), [(240.0, 200.0, 300), (300.0, 1e20, 257), (900.0, 500.0, 1000)])
def test_a_large_count_s_ratio_is_right_to_some_percent(mean: float, size: float, count: int) -> None:
    spread = np.sqrt(mean * (1.0 + mean / size))
    found = np.empty(DOSES.size)
    ratios(count, mean, size, LANES, np.empty((2, LANES.size)), found)
    for dose, ratio in zip(DOSES, found, strict=True):
        both = sum(
            probability(count - added, mean, size) * probability(added, float(dose * spread), 1e21)
            for added in range(count + 1)
        )
        assert ratio == pytest.approx(both / probability(count, mean, size), rel=0.05, abs=1e-6)


def test_the_table_is_what_its_program_makes() -> None:
    made = table(300)  # a few draws: the same table, with more noise
    stored = np.stack([outbreak_table.AT_LEAST, outbreak_table.ABOVE])
    assert made.shape == stored.shape
    middle = (stored > 0.5) & (stored < 4.0)
    assert np.median(np.abs(made[middle] / 512 - stored[middle])) < 0.2


def test_more_evidence_is_less_probable_and_certain_at_none() -> None:
    for mean, size, starts in ((0.05, 1.0, 1), (3.0, 2.0, 4), (1e6, 1e20, 2)):
        p = [survival(e, mean, size, starts) for e in (1e-9, 0.5, 1.0, 3.0, 10.0, 1e3, 1e9, 1e200)]
        assert p[0] == (1.0, 1.0)
        assert all(later[0] <= earlier[0] for earlier, later in pairwise(p))
        assert all(at_least >= above for at_least, above in p[3:])
        assert p[-1][0] < 1e-80


@pytest.mark.parametrize(
    ("size", "mean", "phi", "windows", "series"),
    [
        (DAYS, 2.0, 1.5, 700, 400),
        (DAYS, 50.0, 3.0, 700, 400),
        (WEEKS, 5.0, 1.5, 260, 900),
        (WEEKS, 500.0, 2.0, 260, 900),
    ],
)
def test_quiet_series_give_probabilities_that_are_what_they_say(
    size: int, mean: float, phi: float, windows: int, series: int
) -> None:
    index = np.arange(windows)
    season = mean * np.exp(0.3 * np.cos(2 * np.pi * index / (52.18 * size)))
    counts = noisy(np.repeat(season[:, None], series, axis=1), phi, np.random.default_rng(5))
    random = np.random.default_rng(1)
    late = [s for i, s in enumerate(run(OutbreakBank.fresh(series, size), counts, size)) if i >= windows // 2]
    p = np.concatenate([s.p_above + random.random(series) * (s.p_high - s.p_above) for s in late])
    for level in (0.05, 0.01, 0.001):
        assert 0.55 * level < (p < level).mean() < 1.3 * level
    assert (p < 1e-4).mean() < 2.5e-4
    assert all((s.p_low == 1.0).all() for s in late), "the low side is not judged"


def test_what_builds_up_is_found_though_no_window_alone_is_striking() -> None:
    counts = noisy(np.full((300, 50), 20.0), 1.0, np.random.default_rng(2))
    scores = after(counts, WEEKS, [[28] * 50, [29] * 50, [28] * 50])
    p = [float(np.median(s.p_high)) for s in scores]
    assert p[0] > 0.02
    assert p[2] < 0.01
    assert p[2] < p[1] < p[0]


def test_once_plain_an_outbreak_is_not_said_again() -> None:
    counts = noisy(np.full((300, 50), 20.0), 1.0, np.random.default_rng(3))
    loud, quiet_again = after(counts, WEEKS, [[60] * 50, [20] * 50])
    assert (loud.p_high < 1e-5).all()
    assert (quiet_again.p_high > 0.05).all(), "its memory is gone"
    remembering = learned(OutbreakBank.fresh(50, WEEKS, resets_at=0.0), counts, WEEKS)
    last = list(run(remembering, np.array([[60] * 50, [20] * 50]), WEEKS, 300))[-1]
    assert (last.p_high < 0.01).all(), "where it is not reset, the week after is still inside"


@pytest.mark.parametrize("size", [DAYS, WEEKS])
def test_odd_series_stay_finite(size: int) -> None:
    windows = {DAYS: 300, WEEKS: 120}[size]
    counts = np.zeros((windows, 9), dtype=np.int64)
    counts[:, 1] = 1
    counts[:, 2] = 10**9
    counts[-5:, 3] = 1
    counts[::2, 4] = -1
    counts[:, 5] = np.arange(windows) % 2 * 10**9
    counts[windows // 2 :, 6] = 50
    counts[-1, 7] = 10**9
    counts[: windows // 2, 8] = -1
    for scores in run(OutbreakBank.fresh(9, size), counts, size):
        assert all_sound(scores)


@pytest.mark.parametrize("size", [DAYS, WEEKS])
def test_a_first_report_after_years_of_none_is_no_outbreak_and_forty_are(size: int) -> None:
    bank = learned(OutbreakBank.fresh(1, size), np.zeros((104 * size, 1), dtype=np.int64), size)
    p = [float(bank.score(np.array([count]), slot(104 * size, size, 1)).p_high[0]) for count in range(41)]
    assert p[0] > 0.5
    assert p[1] > 1e-3
    assert p[40] < 1e-3, "also where it is far more than the evidence's law has outbreaks for"
    assert all(later <= earlier for earlier, later in pairwise(p[:8]))


def test_a_county_that_appears_warms_up_and_one_that_disappears_is_missing() -> None:
    counts = noisy(np.full((200, 2), 5.0), 1.2, np.random.default_rng(4))
    counts[:190, 0] = -1
    counts[150:, 1] = -1
    last = list(run(OutbreakBank.fresh(2, DAYS), counts, DAYS))[-1]
    assert last.reason.tolist() == [ScoreReason.WARMING_UP, ScoreReason.MISSING]
    back = after(counts, DAYS, [[5, 5]])[0]
    assert back.reason[1] == ScoreReason.SCORED
    assert back.p_high[1] > 0.05


def test_hours_are_not_judged() -> None:
    bank = OutbreakBank.fresh(3, HOURS)
    assert (bank.score(np.ones(3, np.int64), slot(0, HOURS, 3)).reason == ScoreReason.NOT_JUDGED).all()
    assert HOURS not in OutbreakBank.judges


def test_a_snapshot_goes_on_bit_for_bit() -> None:
    counts = noisy(np.full((80, 4), 3.0), 1.5, np.random.default_rng(8))
    counts[58:61] *= 6
    first = learned(OutbreakBank.fresh(4, WEEKS), counts[:60], WEEKS)
    second = OutbreakBank.restore(first.snapshot())
    for one, other in zip(run(first, counts[60:], WEEKS, 60), run(second, counts[60:], WEEKS, 60), strict=True):
        np.testing.assert_array_equal(one.p_high, other.p_high)
    assert first.snapshot() == second.snapshot()
    with pytest.raises(ValueError, match="not a snapshot of the outbreak detector"):
        OutbreakBank.restore(b"something else")
