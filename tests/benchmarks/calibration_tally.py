"""How often p lay below a level, beside how often it should: by cell, with what chance alone makes of it."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from detectors.observation import ScoreReason, Scores

LEVELS = (0.05, 0.01, 0.001)
POOLED = (0.8, 1.2)
"""Bounds of share / level over all cells of one detector, size and side."""
WORST_CELL = 1.5
SIDES = ("high", "low")
SURE = 0.95


@dataclass(frozen=True, slots=True)
class Ratio:
    """Share of p below a level, over the level, with the interval that holds the true one, SURE of the time."""

    value: float
    low: float
    high: float
    expected: float
    """How many p below the level there should have been."""
    cell: str = ""
    """Of the one cell that is meant, what it is like."""


class Tally:
    """Counts p below LEVELS of series that lie in cells, as many in each, cell by cell beside each other."""

    def __init__(self, cells: list[str], series: int) -> None:
        self._cells = cells
        self._below = np.zeros((len(SIDES), len(LEVELS), len(cells), series))
        self._tests = np.zeros((len(cells), series))

    def add(self, scores: Scores, random: np.random.Generator) -> None:
        """One window's verdicts, made uniform between the halves of their exact pairs."""
        shape = self._tests.shape
        scored = scores.reason == ScoreReason.SCORED
        self._tests += scored.reshape(shape)
        u = random.random(scored.size)
        for side, (most, least) in enumerate(((scores.p_high, scores.p_above), (scores.p_low, scores.p_below))):
            self._count(side, scored, (least + u * (most - least)).reshape(shape))

    def add_one(self, cell: int, series: int, p: float) -> None:
        """A p of the high side that has no other half."""
        self._tests[cell, series] += 1
        for k, level in enumerate(LEVELS):
            self._below[0, k, cell, series] += p < level

    def _count(self, side: int, scored: NDArray[np.bool_], p: NDArray[np.float64]) -> None:
        for k, level in enumerate(LEVELS):
            self._below[side, k] += scored.reshape(p.shape) & (p < level)

    def tests_per_cell(self) -> int:
        """The fewest of any cell."""
        return int(self._tests.sum(axis=1).min())

    def joined(self, other: "Tally") -> "Tally":
        """Both tallies' cells."""
        made = Tally(self._cells + other._cells, self._tests.shape[1])
        made._below = np.concatenate([self._below, other._below], axis=2)
        made._tests = np.concatenate([self._tests, other._tests])
        return made

    def pooled(self, side: str, level: float) -> Ratio:
        """Of all cells together."""
        below = self._below[SIDES.index(side), LEVELS.index(level)]
        return _ratio(below.ravel(), self._tests.ravel(), level, 1)

    def worst(self, side: str, level: float) -> Ratio:
        """The largest ratio of any cell; its interval allows for having been picked out of so many."""
        below = self._below[SIDES.index(side), LEVELS.index(level)]
        i = int(np.argmax(below.sum(axis=1) / np.maximum(self._tests.sum(axis=1), 1)))
        ratio = _ratio(below[i], self._tests[i], level, len(self._cells))
        return Ratio(ratio.value, ratio.low, ratio.high, ratio.expected, self._cells[i])

    def row(self, side: str) -> dict[str, object]:
        """What a report says of one side."""
        return {
            "side": side,
            "cells": len(self._cells),
            "tests_per_cell": self.tests_per_cell(),
            "pooled": [_plain(self.pooled(side, level)) for level in LEVELS],
            "worst_cell": [_plain(self.worst(side, level)) for level in LEVELS],
        }


def _ratio(below: NDArray[np.float64], tests: NDArray[np.float64], level: float, picked_of: int) -> Ratio:
    """Of series that are independent of each other; the windows of one series share what it has learned, so their
    number is taken to vary as it does from series to series, and no less than by chance."""
    expected = float(level * tests.sum())
    if expected <= 0.0:
        return Ratio(0.0, 0.0, 0.0, 0.0)
    found = float(below.sum())
    spread = max(float(((below - found / tests.sum() * tests) ** 2).sum()), found, 1.0)
    z = NormalDist().inv_cdf(1.0 - (1.0 - SURE) / 2.0 / picked_of)
    # The score interval of a Poisson mean, stretched by how much more than that the series vary.
    stretch = spread / max(found, 1.0)
    middle = found + z * z * stretch / 2.0
    half = z * sqrt(stretch * (found + z * z * stretch / 4.0))
    return Ratio(found / expected, (middle - half) / expected, (middle + half) / expected, expected)


def _plain(ratio: Ratio) -> dict[str, object]:
    shown: dict[str, object] = {"ratio": round(ratio.value, 3), "expected": round(ratio.expected, 1)}
    shown |= {"low": round(ratio.low, 3), "high": round(ratio.high, 3)}
    return shown | ({"cell": ratio.cell} if ratio.cell else {})
