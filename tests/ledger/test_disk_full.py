"""A full disk: a clear error, nothing half written, nothing corrupt, and it goes on when there is room."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from streams.ledger.store import LedgerStore
from tests.ledger.samples import LAYOUT
from tests.ledger.small_disk import MOUNT, check, commit, fill

ALONE = ("unshare", "--mount")


def can_mount() -> bool:
    """Whether this process may have a small disk of its own: as root, where the container allows it."""
    if os.geteuid() != 0:
        return False
    with TemporaryDirectory() as where:
        return subprocess.run([*ALONE, *MOUNT, where], capture_output=True, check=False).returncode == 0


def no_more_pages(directory: Path) -> None:
    """A file that may not grow: what everybody can try."""
    with LedgerStore(directory, LAYOUT) as store:
        store._database.driver.execute("PRAGMA max_page_count = 2000")
        last = fill(store)
        check(directory, store, last)
        store._database.driver.execute("PRAGMA max_page_count = 100000")
        commit(store, last + 1)
        check(directory, store, last + 1)


def no_more_disk(directory: Path) -> None:
    """Small disks of memory, in a process of their own."""
    command = [*ALONE, sys.executable, "-m", "tests.ledger.small_disk", str(directory)]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("fill_up", [no_more_pages, no_more_disk] if can_mount() else [no_more_pages])
def test_a_full_disk_breaks_nothing(tmp_path: Path, fill_up: Callable[[Path], None]) -> None:
    fill_up(tmp_path)
