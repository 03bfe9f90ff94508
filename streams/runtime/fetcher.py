"""Fetching: librdkafka's consumer, told where to read. Who may read what is the group's business, not its own.

librdkafka takes half the time that aiokafka does for a record. It is not believed about one thing: that offsets are
missing (compacted records, a transaction's markers). A record that was dropped on the way looks the same. So what lies
behind a hole is thrown away and fetched again; a hole that is there both times is one of the topic's own. Where offsets
follow on each other, as they do in a topic that nobody compacts, one subtraction a fetch says so.

For one thread at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

MOST_RECORDS = 10_000
"""Of one fetch, all partitions together."""
MOST_BYTES = 4 << 20
"""Of one fetch, as far as the last one lets it be known."""
AHEAD_KBYTES = 64 << 10
"""Of what librdkafka holds in advance: the most memory that it takes, and that one fetch of large records can have."""
NOWHERE = -1
"""No epoch: the partition is not this process's any more."""

Place = tuple[str, int]
"""Topic and partition."""

_GONE = frozenset(
    {
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001 - its public name
        KafkaError.OFFSET_OUT_OF_RANGE,
        KafkaError._LOG_TRUNCATION,  # noqa: SLF001
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNKNOWN_TOPIC_ID,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    }
)
"""What librdkafka does not try again by itself: the partition gives nothing more."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one fetch brought of one partition."""

    records: Sequence[Message]
    """Empty where the topic holds none between `follows` and `after`, and where there is `trouble`."""
    follows: int
    """The offset that was asked for; no record lies between it and the first one here."""
    after: int
    """The offset that is asked for next: past the last record, and past what holds none."""
    epoch: int
    """Number of the seek that it comes after."""
    trouble: str = ""
    """Why nothing more comes: the offset or the topic is not there, or not for this user. Somebody has to look."""

    @property
    def first(self) -> int:
        """Offset of the first record; where there is none, of the next."""
        first = self.records[0].offset() if self.records else None
        return self.after if first is None else first


@dataclass(slots=True)
class _Reading:
    """One partition that is being read."""

    next: int
    """Offset of the next record."""
    epoch: int
    holes: frozenset[tuple[int, int]] = frozenset()
    """Those that the fetch before saw: offset of the first missing record, and of the next that is there."""
    records: list[Message] = field(default_factory=list)
    """Of the present fetch."""
    end: int | None = None
    """The topic's, where the present fetch has reached it."""
    trouble: str = ""


class FetchError(Exception):
    """A record that the client could not read, or a client that gave up: the next process begins anew."""


