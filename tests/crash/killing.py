"""One replay of Lake City's recording, lived by many processes, each of them killed with SIGKILL.

    python -m tests.crash.killing DATA_DIR --kills 200 --seed 7

Prints one JSON document: every kill, where the run was and whether it was inside a commit. Lives are forked
after the imports. A process of its own, because a fork wants no other threads, and no coverage or warnings of a
test runner in its children.

A life tells through a pipe of every batch and every commit that it begins; it is killed a moment after one of
them. In memory that both sides see it keeps whether it is inside a commit: what stands there when it is dead is
how it died. Commits are slowed down from within SQLite, so that there is a moment to hit. Each life takes a part
of the stream, and none may reach the end.
"""

import argparse
import gc
import mmap
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import msgspec
import numpy as np

from streams.core.decode import Batch
from streams.core.instant import SECOND
from streams.core.pipeline import PipelineOutputs
from streams.ledger.errors import LedgerError
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Checkpoint, Outputs, SeriesLayout
from streams.runtime.embedded import Progress
from tests.promises.lake import city_profile, fresh_pipeline, recorded_lines, runtime_on

BATCH = 6
INTERVALS = (0, SECOND // 200, SECOND // 20)
"""Between two checkpoints: a batch, some, or more than a life has."""
REST = 0.001
"""Seconds between two batches."""
SLOWED = 0.0003
"""Seconds, after every so many steps of SQLite's machine inside a commit."""
STEPS = 150
_BIRTH = 0.03
"""Seconds from the fork in which a life opens the ledger and restores the state; one that dies at birth dies then."""
_MOMENT = 0.002
"""Seconds, on average, from what is heard to the kill."""
_REPEATED = 1.6
"""Batches that are taken in for one that is new."""
PATIENCE = 60.0
_BATCH, _COMMIT, _FAR = b"b", b"c", b"f"
"""What a life tells: that it begins a batch, a commit, or that it is as far as any may come."""


class Told(msgspec.Struct):
    """One kill."""

    position: int
    """Record that the last checkpoint before it would go on from."""
    in_commit: bool
    commits: int
    """That this life was heard to begin."""


class Life:
    """What a life and whoever kills it both see."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)
        self._ear, self._mouth = os.pipe()

    @property
    def in_commit(self) -> bool:
        return self._memory[0] == 1

    @in_commit.setter
    def in_commit(self, inside: bool) -> None:
        self._memory[0] = inside

    def tell(self, what: bytes) -> None:
        os.write(self._mouth, what)

    def only_listen(self) -> None:
        os.close(self._mouth)

    def heard(self) -> bytes:
        """The next thing that it tells; nothing when it is dead, or says nothing for long."""
        ready, _, _ = select.select([self._ear], [], [], PATIENCE)
        return os.read(self._ear, 1) if ready else b""

    def close(self) -> None:
        os.close(self._ear)
        self._memory.close()


class WatchedStore(LedgerStore):
    """A ledger that says when it is inside a commit, and takes its time there."""

    life: Life

    def commit(self, checkpoint: Checkpoint, outputs: Outputs) -> None:
        self.life.in_commit = True
        self.life.tell(_COMMIT)
        self._database.driver.set_progress_handler(lambda: time.sleep(SLOWED), STEPS)
        super().commit(checkpoint, outputs)
        self._database.driver.set_progress_handler(None, 0)
        self.life.in_commit = False


class Slowly:
    """Takes one batch after another with a rest in between, and rests for good before the end of the stream."""

    def __init__(self, life: Life, last: int) -> None:
        self.life = life
        self.last = last

    def before(self, batch: Batch, /) -> bool:
        far = batch.first >= self.last
        self.life.tell(_FAR if far else _BATCH)
        time.sleep(PATIENCE if far else REST)
        return True

    def after(self, progress: Progress, outputs: PipelineOutputs, /) -> bool:
        return True


def live(data_dir: Path, life: Life, interval: int, last: int) -> NoReturn:
    """One life, in a child."""
    try:
        profile = city_profile()
        WatchedStore.life = life
        store = WatchedStore(data_dir, SeriesLayout.of(profile.city), profile.retention)
        runtime_on(store, batch=BATCH, interval=interval).run(Slowly(life, last))
    except BaseException as error:  # noqa: BLE001 - said, and then the end of the process, whatever it was
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(1)


def kill(data_dir: Path, random: np.random.Generator, most: int, last: int) -> Told:
    """Bring one life into being, and to its end after some batches, or inside some commit, as chance has it."""
    life = Life()
    interval = INTERVALS[int(random.integers(len(INTERVALS)))]
    after = int(random.integers(-1, most + 1))
    in_commit = random.random() < 0.5
    child = os.fork()
    if child == 0:
        live(data_dir, life, interval, last)
    life.only_listen()
    commits = 0
    try:
        if after < 0:
            time.sleep(random.uniform(0, _BIRTH))
        else:
            commits = listen(life, after, most, in_commit)
            time.sleep(random.exponential(_MOMENT))
    finally:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        raise SystemExit(f"a life ended by itself, with status {status}; what it said is above")
    died_in_commit = life.in_commit
    life.close()
    return Told(position(data_dir), died_in_commit, commits)


def position(data_dir: Path) -> int:
    """Where the next life goes on; 0 also where one died before there was a ledger."""
    try:
        with LedgerReader(data_dir) as ledger:
            progress = ledger.progress()
    except LedgerError:
        return 0
    return 0 if progress is None else progress.record


def listen(life: Life, after: int, most: int, in_commit: bool) -> int:
    """Wait until it has begun more than so many batches, and then, it may be, a commit; the commits heard of."""
    batches = commits = 0
    while heard := life.heard():
        batches += heard == _BATCH
        commits += heard == _COMMIT
        if heard == _FAR or (batches > after and (heard == _COMMIT or not in_commit or batches > after + most)):
            break
    return commits


def main(data_dir: Path, kills: int, seed: int) -> None:
    lines = recorded_lines()
    # Everything is compiled and loaded before the first fork.
    pipeline = fresh_pipeline()
    pipeline.step(pipeline.decoder.lines(b"".join(lines), 0, len(lines)))
    # What there is now is no garbage: no life need look through it, nor write into its pages.
    gc.collect()
    gc.freeze()
    random = np.random.default_rng(seed)
    # So that all lives together come to about the end, with what each repeats.
    most = max(int(_REPEATED * 2 * len(lines) / (kills * BATCH)), 1)
    told = [kill(data_dir, random, most, len(lines) - 200) for _ in range(kills)]
    print(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args()
    main(given.data_dir, given.kills, given.seed)
