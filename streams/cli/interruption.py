"""Ctrl-C and SIGTERM as a wish to stop at the next checkpoint; a second one stops at once."""

import signal
import threading
from types import FrameType
from typing import Self

from streams.cli.ending import STOPPED_BY_CTRL_C


class Interruption:
    """While entered, signals are noted instead of raised.

    Stopping at once loses nothing either: what came after the last checkpoint is repeated by the next run.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        """The first signal that came."""
        self._previous: dict[int, object] = {}

    @property
    def asked(self) -> bool:
        """Whether to stop."""
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """128 + the signal's number."""
        return STOPPED_BY_CTRL_C if self.signal is None else 128 + self.signal

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal itself returned
        self._previous.clear()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.signal = number
