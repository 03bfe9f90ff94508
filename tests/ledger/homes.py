"""Where the ledgers of these tests live: in a folder, or in a database. The same tests run on both."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from streams.ledger import postgres, sqlite_file
from streams.ledger.connection import FILE
from streams.ledger.database import Database
from streams.ledger.place import LedgerUrl, Where

Rows = dict[str, list[tuple[Any, ...]]]


class Home(ABC):
    """A place for one ledger, empty at first, and what somebody sees and does who goes past jiantu."""

    refused: type[Exception]
    """What the driver raises where the database itself refuses."""
    where: Where
    """As the ledger is told."""

    @abstractmethod
    def engine(self) -> Engine:
        """For looking at it with SQLAlchemy's eyes."""

    @abstractmethod
    def execute(self, *statements: str) -> list[int]:
        """Run statements in one transaction; how many rows each touched."""

    @abstractmethod
    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a query finds, sorted."""

    @abstractmethod
    def tables(self) -> list[str]:
        """Names of all tables."""

    @abstractmethod
    def writing(self, known: int, more: Sequence[Path]) -> Database:
        """Opened to be written by a version that knows more steps."""

    @abstractmethod
    def reading(self, known: int) -> Database:
        """Opened to be read by a version that knows more steps."""

    def content(self, *tables: str) -> Rows:
        """Every row of tables, or of all."""
        return {table: self.rows(f"SELECT * FROM {table}") for table in tables or self.tables()}

    def unguarded(self, *statements: str) -> None:
        """As somebody does who knows SQL and removes what guards the chain."""
        on = " ON audit" if isinstance(self, DatabaseHome) else ""
        dropped = [f"DROP TRIGGER audit_keeps_{verb}{on}" for verb in ("update", "delete")]
        touched = self.execute(*dropped, *statements)[len(dropped) :]
        assert all(rows > 0 for rows in touched)


class FolderHome(Home):
    """A data directory."""

    refused = sqlite3.IntegrityError

    def __init__(self, directory: Path) -> None:
        self.where = self.directory = directory

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.directory / FILE)) as db, db:
            yield db

    def engine(self) -> Engine:
        return create_engine(f"sqlite:///{self.directory / FILE}", poolclass=NullPool)

    def execute(self, *statements: str) -> list[int]:
        with self._connected() as db:
            return [db.execute(statement).rowcount for statement in statements]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connected() as db:
            return sorted(db.execute(statement), key=repr)

    def tables(self) -> list[str]:
        return [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def writing(self, known: int, more: Sequence[Path]) -> Database:
        return sqlite_file.writing(self.directory, known, more)

    def reading(self, known: int) -> Database:
        return sqlite_file.reading(self.directory, known)


class DatabaseHome(Home):
    """A database of PostgreSQL."""

    refused = psycopg.errors.RestrictViolation

    def __init__(self, url: str) -> None:
        self.url = url
        self.where = self.ledger_url = LedgerUrl.of(url)

    def engine(self) -> Engine:
        return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(self.url), poolclass=NullPool)

    def execute(self, *statements: str) -> list[int]:
        with psycopg.connect(self.url) as db:
            return [db.execute(statement.encode()).rowcount for statement in statements]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as db:
            return sorted(db.execute(statement.encode()), key=repr)

    def tables(self) -> list[str]:
        return [name for (name,) in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")]

    def writing(self, known: int, more: Sequence[Path]) -> Database:
        return postgres.writing(self.ledger_url, known, more)

    def reading(self, known: int) -> Database:
        return postgres.reading(self.ledger_url, known)


NewHome = Callable[[], Home]
