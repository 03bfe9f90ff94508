"""What was scored, measured, corrected and rejected: appended with each checkpoint, ignored where it is there."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from streams.core.instant import Instant
from streams.core.outputs import ClosedWindow, Correction, ScoredWindow
from streams.core.record import Rejection
from streams.ledger.packing import Packer, detectors_of
from streams.ports import SeriesLayout


class LayoutDocument(msgspec.Struct, frozen=True):
    """What the vectors of packed scores are about; stored once for every profile version and set of detectors."""

    profile_version: str
    signals: tuple[str, ...]
    series: tuple[str, ...]
    detectors: tuple[str, ...]


class LayoutTable:
    """Numbers of layouts. What is rolled back must be forgotten: make a new one after a failed transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[LayoutDocument, int] = {}

    def number(self, layout: SeriesLayout, detectors: tuple[str, ...]) -> int:
        """The number of a layout; a new one gets the next."""
        document = LayoutDocument(layout.profile_version, layout.signals, layout.series, detectors)
        if document not in self._known:
            text = {"document": msgspec.json.encode(document).decode()}
            self._db.execute(
                "INSERT INTO layout (id, document) SELECT coalesce(max(id), 0) + 1, :document FROM layout "
                "WHERE true ON CONFLICT (document) DO NOTHING",
                text,
            )
            row = self._db.execute("SELECT id FROM layout WHERE document = :document", text).fetchone()
            self._known[document] = row[0]
        return self._known[document]


def append_scored(
    db: sqlite3.Connection,
    windows: Iterable[ScoredWindow],
    layout: SeriesLayout,
    layouts: LayoutTable,
    packer: Packer,
) -> None:
    """One row for every window end and size."""
    shape = (len(layout.signals), len(layout.series))
    rows = []
    for window in windows:
        if window.counts.shape != shape:
            raise ValueError(f"a scored window of shape {window.counts.shape} in a layout of {shape}")
        rows.append(
            {
                "size": window.size.value,
                "window_end": window.end,
                "window_start": window.start,
                "layout": layouts.number(layout, detectors_of(window)),
                "content": packer.pack(window),
            }
        )
    db.executemany(
        "INSERT INTO scored (size, window_end, window_start, layout, content) "
        "VALUES (:size, :window_end, :window_start, :layout, :content) ON CONFLICT (size, window_end) DO NOTHING",
        rows,
    )


def append_metrics(db: sqlite3.Connection, windows: Iterable[ClosedWindow]) -> None:
    """One row for every county and window that carries metrics."""
    encode = msgspec.json.Encoder(order="deterministic").encode
    db.executemany(
        "INSERT INTO metrics (county, size, window_end, window_start, document) "
        "VALUES (:county, :size, :window_end, :window_start, :document) "
        "ON CONFLICT (county, size, window_end) DO NOTHING",
        [
            {
                "county": window.county,
                "size": window.size.value,
                "window_end": window.end,
                "window_start": window.start,
                "document": encode(window.metrics).decode(),
            }
            for window in windows
            if window.metrics is not None
        ],
    )


def append_corrections(db: sqlite3.Connection, corrections: Iterable[Correction]) -> None:
    """One row for every late event."""
    db.executemany(
        "INSERT INTO correction (county, event, at, window_start, window_end, signals) "
        "VALUES (:county, :event, :at, :window_start, :window_end, :signals) "
        "ON CONFLICT (county, event) DO NOTHING",
        [
            {
                "county": late.county,
                "event": late.event,
                "at": late.at,
                "window_start": late.window_start,
                "window_end": late.window_end,
                "signals": msgspec.json.encode(late.signals).decode(),
            }
            for late in corrections
        ],
    )


def append_rejections(db: sqlite3.Connection, rejections: Sequence[tuple[Instant, Rejection]]) -> None:
    """One row for every record that could not become an event, and the totals by reason."""
    before = db.total_changes
    totals: dict[str, int] = {}
    for at, rejection in rejections:
        added = db.execute(
            "INSERT INTO rejection (position, at, reason, digest, place) "
            "VALUES (:position, :at, :reason, :digest, :place) ON CONFLICT (position) DO NOTHING",
            {
                "position": rejection.position,
                "at": at,
                "reason": rejection.reason.value,
                "digest": rejection.digest,
                "place": rejection.place,
            },
        ).rowcount
        totals[rejection.reason.value] = totals.get(rejection.reason.value, 0) + added
    if db.total_changes == before:
        return
    db.executemany(
        "INSERT INTO rejection_total (reason, total) VALUES (:reason, :total) "
        "ON CONFLICT (reason) DO UPDATE SET total = rejection_total.total + excluded.total",
        [{"reason": reason, "total": totals[reason]} for reason in sorted(totals)],
    )
