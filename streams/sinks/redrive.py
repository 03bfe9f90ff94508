"""Rejected records, produced again once they can be decoded: each with its place of origin in a header, once."""

import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from kafka import KafkaProducer
from msgspec import Struct

from streams.broker.errors import told
from streams.core.city import City
from streams.core.counting import FUTURE_TOLERANCE
from streams.core.decode import RecordDecoder, personal_field
from streams.core.decode_values import read_time
from streams.core.instant import SECOND, Instant
from streams.core.record import Reason, Rejection
from streams.core.topic_line import REDRIVEN_HEADER, Headers, kept_headers
from streams.core.wire import DeadLetter, id_of

_MILLISECOND = SECOND // 1000
_PATIENCE = 60.0


class Outcome(StrEnum):
    """What became of one dead letter."""

    REDRIVEN = "redriven"
    CAN_BE = "can_be_redriven"
    """It would have been, had this not been a rehearsal."""
    ALREADY = "already_redriven"
    STILL = "still_rejected"
    AGAIN = "rejected_again"
    """It was itself produced by redriving: the original's letter says more; it is not tried for ever."""
    GONE = "gone"
    """Retention has removed the original."""
    DIFFERS = "differs"
    """What lies there now has another digest: the topic is not the one that the letter is about."""


class Original(Struct, frozen=True):
    """The rejected record, as it still lies in its topic."""

    value: bytes
    headers: Headers


class Redriven(Struct, frozen=True):
    """One letter's outcome."""

    letter: DeadLetter
    outcome: Outcome
    reason: Reason | None = None
    """Why it is still rejected."""
    place: str = ""


class Redrive:
    """Judges dead letters by today's profile, and produces what can be decoded. Closes itself as a context manager."""

    def __init__(
        self,
        config: Mapping[str, Any],
        topic: str,
        city: City,
        partition_of: Callable[[str], int],
        *,
        rehearsal: bool = False,
    ) -> None:
        """`config`: kafka-python's connection settings; `topic`: the name of `events`."""
        self._topic = topic
        self._where = f"{config.get('bootstrap_servers')}: {topic}"
        self._decoder = RecordDecoder(city)
        self._partition_of = partition_of
        self._rehearsal = rehearsal
        self._config = config
        self._producer: KafkaProducer | None = None

    def take(self, letter: DeadLetter, original: Original | None, now: Instant) -> Redriven:
        """Deal with one letter that was not redriven before; durable when it returns. `now`: wall time."""
        if original is None:
            return Redriven(letter, Outcome.GONE)
        if hashlib.sha256(original.value).hexdigest() != letter.digest:
            return Redriven(letter, Outcome.DIFFERS)
        if any(name == REDRIVEN_HEADER for name, _ in original.headers):
            return Redriven(letter, Outcome.AGAIN)
        county = self._county(original.value, now)
        if isinstance(county, Rejection):
            return Redriven(letter, Outcome.STILL, county.reason, county.place)
        if self._rehearsal:
            return Redriven(letter, Outcome.CAN_BE)
        self._send(letter, original, county, now)
        return Redriven(letter, Outcome.REDRIVEN)

    def _county(self, value: bytes, now: Instant) -> str | Rejection:
        """The county of the event that a value is by now, or why it is none. It would be received now."""
        batch = self._decoder.values([(value, now // _MILLISECOND)], 0)
        (arrival,) = batch.arrivals
        if isinstance(arrival, Rejection):
            return arrival
        event = arrival.event
        if event is None:
            return Rejection(Reason.EMPTY, 0, batch.digest(0))
        at = read_time(event.at)
        if isinstance(at, Reason):
            return Rejection(at, 0, batch.digest(0), "at")
        if at > now + FUTURE_TOLERANCE:
            return Rejection(Reason.FUTURE, 0, batch.digest(0), "at")
        due = None if event.due is None else read_time(event.due)
        if isinstance(due, Reason):
            return Rejection(due, 0, batch.digest(0), "due")
        personal = personal_field(event)
        if personal is not None:
            return Rejection(Reason.PERSONAL_NUMBER, 0, batch.digest(0), personal)
        return event.county

    def _send(self, letter: DeadLetter, original: Original, county: str, now: Instant) -> None:
        with told(self._where):
            if self._producer is None:
                self._producer = KafkaProducer(**self._config, acks="all", allow_auto_create_topics=False)
            self._producer.send(
                self._topic,
                value=original.value,
                key=county.encode(),
                headers=[*kept_headers(original.headers), (REDRIVEN_HEADER, id_of(letter).encode())],
                partition=self._partition_of(county),
                timestamp_ms=now // _MILLISECOND,
            ).get(timeout=_PATIENCE)

    def close(self) -> None:
        """Let go of the broker."""
        if self._producer is not None:
            self._producer.close()

    def __enter__(self) -> "Redrive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
