"""Are the probabilities of `rates` what they say? Shares of wholes that do not fall, of every size and level.

A whole is what a window had (calls called back), fewer at weekends; each was good with a probability that may vary
from window to window, but has no trend: a share that falls is what `rates` is to tell of. All series are of one group,
as a signal's counties are, and so lend each other their share and its spread (`detectors.rates`); asked for, every cell
has a group of its own.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from detectors.observation import Counts, Floats
from detectors.registry import create
from tests.benchmarks.calibration_counts import WINDOWS
from tests.benchmarks.calibration_tally import Tally
from tests.benchmarks.scoring import slot_of

WHOLES = {168: (0.5, 3.0, 20.0), 7: (2.0, 10.0, 50.0, 300.0), 1: (10.0, 50.0, 300.0, 1000.0)}
SHARES = (0.5, 0.8, 0.95)
RHOS = (0.0, 0.005, 0.02)
"""Intra-class correlation: what the share varies by from window to window."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Series that are alike."""

    whole: float
    share: float
    rho: float

    def __str__(self) -> str:
        return f"of {self.whole:g}, share {self.share:g}, correlation {self.rho:g}"


def cells(windows_per_week: int) -> list[Cell]:
    """Every combination of one size."""
    return [Cell(*one) for one in product(WHOLES[windows_per_week], SHARES, RHOS)]


def tally(
    windows_per_week: int, series: int, seed: int, *, together: bool = True, some: list[Cell] | None = None
) -> Tally:
    """Of every cell, or of some, `series` of each."""
    random = np.random.default_rng(seed)
    all_cells = some or cells(windows_per_week)
    windows = WINDOWS[windows_per_week]
    bank = create("rates", len(all_cells) * series, windows_per_week)
    groups = np.repeat(np.arange(len(all_cells)) * (not together), series)
    found = Tally([str(cell) for cell in all_cells], series)
    for index in range(windows):
        count, whole = _window(all_cells, windows_per_week, index, series, random)
        slot = replace(slot_of(index, windows_per_week, count.size), wholes=whole, groups=groups)
        if index >= windows // 2:
            found.add(bank.score(count, slot), random)
        bank.learn(count, slot)
    return found


def _window(
    all_cells: list[Cell], windows_per_week: int, index: int, series: int, random: np.random.Generator
) -> tuple[Counts, Counts]:
    """(good, all) of every series."""
    weekend = windows_per_week > 1 and index % windows_per_week >= 5 * windows_per_week // 7
    whole = random.poisson(_of(all_cells, "whole", series) * (0.67 if weekend else 1.0))
    share = _of(all_cells, "share", series)
    rho = _of(all_cells, "rho", series)
    strength = 1.0 / np.where(rho > 0.0, rho, 0.5) - 1.0
    varied = random.beta(share * strength, (1.0 - share) * strength)
    return random.binomial(whole, np.where(rho > 0.0, varied, share)), whole


def _of(all_cells: list[Cell], what: str, series: int) -> Floats:
    return np.repeat([float(getattr(cell, what)) for cell in all_cells], series)
