"""jiantu's full job on the benchmark's stream: `jiantu worker`, one or two of them.

The topic of events is written once. Every run begins anew: its topics of results and its group are its own. What it
closes tells how far it is, as with the peers: every hour of every county, with the events in it.
"""

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from streams.broker.names import Topics as Names
from streams.broker.settings import BrokerSettings
from streams.core.wire import decode_window
from streams.runtime.checkpoints import CheckpointReader, Place
from streams.runtime.cluster import Cluster
from tests.benchmarks.kafka_events import PROFILE, Stream, Truth
from tests.benchmarks.kafka_runs import Cores
from tests.benchmarks.kafka_topics import EVENTS_PARTITIONS, HOURS_AFTER, WHEN_WRITTEN, Sender, Topics
from tests.benchmarks.kafka_watch import Outcome, Processes, Results, Window, watch

_ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)
_WINDOWS = 3
"""Partitions of the topic of windows: hours, days and weeks may go to three workers."""
NEVER = 1e6
"""Seconds between checkpoints, for none."""


def closed_hour(value: bytes) -> Sequence[tuple[Window, int]]:
    """The events of a county's closed hour; of an empty hour, of a day or a week, nothing."""
    window = decode_window(value)
    if window.size != "hour":
        return []
    events = sum(count for _, count in window.cells.items())
    return [((window.county, "", window.start // 1000), events)] if events else []


class _Said(msgspec.Struct):
    event: str = ""
    partitions: str | int = ""


class FullJob:
    """The full job on one stream."""

    def __init__(self, topics: Topics, name: str, stream: Stream) -> None:
        """Writes the stream into the topic of events; `name` is the prefix of all its topics."""
        self._topics = topics
        self._names = Names(f"{name}.")
        self._stream = stream
        self._ticked = HOURS_AFTER
        topics.write_events(self._names.events, stream)

    @property
    def truth(self) -> Truth:
        """Of every county and hour, the different events."""
        return self._stream.hours

    def run(
        self, cores: Sequence[Cores], patience: float, steps: str = "tally", every: float | None = None
    ) -> tuple[Outcome, float]:
        """One run, a worker for each of `cores`, from nothing to the last window: (outcome of the first worker's
        process and of all results, share of the events that the busiest worker had).

        `every`: seconds between checkpoints; None: as the command has it.
        """
        with self._anew() as (group, folder):
            results = Results(self._topics.bootstrap, self._names.windows, _WINDOWS, closed_hour)
            workers = [
                self._start(group, one, folder / f"worker-{number}.log", steps, every)
                for number, one in enumerate(cores)
            ]
            try:
                outcome = watch(workers[0], results, self.truth, patience)
            finally:
                for worker in workers:
                    worker.stop()
                results.close()
            return outcome, self._busiest([folder / f"worker-{number}.log" for number in range(len(cores))])

    def recover(self, cores: Cores, patience: float) -> tuple[Outcome, dict[str, float | None]]:
        """(outcome of a worker that counts the stream and leaves its checkpoints; seconds from the start of the next
        one to its first new window, and megabytes of state in the checkpoints). No seconds: it closed none."""
        with self._anew() as (group, folder):
            results = Results(self._topics.bootstrap, self._names.windows, _WINDOWS, closed_hour)
            worker = self._start(group, cores, folder / "first.log", "tally", None)
            outcome = watch(worker, results, self.truth, patience)  # which stops it, and it leaves a checkpoint
            before, size = results.messages, self._checkpointed()
            self._ticked += 1
            sender = Sender(self._topics.bootstrap)
            sender.tick(self._names.events, self._stream.tick(self._ticked))
            sender.finish()
            again = self._start(group, cores, folder / "again.log", "tally", None)
            try:
                deadline = time.monotonic() + patience
                while results.messages == before and time.monotonic() < deadline:
                    results.take(0.1)
                came = results.messages > before
                seconds = results.newest - again.began if came else None
                return outcome, {"seconds": seconds, "megabytes": size / 1e6}
            finally:
                again.stop()
                results.close()

    def _checkpointed(self) -> int:
        """Bytes of state in the checkpoints, unpacked."""
        cluster = Cluster(BrokerSettings(brokers=self._topics.bootstrap))
        size = 0
        for partition in range(EVENTS_PARTITIONS):
            reader = CheckpointReader(Place("tally", partition))
            for key, value in cluster.records(self._names.checkpoints, partition):
                reader.take(key, value)
            best = reader.best()
            size += sum(map(len, best.chunks.values())) if best is not None else 0
        return size

    @contextmanager
    def _anew(self) -> Iterator[tuple[str, Path]]:
        """Empty topics of results, a group and a folder."""
        names = self._names
        wanted = {names.windows: _WINDOWS, names.scores: 1, names.alerts: 1, names.dlq: 1}
        self._topics.remove(*(self._topics.names() & {*wanted, names.checkpoints}))
        for name, partitions in wanted.items():
            self._topics.make(name, partitions)
        self._topics.make(names.checkpoints, EVENTS_PARTITIONS, {**WHEN_WRITTEN, "cleanup.policy": "compact"})
        with tempfile.TemporaryDirectory(prefix="jiantu-bench-worker-") as folder:
            yield f"bench-{os.getpid()}-{next(_numbers)}", Path(folder)

    def _start(self, group: str, cores: Cores, log: Path, steps: str, every: float | None) -> Processes:
        command = [
            *cores.prefix,
            str(Path(sys.executable).with_name("jiantu")),
            "worker",
            "--alone",
            f"--profile={PROFILE}",
            f"--brokers={self._topics.bootstrap}",
            f"--prefix={self._names.prefix}",
            f"--group={group}",
            f"--steps={steps}",
            *([] if every is None else [f"--checkpoint-seconds={every}"]),
        ]
        return Processes(command, log, {}, _ROOT)

    def _busiest(self, logs: Sequence[Path]) -> float:
        """Share of the events in the partitions that one worker was last assigned."""
        sizes = self._stream.partition_sizes(EVENTS_PARTITIONS)
        shares = []
        for log in logs:
            assigned = [said for said in map(_said, log.read_bytes().splitlines()) if said.event == "assigned"]
            partitions = str(assigned[-1].partitions).split(",") if assigned else []
            held = [int(name.rpartition("-")[2]) for name in partitions if name.startswith(self._names.events + "-")]
            shares.append(sum(sizes[number] for number in held) / sum(sizes))
        return max(shares)


def _said(line: bytes) -> _Said:
    try:
        return msgspec.json.decode(line, type=_Said)
    except msgspec.MsgspecError:
        return _Said()
