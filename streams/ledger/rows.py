"""Rows put into tables: appended where they are not there yet, or put in the place of what is. One call, many rows.

The statements are made once for each table and kind of database; rows go to the driver in one `executemany`.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Dialect, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, object]
Statement = tuple[str, tuple[str, ...]]
"""As the driver takes it: SQL, and the order of its parameters; none where they go by name."""
Maker = Callable[[Table, str], "sqlite.Insert | postgresql.Insert"]

_STATEMENTS: dict[tuple[str, str, str, tuple[str, ...]], Statement] = {}


def append(db: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Append rows; one whose key is there already changes nothing. All rows have the same columns."""
    if rows:
        _execute(db, *_statement(_appending, db, table, tuple(rows[0])), rows)


def put(db: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Put rows in, each in the place of the one with its key. All rows have all columns."""
    if rows:
        _execute(db, *_statement(_putting, db, table, tuple(rows[0])), rows)


def insert(table: Table, dialect: str) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT that can say what to do where a row is there already."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def _execute(db: Connection, text: str, order: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Hand rows to the driver as they are: binding them one by one in SQLAlchemy costs half as much again as SQLite's
    whole work on them (3.4 against 2.1 us a row)."""
    if not order:
        db.exec_driver_sql(text, [dict(row) for row in rows])
    elif len(order) == 1:
        db.exec_driver_sql(text, [(row[order[0]],) for row in rows])
    else:
        db.exec_driver_sql(text, list(map(itemgetter(*order), rows)))


def _compiled(made: "sqlite.Insert | postgresql.Insert", dialect: Dialect, columns: tuple[str, ...]) -> Statement:
    compiled = made.compile(dialect=dialect, column_keys=list(columns))
    return str(compiled), tuple(compiled.positiontup or ())


def _statement(make: Maker, db: Connection, table: Table, columns: tuple[str, ...]) -> Statement:
    key = (make.__name__, db.dialect.name, table.name, columns)
    if key not in _STATEMENTS:
        _STATEMENTS[key] = _compiled(make(table, db.dialect.name), db.dialect, columns)
    return _STATEMENTS[key]


def _appending(table: Table, dialect: str) -> "sqlite.Insert | postgresql.Insert":
    return insert(table, dialect).on_conflict_do_nothing(index_elements=list(table.primary_key.columns))


def _putting(table: Table, dialect: str) -> "sqlite.Insert | postgresql.Insert":
    made = insert(table, dialect)
    others = {column.name: made.excluded[column.name] for column in table.columns if not column.primary_key}
    return made.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=others)
