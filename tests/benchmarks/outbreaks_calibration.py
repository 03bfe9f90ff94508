"""Are the detectors' probabilities what they say? Outbreak-free series of every mean, dispersion, trend and season.

All series of one window size lie in one bank, as a city's do. The harness, not the product, makes p uniform between
the halves of its exact pair; then the share of p below a level should be the level, in every cell and on both sides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from detectors.observation import ScoreReason
from detectors.registry import create
from tests.benchmarks.scoring import slot_of

LEVELS = (0.05, 0.01, 0.001)
POOLED = (0.8, 1.2)
"""Bounds of share / level over all cells of one size and side."""
WORST_CELL = 1.5
MEANS = {168: (0.05, 0.2, 0.5, 1.0, 2.0), 7: (1.0, 3.0, 10.0, 50.0), 1: (5.0, 20.0, 100.0, 500.0)}
PHIS = (1.0, 1.5, 3.0)
TRENDS, SEASONS = (0.0, 0.15), (0.0, 0.4)
"""Growth of the log mean a year; amplitude of its annual wave."""
WINDOWS = {168: 168 * 26, 7: 3 * 365, 1: 6 * 52}
"""Windows of a series; the second half is looked at."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Series that are alike, and what became of their p-values."""

    windows_per_week: int
    mean: float
    phi: float
    trend: float
    season: float


@dataclass(frozen=True, slots=True)
class Shares:
    """How often p lay below each of LEVELS, over the level; `tests`: how many p there were."""

    cell: Cell
    side: str
    ratios: tuple[float, ...]
    tests: int


def cells(windows_per_week: int) -> list[Cell]:
    """Every combination of one size."""
    combinations = product(MEANS[windows_per_week], PHIS, TRENDS, SEASONS)
    return [Cell(windows_per_week, *combination) for combination in combinations]


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
    mean = np.repeat(_means(cell)[:, None], series, axis=1)
    if cell.phi == 1.0:
        return random.poisson(mean)
    return random.negative_binomial(mean / (cell.phi - 1.0), 1.0 / cell.phi)


def shares(detector: str, windows_per_week: int, series: int, seed: int) -> Iterator[Shares]:
    """Of every cell and side; `series`: of each cell."""
    random = np.random.default_rng(seed)
    all_cells = cells(windows_per_week)
    counts = np.concatenate([counts_of(cell, series, random) for cell in all_cells], axis=1)
    bank = create(detector, counts.shape[1], windows_per_week)
    below = np.zeros((2, len(LEVELS), len(all_cells)))
    tests = np.zeros(len(all_cells), np.int64)
    for index, row in enumerate(counts):
        slot = slot_of(index, windows_per_week, row.size)
        if index >= len(counts) // 2:
            scores = bank.score(row, slot)
            u = random.random(row.size)
            scored = scores.reason == ScoreReason.SCORED
            tests += scored.reshape(len(all_cells), -1).sum(axis=1)
            for side, (most, least) in enumerate(((scores.p_high, scores.p_above), (scores.p_low, scores.p_below))):
                p = least + u * (most - least)
                for k, level in enumerate(LEVELS):
                    below[side, k] += (scored & (p < level)).reshape(len(all_cells), -1).sum(axis=1)
        bank.learn(row, slot)
    for i, cell in enumerate(all_cells):
        for side, name in enumerate(("high", "low")):
            ratios = below[side, :, i] / np.maximum(tests[i], 1) / LEVELS
            yield Shares(cell, name, tuple(float(x) for x in ratios), int(tests[i]))


def pooled(found: list[Shares], side: str) -> tuple[float, ...]:
    """Mean ratio of all cells, by level."""
    return tuple(float(np.mean([s.ratios[k] for s in found if s.side == side])) for k in range(len(LEVELS)))


def worst(found: list[Shares], side: str) -> tuple[float, ...]:
    """Largest ratio of any cell, by level."""
    return tuple(max(s.ratios[k] for s in found if s.side == side) for k in range(len(LEVELS)))
