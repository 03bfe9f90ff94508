"""Real Boston, the seasonal model fitted to it, and what both give: closed windows of every area and category.

The model: a mean for every area and category, a profile over the hours of the week and one over the weeks of the year
(an area's own, drawn towards the city's where it has little), a factor of the day for the whole city and one for the
area, and Poisson counts given these. How much the factors vary is estimated without each category's 1 % of highest
days: a storm is no season, and comes back in the permuted blocks, whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streams.core.cells import Cell, CellCounts, CellRegistry
from streams.core.city import City, Size
from streams.core.decode import RecordDecoder
from streams.core.instant import Instant, to_datetime
from streams.core.outputs import ClosedWindow
from streams.core.tally import Tally
from streams.core.window import WindowGrid
from streams.profile.model import Profile
from streams.replay.intensity import first_instant
from streams.sources.csv_export import CsvSource

Floats = NDArray[np.float64]
Grid = NDArray[np.int64]
"""Counts, shape (days, 24, areas, categories), by local date and hour."""

FILE = "boston_open311_2013_2015.csv.gz"
_OWN = 200.0
"""Complaints with which an area's profile is half its own."""
_LEFT_OUT = 0.99
_BLOCK_DAYS = 14
_SEASON_DAYS = 91
_WEEKS = 53
_LEVEL_DAYS = 182


@dataclass(frozen=True, slots=True)
class Counted:
    """What a city counted, day by day."""

    first: date
    """Local date of the first day."""
    counts: Grid


def cells_of(profile: Profile) -> list[Cell]:
    """One cell a category: how a complaint of it comes in."""
    point, channel = next(iter(profile.city.points)), next(iter(profile.city.channels))
    return [Cell(point, category.code, "accepted", channel, None, None) for category in profile.city.categories]


def real(profile: Profile, path: Path) -> Counted:
    """The complaints of a CSV, through the product's decoder and tally; whole weeks, from the first Monday on."""
    source, city = CsvSource(path, profile), profile.city
    decoder = RecordDecoder(city)
    tally = Tally(city, source.span[0])
    categories = {category.code: i for i, category in enumerate(city.categories)}
    areas = {county.code: i for i, county in enumerate(city.counties)}
    first = to_datetime(source.span[0], city.zone).date()
    days = (to_datetime(source.span[1], city.zone).date() - first).days + 1
    counts = np.zeros((days, 24, len(areas), len(categories)), np.int64)
    number = 0
    for chunk in source.chunks():
        out = tally.step(decoder.lines(chunk.lines, number, chunk.records))
        number += chunk.records
        for window in out.emitted:
            if isinstance(window, ClosedWindow) and window.size is Size.HOUR:
                local = to_datetime(window.start, city.zone)
                for cell, events in window.cells.items():
                    if cell.kind == "accepted":
                        place = (local.date() - first).days, local.hour, areas[window.county]
                        counts[(*place, categories[cell.category])] += events
    skipped = -first.weekday() % 7
    weeks = (days - skipped - 1) // 7
    return Counted(first + timedelta(days=skipped), counts[skipped : skipped + 7 * weeks])


@dataclass(frozen=True, slots=True)
class SeasonalModel:
    """See the module."""

    hour_of_week: Floats
    """Expected complaints of an average week, shape (168, areas, categories)."""
    week_of_year: Floats
    """Factors, mean 1, shape (53, areas, categories)."""
    city_day: Floats
    """Variance of the day's factor for the whole city, shape (categories,); likewise of an area."""
    area_day: Floats

    @classmethod
    def fitted(cls, counted: Counted) -> "SeasonalModel":
        """To whole weeks, the first day a Monday."""
        counts = counted.counts.astype(np.float64)
        days = len(counts)
        weeks = days // 7
        by_hour = counts.reshape(weeks, 168, *counts.shape[2:]).sum(axis=0)
        place = _weeks_of_year(counted.first, days)
        by_week = np.zeros((_WEEKS, *counts.shape[2:]))
        np.add.at(by_week, place, counts.sum(axis=1))
        seen = np.maximum(np.bincount(place, minlength=_WEEKS), 1)[:, None, None]
        hourly = _shrunk(by_hour)
        yearly = _shrunk(_smooth(by_week / seen) * seen) / seen
        total = counts.sum(axis=(0, 1))
        model = cls(
            hourly * total / weeks,
            yearly / np.maximum(yearly[place].mean(axis=0), 1e-12),
            np.zeros(counts.shape[3]),
            np.zeros(counts.shape[3]),
        )
        expected = model.means(counted.first, days).sum(axis=1)
        daily = counts.sum(axis=1)
        expected *= _level(daily.sum(axis=1), expected.sum(axis=1))[:, None, :]
        city = _variance(daily.sum(axis=1)[:, None, :], expected.sum(axis=1)[:, None, :])
        area = (1.0 + _variance(daily, expected)) / (1.0 + city) - 1.0
        return cls(model.hour_of_week, model.week_of_year, city, np.maximum(area, 0.0))

    def means(self, first: date, days: int) -> Floats:
        """Expected complaints, shape (days, 24, areas, categories)."""
        weekday = (first.weekday() + np.arange(days)) % 7
        hours = self.hour_of_week.reshape(7, 24, *self.hour_of_week.shape[1:])[weekday]
        made: Floats = hours * self.week_of_year[_weeks_of_year(first, days)][:, None]
        return made

    def drawn(self, first: date, days: int, seed: int) -> Counted:
        """One simulated history."""
        random = np.random.default_rng((seed, 311))
        means = self.means(first, days)
        areas = means.shape[2]
        means *= _gamma(random, self.city_day, (days, 1))[:, None]
        means *= _gamma(random, self.area_day, (days, areas))[:, None]
        return Counted(first, random.poisson(means))


