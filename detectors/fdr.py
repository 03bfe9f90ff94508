"""Online control of the false discovery rate: reported beside the page budget, never instead of it.

The budget bounds false pages a week, whatever the tests' dependence. These procedures bound another thing, the share of
false ones among what they would call discoveries, and spend more where there have been some:

* LORD++ (Ramdas, Yang, Wainwright and Jordan, "Online control of the false discovery rate with decaying memory", NIPS
  2017);
* SAFFRON (Ramdas, Zrnic, Wainwright and Jordan, "SAFFRON: an adaptive algorithm for online control of the false
  discovery rate", ICML 2018), which spends nothing on what is plainly null;
* ADDIS (Tian and Ramdas, "ADDIS: an adaptive discarding algorithm for online FDR control with conservative nulls",
  NeurIPS 2019), which also discards what is too null to be true, as p-values of small counts are.

Asynchronous as in Zrnic, Ramdas and Jordan, "Asynchronous online testing of multiple hypotheses", JMLR 22 (2021): all
tests that end together are one batch, and know nothing of each other's outcome.
"""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from detectors.observation import Floats

RATE = 0.1
"""Share of false ones among discoveries that is aimed at."""
CANDIDATE = 0.5
"""SAFFRON's and ADDIS's lambda: a p above it is plainly null."""
DISCARD = 0.75
"""ADDIS's tau: a p above it is too null to be true, and is no test at all."""
_SUM = 2.612375348685488
"""The zeta function at 1.5: the weights below sum to 1."""


def weights(places: NDArray[np.int64]) -> Floats:
    """How a wealth is spread over the tests after a discovery: proportional to place ** -1.5, place from 1; 0 below."""
    with np.errstate(divide="ignore"):
        spread = 1.0 / (_SUM * np.sqrt(np.maximum(places, 1).astype(np.float64)) ** 3)
    return np.where(places >= 1, spread, 0.0)


class Procedure(ABC):
    """One stream of tests, taken batch by batch."""

    def __init__(self, rate: float = RATE) -> None:
        self.rate = rate
        self.tests = 0
        self.discoveries = 0
        self.first_wealth = rate / 2
        """What is there before any discovery."""

    @abstractmethod
    def take(self, p: Floats) -> NDArray[np.bool_]:
        """Take the p-values of one batch in; which of them are discoveries."""


class LordPlusPlus(Procedure):
    """LORD++."""

    def __init__(self, rate: float = RATE) -> None:
        super().__init__(rate)
        self._found = np.zeros(0, dtype=np.int64)
        """Numbers of the tests that were discoveries; of a batch, that of its last test: known only then."""

    def take(self, p: Floats) -> NDArray[np.bool_]:
        """See `Procedure.take`."""
        numbers = self.tests + 1 + np.arange(p.size)
        level = self.first_wealth * weights(numbers)
        if self._found.size:
            level += (self.rate - self.first_wealth) * weights(numbers - self._found[0])
        if self._found.size > 1:
            level += self.rate * weights(numbers[:, None] - self._found[None, 1:]).sum(axis=1)
        hit: NDArray[np.bool_] = p <= level
        self.tests += p.size
        self._found = np.concatenate([self._found, np.full(int(hit.sum()), self.tests, dtype=np.int64)])
        self.discoveries += int(hit.sum())
        return hit


class Adaptive(Procedure):
    """SAFFRON with `discard` 1, ADDIS with less."""

    def __init__(self, rate: float = RATE, candidate: float = CANDIDATE, discard: float = 1.0) -> None:
        super().__init__(rate)
        self._candidate = candidate * discard
        self._discard = discard
        self._passed = 0
        """Tests neither discarded nor candidates: only they move a wealth's clock."""
        self._found = np.zeros(0, dtype=np.int64)
        """The clock at each discovery."""

    def take(self, p: Floats) -> NDArray[np.bool_]:
        """See `Procedure.take`."""
        tested = p <= self._discard
        slow = tested & (p > self._candidate)
        clock = self._passed + 1 + np.arange(p.size)  # of its own batch a test knows nothing: each may have been slow
        level = self.first_wealth * weights(clock)
        if self._found.size:
            level += (self.rate - self.first_wealth) * weights(clock - self._found[0])
        if self._found.size > 1:
            level += self.rate * weights(clock[:, None] - self._found[None, 1:]).sum(axis=1)
        level = np.minimum((self._discard - self._candidate) * level, self._candidate)
        hit: NDArray[np.bool_] = p <= level
        self.tests += p.size
        self._passed += int(slow.sum())
        # A clock that stands still would spend a discovery's wealth twice: it is told of at the batch's end.
        self._found = np.concatenate([self._found, np.full(int(hit.sum()), self._passed, dtype=np.int64)])
        self.discoveries += int(hit.sum())
        return hit


def procedures(rate: float = RATE) -> dict[str, Procedure]:
    """The three, by name, before any test."""
    return {"LORD++": LordPlusPlus(rate), "SAFFRON": Adaptive(rate), "ADDIS": Adaptive(rate, discard=DISCARD)}
