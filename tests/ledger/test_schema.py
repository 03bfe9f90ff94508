"""Whose ledger this is: a newer one, an older one, somebody else's, a damaged one."""

import gzip
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from importlib.resources import as_file
from importlib.resources import files as files_of
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from streams.clock import FixedClock
from streams.ledger import connection, schema, tables
from streams.ledger.audit import GENESIS, AuditHead
from streams.ledger.connection import FILE
from streams.ledger.desk import AlertDesk
from streams.ledger.errors import LedgerError, LedgerTooNewError
from streams.ledger.place import Where
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.homes import DatabaseHome, FolderHome, Home
from tests.ledger.samples import EVERYTHING, LAYOUT, checkpoint

VERSION_1 = Path(__file__).with_name("version_1.db.gz")
"""A file of the first version: EVERYTHING, and a step of somebody's; written by that version itself."""

RECEIPT = f"""
from alembic import op
revision, down_revision = "{schema.VERSION + 1:04d}", "{schema.VERSION:04d}"
def upgrade():
    op.execute("CREATE TABLE receipt (id TEXT PRIMARY KEY)")
"""


def make(where: Where) -> None:
    """A ledger with something in it."""
    with LedgerStore(where, LAYOUT) as store:
        store.commit(checkpoint(100, late=2, rejected=3, ids=b"abc"), EVERYTHING)


def pretend_newer(home: Home) -> None:
    make(home.where)
    if isinstance(home, DatabaseHome):
        home.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '{schema.VERSION + 1:04d}'")
    else:
        home.execute(f"PRAGMA user_version = {schema.VERSION + 1}")


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir()) if path.name.startswith(FILE)}


Opening = Callable[[Where], object]
OPENINGS: list[Opening] = [
    lambda where: LedgerStore(where, LAYOUT),
    LedgerReader,
    lambda where: AlertDesk(where, FixedClock(0)),
]


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_newer_ledger_is_refused_and_nothing_of_it_changes(home: Home, opening: Opening) -> None:
    pretend_newer(home)
    before = home.content()
    newer, known = schema.VERSION + 1, schema.VERSION
    said = rf"newer jiantu \(schema {newer}, this one knows up to {known}\); nothing was changed"
    with pytest.raises(LedgerTooNewError, match=said):
        opening(home.where)
    assert home.content() == before


