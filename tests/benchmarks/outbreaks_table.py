"""Makes detectors/outbreak_table.py: how probable evidence for an outbreak is where there is none.

    python -m tests.benchmarks.outbreaks_table [--draws N] > detectors/outbreak_table.py

Counts are drawn from the outbreaks that the evidence is about, and weighted by one over it: so the far tail is known as
well as the middle. Between the values that evidence can take, the log of the tail is interpolated: the table is exact
where evidence lies.
"""

import argparse
import base64
import sys
import zlib

import numpy as np
from numpy.typing import NDArray

from detectors import outbreak_evidence as law
from detectors.compiled import compiled

Floats = NDArray[np.float64]
MEANS, SPREADS, STEPS = 12, 8, 26
LANES = law.LANES
law_doses, law_lags, law_sizes, places = law.DOSES.size, law.LAGS, len(law.SIZES), law.PLACES
ratios, evidence = law.ratios, law.evidence
UNIT = 512
"""Steps of the stored numbers per unit of -log p."""
LARGEST = 60000
SEED = 20130330
HEADER = '''"""Tails of the evidence for an outbreak, made by `python -m tests.benchmarks.outbreaks_table`: do not edit.

-log P(evidence >= e) and -log P(evidence > e) over (starts, mean, dispersion, log e): `detectors.outbreak_evidence`.
"""

import base64
import zlib

import numpy as np

from detectors.observation import Floats

SHAPE = {shape}
_PACKED = (
{lines}
)


def _unpacked() -> tuple[Floats, Floats]:
    """Stored as differences along the evidence, in units of 1/{unit}."""
    steps = np.frombuffer(zlib.decompress(base64.b85decode("".join(_PACKED))), "<i2").reshape(2, *SHAPE)
    both = np.cumsum(steps.astype(np.int64), axis=-1) / {unit}.0
    return np.ascontiguousarray(both[0]), np.ascontiguousarray(both[1])


AT_LEAST, ABOVE = _unpacked()
'''


@compiled
def _evidences(counts: NDArray[np.int64], mean: float, size: float, out: Floats) -> None:
    """Log evidence of rows of counts, old to new."""
    starts = counts.shape[1]
    most = counts.max()
    known = np.full((most + 1, law_doses), np.nan)
    before, work = np.empty(law_lags * law_sizes), np.empty((2, LANES.size))
    for d in range(counts.shape[0]):
        before[:] = 1.0
        for t in range(starts):
            x = counts[d, t]
            if np.isnan(known[x, 0]):
                ratios(x, mean, size, LANES, work, known[x])
            if t == starts - 1:
                out[d] = np.log(evidence(before, known[x], starts))
            else:
                for lag in range(starts - 1, 0, -1):
                    for k in range(law_sizes):
                        before[lag * law_sizes + k] = before[(lag - 1) * law_sizes + k] * known[x, places[lag - 1, k]]
                for k in range(law_sizes):
                    before[k] = 1.0


def _draw(random: np.random.Generator, starts: int, mean: float, phi: float, draws: int) -> NDArray[np.int64]:
    """Counts (draws, starts), old to new, with an outbreak in each."""
    shape = (draws, starts)
    if phi <= 1.0:
        counts = random.poisson(mean, shape)
    else:
        counts = random.poisson(random.gamma(mean / (phi - 1.0), phi - 1.0, shape))
    began = random.integers(0, starts, draws)
    size = np.array(law.SIZES)[random.integers(0, len(law.SIZES), draws)] * np.sqrt(mean * phi)
    for t in range(starts):
        since = t - (starts - 1 - began)
        share = np.where(since >= 0, np.array(law.PROFILE)[np.clip(since, 0, law.LAGS - 1)], 0.0)
        counts[:, t] += random.poisson(size * share)
    return counts.astype(np.int64)


def curves(starts: int, mean: float, phi: float, draws: int, seed: int) -> tuple[Floats, Floats]:
    """(-log P(evidence >= e), -log P(evidence > e)) at the table's steps of log e."""
    random = np.random.default_rng(seed)
    found = np.empty(draws)
    size = mean / (phi - 1.0) if phi > 1.0 else 1e20
    _evidences(_draw(random, starts, mean, phi, draws), mean, size, found)
    rounded, group = np.unique(np.round(found, 7), return_inverse=True)
    values: Floats = rounded.astype(np.float64)
    mass = np.bincount(group, np.exp(-found)).astype(np.float64)
    # What these draws weigh is 1 on average; the share of no evidence is taken as what the rest leaves.
    at_least: Floats = np.cumsum(mass[::-1])[::-1] / draws
    at_least = np.minimum(at_least / max(float(at_least[0]), 1.0), 1.0).astype(np.float64)
    at_least[0] = 1.0
    above = np.append(at_least[1:], 0.0)
    steps: Floats = law.FAINTEST + law.LOG_STEP * np.arange(STEPS, dtype=np.float64)
    kept = above > 0.0
    return _at(steps, values, at_least), _at(steps, values[kept], above[kept].astype(np.float64))


def _at(steps: Floats, values: Floats, tail: Floats) -> Floats:
    """-log of the tail, straight between the values that there are, with slope 1 beyond the last."""
    minus_log = np.maximum.accumulate(-np.log(tail))
    inner = np.interp(steps, values, minus_log, left=0.0)
    beyond = np.maximum(steps - values[-1], 0.0)
    result: Floats = inner + beyond
    return result


def table(draws: int) -> NDArray[np.int64]:
    """Shape (2, starts, means, spreads, steps), in units."""
    made = np.empty((2, law.LAGS, MEANS, SPREADS, STEPS))
    for starts in range(1, law.LAGS + 1):
        for i in range(MEANS):
            for j in range(SPREADS):
                mean = float(np.exp(law.LOWEST_MEAN + i * law.MEAN_STEP))
                phi = float(np.exp((j * law.SPREAD_STEP) ** 2))
                seed = SEED + (starts * MEANS + i) * SPREADS + j
                made[:, starts - 1, i, j] = curves(starts, mean, phi, draws, seed)
        print(f"starts {starts}", file=sys.stderr)
    return np.minimum(np.round(made * UNIT), LARGEST).astype(np.int64)


def main() -> None:
    """Print the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=40_000)
    made = table(parser.parse_args().draws)
    steps = np.diff(made, axis=-1, prepend=0).astype("<i2")
    text = base64.b85encode(zlib.compress(steps.tobytes(), 9)).decode()
    lines = "\n".join(f'    "{text[i : i + 104]}"' for i in range(0, len(text), 104))
    print(HEADER.format(shape=made.shape[1:], unit=UNIT, lines=lines), end="")


if __name__ == "__main__":
    main()
