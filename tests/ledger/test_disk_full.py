"""A full disk: a clear error, nothing half written, nothing corrupt, and it goes on when there is room."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from streams.core.instant import HOUR
from streams.ledger.errors import DiskFullError
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.samples import LAYOUT, START, checkpoint, raised, scored

NOISE = bytes(range(256)) * 4096


def outputs(record: int) -> Outputs:
    """An alert and a scored window of one record's own."""
    end = START + record * HOUR
    return Outputs(transitions=[raised(f"a{record}", end)], scored=[scored(end)])


def commit(store: LedgerStore, record: int) -> None:
    """A checkpoint with a chunk of state of its own, and those outputs."""
    store.commit(replace(checkpoint(record), changed={f"chunk{record}": NOISE}), outputs(record))


def commit_all(store: LedgerStore, done: list[int]) -> None:
    for record in range(1, 60):
        commit(store, record)
        done.append(record)


def fill(store: LedgerStore) -> int:
    """Commit until there is no room; the record of the last commit that there was room for."""
    done: list[int] = []
    with pytest.raises(DiskFullError, match="no space left; nothing of this checkpoint was written"):
        commit_all(store, done)
    return done[-1]


def check(directory: Path, store: LedgerStore, last: int) -> None:
    """Everything up to the last good commit is there, nothing of the one that failed, and nothing is corrupt."""
    resumption = store.load_checkpoint()
    assert resumption is not None
    assert resumption.record == last
    assert sorted(resumption.chunks) == sorted(f"chunk{record}" for record in range(1, last + 1))
    with LedgerReader(directory) as ledger:
        assert len(ledger.alerts()) == last
        assert ledger.damage() == []


def test_no_more_pages(tmp_path: Path) -> None:
    with LedgerStore(tmp_path, LAYOUT) as store:
        store._db.execute("PRAGMA max_page_count = 2000")
        last = fill(store)
        check(tmp_path, store, last)
        store._db.execute("PRAGMA max_page_count = 100000")
        commit(store, last + 1)
        check(tmp_path, store, last + 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """12 MB of memory as a file system of its own, where root may mount one."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small tmpfs; test_no_more_pages fills up a file instead")
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "jiantu-test", str(where)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.decode().strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)


def test_no_more_disk(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(4 << 20))
    data = small_disk / "data"
    with LedgerStore(data, LAYOUT) as store:
        last = fill(store)
        assert last > 0
        with pytest.raises(DiskFullError):
            commit(store, last + 1)
    ballast.unlink()
    with LedgerStore(data, LAYOUT) as store:
        check(data, store, last)
        commit(store, last + 1)
        check(data, store, last + 1)


def test_no_room_to_begin_with(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(bytes(16 << 20))
    with pytest.raises(DiskFullError, match="no space left"):
        LedgerStore(small_disk / "data", LAYOUT)
    ballast.unlink()
    with LedgerStore(small_disk / "data", LAYOUT) as store:
        commit(store, 1)
        check(small_disk / "data", store, 1)
