"""One run of one plain count: its topic of results made, its process started and watched, everything taken away."""

import itertools
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.benchmarks.kafka_peers import Command
from tests.benchmarks.kafka_topics import PARTITIONS, Topics, Written
from tests.benchmarks.kafka_watch import Outcome, Processes, Results, Window, watch

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


def pinned() -> Cores:
    """A job has the last core alone, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(cores[-1:]), frozenset(cores[:-1] or cores))


def free() -> Cores:
    """Everyone has every core."""
    return Cores(None, frozenset(os.sched_getaffinity(0)))


def run_plain(command: Command, topics: Topics, stream: Written, cores: Cores, patience: float) -> Outcome:
    """Run one job over a stream; see `watch`."""
    name = f"bench-{os.getpid()}-{next(_numbers)}"
    results = f"{name}.results"
    topics.make(results)
    with tempfile.TemporaryDirectory(prefix="jiantu-bench-job-") as folder:
        arguments = [topics.bootstrap, stream.plain, results, str(PARTITIONS), name, folder]
        read = Results(topics.bootstrap, results, PARTITIONS, closed_window)
        job = Processes(
            [*cores.prefix, *command.before, *arguments, *command.after], Path(folder) / "job.log", {}, Path(folder)
        )
        try:
            return watch(job, read, stream.truth, patience)
        finally:
            job.stop()
            read.close()
            topics.remove(results)
