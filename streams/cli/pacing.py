"""How fast a stream goes by where somebody says so: `--speed 60x`."""

from streams.cli.interruption import Interruption
from streams.clock import Stopwatch, pause
from streams.core.instant import SECOND, Duration, Instant

_SLICE: Duration = SECOND // 10
"""Longest wait before looking whether to stop."""


class Pace:
    """Holds records back until they are due, `factor` seconds of event time to one of the clock."""

    def __init__(self, factor: float, interruption: Interruption) -> None:
        self._factor = factor
        self._interruption = interruption
        self._clock = Stopwatch()
        self._first: Instant | None = None

    def until(self, at: Instant) -> None:
        """Return when it is due that event time reaches `at`, or when it is time to stop."""
        while not self._interruption.asked and (left := self.left(at)) > 0:
            pause(min(left, _SLICE))

    def left(self, at: Instant) -> Duration:
        """How long until it is due that event time reaches `at`: 0 or less, it is."""
        if self._first is None:
            self._first = at
            self._clock.restart()
        return round((at - self._first) / self._factor) - self._clock.elapsed()
