"""One run of one plain count: its topic of results made, its process started and watched, everything taken away."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.benchmarks.kafka_events import Stream
from tests.benchmarks.kafka_peers import Command
from tests.benchmarks.kafka_topics import PARTITIONS, Topics, Written
from tests.benchmarks.kafka_watch import Outcome, Processes, Results, Window, watch

_ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


class _Result(msgspec.Struct):
    county: str
    category: str
    start: int | str
    """Milliseconds, or as SQL writes a time: 2025-01-01 00:00:00, UTC."""
    count: int


_decode = msgspec.json.Decoder(_Result).decode


def closed_window(value: bytes) -> Sequence[tuple[Window, int]]:
    """A result of a plain count."""
    result = _decode(value)
    start = result.start
    if isinstance(start, str):
        start = round(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp() * 1000)
    return [((result.county, result.category, start), result.count)]


class Cores(NamedTuple):
    """Who may use which of this machine's cores."""

    job: frozenset[int] | None
    """None: any."""
    others: frozenset[int]
    """The broker and the benchmark itself."""

    @property
    def prefix(self) -> list[str]:
        """Goes before a job's command."""
        return [] if self.job is None else ["taskset", "--cpu-list", ",".join(map(str, sorted(self.job)))]


def cores_here() -> frozenset[int]:
    """Those that this process may use now."""
    return frozenset(os.sched_getaffinity(0))


def pinned(cores: frozenset[int]) -> Cores:
    """A job has the last core alone, where there are two."""
    last = max(cores)
    return Cores(frozenset([last]), cores - {last} or cores)


def free(cores: frozenset[int]) -> Cores:
    """Everyone has every core."""
    return Cores(None, cores)


def two_cores(cores: frozenset[int]) -> tuple[list[Cores], bool]:
    """A core each for two workers, and whether the broker has others besides."""
    last = sorted(cores)[-2:]
    others = cores - frozenset(last) or cores
    return [Cores(frozenset([core]), others) for core in last], len(cores) > 2


def run_plain(command: Command, topics: Topics, stream: Written, cores: Cores, patience: float) -> Outcome:
    """Run one job over a stream; see `watch`."""
    name = f"bench-{os.getpid()}-{next(_numbers)}"
    results = f"{name}.results"
    topics.make(results)
    with tempfile.TemporaryDirectory(prefix="jiantu-bench-job-") as folder:
        arguments = [topics.bootstrap, stream.topic, results, str(PARTITIONS), name, folder]
        read = Results(topics.bootstrap, results, PARTITIONS, closed_window)
        job = Processes(
            [*cores.prefix, *command.before, *arguments, *command.after],
            Path(folder) / "job.log",
            command.env,
            Path(folder),
        )
        try:
            return watch(job, read, stream.truth, patience)
        finally:
            job.stop()
            read.close()
            topics.remove(results)


def run_embedded(recording: Path, stream: Stream, cores: Cores) -> Outcome:
    """The embedded runtime over the recording of a stream; see kafka_embedded."""
    with tempfile.TemporaryDirectory(prefix="jiantu-bench-embedded-") as folder:
        command = [sys.executable, "-m", "tests.benchmarks.kafka_embedded", str(recording), folder]
        done = subprocess.run(
            [*cores.prefix, *command, str(stream.events // 2)], cwd=_ROOT, check=True, capture_output=True, text=True
        )
    figures = json.loads(done.stdout)
    counted, duplicate = figures.pop("counted"), figures.pop("duplicate")
    exact = counted == stream.hours.total() and duplicate == stream.resent
    return Outcome(exact=exact, fault="" if exact else f"{counted} counted, {duplicate} duplicate", **figures)
