"""The ledger's file as a runtime writes it: checkpoints with their outputs, both or neither (law 3)."""

import errno
import sqlite3
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.core.outputs import Accounting
from streams.core.snapshot import state_sha256
from streams.ledger import alerts, history, rejects, retention
from streams.ledger.connection import FILE, open_writing, transaction, translated
from streams.ledger.errors import DiskFullError, LedgerError
from streams.ledger.lock import WriterLock
from streams.ledger.packing import Packer
from streams.ports import Checkpoint, Outputs, Resumption, SeriesLayout

__all__ = ["LedgerStore", "state_sha256"]

_TOTALS = tuple(total.name for total in fields(Accounting))


class LedgerStore:
    """The one writer of a data directory. Keeps `streams.ports.Store`.

    >>> with LedgerStore(data_dir, SeriesLayout.of(city)) as store:  # doctest: +SKIP
    ...     resumption = store.load_checkpoint()
    ...     store.commit(checkpoint, outputs)
    """

    def __init__(self, directory: Path, layout: SeriesLayout, periods: retention.Periods | None = None) -> None:
        """Make the directory and the file, or bring an older one up.

        `periods`: how long histories are kept, a profile's `retention`; None: for good. Raises LedgerBusyError
        where another process writes it, LedgerTooNewError where a newer jiantu wrote it, LedgerError where it
        is something else.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFullError(f"{directory}: no space left; free some and run the same command again") from error
            raise LedgerError(f"{directory}: cannot be made ({error.strerror}); give another --data-dir") from error
        self.path = directory / FILE
        self._layout = layout
        self._periods = periods
        self._packer = Packer()
        self._lock = WriterLock(directory)
        try:
            self._db = open_writing(directory)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give file and lock back. What was not committed is not there."""
        self._db.close()
        self._lock.release()

    def load_checkpoint(self) -> Resumption | None:
        """The last one that was committed, with all state chunks; None in a fresh ledger."""
        with translated(self.path):
            found = self._position()
            if found is None:
                return None
            chunks = dict(self._db.execute("SELECT name, content FROM state_chunk ORDER BY name"))
        return Resumption(
            source=found["source"],
            profile_version=found["profile_version"],
            record=found["record"],
            place=found["place"],
            watermark=found["watermark"],
            accounting=Accounting(**{total: found[total] for total in _TOTALS}),
            chunks=chunks,
        )

    def commit(self, checkpoint: Checkpoint, outputs: Outputs) -> None:
        """Make a checkpoint and the outputs since the last one durable, whole, in one transaction.

        Raises DiskFullError where there is no room, and LedgerError where the checkpoint cannot follow the last
        one; then nothing of it is written, and the same call may be made again.
        """
        db = self._db
        with transaction(db, self.path):
            again = self._check(checkpoint, outputs)
            alerts.append_transitions(db, outputs.transitions)
            history.append_scored(db, outputs.scored, self._layout, history.LayoutTable(db), self._packer)
            history.append_metrics(db, outputs.closed)
            rejects.append_corrections(db, outputs.corrections)
            rejects.append_rejections(db, outputs.rejections)
            if not again:
                rejects.add_rejection_totals(db, outputs.rejections)
            if self._periods is not None and checkpoint.watermark is not None:
                retention.apply(db, self._periods, checkpoint.watermark)
            db.executemany("DELETE FROM state_chunk WHERE name = :name", [{"name": n} for n in checkpoint.removed])
            db.executemany(
                "INSERT INTO state_chunk (name, content) VALUES (:name, :content) "
                "ON CONFLICT (name) DO UPDATE SET content = excluded.content",
                [{"name": name, "content": content} for name, content in checkpoint.changed.items()],
            )
            self._put_position(checkpoint)

    def _position(self) -> sqlite3.Row | None:
        cursor = self._db.cursor()
        cursor.row_factory = sqlite3.Row
        row: sqlite3.Row | None = cursor.execute("SELECT * FROM checkpoint").fetchone()
        return row

    def _check(self, checkpoint: Checkpoint, outputs: Outputs) -> bool:
        """Whether this is the last checkpoint once more. Refuses what cannot follow it: a mistake in a runtime
        must not become a wrong ledger."""
        now = checkpoint.accounting
        if not now.balanced():
            raise LedgerError(f"{self.path}: the accounting does not balance: {asdict(now)}; nothing was written")
        last = self._position()
        before = Accounting() if last is None else Accounting(**{total: last[total] for total in _TOTALS})
        if last is not None:
            if last["source"] != checkpoint.source:
                raise LedgerError(f"{self.path}: holds the run of another source; give another --data-dir for this one")
            backwards = any(getattr(now, total) < getattr(before, total) for total in _TOTALS)
            if backwards or checkpoint.record < last["record"]:
                raise LedgerError(
                    f"{self.path}: is at record {last['record']} and cannot go back to {checkpoint.record}"
                )
            if checkpoint.record == last["record"] and now == before:
                return True
        for name, given, counted in (
            ("rejections", len(outputs.rejections), now.rejected - before.rejected),
            ("corrections", len(outputs.corrections), now.late - before.late),
        ):
            if given != counted:
                raise LedgerError(f"{self.path}: {given} {name} for {counted} counted; nothing was written")
        return False

    def _put_position(self, checkpoint: Checkpoint) -> None:
        self._db.execute(
            "INSERT INTO checkpoint (only, source, profile_version, record, place, watermark, "
            "received, counted, duplicate, late, rejected, windows_closed) "
            "VALUES (1, :source, :profile_version, :record, :place, :watermark, "
            ":received, :counted, :duplicate, :late, :rejected, :windows_closed) "
            "ON CONFLICT (only) DO UPDATE SET source = excluded.source, profile_version = excluded.profile_version, "
            "record = excluded.record, place = excluded.place, watermark = excluded.watermark, "
            "received = excluded.received, counted = excluded.counted, duplicate = excluded.duplicate, "
            "late = excluded.late, rejected = excluded.rejected, windows_closed = excluded.windows_closed",
            {
                "source": checkpoint.source,
                "profile_version": checkpoint.profile_version,
                "record": checkpoint.record,
                "place": checkpoint.place,
                "watermark": checkpoint.watermark,
                **asdict(checkpoint.accounting),
            },
        )
