"""One log, one state on every machine: zone, hash seed, wall clock, threads and CPU of the process do not matter."""

import os
import subprocess
import sys
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.promises.lake import Outcome, pinned

ROOT = Path(__file__).parents[2]

MACHINES = [
    # zone, its offset in March, what hash() begins with, wall clock, threads
    ("Asia/Shanghai", 8.0, "0", "2024-12-31T15:59:59Z", 1),
    ("UTC", 0.0, "1", "1999-12-31T23:59:58Z", 7),
    ("America/New_York", -5.0, "4294967295", "2038-01-19T03:14:06Z", 2),
    ("Australia/Lord_Howe", 11.0, "271828", "2025-03-09T06:59:59Z", 1),
    ("Asia/Kathmandu", 5.75, "random", "2150-06-01T00:00:00Z", 3),
]
"""Clocks before, within and long after the recording, each about to turn."""


def replayed_by(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """What a process of its own makes of the recording."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.promises.on_this_machine", *arguments],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if not name.startswith("PYTEST")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    said: dict[str, Any] = msgspec.json.decode(run.stdout)
    return said


@pytest.mark.parametrize(("zone", "offset", "hash_seed", "clock", "threads"), MACHINES)
def test_any_zone_hash_seed_wall_clock_and_number_of_threads(
    zone: str, offset: float, hash_seed: str, clock: str, threads: int, undisturbed: Outcome, tmp_path: Path
) -> None:
    at = datetime.fromisoformat(clock)
    said = replayed_by(
        {
            # From the package: an image of Debian may have no time zones of its own.
            "TZ": f":{files('tzdata') / 'zoneinfo' / zone}",
            "PYTHONHASHSEED": hash_seed,
        }
        | dict.fromkeys(
            ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)
        ),
        str(tmp_path),
        str(int(at.timestamp())),
    )
    assert said["machine"]["offset"] == offset * 3600
    assert said["machine"]["year"] in {at.year, at.year + 1}
    assert said["machine"]["hash"] != hash("乐山") or hash_seed == os.environ.get("PYTHONHASHSEED")
    assert said["log_sha256"] == undisturbed.log_sha256
    assert said["state_sha256"] == undisturbed.state_sha256
    assert said["ledger_sha256"] == undisturbed.ledger_sha256


@pytest.mark.long
def test_a_cpu_without_wide_registers(plain_cpu: dict[str, str], tmp_path: Path) -> None:
    """numpy without all that it dispatches on here, numba for the plainest CPU of this kind, compiled afresh.

    Of the state nothing is promised between different CPUs: exp and log may differ in their last digit.
    """
    said = replayed_by(plain_cpu, str(tmp_path))
    assert said["machine"]["wide_cpu_features"] == []
    assert list(Path(plain_cpu["NUMBA_CACHE_DIR"]).rglob("*.nbc")), "nothing was compiled for that CPU"
    assert said["log_sha256"] == pinned()[0]
