"""One process writes; others read and work alerts off meanwhile; the dead hold nothing."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from streams.clock import FixedClock
from streams.ledger.desk import AlertDesk
from streams.ledger.errors import LedgerBusyError
from streams.ledger.lifecycle import Step, StepKind
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.samples import EVERYTHING, LAYOUT, START, checkpoint, raised

FORK = multiprocessing.get_context("fork")


def hold(directory: Path, said: Connection) -> None:
    """Write, say so, and then hold the ledger until killed."""
    store = LedgerStore(directory, LAYOUT)
    store.commit(checkpoint(1, ids=b"abc"), Outputs(transitions=[raised("a1", START)]))
    said.send("open")
    said.recv()


@pytest.fixture
def holder(tmp_path: Path) -> Callable[[], int]:
    def start() -> int:
        here, there = FORK.Pipe()
        process = FORK.Process(target=hold, args=(tmp_path, there), daemon=True)
        process.start()
        assert here.recv() == "open"
        held.append((process, here))
        assert process.pid is not None
        return process.pid

    held: list[tuple[object, Connection]] = []
    return start


def test_a_second_writer_is_told_who_writes(tmp_path: Path, holder: Callable[[], int]) -> None:
    pid = holder()
    with pytest.raises(LedgerBusyError, match=rf"process {pid} is writing this data directory"):
        LedgerStore(tmp_path, LAYOUT)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with LedgerStore(tmp_path, LAYOUT) as store:  # the dead hold nothing
        resumption = store.load_checkpoint()
    assert resumption is not None
    assert resumption.chunks == {"ids": b"abc"}


def test_a_second_writer_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with LedgerStore(tmp_path, LAYOUT), pytest.raises(LedgerBusyError):
        LedgerStore(tmp_path, LAYOUT)
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
