"""Whose file this is: a newer one, an older one, somebody else's, a damaged one."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from streams.clock import FixedClock
from streams.ledger import connection, schema
from streams.ledger.connection import FILE, open_reading, open_writing
from streams.ledger.desk import AlertDesk
from streams.ledger.errors import LedgerError, LedgerTooNewError
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.samples import EVERYTHING, LAYOUT, checkpoint


def make(directory: Path) -> Path:
    """A ledger with something in it."""
    with LedgerStore(directory, LAYOUT) as store:
        store.commit(checkpoint(100, late=2, rejected=3, ids=b"abc"), EVERYTHING)
    return directory / FILE


def pretend_newer(directory: Path) -> None:
    make(directory)
    db = sqlite3.connect(directory / FILE)
    db.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    db.close()


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir()) if path.name.startswith(FILE)}


OPENINGS = [
    lambda directory: LedgerStore(directory, LAYOUT),
    LedgerReader,
    lambda directory: AlertDesk(directory, FixedClock(0)),
]


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_newer_ledger_is_refused_and_not_a_byte_of_it_changes(tmp_path: Path, opening: type) -> None:
    pretend_newer(tmp_path)
    before = files(tmp_path)
    with pytest.raises(
        LedgerTooNewError, match=r"newer jiantu \(schema 2, this one knows up to 1\); nothing was changed"
    ):
        opening(tmp_path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_newer_ledger_that_lost_its_power_is_left_alone_too(tmp_path: Path, opening: type) -> None:
    """What makes it a newer one is still in its log, beside the file."""
    pretend_newer(tmp_path / "alive")
    db = sqlite3.connect(tmp_path / "alive" / FILE)
    db.execute("INSERT INTO state_chunk VALUES ('x', x'00')")
    db.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 5}")
    db.commit()
    (tmp_path / "dead").mkdir()
    for name in (FILE, f"{FILE}-wal"):
        shutil.copy(tmp_path / "alive" / name, tmp_path / "dead" / name)
    db.close()
    before = files(tmp_path / "dead")
    with pytest.raises(LedgerTooNewError, match="schema 6"):
        opening(tmp_path / "dead")
    after = files(tmp_path / "dead")
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("opening", OPENINGS)
def test_somebody_elses_database_is_refused(tmp_path: Path, opening: type) -> None:
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("CREATE TABLE songs (name)")
    db.close()
    before = files(tmp_path)
    with pytest.raises(LedgerError, match="is not a ledger of jiantu"):
        opening(tmp_path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, opening: type) -> None:
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
def test_reading_where_there_is_nothing_makes_nothing(tmp_path: Path, opening: type) -> None:
    with pytest.raises(LedgerError, match="holds no ledger"):
        opening(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="cannot be made"):
        LedgerStore(tmp_path / "file" / "data", LAYOUT)


# ---- an older one: what a later version will do, done here with a second step that adds a table ----


def add_a_table(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE receipt (id TEXT PRIMARY KEY)")


def add_a_table_and_fail(db: sqlite3.Connection) -> None:
    add_a_table(db)
    raise KeyError("a mistake in a migration")


def test_an_older_ledger_is_brought_up_step_by_step_with_all_that_is_in_it(tmp_path: Path) -> None:
    make(tmp_path)
    db = open_writing(tmp_path, (*schema.MIGRATIONS, add_a_table))
    assert schema.version(db) == 2
    assert db.execute("SELECT count(*) FROM receipt").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM transition").fetchone() == (4,)
    db.close()
    with pytest.raises(LedgerTooNewError):
        LedgerReader(tmp_path)


def test_a_step_that_fails_is_undone_whole(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(KeyError):
        open_writing(tmp_path, (*schema.MIGRATIONS, add_a_table_and_fail))
    with LedgerReader(tmp_path) as ledger:
        assert ledger.damage() == []
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'receipt'").fetchone() == (0,)
    db.close()


def test_who_only_reads_does_not_bring_a_ledger_up(tmp_path: Path) -> None:
    make(tmp_path)
    before = files(tmp_path)
    with pytest.raises(LedgerError, match="written by an older jiantu"):
        open_reading(tmp_path, (*schema.MIGRATIONS, add_a_table))
    assert files(tmp_path) == before


def test_the_file_is_durable_and_checks_its_references(tmp_path: Path) -> None:
    make(tmp_path)
    db = connection.open_people(tmp_path)
    pragmas = {
        name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    db.close()
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


def test_what_was_done_cannot_be_rewritten_by_accident(tmp_path: Path) -> None:
    make(tmp_path)
    db = sqlite3.connect(tmp_path / FILE)
    for statement in ("DELETE FROM transition", "UPDATE transition SET at = 0"):
        with pytest.raises(sqlite3.IntegrityError, match="transition is append-only"):
            db.execute(statement)
    db.close()
