"""What the series of a bank lend each other: how over-dispersed counts like theirs usually are.

A small county's own counts say little of their dispersion for years; those of all counties together soon say what is
usual, and how much series differ in it. Each series' own estimate is drawn towards the usual one, the more, the less it
has seen and the more alike the series are (empirical Bayes by moments: Efron and Morris, "Stein's estimation rule and
its competitors", JASA 68 (1973); for dispersions of counts: Robinson and Smyth, "Moderated statistical tests for
assessing differences in tag abundance", Bioinformatics 23 (2007)).

Sums are of whole numbers, so that the order of the series cannot matter.
"""

from detectors.compiled import compiled
from detectors.observation import Floats
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


@compiled
def borrowed(rows: Rows, settings: Floats) -> Floats:
    """The settings, with the dispersion that is usual in this bank, and its worth, as those of every series."""
    series, said, squares, unsure = 0, 0, 0, 0
    for i in range(rows.shape[0]):
        seen = rows[i, SPREAD_WEIGHT]
        if seen > 0.0:
            share = (seen / (seen + ENOUGH)) ** 2
            own = min(max(rows[i, SPREAD_SUM] / seen, LEAST_SAID), MOST_SAID)
            series += int(_UNIT * share)
            said += int(_UNIT * share * own)
            squares += int(_UNIT * share * own * own)
            unsure += int(_UNIT * share / seen)
    prior, strength = settings[SPREAD_PRIOR], settings[SPREAD_STRENGTH]
    all_series = WITHOUT + series / _UNIT
    usual = (WITHOUT * prior + said / _UNIT) / all_series
    square = (WITHOUT * prior * prior * (1.0 + 1.0 / strength) + squares / _UNIT) / all_series
    by_chance = usual * usual * (unsure / _UNIT) / all_series
    differ = max(square - usual * usual - by_chance, 1e-9)
    made = settings.copy()
    made[SPREAD_PRIOR] = usual
    made[SPREAD_STRENGTH] = min(max(usual * usual / differ, LEAST_STRENGTH), MOST_STRENGTH)
    return made
