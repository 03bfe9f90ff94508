"""What the vectors of packed scores are about: written once, known by a number."""

import msgspec
from sqlalchemy import Connection, func, select

from streams.ledger import rows, tables
from streams.ports import SeriesLayout


class LayoutDocument(msgspec.Struct, frozen=True):
    """What the vectors of packed scores are about; stored once for every profile version and set of detectors."""

    profile_version: str
    signals: tuple[str, ...]
    series: tuple[str, ...]
    detectors: tuple[str, ...]


class LayoutTable:
    """Numbers of layouts. What is rolled back must be forgotten: make a new one after a failed transaction."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._known: dict[LayoutDocument, int] = {}

    def number(self, layout: SeriesLayout, detectors: tuple[str, ...]) -> int:
        """The number of a layout; a new one gets the next."""
        document = LayoutDocument(layout.profile_version, layout.signals, layout.series, detectors)
        if document not in self._known:
            text = msgspec.json.encode(document).decode()
            there = select(tables.layout.c.id).where(tables.layout.c.document == text)
            number = self._db.execute(there).scalar()
            if number is None:  # there is one writer: nobody else takes the number
                number = self._db.execute(select(func.coalesce(func.max(tables.layout.c.id), 0) + 1)).scalar_one()
                rows.append(self._db, tables.layout, [{"id": number, "document": text}])
            self._known[document] = number
        return self._known[document]
