"""Is the p of the space-time scan what it says? Cities without clusters, from few counts to many.

The counties' days are expected by `counts`, as the judge has it: what the scan is given are forecasts, not truths, and
its windows overlap from day to day. Its p is of a search whose smallest tail is bounded, and a count's tail holds the
count itself: it may be less often small than it says, never more often.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from detectors.observation import Counts, Floats, ScoreReason, Scores
from detectors.registry import create
from detectors.scan import LONGEST, Zones, find, zones_of
from tests.benchmarks.calibration_counts import PHIS, WINDOWS, drawn
from tests.benchmarks.calibration_tally import Tally
from tests.benchmarks.scoring import slot_of

ROWS, COLUMNS = 3, 4
"""Of the map: every county has the next ones for neighbours."""
MEANS = (0.3, 3.0, 30.0)
"""Counts a day of a middling county; the largest has twenty times what the smallest has."""
COURSES = ((0.0, 0.0), (0.15, 0.4))
"""(growth of the log mean a year, amplitude of its annual wave)."""
DAYS = 7


@dataclass(frozen=True, slots=True)
class Cell:
    """Cities that are alike."""

    mean: float
    phi: float
    course: tuple[float, float]

    def __str__(self) -> str:
        return f"mean {self.mean:g}, dispersion {self.phi:g}, trend {self.course[0]:g}, season {self.course[1]:g}"


def cells() -> list[Cell]:
    """Every combination."""
    return [Cell(*one) for one in product(MEANS, PHIS, COURSES)]


def grid() -> Zones:
    """The zones of the map."""
    places = list(product(range(ROWS), range(COLUMNS)))
    near = [[j for j, b in enumerate(places) if abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1] for a in places]
    return zones_of(near)


def tally(cities: int, seed: int) -> Tally:
    """Of every cell, `cities` of each: all their counties in one bank."""
    random = np.random.default_rng(seed)
    all_cells = cells()
    counties = ROWS * COLUMNS
    many = len(all_cells) * cities
    zones = grid()
    relative = np.geomspace(1 / np.sqrt(20.0), np.sqrt(20.0), counties)
    parts = random.permuted(np.tile(relative, (many, 1)), axis=1).reshape(len(all_cells), cities * counties)
    bank = create("counts", many * counties, DAYS)
    found = Tally([str(cell) for cell in all_cells], cities)
    past = np.full((3, many, counties, LONGEST), np.nan)
    for index in range(WINDOWS[DAYS]):
        row = np.concatenate([_day(cell, part, index, random) for cell, part in zip(all_cells, parts, strict=True)])
        slot = slot_of(index, DAYS, row.size)
        if index >= WINDOWS[DAYS] // 2 - LONGEST:
            _remember(past, row, bank.score(row, slot))
        if index >= WINDOWS[DAYS] // 2:
            for city in range(many):
                cluster = find(past[0, city], past[1, city], past[2, city], zones)
                found.add_one(city // cities, city % cities, 1.0 if cluster is None else cluster.p)
        bank.learn(row, slot)
    return found


def _day(cell: Cell, parts: Floats, index: int, random: np.random.Generator) -> Counts:
    years = index / (52.18 * DAYS)
    trend, season = cell.course
    factor = np.exp(trend * years + season * np.cos(2 * np.pi * years) - 0.4 * (index % DAYS >= 5))
    return drawn(cell.mean * parts * factor, cell.phi, random)


def _remember(past: Floats, counts: Counts, scores: Scores) -> None:
    past[..., :-1] = past[..., 1:]
    scored = scores.reason == ScoreReason.SCORED
    shape = past.shape[1:3]
    for which, numbers in enumerate((counts, scores.expected, scores.size)):
        past[which, ..., -1] = np.where(scored, numbers, np.nan).reshape(shape)
