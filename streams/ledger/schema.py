"""The tables of the ledger, and how an older file is brought up to them.

Instants are integers (microseconds, UTC), documents canonical JSON, so that the tables read the same in
any SQL database. Histories (transition, audit, scored, metrics, correction, rejection) are append-only.
"""

import sqlite3
from collections.abc import Callable, Sequence

from streams.ledger.errors import LedgerTooNewError

APPLICATION_ID = 0x4A54_4C31
"""Written into the file's header: tells a ledger from any other SQLite file."""

_V1 = (
    # ---- the checkpoint: position, totals, state ----
    """
    CREATE TABLE checkpoint (
        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        source TEXT NOT NULL,
        profile_version TEXT NOT NULL,
        record INTEGER NOT NULL,
        place BLOB NOT NULL,
        watermark INTEGER,
        received INTEGER NOT NULL,
        counted INTEGER NOT NULL,
        duplicate INTEGER NOT NULL,
        late INTEGER NOT NULL,
        rejected INTEGER NOT NULL,
        windows_closed INTEGER NOT NULL,
        CHECK (received = counted + duplicate + late + rejected)
    ) STRICT
    """,
    "CREATE TABLE state_chunk (name TEXT NOT NULL PRIMARY KEY, content BLOB NOT NULL) STRICT",
    # ---- what the judge did ----
    """
    CREATE TABLE alert (
        id TEXT NOT NULL PRIMARY KEY,
        county TEXT NOT NULL,
        family TEXT NOT NULL,
        signal TEXT NOT NULL,
        size TEXT NOT NULL,
        severity TEXT NOT NULL,
        raised_at INTEGER NOT NULL,
        ended_at INTEGER,
        step TEXT
    ) STRICT
    """,
    "CREATE INDEX alert_by_time ON alert (raised_at, id)",
    """
    CREATE TABLE transition (
        id TEXT NOT NULL PRIMARY KEY,
        alert TEXT NOT NULL REFERENCES alert (id),
        at INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        document TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX transition_in_order ON transition (at, alert, kind, id)",
    "CREATE INDEX transition_of_alert ON transition (alert)",
    # ---- what people did: a chain of hashes ----
    """
    CREATE TABLE audit (
        number INTEGER NOT NULL PRIMARY KEY,
        alert TEXT NOT NULL REFERENCES alert (id),
        at INTEGER NOT NULL,
        document TEXT NOT NULL,
        previous TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    "CREATE INDEX audit_of_alert ON audit (alert, number)",
    # ---- what was scored and measured ----
    """
    CREATE TABLE layout (
        id INTEGER NOT NULL PRIMARY KEY,
        document TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE scored (
        size TEXT NOT NULL,
        window_end INTEGER NOT NULL,
        window_start INTEGER NOT NULL,
        layout INTEGER NOT NULL REFERENCES layout (id),
        content BLOB NOT NULL,
        PRIMARY KEY (size, window_end)
    ) STRICT
    """,
    """
    CREATE TABLE metrics (
        county TEXT NOT NULL,
        size TEXT NOT NULL,
        window_end INTEGER NOT NULL,
        window_start INTEGER NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (county, size, window_end)
    ) STRICT
    """,
    "CREATE INDEX metrics_by_time ON metrics (window_end)",
    """
    CREATE TABLE correction (
        county TEXT NOT NULL,
        event TEXT NOT NULL,
        at INTEGER NOT NULL,
        window_start INTEGER NOT NULL,
        window_end INTEGER NOT NULL,
        signals TEXT NOT NULL,
        PRIMARY KEY (county, event)
    ) STRICT
    """,
    "CREATE INDEX correction_by_time ON correction (window_end)",
    """
    CREATE TABLE rejection (
        position INTEGER NOT NULL PRIMARY KEY,
        at INTEGER NOT NULL,
        reason TEXT NOT NULL,
        digest TEXT NOT NULL,
        place TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX rejection_by_time ON rejection (at)",
    "CREATE TABLE rejection_total (reason TEXT NOT NULL PRIMARY KEY, total INTEGER NOT NULL) STRICT",
    # ---- what retention has let go ----
    """
    CREATE TABLE retained (
        history TEXT NOT NULL PRIMARY KEY,
        since INTEGER NOT NULL,
        removed INTEGER NOT NULL
    ) STRICT
    """,
    # ---- the database itself refuses to rewrite what was done ----
    *(
        f"CREATE TRIGGER {table}_keeps_{verb} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in ("transition", "audit")
        for verb in ("UPDATE", "DELETE")
    ),
)

Migration = Callable[[sqlite3.Connection], None]


def _create(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _V1:
        db.execute(statement)


MIGRATIONS: Sequence[Migration] = (_create,)
"""Step i takes a file from version i to i + 1; a new version appends one and changes none."""


def version(db: sqlite3.Connection) -> int:
    """Schema version of a file; 0: empty."""
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    return found


def refuse_newer(found: int, where: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Raise LedgerTooNewError where a file's version is one that this code does not know."""
    if found > len(migrations):
        raise LedgerTooNewError(
            f"{where}: written by a newer jiantu (schema {found}, this one knows up to {len(migrations)}); "
            "nothing was changed; install that version, or give another --data-dir"
        )


def migrate(db: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring a file up step by step, each step whole or not at all; the version it has then."""
    for number in range(version(db), len(migrations)):
        db.execute("BEGIN IMMEDIATE")
        try:
            migrations[number](db)
            db.execute(f"PRAGMA user_version = {number + 1}")
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
    return version(db)
