"""What was scored and measured: appended with each checkpoint, ignored where it is there already."""

import sqlite3
from collections.abc import Iterable

import msgspec

from streams.core.outputs import ClosedWindow, ScoredWindow
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
