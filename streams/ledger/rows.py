"""Rows put into tables: appended where they are not there yet, or put in the place of what is. One call, many rows.

The statements are made once for each table and kind of database; rows go to the driver in one `executemany`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, object]


def append(db: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Append rows; one whose key is there already changes nothing. All rows have the same columns."""
    if rows:
        db.execute(_appending(table, db.dialect.name), rows)


def put(db: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Put rows in, each in the place of the one with its key. All rows have all columns."""
    if rows:
        db.execute(_putting(table, db.dialect.name), rows)


def insert(table: Table, dialect: str) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT that can say what to do where a row is there already."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


@lru_cache
def _appending(table: Table, dialect: str) -> "sqlite.Insert | postgresql.Insert":
    return insert(table, dialect).on_conflict_do_nothing(index_elements=list(table.primary_key.columns))


@lru_cache
def _putting(table: Table, dialect: str) -> "sqlite.Insert | postgresql.Insert":
    made = insert(table, dialect)
    others = {column.name: made.excluded[column.name] for column in table.columns if not column.primary_key}
    return made.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=others)
