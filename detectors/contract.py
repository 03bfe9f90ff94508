"""The detector contract: start reading here.

A detector watches a fixed vector of series at one window size. For every closed window it is asked twice,
in this order: `score(counts, slot)` what these counts mean given everything learned before, and then
`learn(counts, slot)` to take them in. So a score uses only what was known then.

The rules, checked by `detectors.conformance` for any implementation, ours or a third party's:

* `score` is pure: asked twice it says the same, and asking changes nothing that follows.
* Every p lies in [0, 1] or is NaN with a reason; expected and band are finite where scored.
* Series are independent of their order: permuting the series permutes the scores, nothing else, unless
  the detector declares `borrows_strength`, and even then the order of series must not matter.
* State is bounded: it does not grow with the number of windows.
* `restore(snapshot())` continues exactly, bit for bit.
* No I/O, no clock, no unseeded randomness, same results on one thread or many.
* Warm-up is stated: until enough is seen, reason is WARMING_UP; never a silent guess.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

from detectors.observation import Counts, Scores, Slot


class Detector(ABC):
    """One detector over a vector of series of one window size."""

    name: ClassVar[str]
    version: ClassVar[str]
    """Frozen into evidence; changes whenever the same input would score differently."""
    summary: ClassVar[str]
    """One line for `jiantu detectors list`."""
    judges: ClassVar[tuple[int, ...]] = (168, 7, 1)
    """Windows a week of the sizes that it gives verdicts on; at another size it has no test to spend budget on."""
    sides: ClassVar[tuple[str, ...]] = ("high", "low")
    """Those of its tails that are ever small; a side that is not in it has no test to spend budget on either."""

    @classmethod
    @abstractmethod
    def fresh(cls, series: int, windows_per_week: int) -> Self:
        """A detector that has seen nothing, for `series` series of windows of which a week has
        168 (hours), 7 (days) or 1 (weeks)."""

    @abstractmethod
    def score(self, counts: Counts, slot: Slot) -> Scores:
        """Scores of one closed window, shape (series,), from what was learned before it. A count of -1
        is missing."""

    @abstractmethod
    def learn(self, counts: Counts, slot: Slot) -> None:
        """Take one closed window in. Windows come in order; a count of -1 teaches nothing but time."""

    @abstractmethod
    def snapshot(self) -> bytes:
        """The whole state, deterministic: equal histories give equal bytes."""

    @classmethod
    @abstractmethod
    def restore(cls, snapshot: bytes) -> Self:
        """The detector whose snapshot this is."""
