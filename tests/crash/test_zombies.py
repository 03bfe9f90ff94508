"""One writer: a second one is refused, and one that was thought dead and wakes late does no harm (law 3)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.core.decode import Batch
from streams.core.pipeline import PipelineOutputs
from streams.ledger.errors import LedgerBusyError, LedgerError
from streams.ledger.lock import NAME
from streams.runtime.embedded import Progress
from tests.promises.lake import Outcome, open_store, replay, runtime_on

ROOT = Path(__file__).parents[2]


def test_a_second_writer_is_refused_even_when_the_first_one_sleeps(undisturbed: Outcome, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.slow_life", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        said = [first.stdout.readline() for _ in range(40)]
        assert int(said[-1]) == 40 * 50
        first.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(LedgerBusyError, match=rf"process {first.pid} is writing this data directory"):
                open_store(tmp_path)
        finally:
            first.send_signal(signal.SIGCONT)
        *_, last = first.stdout
    assert first.returncode == 0
    assert last.split() == [undisturbed.log_sha256, undisturbed.state_sha256, undisturbed.ledger_sha256]


class SleepsAt:
    """Somewhere in the stream it falls asleep, and another one, who thinks it dead, takes over meanwhile."""

    def __init__(self, record: int, data_dir: Path, other_stops: int) -> None:
        self.record = record
        self.data_dir = data_dir
        self.other_stops = other_stops
        self.slept = False

    def before(self, batch: Batch, /) -> bool:
        if batch.first >= self.record and not self.slept:
            self.slept = True
            # As on a file system whose locks do not outlive a cut in the network.
            (self.data_dir / NAME).unlink()
            with open_store(self.data_dir) as store:
                runtime_on(store, batch=100, interval=0).run(StopsAt(self.other_stops))
        return True

    def after(self, progress: Progress, outputs: PipelineOutputs, /) -> bool:
        return True


class StopsAt:
    """Goes as far as a record."""

    def __init__(self, record: int) -> None:
        self.record = record

    def before(self, batch: Batch, /) -> bool:
        return batch.first < self.record

    def after(self, progress: Progress, outputs: PipelineOutputs, /) -> bool:
        return True


@pytest.mark.parametrize(
    ("checkpointed", "other_stops"),
    [(0, 6000), (3000, 3400), (3000, 4300), (3000, 9000)],
    ids=["no checkpoint, and the other far ahead", "the other behind", "the other just ahead", "the other at the end"],
)
def test_a_zombie_that_wakes_late_does_no_harm(
    checkpointed: int, other_stops: int, undisturbed: Outcome, tmp_path: Path
) -> None:
    if checkpointed:
        with open_store(tmp_path) as store:
            runtime_on(store, batch=100).run(StopsAt(checkpointed))
    zombie = SleepsAt(4000, tmp_path, other_stops)
    refused = "cannot go back"
    with open_store(tmp_path) as store:
        try:
            runtime_on(store, batch=100, interval=60_000_000).run(zombie)
        except LedgerError as error:
            refused = str(error)
    # What it missed was written by another: it is told so, and none of its own is written.
    assert "cannot go back" in refused or "counted; nothing was written" in refused
    assert zombie.slept
    assert replay(tmp_path) == undisturbed
