"""Killing the process anywhere changes nothing: the log, the state and the whole ledger are as undisturbed."""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.promises.lake import Outcome, recorded_lines, replay

ROOT = Path(__file__).parents[2]


def killed(data_dir: Path, kills: int, seed: int) -> list[dict[str, Any]]:
    """What tests.crash.killing did to a run into a data directory."""
    print(f"again: python -m tests.crash.killing DATA_DIR --kills {kills} --seed {seed}")
    run = subprocess.run(
        [sys.executable, "-m", "tests.crash.killing", str(data_dir), "--kills", str(kills), "--seed", str(seed)],
        cwd=ROOT,
        # One thread: a library's idle threads are not there in the children.
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == "", "a life ended by itself before it was killed"
    told: list[dict[str, Any]] = msgspec.json.decode(run.stdout)
    return told


def check(told: list[dict[str, Any]], kills: int) -> None:
    """They happened, all over the stream, and enough of them inside a commit."""
    assert len(told) == kills
    assert sum(one["in_commit"] for one in told) >= kills / 10
    positions = [one["position"] for one in told]
    assert positions == sorted(positions), "a checkpoint that was there is gone"
    assert len(set(positions)) > kills / 4
    assert positions[-1] > len(recorded_lines()) / 2


@pytest.mark.long
def test_two_hundred_kills_change_nothing(undisturbed: Outcome, tmp_path: Path) -> None:
    check(killed(tmp_path, 200, secrets.randbits(32)), 200)
    assert replay(tmp_path) == undisturbed


@pytest.mark.soak
@pytest.mark.parametrize("kills", [20, 50, 100, 1000, 3000])
def test_kills_without_end_change_nothing(kills: int, undisturbed: Outcome, tmp_path: Path) -> None:
    for campaign in range(max(3000 // kills, 1)):
        data_dir = tmp_path / str(campaign)
        check(killed(data_dir, kills, secrets.randbits(32)), kills)
        assert replay(data_dir) == undisturbed
