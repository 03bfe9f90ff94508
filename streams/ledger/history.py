"""What was scored and measured: appended with each checkpoint, ignored where it is there already."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection

from streams.core.outputs import ClosedWindow, ScoredWindow
from streams.ledger import rows, tables
from streams.ledger.layouts import LayoutTable
from streams.ledger.packing import Packer, detectors_of
from streams.ports import SeriesLayout


def append_scored(
    db: Connection,
    windows: Iterable[ScoredWindow],
    layout: SeriesLayout,
    layouts: LayoutTable,
    packer: Packer,
) -> None:
    """One row for every window end and size."""
    shape = (len(layout.signals), len(layout.series))
    made = []
    for window in windows:
        if window.counts.shape != shape:
            raise ValueError(f"a scored window of shape {window.counts.shape} in a layout of {shape}")
        made.append(
            {
                "size": window.size.value,
                "window_end": window.end,
                "window_start": window.start,
                "layout": layouts.number(layout, detectors_of(window)),
                "content": packer.pack(window),
            }
        )
    rows.append(db, tables.scored, made)


def append_metrics(db: Connection, windows: Iterable[ClosedWindow]) -> None:
    """One row for every county and window that carries metrics."""
    encode = msgspec.json.Encoder(order="deterministic").encode
    rows.append(
        db,
        tables.metrics,
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