@pytest.mark.parametrize("opening", OPENINGS)
def test_not_a_byte_of_a_newer_file_changes(tmp_path: Path, opening: Opening) -> None:
    pretend_newer(FolderHome(tmp_path))
    before = files(tmp_path)
    with pytest.raises(LedgerTooNewError):
        opening(tmp_path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_newer_ledger_that_lost_its_power_is_left_alone_too(tmp_path: Path, opening: Opening) -> None:
    """What makes it a newer one is still in its log, beside the file."""
    pretend_newer(FolderHome(tmp_path / "alive"))
    db = sqlite3.connect(tmp_path / "alive" / FILE)
    db.execute("INSERT INTO state_chunk VALUES ('x', x'00')")
    db.execute(f"PRAGMA user_version = {schema.VERSION + 5}")
    db.commit()
    (tmp_path / "dead").mkdir()
    for name in (FILE, f"{FILE}-wal"):
        shutil.copy(tmp_path / "alive" / name, tmp_path / "dead" / name)
    db.close()
    before = files(tmp_path / "dead")
    with pytest.raises(LedgerTooNewError, match=f"schema {schema.VERSION + 5}"):
        opening(tmp_path / "dead")
    after = files(tmp_path / "dead")
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("opening", OPENINGS)
def test_somebody_elses_file_is_refused(tmp_path: Path, opening: Opening) -> None:
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("CREATE TABLE songs (name)")
    db.close()
    before = files(tmp_path)
    with pytest.raises(LedgerError, match="is not a ledger of jiantu"):
        opening(tmp_path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("opening", OPENINGS)
def test_somebody_elses_database_is_refused(postgres: str, opening: Opening) -> None:
    home = DatabaseHome(postgres)
    home.execute("CREATE TABLE alert (song text)")
    with pytest.raises(LedgerError, match=r"holds (tables of something else|no ledger)"):
        opening(home.where)
    assert home.tables() == ["alert"]


def test_a_database_that_cannot_hold_chinese_is_refused(postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as db:
        db.execute("DROP DATABASE IF EXISTS latin")
        db.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(LedgerError, match="is encoded in LATIN1; make it with CREATE DATABASE"):
        LedgerStore(DatabaseHome(postgres.replace("///postgres?", "///latin?").partition("&options")[0]).where, LAYOUT)


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, opening: Opening) -> None:
    (tmp_path / FILE).write_bytes(b"once upon a time" * 1000)
    with pytest.raises(LedgerError, match="is damaged or is not a ledger"):
        opening(tmp_path)


def test_a_file_whose_making_was_cut_short_is_made_again(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    assert (tmp_path / FILE).stat().st_size > 0
    make(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / FILE).touch()
    make(tmp_path / "empty")


@pytest.mark.parametrize("opening", OPENINGS[1:])
def test_reading_where_there_is_nothing_makes_nothing(home: Home, opening: Opening) -> None:
    with pytest.raises(LedgerError, match="holds no ledger"):
        opening(home.where)
    if isinstance(home, FolderHome):
        assert list(home.directory.iterdir()) == []
    else:
        assert home.tables() == []


def test_a_data_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="cannot be made"):
        LedgerStore(tmp_path / "file" / "data", LAYOUT)


# ---- the tables are the ones that the code speaks of -------------------------------------------------------------


def test_the_steps_lead_to_the_tables_that_the_code_speaks_of(home: Home) -> None:
    make(home.where)
    engine = home.engine()
    with engine.connect() as db:
        context = MigrationContext.configure(db, opts={"version_table": schema.VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, tables.METADATA) == []
        found = inspect(db)
        for table in tables.METADATA.sorted_tables:
            key = found.get_pk_constraint(table.name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key.columns], table.name


# ---- an older one: what a later version will do, done here with a further step that adds a table -----------------


def further(folder: Path, step: str = RECEIPT) -> list[Path]:
    (folder / "further").mkdir()
    (folder / "further/receipt.py").write_text(step)
    return [folder / "further"]


def test_a_file_of_the_first_version_is_brought_up_with_all_that_is_in_it(tmp_path: Path) -> None:
    home = FolderHome(tmp_path)
    (tmp_path / FILE).write_bytes(gzip.decompress(VERSION_1.read_bytes()))
    before = home.content()
    with pytest.raises(LedgerError, match=rf"written by an older jiantu \(schema 1 of {schema.VERSION}\)"):
        LedgerReader(tmp_path)
    with LedgerStore(tmp_path, LAYOUT) as store:
        resumption = store.load_checkpoint()
        assert resumption is not None
        assert (resumption.record, resumption.chunks) == (100, {"ids": b"abc"})
    after = home.content()
    assert [row[1:] for row in after.pop("rejection")] == before.pop("rejection")
    assert [row[:-1] for row in after.pop("audit")] == before.pop("audit")
    assert {table: after[table] for table in before} == before
    assert {table: len(after[table]) for table in after.keys() - before.keys()} == {
        "account": 0, "ledger_version": 1, "page": 0, "page_alert": 0, "page_delivery": 0, "page_receipt": 0,
        "page_service": 0, "page_taken_up": 0, "profile_file": 0, "rejected_until": 0,
        "stopped": 0, "token": 0, "topic": 0,
    }  # fmt: skip
    with LedgerReader(tmp_path) as ledger:
        assert ledger.damage() == []
        assert [(taken.alert, taken.step.who) for taken in ledger.steps()] == [("a2", "王敏")]
        assert len(ledger.rejections()) == 3


def as_of(home: Home, version: int) -> None:
    """An empty ledger of an older version."""
    with home.engine().begin() as db, as_file(files_of("streams.ledger") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("version_table", schema.VERSION_TABLE)
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", str(folder / "versions"))
        config.attributes["connection"] = db
        command.upgrade(config, f"{version:04d}")
        if db.dialect.name == "sqlite":
            db.exec_driver_sql(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            db.exec_driver_sql(f"PRAGMA user_version = {version}")


def test_who_took_up_a_trouble_before_that_stood_on_the_chain_comes_to_its_end(home: Home) -> None:
    as_of(home, 6)
    step = '{"alert":"a1","at":5,"number":1,"step":{"kind":"acknowledge","who":"王敏"}}'
    digest = hashlib.sha256(f"{GENESIS}\n{step}".encode()).hexdigest()
    home.execute(
        "INSERT INTO alert VALUES ('a1', '511102', 'f', 's', 'day', 'warning', 1, NULL, 'acknowledged')",
        f"INSERT INTO audit VALUES (1, 'a1', 5, '{step}', '{GENESIS}', '{digest}')",
        "INSERT INTO page_taken_up (about, at, who) VALUES ('disk', 9, 'lead'), ('feed', 7, '王敏')",
    )
    LedgerStore(home.where, LAYOUT).close()
    with LedgerReader(home.where) as ledger:
        verdict = ledger.verify_audit(AuditHead(1, digest))
        assert (verdict.problem, verdict.head.count) == ("", 3)
        assert ledger.damage() == []
    assert home.rows("SELECT number, alert, about, at FROM audit") == [
        (1, "a1", None, 5), (2, None, "feed", 7), (3, None, "disk", 9),
    ]  # fmt: skip
    with pytest.raises(home.refused, match="audit is append-only"):
        home.execute("UPDATE audit SET at = 0")


def test_an_older_ledger_is_brought_up_step_by_step_with_all_that_is_in_it(home: Home, tmp_path: Path) -> None:
    make(home.where)
    home.writing(schema.VERSION + 1, further(tmp_path)).close()
    assert home.rows("SELECT count(*) FROM receipt") == [(0,)]
    assert home.rows("SELECT count(*) FROM transition") == [(4,)]
    with pytest.raises(LedgerTooNewError):
        LedgerReader(home.where)
    home.reading(schema.VERSION + 1).close()


def test_a_step_that_fails_is_undone_whole(home: Home, tmp_path: Path) -> None:
    make(home.where)
    with pytest.raises(KeyError):
        home.writing(schema.VERSION + 1, further(tmp_path, RECEIPT + "    raise KeyError('a mistake in a step')"))
    with LedgerReader(home.where) as ledger:
        assert ledger.damage() == []
    assert "receipt" not in home.tables()


def test_who_only_reads_does_not_bring_a_ledger_up(home: Home) -> None:
    make(home.where)
    before = home.content()
    with pytest.raises(LedgerError, match="written by an older jiantu"):
        home.reading(schema.VERSION + 1)
    assert home.content() == before


# ---- the file ----------------------------------------------------------------------------------------------------


def test_the_file_is_durable_and_checks_its_references(tmp_path: Path) -> None:
    make(tmp_path)
    database = connection.open_people(tmp_path)
    pragmas = {
        name: database.driver.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_ledger_is_not_for_everybody_on_the_machine(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with LedgerStore(tmp_path, LAYOUT) as store:
            store.commit(checkpoint(1, ids=b"abc"), Outputs())
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys([FILE, f"{FILE}-wal", f"{FILE}-shm", "jiantu.lock"], 0o640)


def test_what_was_done_cannot_be_rewritten_by_accident(home: Home) -> None:
    make(home.where)
    truncate = ["TRUNCATE transition CASCADE"] if isinstance(home, DatabaseHome) else []
    for statement in ("DELETE FROM transition", "UPDATE transition SET at = 0", *truncate):
        with pytest.raises(home.refused, match="transition is append-only"):
            home.execute(statement)
