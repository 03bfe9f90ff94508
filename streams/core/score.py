"""Step 2, score (key: signal x window size): closed windows to p-values, all counties together.

A window end is scored once every county has closed it, so it does not matter in which order, or from
which partition, the counties' windows come. Score first, then learn: a score uses only what was known then.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.contract import Detector
from detectors.observation import Codes, Floats, ScoreReason, Scores, Slot, mixed_class
from detectors.registry import DETECTORS, create
from detectors.rounding import rounded_fields
from streams.core.cells import Cell, CellCounts, largest
from streams.core.city import City, Size
from streams.core.evidence import SHIFT_DETECTOR
from streams.core.exposure import Exposures
from streams.core.feeds import Feeds, FeedState
from streams.core.instant import HOUR, Instant, to_datetime
from streams.core.levels import WINDOWS_PER_WEEK
from streams.core.outputs import ClosedWindow, ScoredWindow, SeriesDetail
from streams.core.people import People, together
from streams.core.window import NOMINAL, Window, WindowGrid

HISTORY = 28
"""Windows of a series that evidence can show."""

COUNTS = "counts"
"""The detector that says how likely a silence is."""
_CONTRIBUTORS = 5
_STEADY = {Size.HOUR: 168, Size.DAY: 28, Size.WEEK: 8}
"""Windows in a row without a silent one after which a point is known not to pause."""
_HALF_DAYS = {Size.DAY: 2, Size.WEEK: 14}
"""A reporting day from noon to noon lies on two dates."""
_ALL = 1_000_000


class Bank:
    """One detector over all series of one window size that it is set on."""

    def __init__(self, city: City, size: Size, detector: str) -> None:
        counties = len(city.counties)
        judged = [
            (i, series)
            for i, signal in enumerate(city.signals)
            if detector in signal.detectors_at(size)
            for series in range(counties + signal.citywide)
        ]
        self.shape = (len(city.signals), counties + 1)
        self.signals = np.array([i for i, _ in judged], dtype=np.int64)
        self.series = np.array([series for _, series in judged], dtype=np.int64)
        place = {signal.name: i for i, signal in enumerate(city.signals)}
        self._of = np.array([place.get(city.signals[i].of or "", -1) for i, _ in judged], dtype=np.int64)
        """The signal that each series is a part of; -1 for none."""
        self._additive = np.array([[not signal.of] for signal in city.signals], dtype=np.bool_)
        self._are_parts = bool((self._of >= 0).any())
        self._places = self.signals * (counties + 1) + self.series
        """Where each series lies in a flat vector: one index instead of two, three times a window."""
        self.detector: Detector = create(detector, len(judged), WINDOWS_PER_WEEK[size])

    def score(self, counts: NDArray[np.int64], slot: Slot) -> Scores:
        """Score one window of every series; arrays of shape (signals, counties + 1)."""
        scores = self.detector.score(counts.ravel()[self._places], self._slot(counts, slot))
        # One array for all fields: a window of hours has few series, and the calls would cost more than the work.
        floats = rounded_fields(scores, self._places, counts.size)
        codes: Codes = np.full(counts.size, ScoreReason.NOT_JUDGED, dtype=np.uint8)
        codes[self._places] = scores.reason
        return _scores(floats.reshape(-1, *self.shape), codes.reshape(self.shape))

    def learn(
        self, counts: NDArray[np.int64], slot: Slot, expected: Floats, dead: NDArray[np.bool_] | None = None
    ) -> None:
        """Learn it. `dead`, shape (signals, counties): series whose feed is dead, of which there is nothing to learn;
        the city, shares of it aside, would have had what was expected of them."""
        if dead is not None and dead.any():
            missing = np.where(dead & self._additive, expected[:, :-1], 0.0).sum(axis=1)
            lost = np.rint(np.nan_to_num(missing)).astype(np.int64)
            known = np.isfinite(missing) & (counts[:, -1] >= 0)
            counts = np.column_stack((np.where(dead, -1, counts[:, :-1]), np.where(known, counts[:, -1] + lost, -1)))
        self.detector.learn(counts.ravel()[self._places], self._slot(counts, slot))

    def _slot(self, counts: NDArray[np.int64], slot: Slot) -> Slot:
        """A window's slot, as this bank's series have it."""
        wholes = np.where(self._of >= 0, counts[self._of, self.series], 0) if self._are_parts else None
        exposure = None if slot.exposure is None else slot.exposure[self._places]
        return replace(
            slot, day_class=slot.day_class[self.series], wholes=wholes, groups=self.signals, exposure=exposure
        )


def _scores(floats: Floats, codes: Codes) -> Scores:
    expected, low, high, p_high, p_above, p_low, p_below, size = floats
    return Scores(expected, low, high, p_high, p_above, p_low, p_below, size, codes)


class _Waiting(msgspec.Struct, array_like=True):
    """A closed window that waits for the other counties', serialisable."""

    county: str
    size: Size
    start: Instant
    end: Instant
    counts: list[int]
    cells: list[tuple[Cell, int]]
    people: list[list[int]] | None = None


