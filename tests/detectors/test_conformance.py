"""The contract's checks: ours pass, and every way of breaking it is named."""

import json
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
import pytest

from detectors.conformance import ConformanceError, assert_conforms, check
from detectors.contract import Detector
from detectors.observation import Counts, ScoreReason, Scores, Slot
from detectors.registry import DETECTORS


@pytest.mark.parametrize("name", DETECTORS)
def test_every_registered_detector_conforms(name: str) -> None:
    assert_conforms(DETECTORS[name])
    assert DETECTORS[name].name == name


class Plain(Detector):
    """The smallest detector that conforms: is the count far above the mean so far?"""

    name: ClassVar[str] = "plain"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "compares with the mean so far"
    judges: ClassVar[tuple[int, ...]] = (7,)

    def __init__(self, seen: Counts, total: Counts) -> None:
        self.seen, self.total = seen, total

    @classmethod
    def fresh(cls, series: int, windows_per_week: int) -> Self:
        return cls(np.zeros(series, np.int64), np.zeros(series, np.int64))

    def score(self, counts: Counts, slot: Slot) -> Scores:
        reason = np.where(
            counts < 0, ScoreReason.MISSING, np.where(self.seen < 14, ScoreReason.WARMING_UP, ScoreReason.SCORED)
        ).astype(np.uint8)
        mean = (self.total + 1.0) / (self.seen + 1.0)
        p = 1.0 / (1.0 + np.maximum(counts, 0) / mean)
        scores = Scores(mean, mean * 0.5, mean * 2.0, p, p * 0.9, 1 - p * 0.9, 1 - p, np.full(p.shape, np.nan), reason)
        return scores.map(lambda numbers: np.where(reason == ScoreReason.SCORED, numbers, np.nan))

    def learn(self, counts: Counts, slot: Slot) -> None:
        self.seen = self.seen + (counts >= 0)
        self.total = self.total + np.maximum(counts, 0)

    def snapshot(self) -> bytes:
        return json.dumps([self.seen.tolist(), self.total.tolist()]).encode()

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        seen, total = json.loads(snapshot)
        return cls(np.array(seen, np.int64), np.array(total, np.int64))


class ScoreLearns(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        scores = super().score(counts, slot)
        self.total = self.total + 1
        return scores


class ScoreLeavesATrace(Plain):
    """Says the same when asked twice, yet is not the same afterwards."""

    asked = 0

    def score(self, counts: Counts, slot: Slot) -> Scores:
        self.asked += 1
        return super().score(counts, slot)

    def snapshot(self) -> bytes:
        return json.dumps([self.seen.tolist(), (self.total + self.asked).tolist()]).encode()


class ChangesTheCounts(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        scores = super().score(counts, slot)
        counts[counts < 0] = 0
        return scores


class RemembersEverything(Plain):
    def __init__(self, seen: Counts, total: Counts) -> None:
        super().__init__(seen, total)
        self.history: list[list[int]] = []

    def learn(self, counts: Counts, slot: Slot) -> None:
        super().learn(counts, slot)
        self.history.append(counts.tolist())

    def snapshot(self) -> bytes:
        return json.dumps([self.seen.tolist(), self.total.tolist(), self.history]).encode()

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        seen, total, history = json.loads(snapshot)
        made = cls(np.array(seen, np.int64), np.array(total, np.int64))
        made.history = history
        return made


class SaysNonsense(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        scores = super().score(counts, slot)
        return replace(scores, p_high=np.where(scores.p_high == 1.0, 2.0, scores.p_high))


class SaysNotANumber(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        scores = super().score(counts, slot)
        return replace(scores, p_low=np.where(counts == 0, np.nan, scores.p_low))


class HasAnInfiniteBand(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        scores = super().score(counts, slot)
        return replace(scores, high=np.where(scores.reason == ScoreReason.SCORED, np.inf, scores.high))


class HalvesThePair(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        scores = super().score(counts, slot)
        return replace(scores, p_above=np.minimum(1.0, scores.p_high * 1.01))


class LooksAtItsNeighbour(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        scores = super().score(counts, slot)
        return replace(scores, expected=scores.expected + np.roll(np.nan_to_num(scores.expected), 1))


class ForgetsOnRestore(Plain):
    def snapshot(self) -> bytes:
        return json.dumps([self.seen.tolist(), (self.total // 8 * 8).tolist()]).encode()


class JudgesAtOnce(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        warmed = type(self)(self.seen + 14, self.total)
        return Plain.score(warmed, counts, slot)


class NeverWarm(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        scores = super().score(counts, slot)
        blank = scores.map(lambda numbers: np.full(numbers.shape, np.nan))
        warming = np.where(scores.reason == ScoreReason.SCORED, ScoreReason.WARMING_UP, scores.reason)
        return replace(blank, reason=warming.astype(np.uint8))


class JudgesWhatIsMissing(Plain):
    def score(self, counts: Counts, slot: Slot) -> Scores:
        return super().score(np.abs(counts), slot)


class DiffersEachTime(Plain):
    made: ClassVar[list[int]] = []

    @classmethod
    def fresh(cls, series: int, windows_per_week: int) -> Self:
        cls.made.append(1)
        return cls(np.zeros(series, np.int64), np.full(series, len(cls.made), np.int64))


class Raises(Plain):
    def learn(self, counts: Counts, slot: Slot) -> None:
        if (counts == 0).any():
            raise ZeroDivisionError("no counts today")
        super().learn(counts, slot)


class HasNoName(Plain):
    summary: ClassVar[str] = ""


@pytest.mark.parametrize(
    ("broken", "named", "said"),
    [
        (ScoreLearns, "score-is-pure", "asked twice"),
        (ScoreLeavesATrace, "score-is-pure", "scoring changed the state"),
        (ChangesTheCounts, "score-is-pure", "counts handed in were changed"),
        (RemembersEverything, "state-is-bounded", "grows with time"),
        (SaysNonsense, "scores-are-well-formed", "`p_high` lies outside [0, 1]: 2.0"),
        (SaysNotANumber, "scores-are-well-formed", "`p_low` lies outside [0, 1]: nan"),
        (HasAnInfiniteBand, "scores-are-well-formed", "`high` is not finite"),
        (HalvesThePair, "scores-are-well-formed", "`p_high` < `p_above`"),
        (LooksAtItsNeighbour, "order-of-series-is-free", "another order `expected` changes"),
        (ForgetsOnRestore, "snapshot-is-whole", "restored after"),
        (JudgesAtOnce, "warms-up-aloud", "must say WARMING_UP"),
        (NeverWarm, "warms-up-aloud", "still warming up"),
        (JudgesWhatIsMissing, "says-missing", "must be said to be MISSING"),
        (DiffersEachTime, "same-input-same-state", "two fresh detectors"),
        (Raises, "score-is-pure", "raised ZeroDivisionError: no counts today"),
        (HasNoName, "names-itself", "`summary` must be one line"),
    ],
)
def test_a_broken_detector_is_told_what_it_breaks(broken: type[Detector], named: str, said: str) -> None:
    found = check(broken)
    assert any(violation.check == named and said in violation.message for violation in found), [str(v) for v in found]
    with pytest.raises(ConformanceError, match=broken.__name__):
        assert_conforms(broken)


def test_a_plain_detector_of_a_third_party_conforms() -> None:
    assert check(Plain) == []
