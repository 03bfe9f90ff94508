"""Opening a ledger wherever it is: for reading, for people's steps, or as its one writer."""

from types import TracebackType
from typing import Self

from streams.core.instant import Duration
from streams.ledger import sqlite_file
from streams.ledger.database import PATIENCE, Database
from streams.ledger.place import LedgerUrl, Where
from streams.ledger.sqlite_file import FILE

__all__ = ["FILE", "Opened", "named", "open_people", "open_reading", "open_writing"]


def named(where: Where) -> str:
    """A ledger as messages name it; never with a password."""
    return str(where) if isinstance(where, LedgerUrl) else str(where / FILE)


def open_reading(where: Where, patience: Duration = PATIENCE) -> Database:
    """A connection that cannot write; it waits so long for a lock.

    Raises LedgerError where there is no ledger, or not one of this version.
    """
    if isinstance(where, LedgerUrl):
        from streams.ledger import postgres  # a fifth of a second that only who uses it waits for

        return postgres.reading(where, patience=patience)
    return sqlite_file.reading(where, patience=patience)


def open_people(where: Where) -> Database:
    """A connection for people's steps, beside a writer or alone. Raises as open_reading."""
    if isinstance(where, LedgerUrl):
        from streams.ledger import postgres

        return postgres.dealing(where)
    return sqlite_file.dealing(where)


def open_writing(where: Where) -> Database:
    """The connection of the one writer; makes the tables or brings older ones up.

    Raises LedgerBusyError where another process writes a PostgreSQL ledger; a data directory's lock is the caller's.
    """
    if isinstance(where, LedgerUrl):
        from streams.ledger import postgres

        return postgres.writing(where)
    return sqlite_file.writing(where)


class Opened:
    """A ledger that somebody has opened for something; given back where its `with` ends."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the ledger back."""
        self._database.close()
