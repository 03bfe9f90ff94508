"""The one writer of a ledger: opened with its lock, given back with it, and how outputs are appended."""

import errno
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from streams.ledger import alerts, history, rejects, rows, tables
from streams.ledger.connection import Opened, named, open_writing
from streams.ledger.errors import DiskFullError, LedgerError
from streams.ledger.layouts import LayoutTable
from streams.ledger.lock import WriterLock
from streams.ledger.packing import Packer
from streams.ledger.place import Where
from streams.ledger.retention import Periods
from streams.ports import Checkpoint, Outputs, SeriesLayout


class LedgerWriter(Opened):
    """The one writer of a data directory, or of a database."""

    def __init__(self, where: Where, layout: SeriesLayout, periods: Periods | None = None) -> None:
        """Make the directory and the file, or the database's tables, or bring older ones up.

        `periods`: how long histories are kept, a profile's `retention`; None: for good. Raises LedgerBusyError
        where another process writes it, LedgerTooNewError where a newer jiantu wrote it, LedgerError where it
        is something else.
        """
        self.name = named(where)
        self._layout = layout
        self._periods = periods
        self._packer = Packer()
        self._lock = _lock_of(where) if isinstance(where, Path) else None
        try:
            super().__init__(open_writing(where))
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise

    def close(self) -> None:
        """Give ledger and lock back. What was not committed is not there."""
        super().close()
        if self._lock is not None:
            self._lock.release()

    def _append(self, db: Connection, outputs: Outputs) -> None:
        """Append outputs, rejections aside; what is there already is left as it is."""
        alerts.append_transitions(db, outputs.transitions)
        history.append_scored(db, outputs.scored, self._layout, LayoutTable(db), self._packer)
        history.append_metrics(db, outputs.closed)
        rejects.append_corrections(db, outputs.corrections)


def put_position(db: Connection, checkpoint: Checkpoint) -> None:
    """Write where the run is: position, watermark and totals, in the place of what was there."""
    position: dict[str, Any] = {
        "only": 1,
        "source": checkpoint.source,
        "profile_version": checkpoint.profile_version,
        "record": checkpoint.record,
        "place": checkpoint.place,
        "watermark": checkpoint.watermark,
        **asdict(checkpoint.accounting),
    }
    rows.put(db, tables.checkpoint, [position])


def _lock_of(directory: Path) -> WriterLock:
    """A data directory's lock; the directory is made where it is not there."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(f"{directory}: no space left; free some and run the same command again") from error
        raise LedgerError(f"{directory}: cannot be made ({error.strerror}); give another --data-dir") from error
    return WriterLock(directory)
