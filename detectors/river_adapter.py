"""river's models behind the contract: guarded, given a direction, and calibrated.

A model here never sees a count. It sees the *departure* log(1 + count) - log(1 + expected) of one series, where the
expected count is the mean of the last windows in the same slot of the week; and what it says is a *strangeness*,
whatever its scale, whose sign is the departure's. That becomes a p by its rank among the series' own past ones
(`detectors.calibrate`). So any model of `river.anomaly` fits, and none can page more often than its level allows; but
none can be surer than 1 / (past scores + 1) either: give such a signal few tests and much weight. Drift detectors
have a calibration of their own: `detectors.river_drift`.

Guards: river's `score_one` may change the model (that of PredictiveAnomalyDetection does), so what changes is
scored on a copy; what is not finite, or raises an arithmetic error, is no strangeness at all (0).

Snapshots hold no model, but the departures that it has learned: restoring replays them, exactly. So that they are
bounded, a model starts afresh from the second half of them whenever they have filled up: it remembers one to two
`memory` spans. The cost: every departure is learned twice, once when it comes and once at that; a restore takes as
long as learning up to two spans (8 weeks of hours, a year of days, two years of weeks); 45 kB a series of hours, 10 kB
of days, 3 kB of weeks, beside the models themselves.

river is imported when the first bank is made, not before: it takes a second.
"""

import copy
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from detectors.calibrate import Conformal, conformal
from detectors.contract import Detector
from detectors.observation import Counts, Floats, ScoreReason, Scores, Slot
from detectors.rounding import rounded_array

RIVER = "0.26"
"""The release of river that these models are of: another one may score differently."""
SEED = 20130330
LEAST_PAST = 39
"""Past scores below which nothing is judged: no p could be below 0.025."""
BAND = (0.025, 0.975)
_MAGIC = b"jiantu.river.1\n"


@dataclass(frozen=True, slots=True)
class Spans:
    """How much is remembered at one window size, in windows."""

    slots: int
    """Slots of the week that have an expected count of their own."""
    alike: int
    """Past windows of a slot that make it up."""
    model_window: int
    """Length of a model's own window, where it has one; also what it learns before it is asked."""
    memory: int
    """A model remembers one to two of these; a p is a rank among at most one of them."""


SPANS = {168: Spans(168, 8, 168, 1344), 7: Spans(7, 8, 28, 364), 1: Spans(1, 13, 13, 104)}
"""By windows per week."""


class Model(ABC):
    """One series' model, as the bank sees it."""

    @abstractmethod
    def learn(self, departure: float) -> None:
        """Take in a departure from the expected, after it was asked about."""

    @abstractmethod
    def strangeness(self, departure: float) -> float:
        """How strange a departure would be: any scale; positive for too many, negative for too few. Changes nothing."""


