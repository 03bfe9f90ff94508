"""Starts a worker again when it has failed, later each time, and stops for good at what fails three times.

A parent process rather than systemd alone: only who saw the last failures knows that this is the third at the same
records, and the same holds where there is no systemd. The worker ends with its parent, whatever ends that. To the group
all lives of a worker are one member: who is back before its session is over has its partitions back, and nobody else
stands still meanwhile. Lives are forked off a template (`template.py`), and what they say is heard here too.

| the worker ended with | then |
|---|---|
| 0 | done |
| 1 | again, after a rest; but the third failure at the same records: STOPPED_FOR_GOOD |
| 2 (refused) | so does this: somebody has to look |
| a signal | again, at once where it had come further, else after a rest |
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from streams.clock import Stopwatch, unique_name
from streams.core.instant import MINUTE, SECOND, Duration
from streams.runtime.failures import MOST_FAILURES, Failure, with_another
from streams.runtime.template import CHANNEL, Life, NotStartedError, Template
from streams.runtime.worker_setup import FAILED, INSTANCE, REFUSED, STOPPED_FOR_GOOD, Say

LONGEST_REST: Duration = 30 * SECOND
CALM: Duration = 2 * MINUTE
"""A worker that lived so long failed for another reason than the last."""
_STEP_FAILED = "step_failed"
_NOTIFY = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""systemd hears of the service from the supervisor alone."""

Hear = Callable[[str, Mapping[str, Any]], None]
"""Told what a life says: the name of what happened, and facts."""


class Supervisor:
    """Runs one worker after another."""

    def __init__(
        self,
        command: Sequence[str],
        say: Say,
        stopped: Callable[[Failure], None],
        hear: Hear = lambda _event, _facts: None,
    ) -> None:
        """`command` starts a template; `stopped` is called with what nobody is to go on with until somebody has looked,
        so that somebody is paged; `hear` with what the lives say, and with `ended` when one has."""
        self._template = Template(command, {INSTANCE: unique_name()} | dict.fromkeys(_NOTIFY, ""))
        self._say = say
        self._stopped = stopped
        self._hear = hear
        self._failures: list[Failure] = []
        self._rest: Duration = 0
        self._asked = threading.Event()
        self._life: Life | None = None

    def run(self) -> int:
        """Until a worker ends for good; the exit code. SIGTERM and Ctrl-C go to the worker."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ask_to_stop())
        try:
            return self._run()
        finally:
            self._template.end()

    def _run(self) -> int:
        while True:
            lived = Stopwatch()
            code, heard = self._run_once()
            self._hear("ended", {"code": code, "stalled": heard.stalled})
            if self._asked.is_set():
                return code if code >= 0 else 128 - code
            if code == REFUSED and heard.refused is not None:
                self._stopped(heard.refused)
            if code in (0, REFUSED):
                return code
            if heard.failure is not None and self._is_third(heard.failure):
                self._say("stopped_for_good", failure=msgspec.to_builtins(heard.failure), page=True)
                self._stopped(heard.failure)
                return STOPPED_FOR_GOOD
            self._rest = self._rest_after(code, came_further=heard.checkpoint or lived.elapsed() > CALM)
            self._say("restarting", code=code, after_seconds=self._rest / SECOND)
            if self._asked.wait(self._rest / SECOND):
                return FAILED

    def _run_once(self) -> tuple[int, "_Heard"]:
        heard = _Heard()
        try:
            self._life = life = self._template.start()
        except NotStartedError as error:
            return -signal.SIGTERM if self._asked.is_set() else error.code, heard
        if self._asked.is_set():
            life.terminate()
        for line in life.reports:
            self._take(line, heard)
        self._life = None
        return life.wait(), heard

    def _take(self, line: bytes, heard: "_Heard") -> None:
        try:
            told = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.MsgspecError:
            return  # it was cut off: the worker was killed, or there was no room
        event = told.pop("event", "")
        match event:
            case _ if event == _STEP_FAILED:
                heard.failure = msgspec.convert(told["failure"], Failure)
            case "refused" if "failure" in told:
                heard.refused = msgspec.convert(told["failure"], Failure)
            case "checkpoint":
                heard.checkpoint = True
            case "failed" if told.get("stalled"):
                heard.stalled = True
        self._hear(event, told)

    def _rest_after(self, code: int, *, came_further: bool) -> Duration:
        if not came_further:
            return min(max(SECOND, self._rest * 2), LONGEST_REST)
        return 0 if code < 0 else SECOND

    def _is_third(self, failure: Failure) -> bool:
        self._failures = with_another(self._failures, failure)
        return len(self._failures) >= MOST_FAILURES

    def _ask_to_stop(self) -> None:
        self._asked.set()
        if (life := self._life) is None:
            self._template.end()
        else:
            life.terminate()


@dataclass(slots=True)
class _Heard:
    """What one life said that decides what comes after it."""

    failure: Failure | None = None
    refused: Failure | None = None
    checkpoint: bool = False
    stalled: bool = False


# ---- in the worker -------------------------------------------------------------------------------------------

_telling = threading.Lock()


def tell(line: bytes) -> None:
    """Have the supervisor hear a line, where there is one. A worker does not wait for it: what there is no room for is
    lost."""
    _tell(line, wait=False)


def report(failure: Failure) -> None:
    """Tell the supervisor, where there is one, at which records this worker failed; that is not lost."""
    _tell(msgspec.json.encode({"event": _STEP_FAILED, "failure": failure}) + b"\n", wait=True)


def _tell(line: bytes, *, wait: bool) -> None:
    channel = os.environ.get(CHANNEL)
    if not channel:
        return
    supervisor = int(channel.partition(",")[0])
    with _telling:
        os.set_blocking(supervisor, wait)
        try:
            os.write(supervisor, b"\n" + line if wait else line)  # a line before it may have been cut off
        except OSError:
            return


def end_with_parent() -> None:
    """End this process when its supervisor does, where it has one."""
    channel = os.environ.get(CHANNEL)
    if not channel:
        return
    told = int(channel.partition(",")[2])

    def wait() -> None:
        os.read(told, 1)  # nothing is ever written: it returns when the other end is closed
        os._exit(FAILED)

    threading.Thread(target=wait, name="parent", daemon=True).start()
