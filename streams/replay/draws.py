"""Seeded random draws that are the same, bit for bit, on every machine.

numpy's own gamma, Poisson and normal samplers call the C library's log and exp, which differ between CPUs
in the last bit and so now and then take another branch. Here everything is made of uniform draws (PCG64,
integers only) and IEEE + - * /: counts by inversion, times through tables of quantiles.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.elementary import exp, log

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Numbers = NDArray[np.uint64]
Flags = NDArray[np.bool_]

Quantiles = Sequence[tuple[float, float]]
"""(probability, value) pairs, from probability 0 to 1, values ascending: a distribution, linear in between."""

_LARGEST_MEAN = 200.0
"""Inversion starts at exp(-mean * 1.05) and sums: above this mean a count is a sum of smaller ones."""


class Draws:
    """One stream of random numbers, named by whole numbers (seed, purpose, day ...); none shifts another."""

    def __init__(self, *key: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))

    def uniform(self, shape: int | tuple[int, ...]) -> Floats:
        """Uniform on [0, 1)."""
        return self._generator.random(shape)

    def chance(self, size: int, probability: float) -> Flags:
        """True with a probability."""
        return self.uniform(size) < probability

    def whole(self, low: int, high: int, size: int) -> Whole:
        """Whole numbers low .. high, both included."""
        steps: Whole = (self.uniform(size) * (high - low + 1)).astype(np.int64)
        return low + steps

    def pick(self, shares: Sequence[float], size: int) -> Whole:
        """Indices into `shares`, each as often as its share of the sum says; -1s where there are none."""
        if not shares:
            return np.full(size, -1, np.int64)
        steps = np.cumsum(np.asarray(shares, np.float64))
        found = np.searchsorted(steps, self.uniform(size) * steps[-1], side="right")
        picked: Whole = np.minimum(found, len(steps) - 1).astype(np.int64)
        return picked

    def times(self, quantiles: Quantiles, size: int, unit: int = 1) -> Whole:
        """Whole multiples of 1/unit drawn from a table of quantiles: 60 turns minutes into seconds."""
        probability = np.array([p for p, _ in quantiles])
        value = np.array([v for _, v in quantiles])
        u = self.uniform(size)
        i = np.clip(np.searchsorted(probability, u, side="right") - 1, 0, len(probability) - 2)
        share = (u - probability[i]) / (probability[i + 1] - probability[i])
        drawn: Whole = ((value[i] + share * (value[i + 1] - value[i])) * unit).astype(np.int64)
        return drawn

    def spread(self, shape: tuple[int, ...], deviation: float) -> Floats:
        """Factors around 1 with a standard deviation, close to normal (a sum of twelve uniforms), at least 0.2."""
        total = np.zeros(shape)
        for _ in range(12):
            total += self.uniform(shape)
        return np.maximum(1.0 + deviation * (total - 6.0), 0.2)

    def counts(self, means: Floats, dispersion: float) -> Whole:
        """Negative-binomial counts with variance = dispersion * mean; dispersion > 1."""
        parts = 1
        largest = float(means.max(initial=0.0))
        while largest / parts > _LARGEST_MEAN:
            parts *= 2
        total = np.zeros(means.size, np.int64)
        flat = np.ascontiguousarray(means).reshape(-1) / parts
        for _ in range(parts):
            total += _inverted(flat, self.uniform(means.size), dispersion)
        return total.reshape(means.shape)


@compiled
def _inverted(means: Floats, u: Floats, dispersion: float) -> Whole:
    counts = np.zeros(means.size, np.int64)
    log_dispersion = log(dispersion)
    shrink = 1.0 - 1.0 / dispersion
    for i in range(means.size):
        size = means[i] / (dispersion - 1.0)
        p = exp(-size * log_dispersion)
        left = u[i] - p
        k = 0
        while left >= 0.0 and p > 0.0 and k < 100_000:
            p *= (k + size) / (k + 1.0) * shrink
            k += 1
            left -= p
        counts[i] = k
    return counts


def keyed_hashes(key: tuple[int, int], numbers: Numbers) -> list[str]:
    """32 hex digits for each number, different for different numbers, as a sender's keyed hash looks.

    splitmix64 (Steele et al. 2014) twice, under two keys: the first half alone is a bijection.
    """
    halves = np.empty((len(numbers), 2), ">u8")
    halves[:, 0] = _mixed(numbers + np.uint64(key[0]))
    halves[:, 1] = _mixed((numbers ^ np.uint64(key[1])) * np.uint64(0x9E3779B97F4A7C15))
    text = halves.tobytes().hex()
    return [text[i : i + 32] for i in range(0, len(text), 32)]


def _mixed(z: Numbers) -> Numbers:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def keys(seed: int, purpose: int) -> tuple[int, int]:
    """Two 64-bit keys for `keyed_hashes`."""
    first, second = np.random.SeedSequence((seed, purpose)).generate_state(2, np.uint64)
    return int(first), int(second)
