"""What the series of a bank lend each other: how over-dispersed counts like theirs usually are.

A small county's own counts say little of their dispersion for years; those of all counties together soon say what is
usual, and how much series differ in it. Each series' own estimate is drawn towards the usual one, the more, the less it
has seen and the more alike the series are (empirical Bayes by moments: Efron and Morris, "Stein's estimation rule and
its competitors", JASA 68 (1973); for dispersions of counts: Robinson and Smyth, "Moderated statistical tests for
assessing differences in tag abundance", Bioinformatics 23 (2007)).

Sums are of whole numbers, so that the order of the series cannot matter.
"""

import numpy as np

from detectors.compiled import compiled, inlined
from detectors.observation import Counts, Floats
from detectors.row import SPREAD_PRIOR, SPREAD_STRENGTH, SPREAD_SUM, SPREAD_WEIGHT, Rows

ENOUGH = 8.0
"""Windows' worth of own experience with which a series counts a quarter of one that has seen everything: the first few,
and those of counties that hardly count anything, say too little for their number."""
LEAST_SAID, MOST_SAID = 0.8, 8.0
"""No series says less, or more, of what is usual."""
WITHOUT = 2.0
"""So many series' worth is what is believed before any has seen anything."""
LEAST_STRENGTH, MOST_STRENGTH = 2.0, 40.0
_UNIT = 2.0**20


LENT = 4
"""Sums of what all series say: how many series' worth, their dispersions, the squares of these, and what is not known
of them."""


@inlined
def lend(row: Floats, sums: Counts) -> None:
    """Adds what one series says to `sums`, shape (LENT,)."""
    seen = row[SPREAD_WEIGHT]
    if seen > 0.0:
        share = (seen / (seen + ENOUGH)) ** 2
        own = min(max(row[SPREAD_SUM] / seen, LEAST_SAID), MOST_SAID)
        sums[0] += int(_UNIT * share)
        sums[1] += int(_UNIT * share * own)
        sums[2] += int(_UNIT * share * own * own)
        sums[3] += int(_UNIT * share / seen)


@compiled
def lent_by(rows: Rows) -> Counts:
    """The sums, shape (LENT,), over all series of a bank. A bank takes them anew as it learns, row by row."""
    sums = np.zeros(LENT, np.int64)
    for i in range(rows.shape[0]):
        lend(rows[i], sums)
    return sums


@compiled
def borrowed(sums: Counts, settings: Floats) -> Floats:
    """The settings, with the dispersion that is usual in the bank of these sums, and its worth, as those of every
    series."""
    prior, strength = settings[SPREAD_PRIOR], settings[SPREAD_STRENGTH]
    series, said, squares, unsure = sums[0] / _UNIT, sums[1] / _UNIT, sums[2] / _UNIT, sums[3] / _UNIT
    all_series = WITHOUT + series
    usual = (WITHOUT * prior + said) / all_series
    square = (WITHOUT * prior * prior * (1.0 + 1.0 / strength) + squares) / all_series
    by_chance = usual * usual * unsure / all_series
    differ = max(square - usual * usual - by_chance, 1e-9)
    made = settings.copy()
    made[SPREAD_PRIOR] = usual
    made[SPREAD_STRENGTH] = min(max(usual * usual / differ, LEAST_STRENGTH), MOST_STRENGTH)
    return made
