"""Brokers that do not answer, said once when it begins and once when it is over, not at every question."""

import threading

from streams.clock import Stopwatch
from streams.core.instant import SECOND
from streams.runtime.worker_setup import Say


class Absence:
    """What somebody who asks brokers knows of them; any thread may tell it."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._since: Stopwatch | None = None
        self._lock = threading.Lock()

    def noticed(self, error: Exception) -> None:
        """They do not answer: why."""
        with self._lock:
            if self._since is None:
                self._since = Stopwatch()
                self._say("unreachable", error=str(error))

    def over(self) -> None:
        """They have answered."""
        with self._lock:
            if self._since is not None:
                self._say("reachable", after_seconds=round(self._since.elapsed() / SECOND, 1))
                self._since = None
