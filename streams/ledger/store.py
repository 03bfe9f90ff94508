"""The ledger as a runtime writes it: checkpoints with their outputs, both or neither (law 3)."""

from dataclasses import asdict, fields

from sqlalchemy import Connection, RowMapping, delete, select

from streams.core.outputs import Accounting
from streams.ledger import rejects, retention, rows, tables
from streams.ledger.errors import LedgerError
from streams.ledger.stopped import put_stops
from streams.ledger.writer import LedgerWriter, put_position
from streams.ports import Checkpoint, Outputs, Resumption

_TOTALS = tuple(total.name for total in fields(Accounting))
_chunk = tables.state_chunk


class LedgerStore(LedgerWriter):
    """Writes what a runtime hands over. Keeps `streams.ports.Store`.

    >>> with LedgerStore(data_dir, SeriesLayout.of(city)) as store:  # doctest: +SKIP
    ...     resumption = store.load_checkpoint()
    ...     store.commit(checkpoint, outputs)
    """

    def load_checkpoint(self) -> Resumption | None:
        """The last one that was committed, with all state chunks; None in a fresh ledger."""
        return self._database.run(_resumption)

    def commit(self, checkpoint: Checkpoint, outputs: Outputs) -> None:
        """Make a checkpoint and the outputs since the last one durable, whole, in one transaction.

        Raises DiskFullError where there is no room, and LedgerError where the checkpoint cannot follow the last
        one; then nothing of it is written, and the same call may be made again.
        """
        self._database.run(lambda db: self._write(db, checkpoint, outputs))

    def stop(self, step: str, why: str | None) -> None:
        """Write down why a step has stopped for good; None: it goes on."""
        self._database.run(lambda db: put_stops(db, {(step, 0): why}))

    def _write(self, db: Connection, checkpoint: Checkpoint, outputs: Outputs) -> None:
        again = self._check(db, checkpoint, outputs)
        self._append(db, outputs)
        rejects.append_rejections(db, outputs.rejections)
        if not again:
            rejects.add_rejection_totals(db, outputs.rejections)
        if self._periods is not None and checkpoint.watermark is not None:
            retention.apply(db, self._periods, checkpoint.watermark)
        if checkpoint.removed:
            db.execute(delete(_chunk).where(_chunk.c.name.in_(checkpoint.removed)))
        rows.put(db, _chunk, [{"name": name, "content": content} for name, content in checkpoint.changed.items()])
        put_position(db, checkpoint)

    def _check(self, db: Connection, checkpoint: Checkpoint, outputs: Outputs) -> bool:
        """Whether this is the last checkpoint once more. Refuses what cannot follow it: a mistake in a runtime
        must not become a wrong ledger."""
        now = checkpoint.accounting
        if not now.balanced():
            raise LedgerError(f"{self.name}: the accounting does not balance: {asdict(now)}; nothing was written")
        last = _position(db)
        before = Accounting() if last is None else Accounting(**{total: last[total] for total in _TOTALS})
        if last is not None:
            if last["source"] != checkpoint.source:
                raise LedgerError(f"{self.name}: holds the run of another source; give another --data-dir for this one")
            backwards = any(getattr(now, total) < getattr(before, total) for total in _TOTALS)
            if backwards or checkpoint.record < last["record"]:
                raise LedgerError(
                    f"{self.name}: is at record {last['record']} and cannot go back to {checkpoint.record}"
                )
            if checkpoint.record == last["record"] and now == before:
                return True
        for name, given, counted in (
            ("rejections", len(outputs.rejections), now.rejected - before.rejected),
            ("corrections", len(outputs.corrections), now.late - before.late),
        ):
            if given != counted:
                raise LedgerError(f"{self.name}: {given} {name} for {counted} counted; nothing was written")
        return False


def _position(db: Connection) -> RowMapping | None:
    return db.execute(select(tables.checkpoint)).mappings().first()


def _resumption(db: Connection) -> Resumption | None:
    found = _position(db)
    if found is None:
        return None
    chunks = db.execute(select(_chunk.c.name, _chunk.c.content).order_by(_chunk.c.name))
    return Resumption(
        source=found["source"],
        profile_version=found["profile_version"],
        record=found["record"],
        place=found["place"],
        watermark=found["watermark"],
        accounting=Accounting(**{total: found[total] for total in _TOTALS}),
        chunks=dict(chunks.all()),
    )
