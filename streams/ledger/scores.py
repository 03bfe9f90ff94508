"""Scored windows read back: what every series counted, what was expected, and why it was or was not judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, Row, Select, func, select

from detectors.observation import ScoreReason
from streams.core.city import Size
from streams.core.instant import Instant
from streams.core.outputs import ScoredWindow
from streams.ledger import tables
from streams.ledger.errors import LedgerError
from streams.ledger.layouts import LayoutDocument

if TYPE_CHECKING:
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


_scored = tables.scored
ScoredRow = Row[Instant, Instant, int, bytes]


def _of_size(size: Size) -> Select[Instant, Instant, int, bytes]:
    columns = (_scored.c.window_start, _scored.c.window_end, _scored.c.layout, _scored.c.content)
    return select(*columns).where(_scored.c.size == size.value)


class ScoreHistory:
    """Reads the scored windows of one ledger. Remembers layouts, which never change."""

    def __init__(self) -> None:
        self._unpacker: Unpacker | None = None
        """Compiled: who asks for no score does not wait for the compiler."""
        self._layouts: dict[int, LayoutDocument] = {}

    def at(self, db: Connection, county: str, signal: str, size: Size, at: Instant) -> SeriesScore | None:
        """The window of a series that holds an instant; None where it is not there (yet, or any more)."""
        next_end = _of_size(size).where(_scored.c.window_end > at).order_by(_scored.c.window_end).limit(1)
        row = db.execute(next_end).first()
        if row is None or row[0] > at:
            return None
        return self._series(db, county, signal, size, row)

    def series(
        self,
        db: Connection,
        county: str,
        signal: str,
        size: Size,
        since: Instant | None = None,
        until: Instant | None = None,
    ) -> list[SeriesScore]:
        """The windows of a series that end in (since, until], oldest first."""
        wanted = _of_size(size).order_by(_scored.c.window_end)
        if since is not None:
            wanted = wanted.where(_scored.c.window_end > since)
        if until is not None:
            wanted = wanted.where(_scored.c.window_end <= until)
        found = [self._series(db, county, signal, size, row) for row in db.execute(wanted)]
        return [score for score in found if score is not None]

    def window(self, db: Connection, size: Size, end: Instant) -> ScoredWindow | None:
        """A whole scored window as it was appended, without the details that only evidence has."""
        row = db.execute(_of_size(size).where(_scored.c.window_end == end)).first()
        if row is None:
            return None
        layout = self._layout(db, row[2])
        shape = (len(layout.signals), len(layout.series))
        packed = self._unpacked(row[3], layout)
        return ScoredWindow(size, row[0], row[1], packed.counts.reshape(shape), packed.scores(shape), {})

    def laid_out(
        self, db: Connection, size: Size, end: Instant, signals: tuple[str, ...], series: tuple[str, ...]
    ) -> ScoredWindow | None:
        """The same, where its vectors are about just these signals and series; None where they are not."""
        number = db.execute(select(_scored.c.layout).where(_scored.c.size == size.value, _scored.c.window_end == end))
        if (found := number.scalar()) is None:
            return None
        layout = self._layout(db, found)
        return self.window(db, size, end) if (layout.signals, layout.series) == (signals, series) else None

    def ends(self, db: Connection, size: Size) -> list[Instant]:
        """Ends of all windows of a size, oldest first."""
        wanted = select(_scored.c.window_end).where(_scored.c.size == size.value).order_by(_scored.c.window_end)
        return [row[0] for row in db.execute(wanted)]

    def latest(self, db: Connection, size: Size) -> Instant | None:
        """End of the last window of a size."""
        last = select(func.max(_scored.c.window_end)).where(_scored.c.size == size.value)
        found: Instant | None = db.execute(last).scalar()
        return found

    def _layout(self, db: Connection, number: int) -> LayoutDocument:
        if number not in self._layouts:
            document = select(tables.layout.c.document).where(tables.layout.c.id == number)
            self._layouts[number] = msgspec.json.decode(db.execute(document).scalar_one(), type=LayoutDocument)
        return self._layouts[number]

    def _series(self, db: Connection, county: str, signal: str, size: Size, row: ScoredRow) -> SeriesScore | None:
        layout = self._layout(db, row[2])
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

    def _unpacked(self, content: bytes, layout: LayoutDocument, place: int | None = None) -> "PackedScores":
        if self._unpacker is None:
            from streams.ledger.packing import Unpacker

            self._unpacker = Unpacker()
        try:
            return self._unpacker.unpack(content, layout.detectors, place)
        except ValueError as error:
            raise LedgerError(f"a scored window cannot be read ({error}); it is damaged, restore a backup") from error


def _score(packed: "PackedScores", detector: int) -> DetectorScore:
    numbers = {field: float(values[detector, 0]) for field, values in packed.floats.items()}
    return DetectorScore(
        ScoreReason(int(packed.reasons[detector, 0])),
        **{field: None if number != number else number for field, number in numbers.items()},  # noqa: PLR0124 # NaN
    )
