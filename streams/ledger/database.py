"""One connection to a ledger: work on it is one transaction, and what goes wrong is said in words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streams.clock import Stopwatch, pause
from streams.core.instant import SECOND, Duration
from streams.ledger.errors import LedgerBusyError, LedgerError, LedgerLostError

PATIENCE = 30 * SECOND
"""How long a transaction waits for another's end, or for a database that is not there."""
_FIRST_PAUSE = SECOND // 10
_LONGEST_PAUSE = 2 * SECOND

T = TypeVar("T")


class Database(ABC):
    """A connection. One thread at a time."""

    def __init__(self, name: str, patience: Duration = PATIENCE) -> None:
        """`name`: where the ledger is, as messages say it."""
        self.name = name
        self.patience = patience
        self._db: Connection | None = None
        self._closed = False

    def connect(self) -> Connection:
        """The connection; made where there is none yet, or none any more."""
        assert not self._closed, "the ledger is closed"
        if self._db is None:
            self._db = self._connect()
        return self._db

    @property
    def driver(self) -> Any:
        """The driver's own connection: sqlite3's or psycopg's."""
        return self.connect().connection.driver_connection

    def run(self, work: Callable[[Connection], T]) -> T:
        """Do work in one transaction: all of it is durable when this returns, nothing of it when this raises.

        Where the connection is lost on the way the work is done again on a new one, for as long as `patience`: it must
        come to the same when it is done twice, as everything that the ledger writes does (law 3).
        """
        waited, wait = Stopwatch(), _FIRST_PAUSE
        while True:
            try:
                with self.translated():
                    return self._once(work)
            except (LedgerLostError, LedgerBusyError) as error:
                # Busy: what holds the lock of the writer may be what is left of our own connection.
                again = isinstance(error, LedgerLostError) or self._db is None
                if not again or not self.comes_back or waited.elapsed() + wait > self.patience:
                    raise
                self._drop()
                pause(wait)
                wait = min(2 * wait, _LONGEST_PAUSE)

    def _once(self, work: Callable[[Connection], T]) -> T:
        db = self.connect()
        with db.begin():
            return work(db)

    def close(self) -> None:
        """Give the connection back. What was not committed is not there."""
        self._drop()
        self._closed = True

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise the ledger's errors for the database's."""
        try:
            yield
        except DBAPIError as error:
            said = self._said(error)
            if said is None:
                raise
            raise said from error

    @property
    @abstractmethod
    def comes_back(self) -> bool:
        """Whether a connection that is lost may be made anew."""

    @abstractmethod
    def _connect(self) -> Connection:
        """A new connection."""

    @abstractmethod
    def _said(self, error: DBAPIError) -> LedgerError | None:
        """The ledger's error for a driver's; None: a mistake of ours."""

    @abstractmethod
    def damage(self, db: Connection) -> list[str]:
        """What the database itself finds wrong with its pages and references."""

    @abstractmethod
    def hold_steps(self, db: Connection) -> None:
        """In a transaction: nobody else takes a step until it ends."""
