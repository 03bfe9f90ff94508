"""Which version of the tables a database has, and how it is brought up to the newest: alembic, step by step."""

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from streams.ledger.errors import LedgerTooNewError

APPLICATION_ID = 0x4A54_4C31
"""Written into a SQLite file's header: tells a ledger from any other file."""

VERSION_TABLE = "ledger_version"
"""Holds the number of the last step; also tells a ledger from any other database."""

VERSION = 7
"""Of the tables that this code knows: how many steps there are."""


def version(db: Connection) -> int:
    """Version of the tables that a database has; 0: it has none."""
    if db.dialect.name == "sqlite":
        found: int = db.exec_driver_sql("PRAGMA user_version").scalar_one()
        return found
    if not inspect(db).has_table(VERSION_TABLE):
        return 0
    number: str | None = db.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar()
    return 0 if number is None else int(number)


def refuse_newer(found: int, where: str, known: int = VERSION) -> None:
    """Raise LedgerTooNewError where a database's version is one that this code does not know."""
    if found > known:
        raise LedgerTooNewError(
            f"{where}: written by a newer jiantu (schema {found}, this one knows up to {known}); "
            "nothing was changed; install that version, or give another --data-dir or --ledger"
        )


def migrate(db: Connection, more: Sequence[Path] = ()) -> None:
    """Bring a database up to the newest version, in the caller's transaction.

    `more`: folders with further steps. A SQLite file of version 1 from before alembic is known by its header.
    """
    from alembic import command  # a quarter of a second that only who makes or changes tables waits for
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    with as_file(files("streams.ledger") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", _escaped(folder))
        config.set_main_option("version_table", VERSION_TABLE)
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", "\n".join(_escaped(one) for one in (folder / "versions", *more)))
        config.attributes["connection"] = db
        found = version(db)
        if found and not inspect(db).has_table(VERSION_TABLE):
            command.stamp(config, f"{found:04d}")
        command.upgrade(config, "head")
        head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None
    if db.dialect.name == "sqlite":
        db.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        db.exec_driver_sql(f"PRAGMA user_version = {int(head)}")


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
