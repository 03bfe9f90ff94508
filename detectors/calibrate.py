"""Scores of any kind to p-values: conformal ranks among a series' own past scores.

A score is judged by how many of the last ones were at least as extreme. If they are exchangeable with it, then
P(p <= a) <= a for every a, whatever the scores mean and however they are distributed (Vovk, Gammerman and Shafer,
"Algorithmic Learning in a Random World", 2005, section 2; the +1 counts the score itself). Scores that follow each
other, as those of a drift detector do, are exchangeable only approximately.

The price: no p is smaller than 1 / (number of past scores + 1), however strange the window.
"""

from typing import NamedTuple

import numpy as np

from detectors.observation import Floats


class Conformal(NamedTuple):
    """Both exact pairs of a score's rank, shape (series,); NaN where nothing can be said."""

    p_high: Floats
    """(1 + past scores >= it) / (n + 1)."""
    p_above: Floats
    """Past scores > it / (n + 1)."""
    p_low: Floats
    p_below: Floats


def conformal(past: Floats, now: Floats, least: int = 1) -> Conformal:
    """p-values of scores `now`, shape (series,), among `past` ones, shape (series, windows); NaN: no score.

    NaN too where a series has fewer than `least` past scores. A larger score never has a larger `p_high`, nor a
    smaller `p_low`.

    >>> [float(p[0]) for p in conformal(np.array([[1.0, 2.0, 3.0, np.nan]]), np.array([3.0]))]
    [0.5, 0.0, 1.0, 0.5]
    """
    known = np.isfinite(past)
    seen = known.sum(axis=1)
    score = now[:, None]
    above, below = (known & (past > score)).sum(axis=1), (known & (past < score)).sum(axis=1)
    whole = np.where(np.isfinite(now) & (seen >= least), seen + 1.0, np.nan)
    return Conformal((seen - below + 1) / whole, above / whole, (seen - above + 1) / whole, below / whole)
