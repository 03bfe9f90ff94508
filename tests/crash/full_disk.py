"""A disk that fills up in the middle of a run, twice, and the run that goes on when there is room again.

    unshare --mount python -m tests.crash.full_disk FOLDER

does it on a file system of 32 MB that is mounted on FOLDER and is gone with this process, and prints what
came of it as JSON.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import msgspec

from streams.core.decode import Batch
from streams.core.outputs import Accounting
from streams.core.pipeline import PipelineOutputs
from streams.ledger.errors import DiskFullError
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.runtime.embedded import EmbeddedRuntime, Progress
from tests.promises.lake import Outcome, open_store, replay, runtime_on

SIZE = "32m"
FIRST, SECOND = 2500, 5000
"""Records at which the disk is full."""


class Survival(msgspec.Struct):
    """What came of it."""

    said: list[str]
    """Each time there was no room."""
    records: list[int]
    """Where the ledger was then."""
    damage: list[str]
    outcome: Outcome


class FillsUp:
    """At a record, no room is left."""

    def __init__(self, record: int, fill: Callable[[], None]) -> None:
        self.record = record
        self.fill = fill
        self.filled = False

    def before(self, batch: Batch, /) -> bool:
        if batch.first >= self.record and not self.filled:
            self.filled = True
            self.fill()
        return True

    def after(self, progress: Progress, outputs: PipelineOutputs, /) -> bool:
        return True


def survive(data_dir: Path, fill: Callable[[LedgerStore], None], free: Callable[[LedgerStore], None]) -> Survival:
    """Run until there is no room; again without room; with room on, the same call in the same process, until there
    is none again; and with room to the end, in a new process."""
    survival = Survival([], [], [], Outcome(b"", Accounting()))
    with open_store(data_dir) as store:
        runtime = runtime_on(store, batch=100, interval=0)
        for full_at in (FIRST, SECOND):
            run_into_it(runtime, FillsUp(full_at, lambda: fill(store)), survival)
            run_into_it(runtime, None, survival)
            with LedgerReader(data_dir) as ledger:
                progress = ledger.progress()
                survival.damage += ledger.damage()
            survival.records.append(0 if progress is None else progress.record)
            free(store)
    survival.outcome = replay(data_dir)
    return survival


def run_into_it(runtime: EmbeddedRuntime, watcher: FillsUp | None, survival: Survival) -> None:
    try:
        runtime.run(watcher)
    except DiskFullError as error:
        survival.said.append(str(error))


def on_a_small_disk(folder: Path) -> Survival:
    """With a ballast that takes all the room there is."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "jiantu-test", str(folder)], check=True)
    ballast = folder / "ballast"

    def fill(store: LedgerStore) -> None:
        # The log's own room would do for some commits more.
        store._database.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    return survive(folder / "data", fill, lambda store: ballast.unlink())


if __name__ == "__main__":
    survival = on_a_small_disk(Path(sys.argv[1]))
    said = {
        "said": survival.said,
        "records": survival.records,
        "damage": survival.damage,
        "outcome": asdict(survival.outcome) | {"log": survival.outcome.log.decode()},
    }
    print(msgspec.json.encode(said).decode())
