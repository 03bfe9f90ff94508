"""What the ledger lets go, and when: by event time, with the checkpoint that passes the day, never by a clock.

What is kept depends only on how far event time has come, not on when checkpoints were made. Alerts,
transitions, people's steps, totals and metrics stay for good; state forgets by rules of its own. Pages are what staff
were told by wall time, so they go by that, when somebody asks (`jiantu retention apply`).
"""

from typing import Protocol

from sqlalchemy import BindParameter, Connection, Select, bindparam, delete, exists, func, or_, select

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


PAGES = "pages"
"""History of what staff were told."""
_AT_ONCE = 500
"""Fewer than the parameters that a statement may have anywhere."""
_since: BindParameter[Instant] = bindparam("since")
_AGED_BY = {
    "scores": tables.scored.c.window_end,
    "corrections": tables.correction.c.window_end,
    "rejections": tables.rejection.c.at,
}
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
    for history, since in _bounds(periods, watermark).items():
        removed = sum(db.execute(one, {"since": since}).rowcount for one in _DELETE[history])
        _note(db, history, since, removed)


def due(db: Connection, periods: Periods, watermark: Instant) -> dict[str, int]:
    """History -> rows that `apply` would let go now."""
    return {
        history: db.execute(select(func.count()).where(_AGED_BY[history] < since)).scalar_one()
        for history, since in _bounds(periods, watermark).items()
    }


def pages_due(db: Connection, before: Instant) -> int:
    """How many pages `let_pages_go` would let go now."""
    return db.execute(select(func.count()).select_from(_old_pages(before).subquery())).scalar_one()


def let_pages_go(db: Connection, before: Instant) -> int:
    """Let go of pages made before an instant (wall time), with their receipts; how many.

    Kept is what still waits for a channel, and what keeps an alert that nobody has taken up from being told anew.
    """
    going = list(db.execute(_old_pages(before)).scalars())
    for start in range(0, len(going), _AT_ONCE):
        some = going[start : start + _AT_ONCE]
        for table in (tables.page_receipt, tables.page_delivery, tables.page_alert, tables.page_service):
            db.execute(delete(table).where(table.c.page.in_(some)))
        db.execute(delete(tables.page).where(tables.page.c.id.in_(some)))
    about = tables.page_service.c.about
    db.execute(delete(tables.page_taken_up).where(tables.page_taken_up.c.about.not_in(select(about))))
    _note(db, PAGES, before, len(going))
    return len(going)


def _old_pages(before: Instant) -> Select[tuple[str]]:
    page, of_alert, delivery = tables.page.c, tables.page_alert.c, tables.page_delivery.c
    waits = exists().where(delivery.page == page.id, delivery.state == "waiting")
    open_ = exists().where(of_alert.page == page.id, of_alert.alert == tables.alert.c.id, tables.alert.c.step.is_(None))
    return select(page.id).where(page.made_at < before, ~waits, ~open_).order_by(page.id)


def _bounds(periods: Periods, watermark: Instant) -> dict[str, Instant]:
    """History -> since when it is kept."""
    today = watermark // DAY * DAY
    return {history: today - getattr(periods, history) for history in _DELETE}


def _note(db: Connection, history: str, since: Instant, removed: int) -> None:
    """Add to what is known to be gone."""
    made = rows.insert(tables.retained, db.dialect.name)
    before, now = tables.retained.c, made.excluded
    keeping = made.on_conflict_do_update(
        index_elements=[before.history],
        set_={"since": now.since, "removed": before.removed + now.removed},
        where=or_(now.since > before.since, now.removed > 0),
    )
    db.execute(keeping, {"history": history, "since": since, "removed": removed})


def retained(db: Connection) -> dict[str, tuple[Instant, int]]:
    """History -> (kept since, rows let go so far)."""
    columns = tables.retained.c
    found = db.execute(select(columns.history, columns.since, columns.removed).order_by(columns.history))
    return {history: (since, removed) for history, since, removed in found}
