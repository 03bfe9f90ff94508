"""`jiantu ledger`: after the steps a ledger answers as after a replay; killed whenever, it takes every record once."""

import os
import random
import secrets
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaProducer

from streams.broker.names import Topics
from streams.ledger.connection import FILE
from streams.ledger.reader import LedgerReader
from streams.wiring.inputs import open_profile
from tests.cli.commands import LAKE, RECORDING, Cli, Lake, command, environment, process
from tests.kafka.fixtures import SharedBroker, make_topics
from tests.ledger.filled_topics import Steps
from tests.ledger.homes import DatabaseHome, FolderHome, Home

PARTITIONS = 3
TABLES = ("alert", "transition", "layout", "scored", "metrics", "correction", "rejection", "rejection_total", "account",
          "checkpoint", "topic", "rejected_until")  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """Topics that hold everything that the steps make of Lake City's recording, some of it twice."""

    bootstrap: str
    prefix: str

    def ledger(self, *more: object) -> tuple[object, ...]:
        """The command that fills a ledger from them."""
        return ("ledger", "-p", LAKE, "-b", self.bootstrap, "--prefix", self.prefix, *more)


@pytest.fixture(scope="session")
def filled(kafka_broker: SharedBroker) -> Filled:
    prefix, bootstrap = f"ledger-{os.getpid()}.", kafka_broker.bootstrap
    make_topics(bootstrap, prefix, partitions=PARTITIONS, replay=True)
    assert process("replay", RECORDING, "-p", LAKE, "--to-kafka", "-b", bootstrap, "--prefix", prefix).code == 0
    Steps(bootstrap, prefix, open_profile(LAKE), repeated=True).run()
    return Filled(bootstrap, prefix)


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    if request.param == "sqlite":
        return FolderHome(tmp_path / "data")
    return DatabaseHome(request.getfixturevalue("postgres"))


def named(home: Home) -> tuple[str, str]:
    """The option that names it."""
    return ("--ledger", home.url) if isinstance(home, DatabaseHome) else ("--data-dir", str(home.where))


def test_a_ledger_answers_as_after_a_replay(cli: Cli, lake: Lake, filled: Filled, home: Home) -> None:
    told = cli(*filled.ledger(*named(home), "--once", "--json")).document
    totals = ("received", "counted", "duplicate", "late", "rejected", "windows_closed")
    assert told["accounting"] == {name: lake.figures[name] for name in totals}
    assert told["alerts"] == lake.figures["alerts"]
    for question in (
        ("alert-log",),
        ("alerts", "list", "--json"),
        ("metrics", "--json"),
        ("explain", "--county", "一区", "--signal", "total", "--at", "2025-03-10T13:00", "--json"),
    ):
        answer = cli(*question, *named(home))
        assert answer.code == 0, answer
        assert answer == cli(*question, "-d", lake.data), question
    with LedgerReader(home.where) as ledger, LedgerReader(lake.data) as replayed:
        assert ledger.damage() == []
        assert ledger.rejection_totals() == replayed.rejection_totals()
        assert ledger.corrections() == replayed.corrections()
        assert ledger.retained() == replayed.retained()
        progress, undisturbed = ledger.progress(), replayed.progress()
        assert progress is not None
        assert undisturbed is not None
        assert progress.watermark == undisturbed.watermark


def test_again_there_is_nothing_to_take(cli: Cli, filled: Filled, home: Home) -> None:
    first = cli(*filled.ledger(*named(home), "--once", "--json")).document
    before = home.content()
    again = cli(*filled.ledger(*named(home), "--once", "--json")).document
    assert first["taken"] > 0
    assert again == first | {"taken": 0}
    assert home.content() == before


def test_killed_again_and_again_nothing_is_lost_and_nothing_is_there_twice(
    cli: Cli, filled: Filled, home: Home, tmp_path: Path
) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    chance, killed = random.Random(seed), 0
    undisturbed = FolderHome(tmp_path / "undisturbed")
    cli(*filled.ledger(*named(undisturbed), "--once"))
    slowly = "import tests.ledger.slow_ledger, sys; from streams.cli import main; main()"
    while killed < 4:
        arguments = [str(one) for one in filled.ledger(*named(home), "--once")]
        run = subprocess.Popen([*command()[:1], "-c", slowly, *arguments], env=environment(), stderr=subprocess.DEVNULL)
        before = reached(home)
        while run.poll() is None and reached(home) <= before:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.15))
        run.kill()
        if run.wait() != -signal.SIGKILL:
            break
        killed += 1
        if reached(home):
            with LedgerReader(home.where) as ledger:
                assert ledger.damage() == [], "an accounting ahead of its rows"
    assert killed >= 2, "it was done before it could be killed"
    assert cli(*filled.ledger(*named(home), "--once")).code == 0
    assert home.content(*TABLES) == undisturbed.content(*TABLES)


