"""What libraries log, as a worker says things: one line of JSON each, and every kind of it once.

aiokafka and faust say again and again what jiantu says itself, once and with what to do (brokers that are away, a topic
that is gone, a group that this user may not be in). What they have to add is not lost: it stands there the first time.
"""

import logging
import traceback

from streams.runtime.worker_setup import Say


class LibraryLog(logging.Handler):
    """Says what is logged. Two records are of one kind where the same logger logs the same words, figures aside."""

    def __init__(self, say: Say) -> None:
        super().__init__(logging.WARNING)
        self._say = say
        self._said: set[tuple[str, str]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Say a record, the first of its kind."""
        kind = (record.name, str(record.msg))
        if kind in self._said:
            return
        self._said.add(kind)
        error = record.exc_info[1] if record.exc_info else None
        trace = [] if error is None else [line.rstrip() for line in traceback.format_tb(error.__traceback__)]
        more = {} if error is None else {"error": f"{type(error).__name__}: {error}", "trace": trace}
        self._say("library", name=record.name, level=record.levelname.lower(), text=record.getMessage(), **more)


def hear_libraries(say: Say) -> None:
    """From now on, in place of whoever heard them."""
    logging.basicConfig(handlers=[LibraryLog(say)], level=logging.WARNING, force=True)
