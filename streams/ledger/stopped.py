"""What has stopped for good, in the ledger until it goes on: so that whoever looks at the ledger says so."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete

from streams.ledger import rows, tables

_stopped = tables.stopped


def put_stops(db: Connection, stops: Mapping[tuple[str, int], str | None]) -> None:
    """Write down why a step has stopped at a partition; None: it goes on."""
    for step, partition in stops:
        db.execute(delete(_stopped).where(_stopped.c.step == step, _stopped.c.partition == partition))
    found = [{"step": step, "partition": n, "why": why} for (step, n), why in sorted(stops.items()) if why is not None]
    rows.put(db, _stopped, found)