def reached(home: Home) -> int:
    """How far a ledger is that somebody else may be making now."""
    if isinstance(home, FolderHome) and not (home.directory / FILE).exists():
        return 0
    try:
        return sum(row[0] for row in home.rows("SELECT position FROM topic"))
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return 0


def test_it_follows_until_it_is_told_to_stop(cli: Cli, filled: Filled, home: Home) -> None:
    arguments = command(*filled.ledger(*named(home)))
    run = subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until = time.monotonic() + 120
    while run.poll() is None and reached(home) == 0 and time.monotonic() < until:
        time.sleep(0.1)
    run.terminate()
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 128 + signal.SIGTERM, said
    assert "stopped; to go on:" in said
    cli(*filled.ledger(*named(home), "--once"))
    assert LedgerReader(home.where).damage() == []


# ---- what it is told, and what it refuses ------------------------------------------------------------------------


def test_a_url_is_taken_from_the_environment_or_a_file_and_its_password_is_not_shown(
    cli: Cli, filled: Filled, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "url"
    secret.write_text(f"{postgres}&password=geheim\n")
    monkeypatch.setenv("JIANTU_LEDGER_URL_FILE", str(secret))
    ended = cli(*filled.ledger("--once"))
    assert ended.code == 0
    assert "geheim" not in ended.said
    assert "user=jiantu" in ended.said
    assert cli("alerts", "list", "--json").document
    monkeypatch.delenv("JIANTU_LEDGER_URL_FILE")
    monkeypatch.setenv("JIANTU_LEDGER_URL", postgres)
    assert cli("alert-log", "--digest").code == 0
    assert "sound" in cli("doctor").said


def test_one_ledger_has_to_be_named_and_only_one(cli: Cli, filled: Filled, tmp_path: Path) -> None:
    assert "no ledger; add --data-dir DIR, or --ledger URL" in cli.refused(*filled.ledger("--once"))
    both = ("--data-dir", tmp_path, "--ledger", "postgresql://db/ledger")
    assert "give one of them" in cli.refused(*filled.ledger(*both))
    wrong = cli.refused(*filled.ledger("--ledger", "mysql://jiantu:geheim@db/ledger"))
    assert "names no PostgreSQL database" in wrong
    assert "geheim" not in wrong


def test_a_replays_directory_is_left_alone(cli: Cli, filled: Filled, tmp_path: Path) -> None:
    cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path)
    ended = cli(*filled.ledger("-d", tmp_path, "--once"))
    assert ended.code == 1
    assert "holds another run" in ended.said


Spoil = Callable[[str, Topics], None]


def make_alerts_again(bootstrap: str, topics: Topics) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.delete_topics([topics.alerts])
    until = time.monotonic() + 120
    while topics.alerts in admin.list_topics() and time.monotonic() < until:
        time.sleep(0.1)
    admin.close()
    make_topics(bootstrap, topics.prefix, partitions=PARTITIONS, replay=True)


def write_something_else(bootstrap: str, topics: Topics) -> None:
    produce(bootstrap, topics.scores, b"hello", [])


def write_with_another_profile(bootstrap: str, topics: Topics) -> None:
    produce(bootstrap, topics.alerts, b"{}", [("profile", b"another")])


def produce(bootstrap: str, topic: str, value: bytes, headers: list[tuple[str, bytes]]) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    producer.send(topic, value=value, partition=0, headers=headers)
    producer.flush()
    producer.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (make_alerts_again, "is another topic than the ledger was filled from; give a fresh ledger"),
        (write_something_else, "record 0 of partition 0 is none of jiantu's"),
        (write_with_another_profile, "record 0 of partition 0 was made with another version of the profile"),
    ],
)
def test_topics_that_are_not_its_own_are_refused(
    cli: Cli, kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path, spoil: Spoil, said: str
) -> None:
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, partitions=PARTITIONS, replay=True)
    its_own = Filled(kafka_broker.bootstrap, topic_prefix).ledger("-d", tmp_path, "--once")
    assert cli(*its_own).code == 0
    spoil(kafka_broker.bootstrap, topics)
    ended = cli(*its_own)
    assert ended.code == 1
    assert said in ended.said