class _ScoreState(msgspec.Struct, array_like=True):
    waiting: list[_Waiting]
    seen: dict[Size, int]
    scored_to: dict[Size, Instant]
    history: dict[Size, bytes]
    feeds: dict[Size, FeedState] = {}


class Score:
    """The score step of one city."""

    def __init__(self, city: City, detail_p: float) -> None:
        """`detail_p`: series with a p at or below it carry the makings of evidence along."""
        self.city = city
        self._detail_p = detail_p
        self._grid = WindowGrid(city.zone, city.day_start)
        self._row = {county.code: i for i, county in enumerate(city.counties)}
        self._banks = {
            size: {
                name: Bank(city, size, name)
                for name, detector in DETECTORS.items()
                if WINDOWS_PER_WEEK[size] in detector.judges and any(name in s.detectors_at(size) for s in city.signals)
            }
            for size in Size
        }
        self._shape = (len(city.signals), len(city.counties) + 1)
        self._classes_of: tuple[date, ...] = ()
        self._classes = np.zeros(0, dtype=np.int64)
        """Calendar classes of the counties on the dates asked for last: an hour's date is its neighbours' too."""
        self._waiting: dict[tuple[Instant, Size], dict[str, ClosedWindow]] = {}
        self._seen = dict.fromkeys(Size, 0)
        self._scored_to: dict[Size, Instant] = {}
        """End of the last window scored, by size."""
        self._history = {size: np.full((*self._shape, HISTORY), -1, dtype=np.int64) for size in Size}
        """Shape (signals, counties + 1, HISTORY): window number n of a size lies at n % HISTORY."""
        self._exposures = Exposures(city)
        self._feeds = {size: Feeds(city, _STEADY[size]) for size in Size}

    def step(self, window: ClosedWindow) -> ScoredWindow | None:
        """Take one county's closed window; the scored window once it was the last one missing.

        A window of an end that is scored already is a repetition, as a tally makes it after a crash: ignored.
        """
        if window.end <= self._scored_to.get(window.size, window.end - 1):
            return None
        key = (window.end, window.size)
        waiting = self._waiting.setdefault(key, {})
        waiting[window.county] = window
        if len(waiting) < len(self._row):
            return None
        del self._waiting[key]
        self._scored_to[window.size] = window.end
        return self._score(window.size, Window(window.start, window.end), waiting)

    def _score(self, size: Size, window: Window, by_county: Mapping[str, ClosedWindow]) -> ScoredWindow:
        counts = np.full(self._shape, -1, dtype=np.int64)
        for code, row in self._row.items():
            counts[:, row] = by_county[code].counts
        has_size = counts[:, 0] >= 0
        counts[has_size, -1] = counts[has_size, :-1].sum(axis=1)
        slot = self._slot(size, window)
        feeds, banks = self._feeds[size], self._banks[size]
        observed = feeds.observed(counts, by_county)
        exposures = self._exposures.of(observed, window.start, window.end)
        if exposures is not None:
            slot = replace(slot, exposure=exposures.ravel())
        if size is not Size.HOUR:
            feeds.hear(by_county)
        scores = {name: bank.score(observed, slot) for name, bank in banks.items()}
        known = scores.get(COUNTS)
        dead = None if known is None else feeds.dead(counts, known.p_low, by_county)
        for name, bank in banks.items():
            bank.learn(observed, slot, scores[name].expected, dead)
        details = self._details(size, scores, by_county)
        self._history[size][:, :, self._seen[size] % HISTORY] = counts
        self._seen[size] += 1
        return ScoredWindow(size, window.start, window.end, counts, scores, details)

    def _slot(self, size: Size, window: Window) -> Slot:
        middle = to_datetime((window.start + window.end) // 2, self.city.zone)
        year_length = 366 if (middle.year % 4 == 0 and (middle.year % 100 != 0 or middle.year % 400 == 0)) else 365
        day_of_year = middle.timetuple().tm_yday - 1 + (middle.hour + middle.minute / 60) / 24
        if size is Size.HOUR:
            local = to_datetime(window.start, self.city.zone)
            dates: tuple[date, ...] = (local.date(),)
            hour_of_week = local.weekday() * 24 + local.hour
        else:
            dates = self._dates(window, _HALF_DAYS[size])
            hour_of_week = self._grid.name(window).weekday() * 24 if size is Size.DAY else 0
        nominal = max(NOMINAL[size], HOUR)
        return Slot(
            index=self._seen[size],
            hour_of_week=hour_of_week,
            year_phase=day_of_year / year_length,
            length=(window.end - window.start) / nominal,
            day_class=self._day_classes(dates),
        )

    def _dates(self, window: Window, parts: int) -> tuple[date, ...]:
        """The local dates that the middles of a window's equal parts lie on."""
        length, zone = window.end - window.start, self.city.zone
        middles = (window.start + (2 * part + 1) * length // (2 * parts) for part in range(parts))
        return tuple(to_datetime(middle, zone).date() for middle in middles)

    def _day_classes(self, dates: tuple[date, ...]) -> NDArray[np.int64]:
        """Of a window whose equal parts lie on these dates, as `Slot` has them; of the city those of most counties."""
        if self._classes_of == dates:
            return self._classes
        classes = np.zeros(self._shape[1], dtype=np.int64)
        of = [[self.city.calendar.day_class(county.code, day) for day in dates] for county in self.city.counties]
        for row, parts in enumerate(of):
            classes[row] = mixed_class(parts)
        classes[-1] = mixed_class([_most_frequent(list(part)) for part in zip(*of, strict=True)])
        self._classes_of, self._classes = dates, classes
        return classes

    def _details(
        self,
        size: Size,
        scores: Mapping[str, Scores],
        by_county: Mapping[str, ClosedWindow],
    ) -> dict[tuple[int, int], SeriesDetail]:
        near = np.zeros(self._shape, dtype=np.bool_)
        for name, score in scores.items():
            here = (score.p_high <= self._detail_p) | (score.p_low <= self._detail_p)
            near |= here
            if name == SHIFT_DETECTOR:
                # What a category gains for good another may have lost: the judge compares their histories.
                near[:, here.any(axis=0)] = True
        details = {}
        for i, series in zip(*(axis.tolist() for axis in np.nonzero(near)), strict=True):
            signal = self.city.signals[i]
            counties = self.city.counties if series == len(self._row) else self.city.counties[series : series + 1]
            past = np.roll(self._history[size][i, series], -self._seen[size])
            tops = [by_county[county.code].cells.top(signal, ("category", "point"), _ALL) for county in counties]
            history = tuple(past[past >= 0].tolist())
            by_category, by_point = (_together([top[k] for top in tops]) for k in range(2))
            heartbeat = sum(by_county[county.code].cells.heartbeat(signal) for county in counties)
            people = [by_county[county.code].people for county in counties]
            known = [People(*part[:, i].tolist()) for part in people if part is not None]
            behind = together(known) if len(known) == len(people) else None
            details[i, series] = SeriesDetail(
                history, by_category, by_point, behind, heartbeat, self._feeds[size].silent(series)
            )
        return details

    # -- snapshot ---------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, bytes | None]:
        """State as named chunks."""
        waiting = [
            _Waiting(
                w.county,
                w.size,
                w.start,
                w.end,
                w.counts.tolist(),
                w.cells.items(),
                None if w.people is None else w.people.tolist(),
            )
            for key in sorted(self._waiting)
            for _, w in sorted(self._waiting[key].items())
        ]
        history = {size: np.roll(past, -self._seen[size], axis=-1).tobytes() for size, past in self._history.items()}
        feeds = {size: known.state() for size, known in self._feeds.items()}
        state = _ScoreState(waiting, self._seen, self._scored_to, history, feeds)
        chunks: dict[str, bytes | None] = {"score": _encode(state)}
        for size, banks in self._banks.items():
            for name, bank in banks.items():
                chunks[f"score/{size}/{name}"] = bank.detector.snapshot()
        return chunks

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from a snapshot of the same city."""
        state = msgspec.msgpack.decode(chunks["score"], type=_ScoreState)
        for w in state.waiting:
            cells = CellCounts([cell for cell, _ in w.cells], np.array([n for _, n in w.cells], dtype=np.int64))
            counts = np.array(w.counts, dtype=np.int64)
            people = None if w.people is None else np.array(w.people, dtype=np.int64)
            self._waiting.setdefault((w.end, w.size), {})[w.county] = ClosedWindow(
                w.county, w.size, w.start, w.end, counts, cells, people=people
            )
        self._seen, self._scored_to = state.seen, state.scored_to
        for size, past in state.history.items():
            oldest_first = np.frombuffer(past, dtype=np.int64).reshape(*self._shape, HISTORY)
            self._history[size] = np.roll(oldest_first, self._seen[size], axis=-1)
        for size, feeds in self._feeds.items():
            feeds.restore(state.feeds.get(size), began=bool(self._seen.get(size)))
        for size, banks in self._banks.items():
            for name, bank in banks.items():
                bank.detector = DETECTORS[name].restore(chunks[f"score/{size}/{name}"])


def _most_frequent(classes: list[int]) -> int:
    """The class that occurs most, the smallest of equals; 0 where there is none."""
    return max(sorted(set(classes)), key=classes.count, default=0)


def _together(tops: list[tuple[tuple[str, int], ...]]) -> tuple[tuple[str, int], ...]:
    """The largest contributions to several counties taken as one."""
    total: dict[str, int] = {}
    for top in tops:
        for value, events in top:
            total[value] = total.get(value, 0) + events
    return largest(total, _CONTRIBUTORS)


_encode = msgspec.msgpack.Encoder().encode
