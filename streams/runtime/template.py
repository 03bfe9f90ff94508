"""Lives of a worker, forked off a process that has imported and compiled everything: 0.1 s of a core each, not 2 s.

    supervisor ──starts──▶ template (one thread, no client of a broker, never a worker itself) ──forks──▶ life, life

A fork copies no thread and shares every socket; the template has none of either, but the one it is asked by. What it
has read (the profile, the settings' variables) is the same in all lives. Memory is shared until it is written to.
"""

import gc
import os
import select
import signal
import socket
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from streams.runtime.worker_setup import FAILED

CHANNEL = "JIANTU_WORKER_CHANNEL"
"""Environment variable of a life: the file descriptors that it reports to, and that end when its supervisor does."""
_TEMPLATE = "JIANTU_WORKER_TEMPLATE"
"""Environment variable of a template: the socket that it is asked by."""
_PATIENT = (signal.SIGTERM, signal.SIGINT)
"""Signals that a template leaves to its lives and to its supervisor: a service's end is told to all its processes."""
_TOLD = struct.Struct("ii")
"""A process id and its exit code; 0 while it lives, as it has only just begun."""


class NotStartedError(Exception):
    """A template that ended before it gave a life: its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a worker could not be started (exit code {code})")
        self.code = code


@dataclass(slots=True)
class Life:
    """A worker process, as its supervisor has it."""

    pid: int
    reports: BinaryIO
    """What it tells, as lines; they end when it does."""
    _channel: socket.socket
    _while_open: int
    """Its end of it is closed when this is."""

    def terminate(self) -> None:
        """Ask it to leave."""
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            return

    def wait(self) -> int:
        """Its exit code, minus the signal's number where one ended it; FAILED where the template is gone too."""
        told = b" "
        try:
            while told:
                told = self._channel.recv(_TOLD.size)
                if told and _TOLD.unpack(told)[0] == self.pid:
                    return int(_TOLD.unpack(told)[1])
            return FAILED
        finally:
            self.reports.close()
            os.close(self._while_open)


class Template:
    """The process that lives are forked off; started by the first, and again where it has ended."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """`command` calls `become_a_life` when it is ready; `environment` is that of its lives."""
        self._command = list(command)
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    def start(self) -> Life:
        """A new life. Raises NotStartedError."""
        if self._channel is None or self._process is None or self._process.poll() is not None:
            self._begin()
        assert self._channel is not None
        assert self._process is not None
        ours, theirs = os.pipe()
        parent_end, child_end = os.pipe()
        try:
            socket.send_fds(self._channel, [b"+"], [theirs, parent_end])
            told = self._channel.recv(_TOLD.size)
        except OSError:
            told = b""
        finally:
            os.close(theirs)
            os.close(parent_end)
        if not told:
            os.close(ours)
            os.close(child_end)
            raise NotStartedError(self._process.wait())
        return Life(_TOLD.unpack(told)[0], os.fdopen(ours, "rb"), self._channel, child_end)

    def _begin(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            environment = os.environ | self._environment | {_TEMPLATE: str(theirs.fileno())}
            self._process = subprocess.Popen(  # noqa: S603 - ourselves, with our own arguments
                self._command, env=environment, pass_fds=(theirs.fileno(),)
            )

    def end(self) -> None:
        """Have it end; a life goes on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._channel is not None:
            self._channel.close()
            self._channel = None


# ---- in the template -----------------------------------------------------------------------------------------


def in_template() -> bool:
    """Whether this process is to be a template: it was started with its supervisor's own arguments."""
    return _TEMPLATE in os.environ


def become_a_life() -> None:
    """In a template: fork when asked, and return in every process that was forked off. In others: return at once."""
    given = os.environ.pop(_TEMPLATE, None)
    if given is None:
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _PATIENT}
    gc.collect()
    gc.freeze()  # so that looking for garbage writes to nothing that is shared
    with socket.socket(fileno=int(given)) as channel:
        report, while_open = _fork_when_asked(channel)
    os.environ[CHANNEL] = f"{report},{while_open}"
    for number, handler in before.items():
        signal.signal(number, handler)


def _fork_when_asked(channel: socket.socket) -> tuple[int, int]:
    """Returns in lives alone: the file descriptors that were given to it. The template ends with its supervisor."""
    lives: dict[int, int] = {}
    asked = select.poll()
    asked.register(channel, select.POLLIN)
    while True:
        for fd, _ in asked.poll():
            if fd != channel.fileno():
                pid = lives.pop(fd)
                asked.unregister(fd)
                os.close(fd)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                _tell(channel, pid, code)
                continue
            said, given, *_ = socket.recv_fds(channel, 1, 2)
            if not said:
                os._exit(0)
            pid = os.fork()
            if pid == 0:
                for other in lives:
                    os.close(other)
                return given[0], given[1]
            for one in given:
                os.close(one)
            life = os.pidfd_open(pid)
            lives[life] = pid
            asked.register(life, select.POLLIN)
            _tell(channel, pid, 0)


def _tell(channel: socket.socket, pid: int, code: int) -> None:
    try:
        channel.send(_TOLD.pack(pid, code))
    except OSError:
        os._exit(0)  # nobody is there any more
