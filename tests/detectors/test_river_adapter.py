"""river's models behind the contract: guarded, with a direction, calibrated, restored without a pickle."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from detectors.observation import Counts, ScoreReason, Slot
from detectors.river_adapter import (
    RIVER,
    RIVER_SCORERS,
    SPANS,
    GaussianScorerBank,
    Model,
    RiverBank,
    SnarimaxBank,
    Spans,
)
from detectors.river_drift import RIVER_DRIFT, AdwinBank, DriftBank

RIVER_BANKS: tuple[type[RiverBank], ...] = (*RIVER_SCORERS, *RIVER_DRIFT)
MANY = 60


def days(series: int, count: int, seed: int, start: int = 0) -> list[tuple[Counts, Slot]]:
    """Days of Poisson counts with a weekly season, mean 20."""
    random = np.random.default_rng(seed)
    season = np.array([1.2, 1.1, 1.0, 1.0, 1.2, 0.8, 0.7])
    nothing = np.zeros(series, np.int64)
    return [
        (random.poisson(20.0 * season[day % 7], series), Slot(day, day % 7 * 24, day / 365 % 1, 1.0, nothing))
        for day in range(start, start + count)
    ]


def trained(bank: type[RiverBank], series: int, count: int, seed: int = 1) -> RiverBank:
    made = bank.fresh(series, 7)
    for counts, slot in days(series, count, seed):
        made.learn(counts, slot)
    return made


@pytest.mark.parametrize("bank", RIVER_BANKS, ids=lambda bank: bank.name)
def test_p_is_valid_on_quiet_days(bank: type[RiverBank]) -> None:
    made = bank.fresh(MANY, 7)
    high, low = [], []
    for counts, slot in days(MANY, 420, seed=2):
        scores = made.score(counts, slot)
        made.learn(counts, slot)
        high += scores.p_high[scores.reason == ScoreReason.SCORED].tolist()
        low += scores.p_low[scores.reason == ScoreReason.SCORED].tolist()
    print(bank.name, len(high), np.mean(np.array(high) <= 0.02), np.mean(np.array(low) <= 0.02))
    assert np.mean(np.array(high) <= 0.02) < 0.026
    assert np.mean(np.array(low) <= 0.02) < 0.026


@pytest.mark.parametrize("bank", RIVER_BANKS, ids=lambda bank: bank.name)
def test_far_too_many_and_far_too_few_are_told_apart(bank: type[RiverBank]) -> None:
    for counts_to_come, side in ((80, "p_high"), (1, "p_low")):
        made = trained(bank, 4, 300)
        other = {"p_high": "p_low", "p_low": "p_high"}[side]
        coming = np.full(4, counts_to_come)
        for _, slot in days(4, 21 if issubclass(bank, DriftBank) else 0, seed=3, start=300):
            made.learn(coming, slot)
        scores = made.score(coming, days(4, 1, seed=3, start=321)[0][1])
        assert (getattr(scores, side) <= 0.02).all()
        assert (getattr(scores, other) > 0.5).all()


@pytest.mark.parametrize("bank", RIVER_BANKS, ids=lambda bank: bank.name)
def test_a_restored_bank_goes_on_to_the_bit_also_where_models_start_afresh(bank: type[RiverBank]) -> None:
    """A snapshot holds departures, no model: replaying them gives the same one, before and after the memory is full."""
    memory = SPANS[1].memory
    nothing = np.zeros(2, np.int64)
    random = np.random.default_rng(4)
    made = bank.fresh(2, 1)
    for week in range(3 * memory + 5):
        slot = Slot(week, 0, week / 52 % 1, 1.0, nothing)
        counts = random.poisson(30.0, 2)
        made.learn(counts, slot)
        if week in (memory, 2 * memory - 2, 3 * memory):
            back = bank.restore(made.snapshot())
            for ahead in range(4):
                later = Slot(week + 1 + ahead, 0, 0.5, 1.0, nothing)
                one, other = made.score(counts + ahead, later), back.score(counts + ahead, later)
                np.testing.assert_array_equal(one.p_high, other.p_high)
                np.testing.assert_array_equal(one.low, other.low)
                made.learn(counts + ahead, later)
                back.learn(counts + ahead, later)
            assert made.snapshot() == back.snapshot()
    with pytest.raises(ValueError, match="not a snapshot"):
        bank.restore(b"something else")


class Unsound(Model):
    """Cannot be trusted: fails on small departures, has no idea of the others."""

    def learn(self, departure: float) -> None:
        pass

    def strangeness(self, departure: float) -> float:
        if abs(departure) < 0.2:
            return 1 / int(abs(departure))
        return float("nan")


class UnsoundBank(RiverBank):
    name = "unsound"
    summary = "fails"

    @staticmethod
    def model(spans: Spans) -> Model:
        return Unsound()


def test_a_model_that_fails_says_nothing() -> None:
    """What raises or is not finite is no strangeness: it never pages, and never stops the stream."""
    made = trained(UnsoundBank, 3, 120)
    for counts in (20, 0, 10**9):
        scores = made.score(np.full(3, counts), days(1, 1, 0, start=120)[0][1])
        assert (scores.p_high == 1.0).all()
        assert np.isfinite(scores.high).all()


def test_constant_counts_are_no_news() -> None:
    """GaussianScorer has no spread to go by there."""
    made = GaussianScorerBank.fresh(1, 7)
    nothing = np.zeros(1, np.int64)
    for day in range(200):
        made.learn(np.array([7]), Slot(day, day % 7 * 24, 0.0, 1.0, nothing))
    scores = made.score(np.array([7]), Slot(200, 200 % 7 * 24, 0.0, 1.0, nothing))
    assert scores.p_high[0] == scores.p_low[0] == 1.0
    assert (scores.low[0], scores.expected[0], scores.high[0]) == (7.0, 7.0, 7.0)


def test_scoring_with_predictive_anomaly_detection_changes_nothing() -> None:
    """river's own score_one moves the threshold that it scores by: a trap."""
    asked, quiet = trained(SnarimaxBank, 2, 150), trained(SnarimaxBank, 2, 150)
    ((counts, slot),) = days(2, 1, 9, start=150)
    for extra in range(20):
        asked.score(counts + 5 * extra, slot)
    np.testing.assert_array_equal(asked.score(counts, slot).p_high, quiet.score(counts, slot).p_high)


def test_river_is_the_release_that_the_version_names() -> None:
    assert version("river").startswith(f"{RIVER}.")
    assert all(bank.version.endswith(RIVER) for bank in RIVER_BANKS)


def test_river_is_imported_only_when_it_is_used() -> None:
    """It takes more than a second: no command that does without it may wait for it."""
    code = "import sys, detectors.registry, streams.core.pipeline; print('river' in sys.modules)"
    root = Path(__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_drift_is_not_seen_in_what_learning_alone_changes() -> None:
    """Of sparse hours the first few expected counts are 0, later ones seldom: a drift only of what is expected."""
    random = np.random.default_rng(17)
    bank = AdwinBank.fresh(12, 168)
    least = 1.0
    for index in range(168 * 14):
        here = Slot(index, index % 168, index / 8766 % 1.0, 1.0, np.zeros(12, np.int64))
        counts = random.poisson(0.05, 12)
        if index >= 168 * 10 and index % 24 == 0:
            least = min(least, float(np.nanmin(bank.score(counts, here).p_low)))
        bank.learn(counts, here)
    assert least > 1e-5
