"""One process writes; others read and work alerts off meanwhile; the dead hold nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from streams.clock import FixedClock
from streams.ledger import tables
from streams.ledger.connection import FILE
from streams.ledger.desk import AlertDesk
from streams.ledger.errors import LedgerBusyError, LedgerError, StepRefusedError
from streams.ledger.lifecycle import Step, StepKind
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.homes import DatabaseHome, Home
from tests.ledger.samples import EVERYTHING, LAYOUT, START, checkpoint, raised

HOLD = """
import sys
from pathlib import Path
from streams.ledger.place import LedgerUrl
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.samples import LAYOUT, START, checkpoint, raised
given = sys.argv[1]
store = LedgerStore(LedgerUrl.of(given) if given.startswith("postgresql:") else Path(given), LAYOUT)
store.commit(checkpoint(1, ids=b"abc"), Outputs(transitions=[raised("a1", START)]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(home: Home) -> Iterator[int]:
    """A process that writes once, and then holds the ledger until it is killed; its id."""
    command = [sys.executable, "-c", HOLD, home.url if isinstance(home, DatabaseHome) else str(home.where)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process.pid
        process.kill()


def test_a_second_writer_is_told_who_writes(home: Home, holder: int) -> None:
    told = rf"(process {holder} is writing this data directory|jiantu {holder}@\S+ is writing this ledger)"
    with pytest.raises(LedgerBusyError, match=told):
        LedgerStore(home.where, LAYOUT)
    os.kill(holder, signal.SIGKILL)
    os.waitid(os.P_PID, holder, os.WEXITED | os.WNOWAIT)
    with LedgerStore(home.where, LAYOUT) as store:  # the dead hold nothing
        resumption = store.load_checkpoint()
    assert resumption is not None
    assert resumption.chunks == {"ids": b"abc"}


def test_a_second_writer_in_the_same_process_is_refused_too(home: Home) -> None:
    with LedgerStore(home.where, LAYOUT), pytest.raises(LedgerBusyError):
        LedgerStore(home.where, LAYOUT)
    LedgerStore(home.where, LAYOUT).close()


def test_a_ledger_that_could_not_be_opened_is_not_held(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"once upon a time" * 1000)
    with pytest.raises(LedgerError, match="not a ledger"):
        LedgerStore(tmp_path, LAYOUT)
    (tmp_path / FILE).unlink()
    LedgerStore(tmp_path, LAYOUT).close()


def test_people_work_beside_a_writer(home: Home) -> None:
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(100, late=2, rejected=3), EVERYTHING)
        with AlertDesk(home.where, FixedClock(START)) as desk, LedgerReader(home.where) as ledger:
            desk.take("a1", Step(StepKind.ACKNOWLEDGE, "王敏"))
            store.commit(checkpoint(101, late=2, rejected=3), Outputs(transitions=[raised("a3", START)]))
            desk.take("a3", Step(StepKind.ACKNOWLEDGE, "王敏"))
            assert [(alert.id, alert.state) for alert in ledger.alerts()] == [
                ("a1", "acknowledged"),
                ("a2", "open"),
                ("a3", "acknowledged"),
            ]


def test_a_reader_sees_whole_checkpoints_only(home: Home) -> None:
    with LedgerStore(home.where, LAYOUT) as store, LedgerReader(home.where) as ledger:
        assert ledger.progress() is None
        seen = []

        def half(db: Connection) -> None:
            db.execute(insert(tables.state_chunk).values(name="half", content=b"0"))
            seen.append((ledger.damage(), ledger.progress()))
            raise KeyError

        with pytest.raises(KeyError):
            store._database.run(half)
        assert seen == [([], None)]
        store.commit(checkpoint(7), Outputs())
        progress = ledger.progress()
        assert progress is not None
        assert progress.record == 7


def test_steps_of_many_people_at_once_make_one_chain(home: Home) -> None:
    """Each with a connection of their own, all at the same time."""
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(1), Outputs(transitions=[raised(f"alert{n}", START) for n in range(4)]))

    def acknowledge(who: str) -> None:
        with AlertDesk(home.where, FixedClock(START)) as desk:
            for n in range(4):
                with suppress(StepRefusedError):  # a colleague was quicker
                    desk.take(f"alert{n}", Step(StepKind.ACKNOWLEDGE, who))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(acknowledge, ["王敏", "李强", "duty01", "duty02"]))
    with LedgerReader(home.where) as ledger:
        assert ledger.verify_audit().head.count == 4
        assert ledger.damage() == []


WRITES_AND_ENDS = """
import sys
from pathlib import Path
from streams.clock import FixedClock
from streams.ledger.desk import AlertDesk
from streams.ledger.lifecycle import Step, StepKind
with AlertDesk(Path(sys.argv[1]), FixedClock(5)) as desk:
    desk.take("a2", Step(StepKind.ACKNOWLEDGE, "王敏"))
"""


def test_looking_at_a_ledger_twice_takes_no_lock_away_from_who_reads_it(tmp_path: Path) -> None:
    """Else the next process to end takes the log away from under a reader, and the ledger is soon damaged."""
    with LedgerStore(tmp_path, LAYOUT) as store:
        store.commit(checkpoint(100, late=2, rejected=3), EVERYTHING)
    with LedgerReader(tmp_path) as first:
        assert len(first.alerts()) == 2
        LedgerReader(tmp_path).close()
        subprocess.run([sys.executable, "-c", WRITES_AND_ENDS, tmp_path], check=True)
        assert (tmp_path / "jiantu.db-wal").exists(), "who ended thought that nobody else was there"
        assert len(first.steps()) == 1
