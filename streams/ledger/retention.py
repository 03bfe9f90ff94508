"""What the ledger lets go, and when: by event time, with the checkpoint that passes the day, never by a clock.

What is kept depends only on how far event time has come, not on when checkpoints were made. Alerts,
transitions, people's steps, totals and metrics stay for good; state forgets by rules of its own.
"""

import sqlite3
from typing import Protocol

from streams.core.city import Size
from streams.core.instant import DAY, Duration, Instant


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


_DELETE = {
    "scores": "DELETE FROM scored WHERE size = :size AND window_end < :since",
    "corrections": "DELETE FROM correction WHERE window_end < :since",
    "rejections": "DELETE FROM rejection WHERE at < :since",
}


def apply(db: sqlite3.Connection, periods: Periods, watermark: Instant) -> None:
    """Let go of what is older than the profile keeps at the start of the watermark's day (UTC).

    In the caller's transaction, after it has appended: what comes in too old is let go as well.
    """
    today = watermark // DAY * DAY
    for history, delete in _DELETE.items():
        since = today - getattr(periods, history)
        places = [{"size": size.value, "since": since} for size in Size] if ":size" in delete else [{"since": since}]
        db.execute(
            "INSERT INTO retained (history, since, removed) VALUES (:history, :since, :removed) "
            "ON CONFLICT (history) DO UPDATE SET since = excluded.since, removed = retained.removed + excluded.removed "
            "WHERE excluded.since > retained.since OR excluded.removed > 0",
            {"history": history, "since": since, "removed": db.executemany(delete, places).rowcount},
        )


def retained(db: sqlite3.Connection) -> dict[str, tuple[Instant, int]]:
    """History -> (kept since, rows let go so far)."""
    rows = db.execute("SELECT history, since, removed FROM retained ORDER BY history")
    return {history: (since, removed) for history, since, removed in rows}
