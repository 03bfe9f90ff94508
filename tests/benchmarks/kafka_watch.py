"""One job watched from outside, by what it writes: how fast, how dear, and whether it is right.

Nothing is measured inside a job. Every job writes the count of each closed window to a topic whose timestamps are the
broker's clock; how many events those windows hold by then says how far the job is.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from tests.benchmarks.kafka_events import Truth

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_LOOK = 0.1
"""Seconds between two looks at a job's processes."""
_SAID = 2_000
"""Characters of a failed job's last words."""

Window = tuple[str, str, int]
Reader = Callable[[bytes], Sequence[tuple[Window, int]]]
"""A result's value -> the windows it holds, with their counts."""


class Look(NamedTuple):
    """A job's processes at one moment."""

    at: float
    """Seconds since the epoch."""
    cpu: float
    """Seconds since the job started, all its processes."""
    peak: float
    """Megabytes, the sum of their peaks."""


class Outcome(NamedTuple):
    """What one run of one job came to."""

    events: int
    exact: bool
    """Every window of the truth was written once, with the right count, and no other."""
    fault: str
    """What was wrong, or ""."""
    cold: float
    """Events a second of the first half, from the first window on."""
    warm: float
    """Events a second of the second half."""
    cpu: float
    """CPU seconds per million events, of the second half."""
    megabytes: float
    started: float
    """Seconds from the start of its processes to the first window."""


class Processes:
    """A command and all it starts, looked at until it ends."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str], cwd: Path | None = None) -> None:
        self._log = log
        self.began = time.time()
        with log.open("ab") as said:
            self._root = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ, **env},
                cwd=cwd,
                start_new_session=True,
            )
        self.looks: list[Look] = [Look(self.began, 0.0, 0.0)]
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    @property
    def ended(self) -> bool:
        """The command ended by itself."""
        return self._root.poll() is not None

    def last_words(self) -> str:
        """The end of what it printed."""
        return self._log.read_text(errors="replace")[-_SAID:]

    def stop(self, patience: float = 30.0) -> None:
        """Ask it to end; after `patience` seconds, end it and all it started."""
        self._over.set()
        self._looking.join()
        if not self.ended:
            self._root.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._root.wait(patience)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._root.pid, signal.SIGKILL)
        self._root.wait()

    def cpu_at(self, at: float) -> float:
        """CPU seconds used until then, between two looks in proportion."""
        before = self.looks[0]
        for look in self.looks:
            if look.at >= at:
                share = (at - before.at) / (look.at - before.at) if look.at > before.at else 1.0
                return before.cpu + share * (look.cpu - before.cpu)
            before = look
        return before.cpu

    def _look(self) -> None:
        while not self._over.wait(_LOOK):
            cpu = peak = 0.0
            for process in _family(self._root.pid):
                used, high = _cost(process)
                cpu += used
                peak += high
            self.looks.append(Look(time.time(), max(cpu, self.looks[-1].cpu), max(peak, self.looks[-1].peak)))


def _family(root: int) -> list[int]:
    """The processes that descend from `root`, itself included."""
    found, ahead = [], [root]
    while ahead:
        process = ahead.pop()
        found.append(process)
        try:
            threads = list(Path(f"/proc/{process}/task").iterdir())
        except OSError:
            continue
        for thread in threads:
            try:
                ahead += map(int, (thread / "children").read_text().split())
            except OSError:
                continue
    return found


def _cost(process: int) -> tuple[float, float]:
    """(CPU seconds, peak megabytes) of one process, with its children that have ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0, 0.0
    high = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return sum(map(int, fields[11:15])) / _TICKS_A_SECOND, int(high[0]) / 1024 if high else 0.0


class Results:
    """The topic that a job writes to, read as it grows."""

    def __init__(self, bootstrap: str, topic: str, partitions: int, read: Reader) -> None:
        self._read = read
        self.counts: Truth = Truth()
        self.again = 0
        """Windows that were written a second time."""
        self.arrived: list[tuple[float, int]] = []
        """(seconds since the epoch by the broker's clock, events in all windows until then)."""
        self.messages = 0
        self.newest = 0.0
        """When the last of them came, seconds since the epoch by the broker's clock."""
        self._events = 0
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "benchmark-results",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 50,
            }
        )
        self._consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])

    def take(self, seconds: float) -> None:
        """Read what there is; wait so long for some."""
        for message in self._consumer.consume(2_000, seconds):
            error = message.error()
            if error is not None:
                if error.code() in (KafkaError._PARTITION_EOF, KafkaError._TRANSPORT):
                    continue
                raise KafkaException(error)
            value = message.value()
            if value is None:
                continue
            at = message.timestamp()[1] / 1000
            self.messages += 1
            self.newest = max(self.newest, at)
            for window, count in self._read(value):
                if window in self.counts:
                    self.again += 1
                    continue
                self.counts[window] = count
                self._events += count
                self.arrived.append((at, self._events))

    def close(self) -> None:
        """Give the connection back."""
        self._consumer.close()


def watch(job: Processes, results: Results, truth: Truth, patience: float) -> Outcome:
    """Wait until the job has written every window of the truth, then stop it and say what it cost.

    `patience` is in seconds: what is not done by then is reported as not exact, with the speed it had.
    """
    deadline = time.monotonic() + patience
    fault = ""
    while len(results.counts) < len(truth):
        results.take(0.2)
        if time.monotonic() > deadline:
            fault = f"not done after {patience:.0f} s"
        elif job.ended:
            results.take(1.0)
            fault = "" if len(results.counts) >= len(truth) else f"it ended: {job.last_words()}"
        if fault:
            break
    results.take(0.5)  # what it may have written beyond
    job.stop()
    return _outcome(job, results, truth, fault)


def _outcome(job: Processes, results: Results, truth: Truth, fault: str) -> Outcome:
    wrong = sum(results.counts[window] != count for window, count in truth.items())
    invented = sum(window not in truth for window in results.counts)
    exact = not (wrong or invented or results.again)
    if not exact and not fault:
        fault = f"{wrong} of {len(truth)} counts wrong or missing, {invented} invented, {results.again} written twice"
    arrived = sorted(results.arrived)
    if len(arrived) < 2:
        return Outcome(0, exact, fault or "it wrote nothing", 0.0, 0.0, 0.0, job.looks[-1].peak, 0.0)
    events = arrived[-1][1]
    end = arrived[-1][0]
    middle, before = next((at, done) for at, done in arrived if done * 2 >= events)
    rest, seconds = events - before, max(end - middle, 1e-3)
    return Outcome(
        events=events,
        exact=exact,
        fault=fault,
        cold=(before - arrived[0][1]) / max(middle - arrived[0][0], 1e-3),
        warm=rest / seconds,
        cpu=(job.cpu_at(end) - job.cpu_at(middle)) / rest * 1e6 if rest else 0.0,
        megabytes=job.looks[-1].peak,
        started=arrived[0][0] - job.began,
    )
