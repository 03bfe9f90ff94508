"""What systemd is told of a service with Type=notify: that it is ready, that it is alive, that it stops.

Nothing happens where nobody asked (NOTIFY_SOCKET is not set): in a terminal, in a container, in tests. sd_notify(3).
"""

import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import uvicorn

_SHARE: Final = 3
"""Signs of life within one period of systemd's patience: two may be lost."""


@dataclass(frozen=True, slots=True)
class Told:
    """Speaks to systemd. `every` is how often it wants a sign of life, in seconds; None where it wants none."""

    address: str | None
    every: float | None

    def ready(self) -> None:
        """It does what it is for from now on."""
        self._say("READY=1")

    def alive(self) -> None:
        """It made progress. Not said for the unit's WatchdogSec, it is ended and started again."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """It was asked to end, and does."""
        self._say("STOPPING=1")

    def _say(self, words: str) -> None:
        if self.address is None:
            return
        # An abstract socket is written with @ and begins with a zero byte.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            try:
                out.sendto(words.encode("ascii"), address)
            except OSError:  # systemd is being started anew; a service does not fail because nobody listens
                return


@contextmanager
def under_systemd() -> Iterator[Told]:
    """For a loop that says itself when it is ready and when it got on."""
    told = Told(os.environ.get("NOTIFY_SOCKET") or None, _patience())
    try:
        yield told
    finally:
        told.stopping()


@contextmanager
def keeping_alive() -> Iterator[None]:
    """For a service that is ready at once and has a watchdog of its own: signs of life from a thread."""
    with under_systemd() as told:
        told.ready()
        if told.address is None or told.every is None:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=_signs, args=(told, told.every, ended), name="systemd", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@contextmanager
def serving_is_life(server: "uvicorn.Server") -> Iterator[None]:
    """For a service that answers over HTTP: ready once it serves, and signs of life from the loop that answers, so that
    one that hangs is started again. `server` is to serve within it."""
    with under_systemd() as told:
        server.config.callback_notify = _first_then(told.ready, told.alive)
        server.config.timeout_notify = 3600 if told.every is None else int(told.every)
        yield


def _first_then(first: Callable[[], None], then: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    waiting = [first]

    async def called() -> None:
        (waiting.pop() if waiting else then)()

    return called


def _signs(told: Told, every: float, ended: threading.Event) -> None:
    while not ended.wait(every):
        told.alive()


def _patience() -> float | None:
    """Seconds between signs, from WATCHDOG_USEC where it is meant for this process."""
    wanted, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not wanted.isdigit() or int(wanted) == 0 or (process and process != str(os.getpid())):
        return None
    return int(wanted) / 1e6 / _SHARE