class RiverBank(Detector, ABC):
    """Series with a model of river each. A subclass names itself and makes the model."""

    version: ClassVar[str] = f"2+river{RIVER}"
    judges: ClassVar[tuple[int, ...]] = (168, 7, 1)

    def __init__(self, series: int, windows_per_week: int) -> None:
        self._windows_per_week = windows_per_week
        spans = self._spans = SPANS[windows_per_week]
        self._alike = np.full((series, spans.slots, spans.alike), np.nan)
        """Past counts by slot of the week, oldest first."""
        self._learned = np.full((series, 2 * spans.memory), np.nan)
        """Departures that the models have learned, oldest first; NaN for a window without."""
        self._filled = 0
        self._past = np.full((series, spans.memory), np.nan)
        """What a p is a rank among, oldest first."""
        self._models = [self.model(spans) for _ in range(series)]

    @staticmethod
    @abstractmethod
    def model(spans: Spans) -> Model:
        """A model that has learned nothing; the same one at every call."""

    @classmethod
    def fresh(cls, series: int, windows_per_week: int) -> Self:
        """See `Detector.fresh`."""
        return cls(series, windows_per_week)

    def score(self, counts: Counts, slot: Slot) -> Scores:
        """See `Detector.score`. `size` is NaN: ranks have no count distribution. The calendar is not looked at."""
        expected = self.expected(slot)
        ranks = self.ranks(self._strangeness(self.inputs(self._departures(counts, expected))))
        reason = np.where(np.isfinite(ranks.p_high), ScoreReason.SCORED, ScoreReason.WARMING_UP)
        reason = np.where(counts < 0, ScoreReason.MISSING, reason).astype(np.uint8)
        low, high = self._band(expected)
        unknown = np.full(counts.shape, np.nan)
        scores = Scores(expected, low, high, ranks.p_high, ranks.p_above, ranks.p_low, ranks.p_below, unknown, reason)
        return scores.map(lambda numbers: rounded_array(np.where(reason == ScoreReason.SCORED, numbers, np.nan)))

    def learn(self, counts: Counts, slot: Slot) -> None:
        """See `Detector.learn`."""
        departures = self._departures(counts, self.expected(slot))
        inputs = self.inputs(departures)
        kept = self.kept(departures, inputs)
        self._past[:, :-1] = self._past[:, 1:]
        self._past[:, -1] = kept
        for model, given in zip(self._models, inputs.tolist(), strict=True):
            if math.isfinite(given):
                model.learn(given)
        self._learned[:, self._filled] = inputs
        self._filled += 1
        if self._filled == self._learned.shape[1]:
            memory = self._spans.memory
            self._learned[:, :memory] = self._learned[:, memory:]
            self._learned[:, memory:] = np.nan
            self._filled = memory
            self._rebuild()
        alike = self.alike(slot)
        seen = counts >= 0
        alike[seen, :-1] = alike[seen, 1:]
        alike[seen, -1] = counts[seen] / slot.length

    def inputs(self, departures: Floats) -> Floats:
        """What the models take in; NaN where there is nothing."""
        return departures

    def ranks(self, strange: Floats) -> Conformal:
        """The p-values of what the models say."""
        return conformal(self._past, strange, LEAST_PAST)

    def kept(self, departures: Floats, inputs: Floats) -> Floats:  # noqa: ARG002  # a subclass keeps departures
        """What later windows are ranked among: before it is learned."""
        return self._strangeness(inputs)

    def departed(self) -> Floats:
        """Past departures, shape (series, windows), NaN where there is none: what the band is made of."""
        return self._learned

    def _rebuild(self) -> None:
        """The models, from the departures that are remembered."""
        self._models = []
        for departures in self._learned[:, : self._filled].tolist():
            model = self.model(self._spans)
            for departure in departures:
                if math.isfinite(departure):
                    model.learn(departure)
            self._models.append(model)

    def _place(self, slot: Slot) -> int:
        return slot.hour_of_week * self._spans.slots // 168

    def alike(self, slot: Slot) -> Floats:
        """The last counts in this slot of the week, oldest first, NaN where there are not so many yet."""
        counts: Floats = self._alike[:, self._place(slot)]
        return counts

    def expected(self, slot: Slot) -> Floats:
        """Mean of the last counts in this slot of the week; NaN where there is none."""
        alike = self.alike(slot)
        known = np.isfinite(alike)
        seen = known.sum(axis=1)
        mean: Floats = np.where(known, alike, 0.0).sum(axis=1) / np.where(seen > 0, seen, np.nan) * slot.length
        return mean

    def _departures(self, counts: Counts, expected: Floats) -> Floats:
        given = [
            math.log1p(count) - math.log1p(mean) if count >= 0 and math.isfinite(mean) else math.nan
            for count, mean in zip(counts.tolist(), expected.tolist(), strict=True)
        ]
        return np.array(given, dtype=np.float64)

    def _strangeness(self, inputs: Floats) -> Floats:
        """Shape (series,); NaN where there is no input, or the model has learned too little."""
        warm = np.isfinite(self._learned).sum(axis=1) >= self._spans.model_window
        found = np.full(inputs.shape, np.nan)
        for i in np.flatnonzero(warm & np.isfinite(inputs)).tolist():
            found[i] = guarded(self._models[i], float(inputs[i]))
        return rounded_array(found)

    def _band(self, expected: Floats) -> tuple[Floats, Floats]:
        """Where the middle 95 % of the past departures lie, in counts."""
        ordered = np.sort(self.departed(), axis=1)  # NaN last
        known = np.isfinite(ordered).sum(axis=1)
        rows = np.arange(ordered.shape[0])
        ends = []
        for share in BAND:
            place = np.clip(np.floor(share * known).astype(np.int64), 0, np.maximum(known - 1, 0))
            moved = [math.exp(x) if math.isfinite(x) else math.nan for x in ordered[rows, place].tolist()]
            ends.append(np.maximum((1.0 + expected) * np.array(moved, dtype=np.float64) - 1.0, 0.0))
        return ends[0], ends[1]

    def snapshot(self) -> bytes:
        """See `Detector.snapshot`."""
        head = np.array([self._windows_per_week, len(self._models), self._filled], "<i8").tobytes()
        return self._magic() + head + b"".join(_plain(part) for part in self._parts())

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """See `Detector.restore`: replays what was learned. Raises ValueError for bytes that are no snapshot of it."""
        magic = cls._magic()
        if snapshot[: len(magic)] != magic:
            raise ValueError(f"not a snapshot of the {cls.name} detector, version {cls.version}")
        windows_per_week, series, filled = (int(x) for x in np.frombuffer(snapshot, "<i8", 3, len(magic)))
        return cls.fresh(series, windows_per_week).holding(filled, np.frombuffer(snapshot, "<f8", -1, len(magic) + 24))

    def _parts(self) -> tuple[Floats, ...]:
        return self._alike, self._past, self._learned

    def holding(self, filled: int, numbers: Floats) -> Self:
        """This bank with what a snapshot holds."""
        self._filled = filled
        for part in self._parts():
            part[...] = numbers[: part.size].reshape(part.shape)
            numbers = numbers[part.size :]
        self._rebuild()
        return self

    @classmethod
    def _magic(cls) -> bytes:
        return _MAGIC + f"{cls.name} {cls.version}\n".encode()


