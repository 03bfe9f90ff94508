"""An attacker who has every scrape, knows how signals are related, and asks what a cell below k could be.

What was scraped of a week is a set of equations between the numbers of its cells, day by day; what they leave possible
for a cell is a linear programme. So every way of differencing is tried at once: days from weeks, parts from wholes,
counties from the city, and all of them together.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from streams.core.city import Size
from streams.core.instant import Instant
from streams.core.window import WindowGrid
from streams.exporter.collector import window_families
from streams.exporter.figures import FigureMaker, Figures
from tests.exporter.worlds import CATEGORIES, OUTCOMES, WEEKS, World, town

Sample = tuple[str, str, str]
"""County, signal, size."""
Scrape = Mapping[str, Mapping[Sample, float]]
"""Metric -> samples."""
Floats = NDArray[np.float64]


def scrapes(world: World) -> list[tuple[Size, Instant, Scrape]]:
    """What the exporter shows of every window as it is the last one, in the order in which they close."""
    windows = world.windows()
    maker = FigureMaker(town().city)
    made = []
    for size, end in sorted(windows, key=lambda one: (one[1], one[0])):
        known = {key: window for key, window in windows.items() if key[1] <= end}
        figures = maker.figures(lambda *key, known=known: known.get(key), size, end)
        assert figures is not None
        made.append((size, end, scraped([figures])))
    return made


def scraped(figures: list[Figures]) -> Scrape:
    """The samples of windows, as they leave the exporter."""
    return {
        family.name: {
            (one.labels["county"], one.labels["signal"], one.labels["size"]): one.value for one in family.samples
        }
        for family in window_families(town(), figures)
        if family.samples and "signal" in family.samples[0].labels
    }


@dataclass(frozen=True)
class Cell:
    """Something that somebody may want to know: a number of people that nobody may narrow below k."""

    name: str
    row: Floats
    """Which of the week's atoms are in it."""
    value: int


@dataclass(frozen=True)
class Finding:
    """A cell below k that was narrowed."""

    cell: str
    value: int
    least: float
    most: float


def narrowed(
    world: World, found: list[tuple[Size, Instant, Scrape]], k: int, weeks: Collection[int] = range(WEEKS)
) -> Iterator[Finding]:
    """Every cell below k of some weeks for which what was scraped does not leave all of 1 ... k - 1 possible."""
    city = town().city
    grid = WindowGrid(city.zone, city.day_start)
    ends = [end for size, end, _ in found if size is Size.DAY]
    for week in weeks:
        own = {end: i for i, end in enumerate(ends[7 * week : 7 * week + 7])}
        equations, values = [], []
        for size, end, scrape in found:
            if end not in own or (size is Size.WEEK and grid.week(end - 1).end != end):
                continue
            days = [own[end]] if size is Size.DAY else list(own.values())
            for (county, signal, _), value in scrape.get("jiantu_window_observed", {}).items():
                row = _row(signal, county, days)
                if row is not None:
                    equations.append(row)
                    values.append(value)
        yield from _attacked(world, week, equations, values, k)


def _attacked(world: World, week: int, equations: list[Floats], values: list[float], k: int) -> Iterator[Finding]:
    truth = _atoms(world, week)
    for equation, value in zip(equations, values, strict=True):
        assert equation @ truth == value, "the attacker is wrong about what a number means"
    if not equations:
        return
    matrix, known = np.array(equations), np.array(values)
    # Equations hang together by the atoms that they share: only those that hang together with a cell matter to it.
    together = csr_array(
        np.block([[np.zeros((len(known),) * 2), matrix], [matrix.T, np.zeros((matrix.shape[1],) * 2)]])
    )
    _, part = connected_components(together, directed=False)
    of_equation, of_atom = part[: len(known)], part[len(known) :]
    worlds = truth[None, :].copy()  # any that would have been shown alike
    for cell in _cells(truth):
        if not 0 < cell.value < k or _free(worlds @ cell.row, k):
            continue
        parts = np.unique(of_atom[cell.row > 0])
        rows, atoms = np.isin(of_equation, parts), np.isin(of_atom, parts)
        for sign in (1, -1):
            found = _extreme(matrix[rows][:, atoms], known[rows], sign * cell.row[atoms], k)
            other = truth.copy()
            other[atoms] = found
            worlds = np.vstack([worlds, other])
        possible = worlds @ cell.row
        if not _free(possible, k):
            yield Finding(f"week {week}: {cell.name}", cell.value, float(possible.min()), float(possible.max()))


def _free(possible: Floats, k: int) -> bool:
    return bool(possible.min() <= 1 + 1e-6 and possible.max() >= k - 1 - 1e-6)


def _extreme(matrix: Floats, known: Floats, row: Floats, k: int) -> Floats:
    """Numbers of the atoms that agree with all that is known and make a row the least that it can be. Atoms that nobody
    tells apart are one; nothing needs to be more than there is to know, and k."""
    columns, first = np.unique(np.vstack([matrix, row]), axis=1, return_index=True)
    most = float(known.max(initial=0)) + k
    solved = linprog(columns[-1], A_eq=columns[:-1], b_eq=known, bounds=(0, most), method="highs")
    assert solved.status == 0, solved.message
    atoms = np.zeros(len(row))
    atoms[first] = solved.x
    return atoms


_SHAPE = (7, len(town().city.counties), len(CATEGORIES), 2, 2)
_ANSWERS = (7, len(town().city.counties), len(OUTCOMES))
_EVENTS = int(np.prod(_SHAPE))


def _atoms(world: World, week: int) -> Floats:
    days = slice(7 * week, 7 * week + 7)
    return np.concatenate([world.events[days].ravel(), world.answers[days].ravel()]).astype(np.float64)


def _row(signal: str, county: str, days: list[int]) -> Floats | None:
    """The atoms that a signal counts in some days; None: what it counts has nothing to do with them."""
    city = town().city
    events, answers = np.zeros(_SHAPE), np.zeros(_ANSWERS)
    codes = [one.code for one in city.counties]
    places = range(len(codes)) if county == city.code else [codes.index(county)]
    for day in days:
        for place in places:
            if signal in CATEGORIES:
                events[day, place, CATEGORIES.index(signal)] = 1
            elif signal == "total":
                events[day, place] = 1
            elif signal == "callers":
                if len(days) > 1:
                    return None  # a union, not a sum
                events[day, place, :, :, 0] = 1
            elif signal == "repeats":
                events[day, place, :, 1] = 1
            elif signal == "answered":
                answers[day, place] = 1
            elif signal in OUTCOMES:
                answers[day, place, OUTCOMES.index(signal)] = 1
            else:
                return None
    return np.concatenate([events.ravel(), answers.ravel()])


def _cells(truth: Floats) -> Iterator[Cell]:
    """Whoever counts in a signal, or in what is left of one beside its parts: by county, by day and by week, and in
    the whole city."""
    city = town().city
    names = ["total", *CATEGORIES, "callers", "repeats", "answered", *OUTCOMES]
    spans = [[day] for day in range(7)] + [list(range(7))]
    for days in spans:
        for county in (*(one.code for one in city.counties), city.code):
            rows = {name: _row(name, county, days) for name in names}
            total = rows["total"]
            assert total is not None
            for name in ("callers", "repeats"):
                if (row := rows[name]) is not None:
                    rows[f"total less {name}"] = total - row
            for name, row in rows.items():
                if row is not None:
                    yield Cell(f"{name} of {county} in days {days}", row, round(float(row @ truth)))
