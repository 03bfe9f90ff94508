"""A disk that fills up during a run: a clear error, nothing corrupt, and it goes on when there is room again."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.ledger.store import LedgerStore
from tests.crash.full_disk import FIRST, SECOND, survive
from tests.promises.lake import Outcome

ROOT = Path(__file__).parents[2]


def check(said: list[str], records: list[int], damage: list[str], data_dir: Path) -> None:
    """Four times there was no room, and every time it was said; the ledger stayed at what there had been room for."""
    assert len(said) == 4
    for text in said:
        assert text.startswith(f"{data_dir / 'jiantu.db'}: no space left; nothing of this checkpoint was written"), text
        assert "run the same command again" in text
    assert damage == []
    first, second = records
    assert FIRST - 200 < first <= FIRST + 100
    assert SECOND - 200 < second <= SECOND + 100


def test_no_more_pages(undisturbed: Outcome, tmp_path: Path) -> None:
    """Everywhere: the ledger may not grow any more."""

    def limit(store: LedgerStore, pages: int) -> None:
        store._database.driver.execute(f"PRAGMA max_page_count = {pages}")

    survival = survive(tmp_path, lambda store: limit(store, 1), lambda store: limit(store, 1 << 30))
    check(survival.said, survival.records, survival.damage, tmp_path)
    assert survival.outcome == undisturbed


def test_no_more_disk(undisturbed: Outcome, tmp_path: Path) -> None:
    """A real file system without room; mounted for one process, and gone with it however that ends."""
    folder = tmp_path / "disk"
    folder.mkdir()
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    tried = subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", str(folder)], capture_output=True, check=False)
    if tried.returncode:
        if os.geteuid() == 0 and "CI" in os.environ:
            pytest.fail("root may not mount a tmpfs here: give the container CAP_SYS_ADMIN")
        pytest.skip("mounting a small file system is not allowed here; test_no_more_pages fills up a file instead")
    run = subprocess.run(
        [*unshare, sys.executable, "-W", "error", "-m", "tests.crash.full_disk", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = msgspec.json.decode(run.stdout)
    check(told["said"], told["records"], told["damage"], folder / "data")
    assert told["outcome"]["log"].encode() == undisturbed.log
    assert told["outcome"]["state_sha256"] == undisturbed.state_sha256
    assert told["outcome"]["ledger_sha256"] == undisturbed.ledger_sha256