class Fetcher:
    """Reads partitions, each from where it is told."""

    def __init__(self, settings: Mapping[str, Any], group: str) -> None:
        """`settings`: how to reach the brokers. The group's name is only what librdkafka asks for."""
        self._consumer = Consumer(
            dict(settings)
            | {
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "isolation.level": "read_uncommitted",
                "check.crcs": True,
                "fetch.wait.max.ms": 100,
                "fetch.queue.backoff.ms": 5,
                "queued.min.messages": 50_000,
                "queued.max.messages.kbytes": AHEAD_KBYTES,
                "topic.metadata.refresh.interval.ms": 60_000,
                "error_cb": self._on_error,
            }
        )
        self._reading: dict[Place, _Reading] = {}
        self._epochs: dict[Place, int] = {}
        self._count = MOST_RECORDS
        self._fatal: KafkaError | None = None

    def go_to(self, place: Place, offset: int) -> int:
        """Read a partition from an offset on; the epoch of what comes from there."""
        self._epochs[place] = epoch = self._epochs.get(place, 0) + 1
        self._seek(place, offset)
        self._reading[place] = _Reading(offset, epoch)
        return epoch

    def let_go(self) -> None:
        """Read nothing any more."""
        self._reading.clear()
        self._consumer.unassign()

    def close(self) -> None:
        """Let the brokers go."""
        self._consumer.close()

    def fetch(self, seconds: float) -> dict[Place, Fetched]:
        """What there is, after so long at most. Raises FetchError."""
        self._sort(self._consumer.consume(self._count, seconds))
        if self._fatal is not None:
            raise FetchError(f"the Kafka client gave up: {self._fatal}")
        found = {}
        for place, reading in self._reading.items():
            if reading.records or reading.end is not None or reading.trouble:
                fetched = self._fetched(place, reading)
                if fetched is not None:
                    found[place] = fetched
        return found

    # ---- one fetch -----------------------------------------------------------------------------------------------

    def _sort(self, messages: Sequence[Message]) -> None:
        """Messages to their partitions."""
        reading, last = self._reading, None
        records: list[Message] = []
        errors = []
        for message in messages:
            if message.error() is not None:
                errors.append(message)
                self._trouble(message)
                continue
            place = message.topic(), message.partition()
            if place != last:
                last = place
                one = reading.get(cast("Place", place))
                records = [] if one is None else one.records  # of one that was let go
            records.append(message)
        if (count := len(messages) - len(errors)) > 0:
            mean = max(1, (sum(map(len, messages)) - sum(map(len, errors))) // count)
            self._count = min(MOST_RECORDS, max(1, MOST_BYTES // mean))

    def _trouble(self, message: Message) -> None:
        error, place = message.error(), (message.topic(), message.partition())
        reading = self._reading.get(cast("Place", place))
        if reading is None or error is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            reading.end = message.offset()
        elif error.code() in _GONE:
            reading.trouble = error.str()
        elif not error.retriable():
            raise FetchError(f"{place[0]} {place[1]}, record {message.offset()}: {error}")

    def _fetched(self, place: Place, reading: _Reading) -> Fetched | None:
        records, end, trouble = reading.records, reading.end, reading.trouble
        reading.records, reading.end, reading.trouble = [], None, ""
        follows = reading.next
        after = follows + len(records)
        last = records[-1].offset() if records else None
        if (last is not None and last + 1 != after) or (end is not None and end > after):
            after = self._through_holes(place, reading, records, end)
        if after == follows and not trouble:
            return None
        reading.next = after
        return Fetched(records, follows, after, reading.epoch, trouble)

    def _through_holes(self, place: Place, reading: _Reading, records: list[Message], end: int | None) -> int:
        """Past the records up to the first hole that is new; from there on they are fetched again. The offset."""
        holes, expected, cut = [], reading.next, (-1, -1)
        offsets = [cast("int", record.offset()) for record in records]
        if end is not None and (not offsets or end > offsets[-1]):
            offsets.append(end)
        for number, offset in enumerate(offsets):
            if offset != expected:
                holes.append((expected, offset))
                if cut[0] < 0 and (holes[-1] not in reading.holes or offset < expected):
                    cut = number, expected
            expected = offset + (number < len(records))
        if cut[0] < 0:
            return expected
        del records[cut[0] :]
        self._again(place, reading, cut[1], holes)
        return cut[1]

    def _again(self, place: Place, reading: _Reading, offset: int, holes: list[tuple[int, int]]) -> None:
        reading.holes = frozenset(holes)
        self._seek(place, offset)

    # ---- librdkafka ----------------------------------------------------------------------------------------------

    def _seek(self, place: Place, offset: int) -> None:
        """Another assignment rather than its `seek`, which knows only partitions that are being fetched already."""
        where = TopicPartition(*place, offset)
        try:
            if place in self._reading:
                self._consumer.incremental_unassign([where])
            self._consumer.incremental_assign([where])
        except KafkaException as error:
            raise FetchError(f"{place[0]} {place[1]}: cannot be read from record {offset}: {error}") from error

    def _on_error(self, error: KafkaError) -> None:
        """Of the client as a whole: that brokers do not answer passes."""
        if error.fatal():
            self._fatal = error
