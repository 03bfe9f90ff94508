"""Worker processes: started, killed, frozen, told to leave, started again; and what they said while they lived."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from tests.cli.commands import environment

PATIENCE = 300.0
"""Seconds for a process to do what is waited for, on a busy machine."""
REST = 3.0
"""Seconds from a start to the next one, where a worker fails at once."""
STOP_AT = "JIANTU_WORKER_STOP_AT"
INSTANCE = "JIANTU_WORKER_INSTANCE"
"""As a supervisor does: a worker that is started again is the member of the group that it was."""
_ONE_THREAD = {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
FAILED = 1
"""Exit code: to be started again."""


class FleetError(AssertionError):
    """Workers that did not do what was waited for."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a worker."""

    at: float
    """Seconds since the epoch."""
    pid: int
    event: str
    facts: Mapping[str, Any]

    def of(self, worker: "WorkerProcess") -> bool:
        """Whether a worker said it, in this life or after it was started again."""
        return self.pid == worker.pid or self.at >= worker.started


@dataclass(slots=True)
class WorkerProcess:
    """One life of a worker."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    variables: Mapping[str, str]
    """Of its environment alone."""
    supervised: bool
    """`process` is its supervisor, as in production: that starts it again, and says so in the same log."""
    started: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    stopped_by_us: bool = False

    @property
    def pid(self) -> int:
        """The worker's own, in its present life; its supervisor's before the first."""
        if not self.supervised:
            return self.process.pid
        lives = [line.pid for line in lines_of(self.log) if line.event == "begun"]
        return lives[-1] if lives else self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None and _running(self.pid)

    @property
    def frozen(self) -> bool:
        """Whether the process stands still (SIGSTOP)."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except FileNotFoundError:
            return False
        return stat.rpartition(")")[2].split()[0] in ("T", "t")

    def said(self) -> list[Said]:
        """Its lines so far."""
        return [line for line in lines_of(self.log) if line.pid == self.pid]

    def last(self, event: str) -> Said | None:
        """What it said of this last."""
        return next(
            (line for line in reversed(lines_of(self.log)) if line.pid == self.pid and line.event == event), None
        )


class _Log:
    """The lines of JSON of a log so far; others are for people. Each byte is read once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._at = 0.0
        self._lines: list[Said] = []
        self._lock = threading.Lock()

    def lines(self) -> list[Said]:
        with self._lock:
            try:
                with self._path.open("rb") as file:
                    file.seek(self._read)
                    new = file.read()
            except FileNotFoundError:
                return []
            whole = new.rfind(b"\n") + 1
            self._read += whole
            self._lines += filter(None, map(self._said, new[:whole].splitlines()))
            return self._lines.copy()

    def _said(self, line: bytes) -> Said | None:
        try:
            told = json.loads(line)
        except ValueError:
            return None
        if not isinstance(told, dict) or "event" not in told:
            return None
        try:
            self._at = datetime.fromisoformat(told["at"]).timestamp()
        except ValueError:  # a fact of the same name: then it is as late as the line before
            told["where"] = told["at"]
        del told["at"]
        return Said(self._at, told.pop("pid"), told.pop("event"), told)


@cache
def _log(path: Path) -> _Log:
    return _Log(path)


def lines_of(log: Path) -> list[Said]:
    """What was said in a log, in order."""
    return _log(log).lines()


@dataclass(slots=True)
class Fleet:
    """The workers of one campaign: residents under the product's supervisor, others on their own."""

    folder: Path
    arguments: Sequence[str]
    """Of `jiantu worker`, and of worker_main before it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    workers: dict[str, WorkerProcess] = field(default_factory=dict)
    restarts: int = 0
    """Workers on their own that ended by themselves with exit code 1, and were started again as a supervisor does."""
    _starter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "starter"))
    """A worker ends with the thread that started it (PR_SET_PDEATHSIG): this one, which ends with the fleet."""

    def start(self, name: str, **more: str) -> WorkerProcess:
        """Start a worker on its own; its words go to a log of its name."""
        return self._starter.submit(self._start, name, more, supervised=False).result()

    def start_supervised(self, name: str, **more: str) -> WorkerProcess:
        """Start one with its supervisor, as in production."""
        return self._starter.submit(self._start, name, more, supervised=True).result()

    def _start(self, name: str, more: Mapping[str, str], *, supervised: bool) -> WorkerProcess:
        log = self.folder / f"{name}.log"
        alone = [] if supervised else ["--alone"]
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.faults.worker_main", *self.arguments, *alone],
                env=environment(**{**_ONE_THREAD, INSTANCE: name, **self.environment, **more}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.workers[name] = WorkerProcess(name, process, log, more, supervised)
        return self.workers[name]

    def supervise(self) -> None:
        """Start workers again that failed by themselves. FleetError where one refused to go on."""
        for name, worker in list(self.workers.items()):
            code = worker.process.poll()
            if code is None or worker.stopped_by_us or time.time() < worker.started + REST:
                continue
            if code != FAILED or worker.supervised:
                raise FleetError(f"{name} ended with {code}:\n{last_words(worker.log)}")
            self.restarts += 1
            # once is enough: only the life that is not yet frozen is stopped in the middle
            frozen = worker.last("frozen") is not None
            variables = {key: value for key, value in worker.variables.items() if not (frozen and key == STOP_AT)}
            self.start(name, **variables)

    def wait_for(self, worker: WorkerProcess, event: str, since: float = 0.0) -> Said:
        """Wait until a worker has said something; in its next life, where it failed and was started again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for line in lines_of(worker.log):
                # its own words count whatever it believes to be the time
                if line.event == event and (line.at >= since if since else line.of(worker)):
                    return line
            code = worker.process.poll()
            if code not in (None, FAILED) or time.monotonic() > deadline:
                raise FleetError(f"{worker.name} (ended: {code}) did not say {event}:\n{last_words(worker.log)}")
            time.sleep(0.1)

    def kill(self, worker: WorkerProcess) -> None:
        """SIGKILL; it was alive before, and is dead after. A supervisor starts its worker again by itself."""
        assert worker.alive, f"{worker.name} was dead before it was killed:\n{last_words(worker.log)}"
        if worker.supervised:
            pid = worker.pid
            os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + 30
            while _running(pid):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            return
        worker.stopped_by_us = True
        worker.process.kill()
        assert worker.process.wait(30) == -signal.SIGKILL

    def freeze(self, worker: WorkerProcess) -> None:
        """SIGSTOP; it stands still when this returns."""
        os.kill(worker.pid, signal.SIGSTOP)
        deadline = time.monotonic() + 5
        while not worker.frozen:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def thaw(self, worker: WorkerProcess) -> None:
        """SIGCONT."""
        assert worker.frozen
        os.kill(worker.pid, signal.SIGCONT)

    def tell_to_leave(self, worker: WorkerProcess) -> None:
        """SIGTERM, as a rolling restart does."""
        assert worker.alive
        worker.stopped_by_us = True
        worker.process.terminate()

    def wait_until_left(self, worker: WorkerProcess) -> int:
        """Its exit code."""
        return worker.process.wait(PATIENCE)

    def said(self) -> list[Said]:
        """Everything that all workers said, in order."""
        return sorted((one for log in self.folder.glob("*.log") for one in lines_of(log)), key=lambda one: one.at)

    def end(self) -> None:
        """Kill all that is left."""
        for worker in self.workers.values():
            if worker.process.poll() is None:
                os.killpg(worker.process.pid, signal.SIGKILL)  # frozen ones, too
            worker.process.wait()
        self._starter.shutdown()


def _running(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def last_words(log: Path) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
