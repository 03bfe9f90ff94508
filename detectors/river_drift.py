"""river's drift detectors behind the contract: has the level of a series moved?

Their sums follow each other from window to window, so a rank among a series' own few independent past ones would say
nothing. Instead they are fed what is independent: the rank of each departure among the series' past ones, as a
normal score. Where nothing changes these are standard normal, whatever the counts are (the idea of conformal test
martingales: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005, section 7.1), and how large
the sums then become is known. A single burst, however large, is one large rank to them. Where a level always wanders,
departures follow each other too, and these p are too small: for such series there is `shift`.
"""

import copy
from abc import ABC, abstractmethod
from math import erfc, exp, pi, sqrt
from typing import ClassVar

import numpy as np

from detectors.calibrate import Conformal, conformal
from detectors.observation import Floats, Slot
from detectors.river_adapter import LEAST_PAST, RIVER, Model, RiverBank, Spans
from detectors.rounding import rounded_array
from detectors.tails import normal_quantile

ALLOWED = 0.3
"""Standard deviations that the level may wander by without a word of Page and Hinkley's test."""
FOLLOWING = 1.3
"""So much more than that of independent scores is the variance of their sums taken to be: what is expected rests on few
windows, so that departures of sparse counts follow each other a little."""
LARGEST = 50.0
"""Where its sum starts again: at a p of 1e-10."""


def normal_score(above: float, at_least: float) -> float:
    """The mean of a standard normal between its quantiles that leave out so much above them; NaN for NaN. Counts that
    are mostly 0 are mostly one rank: the score of that rank's middle would not be 0 on average, and sums of it drift.

    >>> abs(0.9 * normal_score(0.1, 1.0) + 0.1 * normal_score(0.0, 0.1)) < 1e-12
    True
    """
    return (_density(at_least) - _density(above)) / (at_least - above)


def _density(above: float) -> float:
    """Of a standard normal, at the quantile that leaves out so much above it."""
    if not 0.0 < above < 1.0:
        return 0.0 * above
    z = normal_quantile(above)
    return exp(-0.5 * z * z) / sqrt(2.0 * pi)


class DriftBank(RiverBank, ABC):
    """Series with a drift detector each."""

    version: ClassVar[str] = f"3+river{RIVER}"

    def expected(self, slot: Slot) -> Floats:
        """See `RiverBank.expected`; unknown until as many windows make it up as ever will: a mean of two counts of 0 is
        0, one of eight seldom is, so that departures from them would seem to drift while it is being learned."""
        full = np.isfinite(self.alike(slot)).all(axis=1)
        return np.where(full, super().expected(slot), np.nan)

    def inputs(self, departures: Floats) -> Floats:
        """See `RiverBank.inputs`: the normal score of each departure's rank."""
        ranks = conformal(self._past, departures, LEAST_PAST)
        scores = [normal_score(a, b) for a, b in zip(ranks.p_above.tolist(), ranks.p_high.tolist(), strict=True)]
        return rounded_array(np.array(scores, dtype=np.float64))

    def ranks(self, strange: Floats) -> Conformal:
        """See `RiverBank.ranks`: by how large the model's sum becomes without drift."""
        high = np.array([self.tail(x) for x in strange.tolist()])
        low = np.array([self.tail(-x) for x in strange.tolist()])
        return Conformal(high, high, low, low)

    @staticmethod
    @abstractmethod
    def tail(strange: float) -> float:
        """At least the probability of so large a sum where nothing changes; NaN for NaN."""

    def kept(self, departures: Floats, inputs: Floats) -> Floats:  # noqa: ARG002
        """See `RiverBank.kept`."""
        return departures

    def departed(self) -> Floats:
        """See `RiverBank.departed`."""
        return self._past


class _Adwin(Model):
    """Mean of the window that ADWIN takes to be of one regime, in its standard errors."""

    def __init__(self) -> None:
        from river import drift

        self._river = drift.ADWIN(clock=1)

    def learn(self, departure: float) -> None:
        self._river.update(departure)

    def strangeness(self, departure: float) -> float:
        width = self._river.width + 1
        return (self._river.total + departure) / sqrt(width)


class AdwinBank(DriftBank):
    """Bifet and Gavalda, "Learning from time-changing data with adaptive windowing", SDM 2007."""

    name: ClassVar[str] = "adwin"
    summary: ClassVar[str] = (
        "drift: mean rank over river's adaptive window (ADWIN), against simulated windows without drift"
    )

    @staticmethod
    def model(spans: Spans) -> Model:  # noqa: ARG004  # it finds its own window
        """See `RiverBank.model`."""
        return _Adwin()

    @staticmethod
    def tail(strange: float) -> float:
        """See `DriftBank.tail`: of the normal. That ADWIN chose the window itself makes it no larger: it keeps all it
        can (simulated: .0085 at .01, .0006 at .001)."""
        return erfc(strange / sqrt(2.0)) / 2.0


class _PageHinkley(Model):
    """The larger of the two sums that Page and Hinkley's test compares with its threshold."""

    def __init__(self, spans: Spans) -> None:
        from river import drift

        self._river = drift.PageHinkley(
            min_instances=spans.model_window // 2, delta=ALLOWED, threshold=LARGEST, alpha=1.0
        )

    def learn(self, departure: float) -> None:
        self._river.update(departure)

    def strangeness(self, departure: float) -> float:
        after = copy.deepcopy(self._river)  # its update is its only way to say anything
        after.update(departure)
        up = after._sum_increase - after._min_increase  # noqa: SLF001  # river shows only whether it passed
        down = after._max_decrease - after._sum_decrease  # noqa: SLF001
        return up if up >= down else -down


class PageHinkleyBank(DriftBank):
    """Page, "Continuous inspection schemes", Biometrika 41 (1954)."""

    name: ClassVar[str] = "page_hinkley"
    summary: ClassVar[str] = "drift: river's Page-Hinkley sums of ranks, up and down; p from Kingman's inequality"

    @staticmethod
    def model(spans: Spans) -> Model:
        """See `RiverBank.model`."""
        return _PageHinkley(spans)

    @staticmethod
    def tail(strange: float) -> float:
        """See `DriftBank.tail`: Kingman, "A martingale inequality in the theory of queues", Proc Camb Phil Soc 60
        (1964), for sums of normals that lose ALLOWED at every step."""
        return exp(-2.0 * ALLOWED / FOLLOWING * max(strange, 0.0)) if strange == strange else strange  # noqa: PLR0124  # NaN


RIVER_DRIFT: tuple[type[DriftBank], ...] = (AdwinBank, PageHinkleyBank)
