"""What did not count: events that came too late (corrections) and records that are no events (rejections)."""

import sqlite3
from collections.abc import Iterable

import msgspec

from streams.core.instant import Instant
from streams.core.outputs import Correction
from streams.core.record import Reason, Rejection


def append_corrections(db: sqlite3.Connection, corrections: Iterable[Correction]) -> None:
    """One row for every late event."""
    db.executemany(
        "INSERT INTO correction (county, event, at, window_start, window_end, signals) "
        "VALUES (:county, :event, :at, :window_start, :window_end, :signals) "
        "ON CONFLICT (county, event) DO NOTHING",
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


def append_rejections(db: sqlite3.Connection, rejections: Iterable[tuple[Instant, Rejection]]) -> None:
    """One row for every record that could not become an event."""
    db.executemany(
        "INSERT INTO rejection (position, at, reason, digest, place) "
        "VALUES (:position, :at, :reason, :digest, :place) ON CONFLICT (position) DO NOTHING",
        [
            {
                "position": rejection.position,
                "at": at,
                "reason": rejection.reason.value,
                "digest": rejection.digest,
                "place": rejection.place,
            }
            for at, rejection in rejections
        ],
    )


def add_rejection_totals(db: sqlite3.Connection, rejections: Iterable[tuple[Instant, Rejection]]) -> None:
    """Add rejections that were never counted before to the totals by reason, which outlive retention."""
    totals: dict[str, int] = {}
    for _, rejection in rejections:
        totals[rejection.reason.value] = totals.get(rejection.reason.value, 0) + 1
    db.executemany(
        "INSERT INTO rejection_total (reason, total) VALUES (:reason, :total) "
        "ON CONFLICT (reason) DO UPDATE SET total = rejection_total.total + excluded.total",
        [{"reason": reason, "total": totals[reason]} for reason in sorted(totals)],
    )


def corrections(
    db: sqlite3.Connection, county: str | None, signal: str | None, at: Instant | None
) -> dict[tuple[str, str], int]:
    """(county, signal) -> late events that are kept; of one county, one signal, the hour that holds an instant."""
    rows = db.execute(
        "SELECT county, signals FROM correction WHERE (:county IS NULL OR county = :county) "
        "AND (:at IS NULL OR (window_start <= :at AND :at < window_end))",
        {"county": county, "at": at},
    )
    found: dict[tuple[str, str], int] = {}
    for its_county, signals in rows:
        for name in msgspec.json.decode(signals, type=tuple[str, ...]):
            if signal in {None, name}:
                found[its_county, name] = found.get((its_county, name), 0) + 1
    return dict(sorted(found.items()))


def rejection_totals(db: sqlite3.Connection) -> dict[Reason, int]:
    """Reason -> records rejected since the beginning, in the order of the enum."""
    totals: dict[str, int] = dict(db.execute("SELECT reason, total FROM rejection_total"))
    return {reason: totals[reason.value] for reason in Reason if reason.value in totals}


def rejections(db: sqlite3.Connection, last: int) -> list[tuple[Instant, Rejection]]:
    """The last rejections that are kept, newest first."""
    rows = db.execute(
        "SELECT at, reason, position, digest, place FROM rejection ORDER BY position DESC LIMIT :last", {"last": last}
    )
    return [(at, Rejection(Reason(reason), position, digest, place)) for at, reason, position, digest, place in rows]
