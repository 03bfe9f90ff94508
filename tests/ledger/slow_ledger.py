"""A ledger that takes few records at a time, and its time inside every transaction: to be killed there."""

import time

from sqlalchemy import Connection

from streams.ledger.topics import Taken, TopicLedger
from streams.sources import step_topics

step_topics._MOST_RECORDS = 200
_write = TopicLedger._write


def _write_slowly(ledger: TopicLedger, db: Connection, taken: Taken) -> None:
    _write(ledger, db, taken)
    time.sleep(0.1)


TopicLedger._write = _write_slowly  # type: ignore[method-assign,assignment]  # this process is made to be killed
