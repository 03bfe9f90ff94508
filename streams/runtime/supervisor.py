"""Starts a worker again when it has failed, later each time, and stops for good at what fails three times.

A parent process rather than systemd alone: only who saw the last failures knows that this is the third at the same
records, and the same holds where there is no systemd. The worker ends with its parent, whatever ends that. To the group
all lives of a worker are one member: who is back before its session is over has its partitions back, and nobody else
stands still meanwhile.

| the worker ended with | then |
|---|---|
| 0 | done |
| 1 | again, after a rest; but the third failure at the same records: STOPPED_FOR_GOOD |
| 2 (refused) | so does this: somebody has to look |
| a signal | again, after a rest |
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from streams.clock import Stopwatch, unique_name
from streams.core.instant import MINUTE, SECOND, Duration
from streams.runtime.worker_setup import FAILED, INSTANCE, REFUSED, STOPPED_FOR_GOOD, Say

MOST_FAILURES = 3
LONGEST_REST: Duration = 30 * SECOND
CALM: Duration = 2 * MINUTE
"""A worker that lived so long failed for another reason than the last."""
_CHANNEL = "JIANTU_WORKER_CHANNEL"


class Failure(Struct, frozen=True):
    """The records at which a step failed."""

    step: str
    topic: str
    partition: int
    first: int
    last: int
    """Offsets of the records that were being taken; which of them it was nobody can say."""
    error: str

    def same(self, other: "Failure") -> bool:
        """Whether both may be about one record: after a restart the records may be cut otherwise."""
        return (self.topic, self.partition) == (other.topic, other.partition) and (
            self.first <= other.last and other.first <= self.last
        )


class Supervisor:
    """Runs one worker after another."""

    def __init__(self, command: Sequence[str], say: Say, stopped: Callable[[Failure], None]) -> None:
        """`command` starts a worker; `stopped` is called with what failed three times, so that somebody is paged."""
        self._command = list(command)
        self._instance = unique_name()
        self._say = say
        self._stopped = stopped
        self._failures: list[Failure] = []
        self._rest: Duration = 0
        self._asked = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Until a worker ends for good; the exit code. SIGTERM and Ctrl-C go to the worker."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ask_to_stop())
        while True:
            lived = Stopwatch()
            code, failure = self._run_once()
            if self._asked.is_set():
                return code if code >= 0 else 128 - code
            if code in (0, REFUSED):
                return code
            if failure is not None and self._is_third(failure):
                self._say("stopped_for_good", failure=msgspec.to_builtins(failure), page=True)
                self._stopped(failure)
                return STOPPED_FOR_GOOD
            self._rest = SECOND if lived.elapsed() > CALM else min(max(SECOND, self._rest * 2), LONGEST_REST)
            self._say("restarting", code=code, after_seconds=self._rest / SECOND)
            if self._asked.wait(self._rest / SECOND):
                return FAILED

    def _run_once(self) -> tuple[int, Failure | None]:
        ours, theirs = os.pipe()
        parent_end, child_end = os.pipe()
        environment = os.environ | {_CHANNEL: f"{theirs},{parent_end}", INSTANCE: self._instance}
        self._child = subprocess.Popen(  # noqa: S603 - ourselves, with our own arguments
            self._command, env=environment, pass_fds=(theirs, parent_end)
        )
        os.close(theirs)
        os.close(parent_end)
        with os.fdopen(ours, "rb") as reports:
            said = reports.read()  # ends with the worker
        code = self._child.wait()
        os.close(child_end)
        return code, msgspec.json.decode(said, type=Failure) if said else None

    def _is_third(self, failure: Failure) -> bool:
        self._failures = [*(one for one in self._failures if one.same(failure)), failure]
        return len(self._failures) >= MOST_FAILURES

    def _ask_to_stop(self) -> None:
        self._asked.set()
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()


# ---- in the worker -------------------------------------------------------------------------------------------


def report(failure: Failure) -> None:
    """Tell the supervisor, where there is one, at which records this worker failed."""
    channel = os.environ.get(_CHANNEL)
    if channel:
        os.write(int(channel.partition(",")[0]), msgspec.json.encode(failure))


def end_with_parent() -> None:
    """End this process when its supervisor does, where it has one."""
    channel = os.environ.get(_CHANNEL)
    if not channel:
        return
    told = int(channel.partition(",")[2])

    def wait() -> None:
        os.read(told, 1)  # nothing is ever written: it returns when the other end is closed
        os._exit(FAILED)

    threading.Thread(target=wait, name="parent", daemon=True).start()
