"""What only a server can do to a ledger: go away, come back, speak another language, refuse; and keep a secret."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection

from streams.core.instant import HOUR
from streams.ledger import database
from streams.ledger.errors import LedgerError, LedgerLostError
from streams.ledger.place import LedgerUrl
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.homes import DatabaseHome
from tests.ledger.samples import EVERYTHING, LAYOUT, START, checkpoint, raised, rejected
from tests.postgres.server import Server


@pytest.fixture
def home(postgres: str) -> DatabaseHome:
    return DatabaseHome(postgres)


def cut(home: DatabaseHome) -> int:
    """Cut every connection to the ledger, as a restarted server or a broken line does; how many there were."""
    with psycopg.connect(home.url) as db:
        return db.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE %s",
            [f"jiantu {os.getpid()}@%"],
        ).rowcount


# ---- the connection is lost --------------------------------------------------------------------------------------


def test_a_connection_that_was_cut_is_made_again(home: DatabaseHome) -> None:
    with LedgerStore(home.where, LAYOUT) as store, LedgerReader(home.where) as ledger:
        store.commit(checkpoint(1), Outputs())
        assert ledger.progress() is not None
        cut(home)
        store.commit(checkpoint(2), Outputs(transitions=[raised("a1", START)]))
        assert [alert.id for alert in ledger.alerts()] == ["a1"]


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_cut_in_a_commit_everything_of_it_is_there_once(
    home: DatabaseHome, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Whether the server had come to the end of it is not known to who was cut off: it is done again."""
    cuts = iter([True])
    write = LedgerStore._write

    def cut_once(store: LedgerStore, db: Connection, *given: object) -> None:
        write(store, db, *given)  # type: ignore[arg-type]  # as it was called
        if next(cuts, False):
            if moment == "after the commit":
                db.exec_driver_sql("COMMIT")
                db.exec_driver_sql("SELECT 1")  # so that the driver has something to end, and finds nobody there
            cut(home)

    monkeypatch.setattr(LedgerStore, "_write", cut_once)
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(100, late=2, rejected=3, ids=b"abc"), EVERYTHING)
    assert next(cuts, False) is False
    with LedgerReader(home.where) as ledger:
        assert ledger.damage() == []
        assert sum(ledger.rejection_totals().values()) == 3
        assert len(ledger.transitions()) == 4


def test_who_was_cut_off_is_not_a_writer_any_more_where_another_has_taken_over(
    home: DatabaseHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 2_000_000)
    with LedgerStore(home.where, LAYOUT) as first:
        first.commit(checkpoint(1), Outputs())
        cut(home)
        with LedgerStore(home.where, LAYOUT) as second:
            second.commit(checkpoint(2), Outputs())
            with pytest.raises(LedgerError, match="is writing this ledger"):
                first.commit(checkpoint(3), Outputs())
            second.commit(checkpoint(4), Outputs())


def test_a_server_that_stays_away_is_told_and_what_was_committed_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 1_000_000)
    server = Server.started()
    store = LedgerStore(LedgerUrl.of(server.url("postgres")), LAYOUT)
    try:
        store.commit(checkpoint(1), Outputs())
        server.stop()
        with pytest.raises(LedgerLostError, match=r"cannot be reached .* run the same command again"):
            store.commit(checkpoint(2), Outputs())
    finally:
        store.close()
        with suppress(ProcessLookupError):
            server.stop()


# ---- what is said ------------------------------------------------------------------------------------------------


def test_an_address_without_a_server_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(LedgerLostError, match=r"cannot be reached .* is PostgreSQL running"):
        LedgerReader(LedgerUrl.of(f"postgresql:///ledger?host={tmp_path}&password=secret"))


def test_a_database_that_is_not_there_is_said(postgres_server: Server) -> None:
    with pytest.raises(LedgerError, match='database "nowhere" does not exist'):
        LedgerStore(LedgerUrl.of(postgres_server.url("nowhere")), LAYOUT)


def test_a_user_who_may_not_write_is_told(home: DatabaseHome) -> None:
    LedgerStore(home.where, LAYOUT).close()
    schema = home.rows("SELECT current_schema()")[0][0]
    user = f"{schema}_reader"
    home.execute(f"CREATE USER {user}", f"GRANT USAGE ON SCHEMA {schema} TO {user}")
    home.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {user}")
    url = LedgerUrl.of(home.url.replace("user=jiantu", f"user={user}"))
    with LedgerReader(url) as ledger:
        assert ledger.alerts() == []
    with LedgerStore(url, LAYOUT) as store, pytest.raises(LedgerError, match="does not let this user do that"):
        store.commit(checkpoint(1), Outputs())


SECRETS = [
    "postgresql://jiantu:geheim@db.example/ledger",
    "postgres://jiantu:geheim@db.example:5433/ledger?sslmode=require",
    "postgresql://db.example/ledger?user=jiantu&password=geheim",
    "postgresql://db.example/ledger?password=geheim&user=jiantu",
    "postgresql://jiantu:geheim@a.example,b.example/ledger?sslpassword=geheim",
    "postgresql://jiantu:ge%40heim@db.example/ledger",
    "postgresql://jiantu:geheim@[::1]:5432/ledger?PASSWORD=geheim",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_password_is_never_shown(secret: str) -> None:
    url = LedgerUrl.of(secret)
    for shown in (str(url), repr(url), f"{url}"):
        assert "heim" not in shown
        assert "jiantu" in shown
    assert url.reveal() == secret


@pytest.mark.parametrize("given", ["mysql://a:geheim@b/c", "geheim", "/var/lib/jiantu", "sqlite:///geheim", ""])
def test_what_names_no_database_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(LedgerError, match="names no PostgreSQL database; write postgresql://") as refusal:
        LedgerUrl.of(given)
    assert "geheim" not in str(refusal.value)


# ---- it says the same as a file ----------------------------------------------------------------------------------


@pytest.fixture
def speaking_english(postgres_server: Server) -> Iterator[DatabaseHome]:
    """A database in which "a" comes before "B", and "-" counts for nothing."""
    name = f"english_{os.getpid()}"
    url = postgres_server.database(name, "LOCALE_PROVIDER icu ICU_LOCALE 'en' TEMPLATE template0")
    yield DatabaseHome(url)
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as db:
        db.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_order_is_of_bytes_whatever_language_the_database_speaks(speaking_english: DatabaseHome) -> None:
    ids = ["B", "a", "a-c", "ab", "Á", "中"]
    with LedgerStore(speaking_english.where, LAYOUT) as store:
        store.commit(checkpoint(1), Outputs(transitions=[raised(one, START) for one in ids]))
    with LedgerReader(speaking_english.where) as ledger:
        assert [alert.id for alert in ledger.alerts()] == sorted(ids)
        assert [one.alert for one in ledger.transitions()] == sorted(ids)


def test_two_ledgers_in_one_database_do_not_meet(postgres_server: Server) -> None:
    names = [f"{one}_{os.getpid()}" for one in ("north", "south")]
    homes = [DatabaseHome(postgres_server.schema(name)) for name in names]
    with LedgerStore(homes[0].where, LAYOUT) as north, LedgerStore(homes[1].where, LAYOUT) as south:
        north.commit(checkpoint(5, rejected=1), Outputs(rejections=[rejected(1, START)]))
        south.commit(checkpoint(9), Outputs(transitions=[raised("a1", START + HOUR)]))
    assert [len(home.content("rejection")["rejection"]) for home in homes] == [1, 0]
    assert [len(home.content("alert")["alert"]) for home in homes] == [0, 1]
