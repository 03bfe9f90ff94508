"""Opening the ledger's file, and transactions on it: SQLite's errors become the ledger's own, in words."""

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from streams.ledger import schema
from streams.ledger.errors import DiskFullError, LedgerBusyError, LedgerError, NotALedgerError

FILE = "jiantu.db"
PATIENCE = 30.0
"""Seconds that a transaction waits for another's end: a checkpoint may take a while on a slow disk."""
_MODE = 0o640
"""A ledger is not for everybody on the machine (law 6); the files beside it take over its mode."""
_LARGEST_LOG = 64 * 1024 * 1024
_LEAST_FREE = 1024 * 1024
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
"""https://sqlite.org/fileformat.html: user version at 60, application id at 68, count of table changes at 40."""
_NOT_A_LEDGER = "is not a ledger of jiantu; give another --data-dir"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise the ledger's errors for SQLite's: `path` says where, the message what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorname", "") or ""
        if code == "SQLITE_FULL" or (code.startswith("SQLITE_IOERR") and _no_room(path.parent)):
            raise DiskFullError(
                f"{path}: no space left; nothing of this checkpoint was written and everything before it stands; "
                "free some space and run the same command again"
            ) from error
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise LedgerBusyError(
                f"{path}: another process kept it busy for {PATIENCE:.0f} s; try again when it has ended"
            ) from error
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise LedgerError(
                f"{path}: is damaged or {_NOT_A_LEDGER} ({error}); restore it from a backup, or replay"
            ) from error
        if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR", "SQLITE_AUTH")):
            raise LedgerError(
                f"{path}: the system does not let it be read or written ({error}); check disk and permissions"
            ) from error
        raise
    except OSError as error:
        raise _refused(error, path) from error


def _refused(error: OSError, path: Path) -> LedgerError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(f"{path}: no space left; free some and run the same command again")
    return LedgerError(
        f"{path}: the system does not let it be read or written ({error.strerror}); check disk and permissions"
    )


def _no_room(directory: Path) -> bool:
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize < _LEAST_FREE


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = path.absolute().as_uri() + f"?mode={mode}"
    db = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def _look(path: Path, migrations: Sequence[schema.Migration]) -> int:
    """The schema version of a file that is there, changing nothing in it or beside it; raises where it is not ours."""
    log = path.with_name(path.name + "-wal")
    facts: Iterable[int]
    if log.exists() and log.stat().st_size:
        with closing(_connect(path, "ro")) as db:  # the last word may be in the log
            facts = [
                db.execute(f"PRAGMA {fact}").fetchone()[0]
                for fact in ("user_version", "application_id", "schema_version")
            ]
    else:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        if header and (len(header) < _HEADER_BYTES or not header.startswith(_MAGIC)):
            raise LedgerError(f"{path}: is damaged or {_NOT_A_LEDGER}")
        facts = (int.from_bytes(header[at : at + 4], "big") for at in (60, 68, 40))
    found, mark, tables = facts
    if mark != schema.APPLICATION_ID and (mark or found or tables):  # all 0: killed before its first transaction
        raise NotALedgerError(f"{path}: {_NOT_A_LEDGER}")
    schema.refuse_newer(found, str(path), migrations)
    return found


def open_reading(directory: Path, migrations: Sequence[schema.Migration] = schema.MIGRATIONS) -> sqlite3.Connection:
    """A connection that cannot write. Raises LedgerError where there is no ledger, or not one of this version."""
    path = directory / FILE
    if not path.is_file():
        raise NotALedgerError(f"{directory}: holds no ledger ({FILE}); give the --data-dir of a run, or run one first")
    with translated(path):
        found = _look(path, migrations)
        if found < len(migrations):
            raise LedgerError(
                f"{path}: written by an older jiantu (schema {found} of {len(migrations)}); "
                "the next run that writes to it, such as `jiantu replay`, brings it up"
            )
        return _connect(path, "ro")


def open_writing(directory: Path, migrations: Sequence[schema.Migration] = schema.MIGRATIONS) -> sqlite3.Connection:
    """A connection that writes, durably; makes the file or brings an older one up. The caller holds the lock."""
    path = directory / FILE
    with translated(path):
        if path.exists():
            _look(path, migrations)
        else:
            path.touch(mode=_MODE)
        db = _connect(path, "rw")
        try:
            _settle(db)
            schema.migrate(db, migrations)
        except BaseException:
            db.close()
            raise
    return db


def open_people(directory: Path, migrations: Sequence[schema.Migration] = schema.MIGRATIONS) -> sqlite3.Connection:
    """A connection for people's steps, beside a writer or alone; the file must be there and of this version."""
    open_reading(directory, migrations).close()
    path = directory / FILE
    with translated(path):
        db = _connect(path, "rw")
        try:
            _settle(db)
        except BaseException:
            db.close()
            raise
    return db


def _settle(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG}")


@contextmanager
def transaction(db: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Everything inside is written, durably, or nothing is."""
    with translated(path):
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # on some errors SQLite has rolled back by itself
                db.execute("ROLLBACK")
            raise
