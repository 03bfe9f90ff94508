"""The ledger in a PostgreSQL database: how it is reached, who may write it, and what PostgreSQL's errors mean."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from streams.core.instant import SECOND, Duration
from streams.ledger import schema
from streams.ledger.database import PATIENCE, Database
from streams.ledger.errors import DiskFullError, LedgerBusyError, LedgerError, LedgerLostError, NotALedgerError
from streams.ledger.place import LedgerUrl

_CONNECT_SECONDS = 10
_WRITER, _STEPS = 1, 2
"""What an advisory lock is for, added to the ledger's own number."""
_LOCK = "SELECT {}(%s, hashtext(coalesce(current_schema(), '')))"
"""One of each for every schema: where a database holds several ledgers, they do not hinder each other."""
_HOLDER = (
    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND classid::bigint = %s "
    "AND objid::bigint = hashtext(coalesce(current_schema(), ''))::bit(32)::bigint "
    "AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_LAST_BREATH = b"SET lock_timeout = '1s'"
"""The server takes a moment to notice that a client has ended, or was killed, and to let its lock go."""
_SETTINGS = (
    "SET tcp_keepalives_idle = 10",  # so that the server soon knows of a client's end, and lets its lock go
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)


class PostgresDatabase(Database):
    """A connection to a database. The writer's holds a lock of the server's, gone with the connection."""

    def __init__(self, url: LedgerUrl, *, writes: bool, alone: bool = False, patience: Duration = PATIENCE) -> None:
        """`alone`: the one writer, refused where there is another."""
        super().__init__(str(url), patience)
        self._url = url
        self._writes = writes
        self._alone = alone
        self._engine = self._made_engine()

    def _made_engine(self) -> Engine:
        options = {} if self._writes else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return create_engine(
            "postgresql+psycopg://",
            creator=self._opened,
            poolclass=NullPool,
            hide_parameters=True,
            execution_options=options,
        )

    def _opened(self) -> "psycopg.Connection[tuple[object, ...]]":
        db = psycopg.connect(
            self._url.reveal(),
            connect_timeout=min(_CONNECT_SECONDS, max(2, self.patience // SECOND)),
            application_name=f"jiantu {os.getpid()}@{socket.gethostname()}",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            autocommit=True,
        )
        try:
            for setting in _SETTINGS:
                db.execute(setting.encode())
            if self._alone:
                self._take_lock(db)
            db.execute(f"SET lock_timeout = '{self.patience // SECOND}s'".encode())
            db.autocommit = False
        except BaseException:
            db.close()
            raise
        return db

    def _take_lock(self, db: "psycopg.Connection[tuple[object, ...]]") -> None:
        number = schema.APPLICATION_ID + _WRITER
        try:
            db.execute(_LAST_BREATH)
            db.execute(_LOCK.format("pg_advisory_lock").encode(), [number])
        except psycopg.errors.LockNotAvailable:
            pass
        else:
            return
        row = db.execute(_HOLDER.encode(), [number]).fetchone()
        holder = "another process" if row is None else row[0]
        raise LedgerBusyError(
            f"{self.name}: {holder} is writing this ledger; wait until it ends, stop it, or give another --ledger"
        )

    @property
    def comes_back(self) -> bool:
        """A server that was restarted is the same as before."""
        return True

    def _connect(self) -> Connection:
        return self._engine.connect()

    def _said(self, error: DBAPIError) -> LedgerError | None:
        found = error.orig
        if not isinstance(found, psycopg.Error):
            return None
        state, words = found.sqlstate or "", str(found).strip().partition("\n")[0]
        if error.connection_invalidated or (isinstance(found, psycopg.OperationalError) and not state):
            return LedgerLostError(
                f"{self.name}: cannot be reached ({words}); is PostgreSQL running, and are address, user and password "
                "right? What was committed before stands; run the same command again"
            )
        return self._by_state(state, words)

    def _by_state(self, state: str, words: str) -> LedgerError | None:
        """https://www.postgresql.org/docs/current/errcodes-appendix.html"""
        match state:
            case "53100":
                return DiskFullError(
                    f"{self.name}: no space left on the server; nothing of this checkpoint was written and everything "
                    "before it stands; free some space and run the same command again"
                )
            case "55P03" | "40P01" | "40001" | "53300":
                return LedgerBusyError(
                    f"{self.name}: others kept it busy for {self.patience // SECOND} s ({words}); "
                    "try again when they end"
                )
            case "25006":
                return LedgerError(f"{self.name}: can only be read (a standby?); give the --ledger of the primary")
            case "42501" | "28000" | "28P01":
                return LedgerError(f"{self.name}: does not let this user do that ({words}); grant it, or use its owner")
            case "42P07" | "42723":
                return LedgerError(
                    f"{self.name}: holds tables of something else ({words}); give --ledger a database of its own"
                )
            case "3D000":
                return LedgerError(f"{self.name}: {words}; make it with CREATE DATABASE ... ENCODING 'UTF8'")
        return None

    def damage(self, _db: Connection) -> list[str]:
        """References are the server's business at every write; its pages are its administrators' (amcheck)."""
        return []

    def hold_steps(self, db: Connection) -> None:
        """Steps wait for each other, for as long as PATIENCE: the chain has one end."""
        db.exec_driver_sql(_LOCK.format("pg_advisory_xact_lock"), (schema.APPLICATION_ID + _STEPS,))


def reading(url: LedgerUrl, known: int = schema.VERSION, patience: Duration = PATIENCE) -> PostgresDatabase:
    """A connection that cannot write. Raises LedgerError where there is no ledger, or not one of this version."""
    return _there(url, known, writes=False, patience=patience)


def dealing(url: LedgerUrl, known: int = schema.VERSION) -> PostgresDatabase:
    """A connection for people's steps, beside a writer or alone; the ledger must be there and of this version."""
    return _there(url, known, writes=True)


def _there(url: LedgerUrl, known: int, *, writes: bool, patience: Duration = PATIENCE) -> PostgresDatabase:
    database = PostgresDatabase(url, writes=writes, patience=patience)
    try:
        with database.translated():
            database.connect()
        found = database.run(schema.version)
        schema.refuse_newer(found, database.name, known)
        if found == 0:
            raise NotALedgerError(f"{url}: holds no ledger; give the --ledger that `jiantu ledger` writes to")
        if found < known:
            raise LedgerError(
                f"{url}: written by an older jiantu (schema {found} of {known}); "
                "the next run that writes to it, such as `jiantu ledger`, brings it up"
            )
    except BaseException:
        database.close()
        raise
    return database


def writing(url: LedgerUrl, known: int = schema.VERSION, more: Sequence[Path] = ()) -> PostgresDatabase:
    """The one connection that writes; makes the tables or brings older ones up.

    `known`, `more`: a later version's number and its folders of steps.
    """
    database = PostgresDatabase(url, writes=True, alone=True)
    try:
        with database.translated():
            database.connect()
        found = database.run(schema.version)
        schema.refuse_newer(found, database.name, known)
        encoding = database.run(lambda db: db.exec_driver_sql("SHOW server_encoding").scalar_one())
        if encoding != "UTF8":
            raise LedgerError(f"{url}: is encoded in {encoding}; make it with CREATE DATABASE ... ENCODING 'UTF8'")
        if found < known:
            database.run(lambda db: schema.migrate(db, more))
    except BaseException:
        database.close()
        raise
    return database
