"""One process writes; others read and work alerts off meanwhile; the dead hold nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.clock import FixedClock
from streams.ledger.connection import FILE
from streams.ledger.desk import AlertDesk
from streams.ledger.errors import LedgerBusyError, LedgerError
from streams.ledger.lifecycle import Step, StepKind
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.samples import EVERYTHING, LAYOUT, START, checkpoint, raised

HOLD = """
import sys
from pathlib import Path
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.samples import LAYOUT, START, checkpoint, raised
store = LedgerStore(Path(sys.argv[1]), LAYOUT)
store.commit(checkpoint(1, ids=b"abc"), Outputs(transitions=[raised("a1", START)]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[int]:
    """A process that writes once, and then holds the ledger until it is killed; its id."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process.pid
        process.kill()


def test_a_second_writer_is_told_who_writes(tmp_path: Path, holder: int) -> None:
    with pytest.raises(LedgerBusyError, match=rf"process {holder} is writing this data directory"):
        LedgerStore(tmp_path, LAYOUT)
    os.kill(holder, signal.SIGKILL)
    os.waitid(os.P_PID, holder, os.WEXITED | os.WNOWAIT)
    with LedgerStore(tmp_path, LAYOUT) as store:  # the dead hold nothing
        resumption = store.load_checkpoint()
    assert resumption is not None
    assert resumption.chunks == {"ids": b"abc"}


def test_a_second_writer_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with LedgerStore(tmp_path, LAYOUT), pytest.raises(LedgerBusyError):
        LedgerStore(tmp_path, LAYOUT)
    LedgerStore(tmp_path, LAYOUT).close()


def test_a_ledger_that_could_not_be_opened_is_not_held(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"once upon a time" * 1000)
    with pytest.raises(LedgerError, match="not a ledger"):
        LedgerStore(tmp_path, LAYOUT)
    (tmp_path / FILE).unlink()
    LedgerStore(tmp_path, LAYOUT).close()


def test_people_work_beside_a_writer(tmp_path: Path) -> None:
    with LedgerStore(tmp_path, LAYOUT) as store:
        store.commit(checkpoint(100, late=2, rejected=3), EVERYTHING)
        with AlertDesk(tmp_path, FixedClock(START)) as desk, LedgerReader(tmp_path) as ledger:
            desk.take("a1", Step(StepKind.ACKNOWLEDGE, "王敏"))
            store.commit(checkpoint(101, late=2, rejected=3), Outputs(transitions=[raised("a3", START)]))
            desk.take("a3", Step(StepKind.ACKNOWLEDGE, "王敏"))
            assert [(alert.id, alert.state) for alert in ledger.alerts()] == [
                ("a1", "acknowledged"),
                ("a2", "open"),
                ("a3", "acknowledged"),
            ]


def test_a_reader_sees_whole_checkpoints_only(tmp_path: Path) -> None:
    with LedgerStore(tmp_path, LAYOUT) as store, LedgerReader(tmp_path) as ledger:
        assert ledger.progress() is None
        store._db.execute("BEGIN")
        store._db.execute("INSERT INTO state_chunk VALUES ('half', x'00')")
        assert ledger.damage() == []
        assert ledger.progress() is None
        store._db.execute("ROLLBACK")
        store.commit(checkpoint(7), Outputs())
        progress = ledger.progress()
        assert progress is not None
        assert progress.record == 7
