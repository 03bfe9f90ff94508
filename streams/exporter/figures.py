"""The numbers of the last closed windows, and which of them are shown: all that law 6 asks of `/metrics`, in one place.

A number is shown of one size of a table only, the finest in which its counties count enough (days, or else weeks; hours
have flags and no numbers), and of weeks that are sums of shown days: nothing can be worked out by taking days from
weeks. It is shown where it is at least k, where the windows of a week before it (for weeks: of a month) were too, and
where `disclosure` lets it be. So what was expected, which the windows before are behind, tells nothing of a count that
was not shown; it and its band are whole numbers, and p is a power of ten, as a finer one would tell what it is made of.
What is open as a window closes is rounded down to a multiple of k: it counts everything, and what comes and goes
meanwhile is shown elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.observation import Floats, ScoreReason, Scores
from streams.core.city import City, Direction, Size
from streams.core.guards import side_p
from streams.core.instant import Instant
from streams.core.outputs import ScoredWindow
from streams.core.window import WindowGrid
from streams.exporter.disclosure import Counts, Mask, Window, shown
from streams.exporter.relations import Relations, Table, relations

Read = Callable[[Size, Instant], ScoredWindow | None]
"""(size, end) -> the window as it was scored, with the city's signals and series; None: there is none."""

BEFORE = {Size.HOUR: 24, Size.DAY: 7, Size.WEEK: 4}
"""So many windows before one must have counted k as well."""
_ENOUGH = 3
"""A day is fine enough where the median county counts so many times k."""
_KEPT = 200
_LEAST_P = -12.0

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Figures:
    """One window of all series; arrays of shape (signals, counties + 1), NaN where there is nothing to show."""

    size: Size
    start: Instant
    end: Instant
    asked: Mask
    """Series that there are at this size: each has a flag."""
    shown: Mask
    count: Floats
    ratio: Floats
    expected: Floats
    low: Floats
    high: Floats
    p: Floats


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a window: counts, and what was decided."""

    counts: Counts
    start: Instant


class FigureMaker:
    """The figures of one city. Remembers windows, which never change: `forget` where the ledger is another one."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.relations: Relations = relations(city)
        self._grid = WindowGrid(city.zone, city.day_start)
        self._place = {signal.name: i for i, signal in enumerate(city.signals)}
        counties = len(city.counties)
        self._series = np.ones((len(city.signals), counties + 1), dtype=np.bool_)
        self._series[:, -1] = [signal.citywide for signal in city.signals]
        self._series[list(self.relations.hidden)] = False
        self._shares = frozenset(self._place[s.of] for s in city.signals if s.of is not None)
        self._windows: dict[tuple[Size, Instant], _Known] = {}
        self._shown: dict[tuple[Size, Instant], Mask] = {}
        self._made: dict[tuple[Size, Instant], Figures] = {}

    def forget(self) -> None:
        """Remember nothing."""
        self._windows.clear()
        self._shown.clear()
        self._made.clear()

    def figures(self, read: Read, size: Size, end: Instant) -> Figures | None:
        """The figures of a window; None where it is not there."""
        known = self._made.get((size, end))
        if known is None:
            window = read(size, end)
            if window is None:
                return None
            self._remember(window)
            known = self._figures(read, window)
            _keep(self._made, (size, end), known)
        return known

    # ---- which ----

    def _remember(self, window: ScoredWindow) -> _Known:
        known = _Known(window.counts, window.start)
        _keep(self._windows, (window.size, window.end), known)
        return known

    def _counts(self, read: Read, size: Size, end: Instant) -> _Known | None:
        known = self._windows.get((size, end))
        if known is None and (window := read(size, end)) is not None:
            known = self._remember(window)
        return known

    def _shown_of(self, read: Read, size: Size, end: Instant) -> Mask | None:
        """Which numbers of a window are shown; None where it is not there."""
        known = self._counts(read, size, end)
        if known is None:
            return None
        found = self._shown.get((size, end))
        if found is None:
            found = self._decided(read, size, end, known)
            _keep(self._shown, (size, end), found)
        return found

    def _decided(self, read: Read, size: Size, end: Instant, known: _Known) -> Mask:
        found = np.zeros_like(self._series)
        counts, k = known.counts, self.city.privacy_k
        standing = list(self.relations.standing)
        found[standing] = self._series[standing] & (counts[standing] >= k)
        if size is Size.HOUR:
            return found
        steady = self._steady(read, size, known) & self._series
        days: list[Mask | None] | None = None
        for table in self.relations.tables:
            decides = table if table.hangs_on is None else self.relations.tables[table.hangs_on]
            finest = self._finest(read, decides, end)
            if finest is size:
                self._decide(table, found, counts, steady)
            elif finest is Size.DAY and size is Size.WEEK:
                days = self._days(read, known.start, end) if days is None else days
                for i in (table.whole, *table.parts):
                    if i in self.relations.additive and days:
                        found[i] = np.logical_and.reduce([np.zeros_like(found[i]) if d is None else d[i] for d in days])
        return found

    def _decide(self, table: Table, found: Mask, counts: Counts, steady: Mask) -> None:
        """Decide one table of one window."""
        parts = [i for i in table.parts if counts[i].min() >= 0]
        if counts[table.whole].min() < 0:
            return
        columns = [*parts, table.whole]
        numbers = counts[columns].T.copy()
        numbers[-1] = numbers[:-1].sum(axis=0)
        may = steady[columns].T.copy()
        stands = table.hangs_on is not None
        if stands:
            may[:, -1] = found[table.whole]
            # Where a county's whole is not shown, what it can be is the other table's to say: so nothing here may
            # depend on it, and the city, which all counties are in, is not shown either.
            may[:-1, :-1] &= may[:-1, -1:]
            may[-1, :-1] &= may[:-1, -1].all()
        exhaustive = table.exhaustive and len(parts) == len(table.parts)
        window = Window(numbers, self.city.privacy_k, exhaustive, stands)
        decided = shown(window, may, may & (numbers < window.k))
        for column, i in enumerate(columns if not stands else parts):
            found[i] = decided[:, column]

    def _steady(self, read: Read, size: Size, known: _Known) -> Mask:
        """Series that counted k in each of the windows before this one."""
        found = np.ones_like(self._series)
        end = known.start
        for _ in range(BEFORE[size]):
            before = self._counts(read, size, end)
            if before is None:
                return np.zeros_like(found)
            found &= before.counts >= self.city.privacy_k
            end = before.start
        return found

    def _finest(self, read: Read, table: Table, end: Instant) -> Size | None:
        """The size of a table that is shown in the week of a window: said by the week before, so that it tells nothing
        of its own; None: not known yet."""
        sizes = self.city.signals[table.whole].sizes
        if Size.WEEK not in sizes:
            return Size.DAY if Size.DAY in sizes else None
        week = self._grid.week(end - 1)
        before = self._counts(read, Size.WEEK, week.start)
        if before is None:
            return None
        if Size.DAY not in sizes or table.whole in self._shares:  # what a share lacks of its whole is few a day
            return Size.WEEK
        median = float(np.median(before.counts[table.whole, :-1]))
        return Size.DAY if median >= 7 * _ENOUGH * self.city.privacy_k else Size.WEEK

    def _days(self, read: Read, start: Instant, end: Instant) -> list[Mask | None]:
        days: list[Mask | None] = []
        while end > start:
            days.append(self._shown_of(read, Size.DAY, end))
            end = self._grid.day(end - 1).start
        return days

    # ---- what ----

    def _figures(self, read: Read, window: ScoredWindow) -> Figures:
        decided = self._shown_of(read, window.size, window.end)
        assert decided is not None  # it is there
        k = self.city.privacy_k
        asked = self._series & (window.counts >= 0)
        found = decided & asked
        count = np.where(found, window.counts.astype(np.float64), np.nan)
        standing = list(self.relations.standing)
        count[standing] = count[standing] // k * k
        ratio = np.full(count.shape, np.nan)
        for i, signal in enumerate(self.city.signals):
            if signal.of is not None:
                ratio[i] = count[i] / count[self._place[signal.of]]
        banded = found.copy()
        banded[standing] = False
        known = self._windows[(window.size, window.end)]
        banded &= self._steady(read, window.size, known)
        expected, low, high, p = self._band(window, banded)
        return Figures(window.size, window.start, window.end, asked, found, count, ratio, expected, low, high, p)

    def _band(self, window: ScoredWindow, wanted: Mask) -> tuple[Floats, Floats, Floats, Floats]:
        """Expected, low, high and p of the detector that knows a series best: `counts`, or the first that judged it."""
        made = [np.full(wanted.shape, np.nan) for _ in range(4)]
        left = wanted.copy()
        for name in sorted(window.scores, key=lambda one: (one != "counts", one)):
            scores = window.scores[name]
            mine = left & (scores.reason == ScoreReason.SCORED) & np.isfinite(scores.expected)
            values = (np.rint(scores.expected), np.floor(scores.low), np.ceil(scores.high), self._p(scores))
            for into, value in zip(made, values, strict=True):
                into[mine] = value[mine]
            left &= ~mine
        expected, low, high, p = made
        return expected, low, high, p

    def _p(self, scores: Scores) -> Floats:
        """p of the sides that each signal looks at, as a power of ten that is not less."""
        high, low = side_p(scores, Direction.HIGH), side_p(scores, Direction.LOW)
        p: NDArray[np.float64] = np.minimum(1.0, 2 * np.minimum(high, low))
        for i, signal in enumerate(self.city.signals):
            if signal.direction is not Direction.BOTH:
                p[i] = high[i] if signal.direction is Direction.HIGH else low[i]
        with np.errstate(divide="ignore", invalid="ignore"):
            exponent = np.ceil(np.round(np.log10(p), 9))
        tens: Floats = np.power(10.0, np.clip(exponent, _LEAST_P, 0.0))
        return tens


def _keep(kept: dict[tuple[Size, Instant], V], key: tuple[Size, Instant], value: V) -> None:
    kept[key] = value
    if len(kept) > _KEPT:
        del kept[next(iter(kept))]
