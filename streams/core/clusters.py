"""Clusters of neighbouring counties, as the judge holds the space-time scan over a city's days (`detectors.scan`).

The scan of one signal is one test a day for the whole city, with a level of its own in the budget, of however many
clusters it tells: each is held to a level at which as many false ones are expected as of one test (`detectors.scan`).
What it is given is what every county's `counts` detector expected of the last 28 days before they came.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.budget import rounded_down
from detectors.observation import Floats, ScoreReason
from detectors.scan import LONGEST, Cluster, Scan, find, find_all, step_level, zones_of
from streams.core.city import City, Size
from streams.core.guards import NEAR, NEAR_AT_MOST, LevelKey
from streams.core.instant import Instant
from streams.core.outputs import ScoredWindow
from streams.core.spending import units_of

CLUSTER = "cluster:"
"""A note begins with it: cluster:511102,511112:7 (its counties, and the days that it has lasted); so does what keeps
its alert apart, without the days."""
COUNTS = "counts"
"""The detector that says what was expected."""


class ScannedDay(Struct, frozen=True, array_like=True):
    """One day of all scanned signals: little-endian arrays of shape (scans, counties)."""

    start: Instant
    counts: bytes
    expected: bytes
    """NaN where the day was not scored. Likewise sizes."""
    sizes: bytes


class Find(NamedTuple):
    """The cluster of one signal at one day's end, at or near its level."""

    signal: int
    counties: tuple[str, ...]
    cluster: Cluster
    start: Instant
    """Of its first day."""
    level: float
    parts: tuple[float, ...]
    """How far each of its counties is above what was expected, over its days."""

    @property
    def fires(self) -> bool:
        """Whether it is a verdict; else it only keeps an alert open."""
        return self.cluster.p <= self.level

    @property
    def excess(self) -> float:
        return self.cluster.count - self.cluster.expected


