"""What is done to a ledger on a disk that fills up.

`python -m tests.ledger.small_disk DIR` mounts 12 MB of memory under DIR for every scenario and runs it there. It
is to be started under `unshare --mount`, so that the mounts end with the process, however that ends.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from streams.core.instant import HOUR
from streams.ledger.errors import DiskFullError
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.samples import LAYOUT, START, checkpoint, raised, scored

MOUNT = ("mount", "-t", "tmpfs", "-o", "size=12m", "jiantu-test")
NOISE = bytes(range(256)) * 4096


def outputs(record: int) -> Outputs:
    """An alert and a scored window of one record's own."""
    end = START + record * HOUR
    return Outputs(transitions=[raised(f"a{record}", end)], scored=[scored(end)])


def commit(store: LedgerStore, record: int) -> None:
    """A checkpoint with a chunk of state of its own, and those outputs."""
    store.commit(replace(checkpoint(record), changed={f"chunk{record}": NOISE}), outputs(record))


def commit_all(store: LedgerStore, done: list[int]) -> None:
    """Far more than there is room for, after those that are done."""
    while len(done) < 60:
        commit(store, len(done) + 1)
        done.append(len(done) + 1)


def fill(store: LedgerStore, last: int = 0) -> int:
    """Commit after `last` until there is no room; the last commit that there was room for."""
    done = list(range(1, last + 1))
    with pytest.raises(DiskFullError, match="no space left; nothing of this checkpoint was written"):
        commit_all(store, done)
    return len(done)


def check(directory: Path, store: LedgerStore, last: int) -> None:
    """Everything up to the last good commit is there, nothing of the one that failed, and nothing is corrupt."""
    resumption = store.load_checkpoint()
    assert resumption is not None
    assert resumption.record == last
    assert sorted(resumption.chunks) == sorted(f"chunk{record}" for record in range(1, last + 1))
    with LedgerReader(directory) as ledger:
        assert len(ledger.alerts()) == last
        assert ledger.damage() == []


def filled_while_running(disk: Path) -> None:
    """It fills in the middle of a run; once there is room the very same commit goes on, and so does the next run."""
    ballast, data = disk / "ballast", disk / "data"
    ballast.write_bytes(bytes(4 << 20))
    with LedgerStore(data, LAYOUT) as store:
        last = fill(store)
        with pytest.raises(DiskFullError):
            commit(store, last + 1)
    with LedgerStore(data, LAYOUT) as store:
        check(data, store, last)
        last = fill(store, last)
        ballast.unlink()
        commit(store, last + 1)
        check(data, store, last + 1)
    with LedgerStore(data, LAYOUT) as store:
        check(data, store, last + 1)


def full_from_the_start(disk: Path) -> None:
    """There is no room even to make the ledger."""
    ballast, data = disk / "ballast", disk / "data"
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(bytes(16 << 20))
    with pytest.raises(DiskFullError, match="no space left"):
        LedgerStore(data, LAYOUT)
    ballast.unlink()
    with LedgerStore(data, LAYOUT) as store:
        commit(store, 1)
        check(data, store, 1)


if __name__ == "__main__":
    for scenario in (filled_while_running, full_from_the_start):
        where = Path(sys.argv[1], scenario.__name__)
        where.mkdir()
        subprocess.run([*MOUNT, where], check=True)
        scenario(where)
