"""Are the detectors' probabilities what they say? Outbreak-free series of every mean, dispersion, trend and season.

Series of one window size lie in one bank, as a city's do, and so lend each other their dispersion (`detectors.
borrowing`); asked for, every cell has a bank of its own. The harness, not the product, makes p uniform between the
halves of its exact pair; then the share of p below a level should be the level, in every cell and on both sides.
"""

from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import ceil

import numpy as np
from numpy.typing import NDArray

from detectors.registry import create
from tests.benchmarks.calibration_tally import LEVELS, Tally
from tests.benchmarks.scoring import slot_of

MEANS = {168: (0.05, 0.2, 0.5, 1.0, 2.0), 7: (1.0, 3.0, 10.0, 50.0), 1: (5.0, 20.0, 100.0, 500.0)}
PHIS = (1.0, 1.5, 3.0)
TRENDS, SEASONS = (0.0, 0.15), (0.0, 0.4)
"""Growth of the log mean a year; amplitude of its annual wave."""
WINDOWS = {168: 168 * 26, 7: 3 * 365, 1: 6 * 52}
"""Windows of a series; the second half is looked at."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Series that are alike."""

    windows_per_week: int
    mean: float
    phi: float
    trend: float
    season: float

    def __str__(self) -> str:
        return f"mean {self.mean:g}, dispersion {self.phi:g}, trend {self.trend:g}, season {self.season:g}"


def cells(windows_per_week: int) -> list[Cell]:
    """Every combination of one size."""
    combinations = product(MEANS[windows_per_week], PHIS, TRENDS, SEASONS)
    return [Cell(windows_per_week, *combination) for combination in combinations]


def series_for(expected: float, windows_per_week: int) -> int:
    """How many series a cell needs so that so many p are expected below the least level."""
    return max(1, ceil(expected / min(LEVELS) / (WINDOWS[windows_per_week] // 2)))


def _means(cell: Cell) -> NDArray[np.float64]:
    """Of every window: a working week, a year, a trend."""
    size = cell.windows_per_week
    index = np.arange(WINDOWS[size])
    years = index / (52.18 * size)
    log_mean = np.log(cell.mean) + cell.trend * years + cell.season * np.cos(2 * np.pi * years)
    if size > 1:
        log_mean = log_mean - 0.4 * (index % size >= 5 * size // 7)
    if size == 168:
        log_mean = log_mean + 0.8 * np.sin(2 * np.pi * (index % 24 - 8) / 24)
    mean: NDArray[np.float64] = np.exp(log_mean)
    return mean


def counts_of(cell: Cell, series: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Shape (windows, series)."""
    return drawn(np.repeat(_means(cell)[:, None], series, axis=1), cell.phi, random)


def drawn(mean: NDArray[np.float64], phi: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Counts of these means whose variance is phi times the mean."""
    return random.poisson(mean) if phi == 1.0 else random.negative_binomial(mean / (phi - 1.0), 1.0 / phi)


def tally(
    detector: str, windows_per_week: int, series: int, seed: int, *, together: bool = True, level: bool = False
) -> Tally:
    """Of every cell, `series` of each, all in one bank or each cell in its own. `level`: only where nothing moves."""
    all_cells = [cell for cell in cells(windows_per_week) if not level or cell.trend == cell.season == 0.0]
    if together:
        return of_cells(detector, all_cells, series, np.random.default_rng(seed))
    return reduce(
        Tally.joined,
        (of_cells(detector, [cell], series, np.random.default_rng([seed, i])) for i, cell in enumerate(all_cells)),
    )


def of_cells(detector: str, some: list[Cell], series: int, random: np.random.Generator) -> Tally:
    """Of cells of one size in one bank."""
    size = some[0].windows_per_week
    counts = np.concatenate([counts_of(cell, series, random) for cell in some], axis=1)
    bank = create(detector, counts.shape[1], size)
    found = Tally([str(cell) for cell in some], series)
    for index, row in enumerate(counts):
        slot = slot_of(index, size, row.size)
        if index >= len(counts) // 2:
            found.add(bank.score(row, slot), random)
        bank.learn(row, slot)
    return found