def _plain(numbers: Floats) -> bytes:
    """Little-endian bytes; every NaN the same one."""
    return np.where(np.isnan(numbers), np.nan, numbers).astype("<f8").tobytes()


def guarded(model: Model, departure: float) -> float:
    """A model's strangeness; 0 where it has none to give, and of what is just as expected: a model that still learns
    gives the very same departure a little more each time, and where hours are mostly empty that is all there is."""
    if departure == 0.0:
        return 0.0
    try:
        strange = model.strangeness(departure)
    except (ArithmeticError, ValueError):
        return 0.0
    return strange if math.isfinite(strange) else 0.0


def squashed(departure: float) -> float:
    """A departure in (0, 1), 0.5 where there is none."""
    return 0.5 + 0.5 * departure / (1.0 + abs(departure))


class _HalfSpaceTrees(Model):
    """The departure and the one before it, in trees of random cuts."""

    def __init__(self, spans: Spans) -> None:
        from river import anomaly

        self._river = anomaly.HalfSpaceTrees(n_trees=10, height=5, window_size=spans.model_window, seed=SEED)
        self._before = 0.5

    def _features(self, departure: float) -> dict[str, float]:
        return {"before": self._before, "now": squashed(departure)}

    def learn(self, departure: float) -> None:
        self._river.learn_one(self._features(departure))
        self._before = squashed(departure)

    def strangeness(self, departure: float) -> float:
        return math.copysign(self._river.score_one(self._features(departure)), departure)


class HalfSpaceTreesBank(RiverBank):
    """Tan, Ting and Liu, "Fast anomaly detection for streaming data", IJCAI 2011."""

    name: ClassVar[str] = "half_space_trees"
    summary: ClassVar[str] = "river's half-space trees over departures from the same slot of the week; conformal p"

    @staticmethod
    def model(spans: Spans) -> Model:
        """See `RiverBank.model`."""
        return _HalfSpaceTrees(spans)


class _Gaussian(Model):
    def __init__(self, spans: Spans) -> None:
        from river import anomaly

        self._river = anomaly.GaussianScorer(grace_period=spans.model_window)

    def learn(self, departure: float) -> None:
        self._river.learn_one(None, departure)

    def strangeness(self, departure: float) -> float:
        return math.copysign(self._river.score_one(None, departure), departure)


class GaussianScorerBank(RiverBank):
    """Distance from the middle of one normal distribution."""

    name: ClassVar[str] = "gaussian_scorer"
    summary: ClassVar[str] = "river's GaussianScorer over departures from the same slot of the week; conformal p"

    @staticmethod
    def model(spans: Spans) -> Model:
        """See `RiverBank.model`."""
        return _Gaussian(spans)


class _Predictive(Model):
    """A forecast of the departure. Its threshold is set so high that no error is cut off at it: ranks need the rest."""

    def __init__(self, spans: Spans) -> None:
        from river import anomaly, time_series

        self._river = anomaly.PredictiveAnomalyDetection(
            time_series.SNARIMAX(p=2, d=0, q=1), horizon=1, n_std=1e6, warmup_period=spans.model_window // 2
        )

    def learn(self, departure: float) -> None:
        self._river.score_one({}, departure)  # this is where it learns its threshold
        self._river.learn_one(None, departure)

    def strangeness(self, departure: float) -> float:
        kept = self._river.dynamic_mae, self._river.dynamic_se_variance
        self._river.dynamic_mae, self._river.dynamic_se_variance = copy.deepcopy(kept)
        try:
            return math.copysign(self._river.score_one({}, departure), departure)
        finally:
            self._river.dynamic_mae, self._river.dynamic_se_variance = kept


class SnarimaxBank(RiverBank):
    """Laptev, Amizadeh and Flint, "Generic and scalable framework for automated time-series anomaly detection", KDD
    2015, with an ARMA(2, 1) forecast learned online."""

    name: ClassVar[str] = "snarimax"
    summary: ClassVar[str] = "river's PredictiveAnomalyDetection with a SNARIMAX forecast of departures; conformal p"

    @staticmethod
    def model(spans: Spans) -> Model:
        """See `RiverBank.model`."""
        return _Predictive(spans)


RIVER_SCORERS: tuple[type[RiverBank], ...] = (HalfSpaceTreesBank, GaussianScorerBank, SnarimaxBank)
