"""The wall clock: the only file that reads it. Everything else is handed a `Clock`, or has no need of one.

Event time never comes from here (law 1): the clock says when people did something, how fast a replay
runs, and when a live source ticks.
"""

import time
import uuid
from typing import Protocol

from streams.core.instant import SECOND, Duration, Instant


class Clock(Protocol):
    """Something that knows what time it is now."""

    def now(self) -> Instant:
        """Wall time, microseconds since the epoch, UTC."""


class WallClock:
    """The machine's own clock."""

    def now(self) -> Instant:
        """Wall time; may step back when the machine's clock is set."""
        return time.time_ns() // 1000


class FixedClock:
    """A clock that stands still until it is moved: for tests, and for runs that must repeat exactly.

    >>> clock = FixedClock(5)
    >>> clock.advance(2)
    >>> clock.now()
    7
    """

    def __init__(self, at: Instant) -> None:
        self._at = at

    def now(self) -> Instant:
        """The instant it stands at."""
        return self._at

    def advance(self, by: Duration) -> None:
        """Move it on, or back where `by` is negative."""
        self._at += by


class Stopwatch:
    """Elapsed time that no change of the machine's clock can touch: for rates, intervals and progress bars."""

    def __init__(self) -> None:
        self._started = time.monotonic_ns()

    def elapsed(self) -> Duration:
        """Microseconds since it was started."""
        return (time.monotonic_ns() - self._started) // 1000

    def seconds(self) -> float:
        """The same in seconds."""
        return self.elapsed() / SECOND

    def restart(self) -> Duration:
        """Start again from zero; what had elapsed until now."""
        now = time.monotonic_ns()
        elapsed, self._started = (now - self._started) // 1000, now
        return elapsed


def pause(duration: Duration) -> None:
    """Do nothing for so long; not at all where `duration` is not positive. Ctrl-C ends it early."""
    if duration > 0:
        time.sleep(duration / SECOND)


def unique_name() -> str:
    """A name that nobody else has, anywhere, ever: for who writes, never for what is written."""
    return uuid.uuid4().hex
