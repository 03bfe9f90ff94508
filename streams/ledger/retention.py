"""What the ledger lets go, and when: by event time, with the checkpoint that passes the day, never by a clock.

What is kept depends only on how far event time has come, not on when checkpoints were made. Alerts,
transitions, people's steps, totals and metrics stay for good; state forgets by rules of its own.
"""

from typing import Protocol

from sqlalchemy import BindParameter, Connection, bindparam, delete, or_, select

from streams.core.city import Size
from streams.core.instant import DAY, Duration, Instant
from streams.ledger import rows, tables


class Periods(Protocol):
    """How long each history is kept; a profile's `retention` is one."""

    @property
    def scores(self) -> Duration:
        """From the end of the window that was scored."""

    @property
    def corrections(self) -> Duration:
        """From the end of the window that an event came too late for."""

    @property
    def rejections(self) -> Duration:
        """From the event time that the stream had reached."""


_since: BindParameter[Instant] = bindparam("since")
_older = [delete(tables.scored).where(tables.scored.c.size == size.value) for size in Size]
_DELETE = {
    "scores": [one.where(tables.scored.c.window_end < _since) for one in _older],
    "corrections": [delete(tables.correction).where(tables.correction.c.window_end < _since)],
    "rejections": [delete(tables.rejection).where(tables.rejection.c.at < _since)],
}


def apply(db: Connection, periods: Periods, watermark: Instant) -> None:
    """Let go of what is older than the profile keeps at the start of the watermark's day (UTC).

    In the caller's transaction, after it has appended: what comes in too old is let go as well.
    """
    today = watermark // DAY * DAY
    made = rows.insert(tables.retained, db.dialect.name)
    before, now = tables.retained.c, made.excluded
    keeping = made.on_conflict_do_update(
        index_elements=[before.history],
        set_={"since": now.since, "removed": before.removed + now.removed},
        where=or_(now.since > before.since, now.removed > 0),
    )
    for history, deletes in _DELETE.items():
        since = today - getattr(periods, history)
        removed = sum(db.execute(one, {"since": since}).rowcount for one in deletes)
        db.execute(keeping, {"history": history, "since": since, "removed": removed})


def retained(db: Connection) -> dict[str, tuple[Instant, int]]:
    """History -> (kept since, rows let go so far)."""
    columns = tables.retained.c
    found = db.execute(select(columns.history, columns.since, columns.removed).order_by(columns.history))
    return {history: (since, removed) for history, since, removed in found}