def permuted(counted: Counted, seed: int) -> Counted:
    """The same fortnights in another order, those of one season among themselves, over all years."""
    random = np.random.default_rng((seed, 312))
    blocks = len(counted.counts) // _BLOCK_DAYS
    middles = [counted.first + timedelta(days=b * _BLOCK_DAYS + _BLOCK_DAYS // 2) for b in range(blocks)]
    season = np.array([(middle.timetuple().tm_yday - 1) // _SEASON_DAYS % 4 for middle in middles])
    order = np.arange(blocks)
    for one in range(4):
        order[season == one] = random.permutation(order[season == one])
    whole = counted.counts[: blocks * _BLOCK_DAYS].reshape(blocks, _BLOCK_DAYS, *counted.counts.shape[1:])
    return Counted(counted.first, whole[order].reshape(-1, *counted.counts.shape[1:]))


def windows_of(profile: Profile, counted: Counted) -> Iterator[ClosedWindow]:
    """The closed windows of some counts. An hour that the clock repeats has nothing left, one that it leaves out is
    lost."""
    city, cells = profile.city, cells_of(profile)
    registry = CellRegistry(city.signals, cells)
    counted_by = registry.counted_by[: len(cells)]
    grid = WindowGrid(city.zone, city.day_start)
    at = start = first_instant(profile, counted.first)
    end = first_instant(profile, counted.first + timedelta(days=len(counted.counts)))
    left = counted.counts.copy()
    sums = {size: np.zeros((len(city.counties), len(cells)), np.int64) for size in (Size.DAY, Size.WEEK)}
    while at < end:
        hour = grid.hour(at)
        local = to_datetime(hour.start, city.zone)
        place = (local.date() - counted.first).days, local.hour
        cell_counts = left[place].copy()
        left[place] = 0
        yield from _closed(city, cells, Size.HOUR, hour.start, hour.end, cell_counts, counted_by)
        for size, total in sums.items():
            np.add(total, cell_counts, out=total)
            window = grid.window(size, hour.start)
            if window.end == hour.end:
                if window.start >= start:
                    yield from _closed(city, cells, size, window.start, window.end, total.copy(), counted_by)
                total[:] = 0
        at = hour.end


def _closed(
    city: City, cells: list[Cell], size: Size, start: Instant, end: Instant, cell_counts: Grid, counted_by: Grid
) -> Iterator[ClosedWindow]:
    counts = cell_counts @ counted_by
    counts[:, [size not in signal.sizes for signal in city.signals]] = -1
    for row, county in enumerate(city.counties):
        yield ClosedWindow(county.code, size, start, end, counts[row], CellCounts(cells, cell_counts[row]))


def _weeks_of_year(first: date, days: int) -> NDArray[np.int64]:
    return np.array([((first + timedelta(days=i)).timetuple().tm_yday - 1) // 7 for i in range(days)])


def _level(daily: Floats, expected: Floats) -> Floats:
    """How each half year differs from the model, shape (days, categories): growth is no variance of days."""
    half = np.arange(len(daily)) // _LEVEL_DAYS
    ends = np.flatnonzero(np.diff(half, prepend=-1))
    ratio = np.add.reduceat(daily, ends) / np.maximum(np.add.reduceat(expected, ends), 1.0)
    made: Floats = ratio[half]
    return made


def _smooth(by_week: Floats) -> Floats:
    """Over three weeks, around the year."""
    made: Floats = (np.roll(by_week, 1, axis=0) + by_week + np.roll(by_week, -1, axis=0)) / 3.0
    return made


def _shrunk(counts: Floats) -> Floats:
    """Shares along the first axis, of an area drawn towards those of all areas together."""
    pooled = counts.sum(axis=1, keepdims=True)
    pooled /= np.maximum(pooled.sum(axis=0), 1.0)
    made: Floats = (counts + _OWN * pooled) / (counts.sum(axis=0) + _OWN)
    return made


def _variance(daily: Floats, expected: Floats) -> Floats:
    """Of the factor of a day, by moments: var = m + m*m*v; per category, its highest days left out."""
    kept = daily <= np.quantile(daily, _LEFT_OUT, axis=0)
    beyond = np.where(kept, (daily - expected) ** 2 - expected, 0.0).sum(axis=(0, 1))
    squares = np.where(kept, expected**2, 0.0).sum(axis=(0, 1))
    made: Floats = np.maximum(beyond / np.maximum(squares, 1e-12), 0.0)
    return made


def _gamma(random: np.random.Generator, variance: Floats, shape: tuple[int, int]) -> Floats:
    """Factors of mean 1, shape (*shape, categories)."""
    size = 1.0 / np.maximum(variance, 1e-9)
    made: Floats = random.gamma(size, 1.0 / size, (*shape, len(variance)))
    return made
