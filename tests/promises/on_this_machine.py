"""Replay Lake City's recording in this process, as the machine is, and say what it came to as JSON.

    python -m tests.promises.on_this_machine DATA_DIR [WALL_CLOCK]

WALL_CLOCK: what this process believes to be the time, from before it reads the profile (seconds since the epoch).
"""

import importlib
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import time_machine

from tests.promises import lake

A_MARCH = 1_741_000_000
"""3 March 2025: where clocks are changed, they are not yet."""


def wide_cpu_features() -> list[str]:
    """What numpy makes use of here beyond its baseline."""
    numpy_c = importlib.import_module("numpy._core._multiarray_umath")
    features: Mapping[str, bool] = numpy_c.__cpu_features__
    return [name for name in numpy_c.__cpu_dispatch__ if features.get(name)]


def main(data_dir: Path, wall_clock: int | None) -> None:
    with ExitStack() as stack:
        if wall_clock is not None:
            # A datetime would bring its own zone along.
            stack.enter_context(time_machine.travel(wall_clock, tick=True))
        outcome = lake.replay(data_dir, batch=500)
        machine = {
            "offset": time.localtime(A_MARCH).tm_gmtoff,
            "year": datetime.now(UTC).year,
            "hash": hash("乐山"),
            "wide_cpu_features": wide_cpu_features(),
        }
    said = {
        "log_sha256": outcome.log_sha256,
        "state_sha256": outcome.state_sha256,
        "ledger_sha256": outcome.ledger_sha256,
        "accounting": asdict(outcome.accounting),
        "machine": machine,
    }
    print(msgspec.json.encode(said).decode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
