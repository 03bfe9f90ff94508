"""The ledger as one SQLite file in a data directory: how it is opened, and what SQLite's errors mean."""

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from streams.core.instant import SECOND, Duration
from streams.ledger import schema
from streams.ledger.database import PATIENCE, Database
from streams.ledger.errors import DiskFullError, LedgerBusyError, LedgerError, NotALedgerError

FILE = "jiantu.db"
_MODE = 0o640
"""A ledger is not for everybody on the machine (law 6); the files beside it take over its mode."""
_LARGEST_LOG = 64 * 1024 * 1024
_LEAST_FREE = 1024 * 1024
_NOT_A_LEDGER = "is not a ledger of jiantu; give another --data-dir"


class SqliteDatabase(Database):
    """A connection to the file of a data directory."""

    def __init__(self, path: Path, *, writes: bool, patience: Duration = PATIENCE) -> None:
        super().__init__(str(path), patience)
        self.path = path
        self._writes = writes
        self._engine = self._made_engine()

    def _made_engine(self) -> Engine:
        engine = create_engine("sqlite://", creator=self._opened, poolclass=NullPool, hide_parameters=True)
        begin = "BEGIN IMMEDIATE" if self._writes else "BEGIN"  # a writer waits for its turn before it reads

        @event.listens_for(engine, "begin")
        def start(db: Connection) -> None:
            db.exec_driver_sql(begin)

        return engine

    def _opened(self) -> sqlite3.Connection:
        db = _connect(self.path, "rw" if self._writes else "ro", self.patience)
        try:
            if self._writes:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG}")
        except BaseException:
            db.close()
            raise
        return db

    @property
    def comes_back(self) -> bool:
        """A file does not go away."""
        return False

    def _connect(self) -> Connection:
        return self._engine.connect()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise the ledger's errors for SQLite's and the system's."""
        try:
            with super().translated():
                yield
        except sqlite3.DatabaseError as error:  # of what goes past SQLAlchemy
            said = self._of_sqlite(error)
            if said is None:
                raise
            raise said from error
        except OSError as error:
            raise _refused(error, self.path) from error

    def _said(self, error: DBAPIError) -> LedgerError | None:
        return self._of_sqlite(error.orig) if isinstance(error.orig, sqlite3.DatabaseError) else None

    def _of_sqlite(self, error: sqlite3.DatabaseError) -> LedgerError | None:
        path, code = self.path, getattr(error, "sqlite_errorname", "") or ""
        if code == "SQLITE_FULL" or (code.startswith("SQLITE_IOERR") and _no_room(path.parent)):
            return DiskFullError(
                f"{path}: no space left; nothing of this checkpoint was written and everything before it stands; "
                "free some space and run the same command again"
            )
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return LedgerBusyError(
                f"{path}: another process kept it busy for {self.patience // SECOND} s; try again when it has ended"
            )
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return LedgerError(f"{path}: is damaged or {_NOT_A_LEDGER} ({error}); restore it from a backup, or replay")
        if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR", "SQLITE_AUTH")):
            return LedgerError(
                f"{path}: the system does not let it be read or written ({error}); check disk and permissions"
            )
        return None

    def damage(self, db: Connection) -> list[str]:
        """What the file's own checks find."""
        found = [text for (text,) in db.exec_driver_sql("PRAGMA integrity_check") if text != "ok"]
        refers = db.exec_driver_sql("PRAGMA foreign_key_check")
        return found + [f"{row[0]}: row {row[1]} refers to nothing" for row in refers]

    def hold_steps(self, db: Connection) -> None:
        """Whoever writes is alone already."""


def _refused(error: OSError, path: Path) -> LedgerError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(f"{path}: no space left; free some and run the same command again")
    return LedgerError(
        f"{path}: the system does not let it be read or written ({error.strerror}); check disk and permissions"
    )


def _no_room(directory: Path) -> bool:
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize < _LEAST_FREE


def _connect(path: Path, mode: str, patience: Duration) -> sqlite3.Connection:
    uri = path.absolute().as_uri() + f"?mode={mode}"
    db = sqlite3.connect(uri, uri=True, timeout=patience / SECOND, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def _look(path: Path, known: int, patience: Duration) -> int:
    """The schema version of a file that is there, changing nothing in it or beside it; raises where it is not ours."""
    log = path.with_name(path.name + "-wal")
    # What is not in a log is read without making one. By SQLite in any case: a file that this process opens and closes
    # by itself loses the locks of all its connections (https://sqlite.org/howtocorrupt.html, 2.2), and the next process
    # that closes the ledger takes the log away from under them.
    mode = "ro" if log.exists() and log.stat().st_size else "ro&immutable=1"
    with closing(_connect(path, mode, patience)) as db:
        try:
            found: int
            mark: int
            tables: int
            found, mark, tables = (
                db.execute(f"PRAGMA {fact}").fetchone()[0]
                for fact in ("user_version", "application_id", "schema_version")
            )
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
                raise
            raise LedgerError(f"{path}: is damaged or {_NOT_A_LEDGER}") from None
    if mark != schema.APPLICATION_ID and (mark or found or tables):  # all 0: killed before its first transaction
        raise NotALedgerError(f"{path}: {_NOT_A_LEDGER}")
    schema.refuse_newer(found, str(path), known)
    return found


def reading(directory: Path, known: int = schema.VERSION, patience: Duration = PATIENCE) -> SqliteDatabase:
    """A connection that cannot write. Raises LedgerError where there is no ledger, or not one of this version."""
    return _there(directory, known, writes=False, patience=patience)


def dealing(directory: Path, known: int = schema.VERSION) -> SqliteDatabase:
    """A connection for people's steps, beside a writer or alone; the file must be there and of this version."""
    return _there(directory, known, writes=True)


def _there(directory: Path, known: int, *, writes: bool, patience: Duration = PATIENCE) -> SqliteDatabase:
    path = directory / FILE
    if not path.is_file():
        raise NotALedgerError(f"{directory}: holds no ledger ({FILE}); give the --data-dir of a run, or run one first")
    database = SqliteDatabase(path, writes=writes, patience=patience)
    with database.translated():
        found = _look(path, known, patience)
        if found < known:
            raise LedgerError(
                f"{path}: written by an older jiantu (schema {found} of {known}); "
                "the next run that writes to it, such as `jiantu replay`, brings it up"
            )
        database.connect()
    return database


def writing(directory: Path, known: int = schema.VERSION, more: Sequence[Path] = ()) -> SqliteDatabase:
    """A connection that writes, durably; makes the file or brings an older one up. The caller holds the lock.

    `known`, `more`: a later version's number and its folders of steps.
    """
    path = directory / FILE
    database = SqliteDatabase(path, writes=True)
    with database.translated():
        if not path.exists():
            path.touch(mode=_MODE)
        try:
            if _look(path, known, PATIENCE) < known:
                database.run(lambda db: schema.migrate(db, more))
            database.connect()
        except BaseException:
            database.close()
            raise
    return database