@dataclass(frozen=True)
class ScanPlan:
    """What is scanned in a city, compiled once."""

    city: City
    signals: tuple[int, ...]
    levels: tuple[float, ...]
    """Of each of them: what the p of every cluster of a day is held to."""
    cost: int
    """All of them, a day, in units of `spending`."""
    zones: NDArray[np.int64]

    @classmethod
    def of(cls, city: City, levels: Mapping[LevelKey, float]) -> "ScanPlan":
        """The plan of a city; nothing is scanned where no county has neighbours."""
        place = {county.code: i for i, county in enumerate(city.counties)}
        zones = zones_of([[place[code] for code in county.neighbours if code in place] for county in city.counties])
        key = {i: (signal.name, Size.DAY, Scan.name) for i, signal in enumerate(city.signals)}
        signals = tuple(i for i, one in key.items() if levels.get(one, 0.0) > 0 and len(zones))
        spent = tuple(levels[key[i]] for i in signals)
        each = tuple(rounded_down(step_level(level)) for level in spent)
        return cls(city, signals, each, int(units_of(np.array(spent)).sum()), zones)

    def remember(
        self, days: tuple[ScannedDay, ...], window: ScoredWindow, told: Collection[tuple[int, int]] = ()
    ) -> tuple[ScannedDay, ...]:
        """The days with one more, without those that no cluster can reach back to.

        `told` are series, as (signal, county), that have an alert of their own: what they are above the expected is
        known, and no part of a cluster.
        """
        scores = window.scores.get(COUNTS)
        if not self.signals or scores is None:
            return days
        rows, width = np.array(self.signals), len(self.city.counties)
        scored = scores.reason[rows, :width] == ScoreReason.SCORED
        counts = window.counts[rows, :width].astype("<i8")
        expected = np.where(scored, scores.expected[rows, :width], np.nan)
        for signal, county in told:
            if signal in self.signals:
                row = self.signals.index(signal)
                counts[row, county] = _usual(counts[row, county], expected[row, county])
        sizes = np.where(scored, scores.size[rows, :width], np.nan)
        day = ScannedDay(
            window.start, counts.tobytes(), expected.astype("<f8").tobytes(), sizes.astype("<f8").tobytes()
        )
        return (*days, day)[-LONGEST:]

    def settle(
        self, days: tuple[ScannedDay, ...], told: Collection[tuple[int, int]], since: Instant
    ) -> tuple[ScannedDay, ...]:
        """The days after a cluster's alert has ended: what its series were above the expected since then is known."""
        shape = (len(self.signals), len(self.city.counties))
        settled = []
        for day in days:
            counts = np.frombuffer(day.counts, "<i8").reshape(shape).copy()
            expected = np.frombuffer(day.expected, "<f8").reshape(shape)
            for signal, county in told if day.start >= since else ():
                row = self.signals.index(signal)
                counts[row, county] = _usual(counts[row, county], expected[row, county])
            settled.append(ScannedDay(day.start, counts.tobytes(), day.expected, day.sizes))
        return tuple(settled)

    def finds(self, days: tuple[ScannedDay, ...], share: float) -> list[Find]:
        """The clusters that end with the last day, at or near their levels, in the order of the signals, of each the
        most unlikely first; `share` is the part of every level that the budget has left."""
        if not days or not self.signals:
            return []
        counts, expected, sizes = self._arrays(days)
        found = []
        for row, signal in enumerate(self.signals):
            level = self.levels[row] if share == 1.0 else rounded_down(self.levels[row] * share)
            near = max(level, min(NEAR * level, NEAR_AT_MOST))
            least = self.city.signals[signal].minimum_count
            for cluster in find_all(counts[row], expected[row], sizes[row], self.zones, near, least):
                above = (counts[row] - expected[row])[list(cluster.places), -cluster.span :].sum(axis=1)
                start = days[-cluster.span].start
                found.append(Find(signal, self.codes(cluster), cluster, start, level, tuple(above.tolist())))
        return found

    def most_unlikely(self, days: tuple[ScannedDay, ...], signal: int, county: int | None) -> Cluster | None:
        """The most unlikely cluster of a scanned signal that ends with the last day, whatever its p: of the city, or of
        those that a county, by its place, is part of; None where nothing is higher than expected."""
        counts, expected, sizes = self._arrays(days)
        row = self.signals.index(signal)
        return find(counts[row], expected[row], sizes[row], self.zones, county)

    def apart(self, days: tuple[ScannedDay, ...], signal: int, at_most: float) -> list[Cluster]:
        """The clusters of a scanned signal that end with the last day, are large enough for a page and share no county,
        the most unlikely first, as long as p is at most `at_most`."""
        counts, expected, sizes = self._arrays(days)
        row, least = self.signals.index(signal), self.city.signals[signal].minimum_count
        return find_all(counts[row], expected[row], sizes[row], self.zones, at_most, least)

    def main(self, days: tuple[ScannedDay, ...], signal: int, cluster: Cluster) -> int:
        """The place of the county that is furthest above what was expected, over a cluster's days."""
        counts, expected, _ = self._arrays(days)
        row = self.signals.index(signal)
        above = (counts[row] - expected[row])[list(cluster.places), -cluster.span :].sum(axis=1)
        return cluster.places[int(np.argmax(above))]

    def codes(self, cluster: Cluster) -> tuple[str, ...]:
        """The counties of a cluster."""
        return tuple(self.city.counties[place].code for place in cluster.places)

    def _arrays(self, days: tuple[ScannedDay, ...]) -> tuple[Floats, Floats, Floats]:
        """Counts, expected and sizes, of shape (scans, counties, days)."""
        shape = (len(self.signals), len(self.city.counties))
        parts = zip(*((day.counts, day.expected, day.sizes) for day in days), strict=True)
        counts, expected, sizes = (
            np.stack([np.frombuffer(one, kind).reshape(shape) for one in part], axis=-1)
            for part, kind in zip(parts, ("<i8", "<f8", "<f8"), strict=True)
        )
        return counts.astype(np.float64), np.ascontiguousarray(expected), np.ascontiguousarray(sizes)


def _usual(count: int, expected: float) -> int:
    """A count, without what it is above the expected."""
    return min(count, round(expected)) if expected == expected else count  # noqa: PLR0124  # NaN: not scored


def cluster_note(find: Find) -> str:
    """The note that a cluster's evidence carries."""
    return f"{CLUSTER}{','.join(find.counties)}:{find.cluster.span}"


def cluster_in(notes: tuple[str, ...]) -> tuple[tuple[str, ...], int] | None:
    """(counties, days) of the cluster that the notes name; None where they name none."""
    for note in notes:
        if note.startswith(CLUSTER):
            codes, days = note.removeprefix(CLUSTER).split(":")
            return tuple(codes.split(",")), int(days)
    return None


def counties_of(apart: str) -> tuple[str, ...]:
    """The counties of a cluster's alert; () of any other."""
    return tuple(apart.removeprefix(CLUSTER).split(",")) if apart.startswith(CLUSTER) else ()
