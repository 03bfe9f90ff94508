"""Scored windows read back: what every series counted, what was expected, and why it was or was not judged."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from detectors.observation import ScoreReason
from streams.core.city import Size
from streams.core.instant import Instant
from streams.core.outputs import ScoredWindow
from streams.ledger.errors import LedgerError
from streams.ledger.history import LayoutDocument
from streams.ledger.packing import PackedScores, Unpacker


@dataclass(frozen=True, slots=True)
class DetectorScore:
    """One detector's word on one window of one series; None where it gave none, see `reason`."""

    reason: ScoreReason
    expected: float | None
    low: float | None
    high: float | None
    p_high: float | None
    p_above: float | None
    p_low: float | None
    p_below: float | None
    size: float | None


@dataclass(frozen=True, slots=True)
class SeriesScore:
    """One closed window of one series as it was scored."""

    signal: str
    county: str
    size: Size
    start: Instant
    end: Instant
    count: int
    """-1: not observed."""
    detectors: Mapping[str, DetectorScore]
    """By name, in its order."""
    profile_version: str


class ScoreHistory:
    """Reads the scored windows of one ledger."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._unpacker = Unpacker()
        self._layout = lru_cache(maxsize=64)(self._read_layout)

    def at(self, county: str, signal: str, size: Size, at: Instant) -> SeriesScore | None:
        """The window of a series that holds an instant; None where it is not there (yet, or any more)."""
        row = self._db.execute(
            "SELECT window_start, window_end, layout, content FROM scored "
            "WHERE size = :size AND window_end > :at ORDER BY window_end LIMIT 1",
            {"size": size.value, "at": at},
        ).fetchone()
        if row is None or row[0] > at:
            return None
        return self._series(county, signal, size, row)

    def series(
        self, county: str, signal: str, size: Size, since: Instant | None = None, until: Instant | None = None
    ) -> Iterator[SeriesScore]:
        """The windows of a series that end in (since, until], oldest first."""
        rows = self._db.execute(
            "SELECT window_start, window_end, layout, content FROM scored WHERE size = :size "
            "AND (:since IS NULL OR window_end > :since) AND (:until IS NULL OR window_end <= :until) "
            "ORDER BY window_end",
            {"size": size.value, "since": since, "until": until},
        )
        for row in rows:
            found = self._series(county, signal, size, row)
            if found is not None:
                yield found

    def window(self, size: Size, end: Instant) -> ScoredWindow | None:
        """A whole scored window as it was appended, without the details that only evidence has."""
        row = self._db.execute(
            "SELECT window_start, window_end, layout, content FROM scored WHERE size = :size AND window_end = :end",
            {"size": size.value, "end": end},
        ).fetchone()
        if row is None:
            return None
        layout = self._layout(row[2])
        shape = (len(layout.signals), len(layout.series))
        packed = self._unpacked(row[3], layout)
        return ScoredWindow(size, row[0], row[1], packed.counts.reshape(shape), packed.scores(shape), {})

    def latest(self, size: Size) -> Instant | None:
        """End of the last window of a size."""
        row = self._db.execute("SELECT max(window_end) FROM scored WHERE size = :size", {"size": size.value})
        found: Instant | None = row.fetchone()[0]
        return found

    def _read_layout(self, number: int) -> LayoutDocument:
        row = self._db.execute("SELECT document FROM layout WHERE id = :id", {"id": number}).fetchone()
        return msgspec.json.decode(row[0], type=LayoutDocument)

    def _series(
        self, county: str, signal: str, size: Size, row: tuple[Instant, Instant, int, bytes]
    ) -> SeriesScore | None:
        layout = self._layout(row[2])
        if signal not in layout.signals or county not in layout.series:
            return None
        place = layout.signals.index(signal) * len(layout.series) + layout.series.index(county)
        packed = self._unpacked(row[3], layout, place)
        return SeriesScore(
            signal=signal,
            county=county,
            size=size,
            start=row[0],
            end=row[1],
            count=int(packed.counts[0]),
            detectors={name: _score(packed, d) for d, name in enumerate(packed.detectors)},
            profile_version=layout.profile_version,
        )

    def _unpacked(self, content: bytes, layout: LayoutDocument, place: int | None = None) -> PackedScores:
        try:
            return self._unpacker.unpack(content, layout.detectors, place)
        except ValueError as error:
            raise LedgerError(f"a scored window cannot be read ({error}); it is damaged, restore a backup") from error


def _score(packed: PackedScores, detector: int) -> DetectorScore:
    numbers = {field: float(values[detector, 0]) for field, values in packed.floats.items()}
    return DetectorScore(
        ScoreReason(int(packed.reasons[detector, 0])),
        **{field: None if number != number else number for field, number in numbers.items()},  # noqa: PLR0124 # NaN
    )
