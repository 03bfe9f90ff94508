"""What did not count: events that came too late (corrections) and records that are no events (rejections)."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, func, or_, select

from streams.core.instant import Instant
from streams.core.outputs import Correction
from streams.core.record import Reason, Rejection
from streams.ledger import rows, tables

_correction, _rejection, _total = tables.correction, tables.rejection, tables.rejection_total


def append_corrections(db: Connection, corrections: Iterable[Correction]) -> None:
    """One row for every late event."""
    rows.append(
        db,
        _correction,
        [
            {
                "county": late.county,
                "event": late.event,
                "at": late.at,
                "window_start": late.window_start,
                "window_end": late.window_end,
                "signals": msgspec.json.encode(late.signals).decode(),
            }
            for late in corrections
        ],
    )


def append_rejections(db: Connection, rejections: Iterable[tuple[Instant, Rejection]], partition: int = 0) -> None:
    """One row for every record of a partition that could not become an event; a source without any has only 0."""
    rows.append(
        db,
        _rejection,
        [
            {
                "partition": partition,
                "position": rejection.position,
                "at": at,
                "reason": rejection.reason.value,
                "digest": rejection.digest,
                "place": rejection.place,
            }
            for at, rejection in rejections
        ],
    )


def add_rejection_totals(db: Connection, rejections: Iterable[tuple[Instant, Rejection]]) -> None:
    """Add rejections that were never counted before to the totals by reason, which outlive retention."""
    totals: dict[str, int] = {}
    for _, rejection in rejections:
        totals[rejection.reason.value] = totals.get(rejection.reason.value, 0) + 1
    made = rows.insert(_total, db.dialect.name)
    adding = made.on_conflict_do_update(
        index_elements=[_total.c.reason], set_={"total": _total.c.total + made.excluded.total}
    )
    if totals:
        db.execute(adding, [{"reason": reason, "total": totals[reason]} for reason in sorted(totals)])


def corrections(
    db: Connection, county: str | None, signal: str | None, at: Instant | None
) -> dict[tuple[str, str], int]:
    """(county, signal) -> late events that are kept; of one county, one signal, the hour that holds an instant."""
    wanted = select(_correction.c.county, _correction.c.signals)
    if county is not None:
        wanted = wanted.where(_correction.c.county == county)
    if at is not None:
        wanted = wanted.where(_correction.c.window_start <= at, _correction.c.window_end > at)
    found: dict[tuple[str, str], int] = {}
    for its_county, signals in db.execute(wanted):
        for name in msgspec.json.decode(signals, type=tuple[str, ...]):
            if signal in {None, name}:
                found[its_county, name] = found.get((its_county, name), 0) + 1
    return dict(sorted(found.items()))


def rejection_totals(db: Connection) -> dict[Reason, int]:
    """Reason -> records rejected since the beginning, in the order of the enum."""
    totals: dict[str, int] = dict(db.execute(select(_total.c.reason, _total.c.total)).all())
    return {reason: totals[reason.value] for reason in Reason if reason.value in totals}


def totals_held_against_accounting(db: Connection) -> tuple[int, int] | None:
    """(rejections summed by reason, rejections in the accounting), of one moment; None before the first checkpoint.

    In a ledger that is filled from topics, those that the accounts of their partitions have not come to are left out.
    """
    accounted = db.execute(select(tables.checkpoint.c.rejected)).scalar()
    summed = db.execute(select(func.coalesce(func.sum(_total.c.total), 0))).scalar_one()
    return None if accounted is None else (int(summed) - _ahead_of_accounts(db), accounted)


def _ahead_of_accounts(db: Connection) -> int:
    if db.execute(select(tables.topic.c.name).limit(1)).first() is None:
        return 0
    account = tables.account
    with_account = _rejection.outerjoin(account, account.c.partition == _rejection.c.partition)
    beyond = or_(account.c.position.is_(None), _rejection.c.position >= account.c.position)
    return db.execute(select(func.count()).select_from(with_account).where(beyond)).scalar_one()


def rejections(db: Connection, last: int) -> list[tuple[Instant, Rejection]]:
    """The last rejections that are kept, newest first."""
    columns = (_rejection.c.at, _rejection.c.reason, _rejection.c.position, _rejection.c.digest, _rejection.c.place)
    order = (_rejection.c.at.desc(), _rejection.c.position.desc(), _rejection.c.partition)
    found = db.execute(select(*columns).order_by(*order).limit(last))
    return [(at, Rejection(Reason(reason), position, digest, place)) for at, reason, position, digest, place in found]
