"""A recording into the topic `events`: every record once, in stream order, with its key, headers and time of receipt.

Each partition begins with a tick that says where the stream starts. Every partition gets every tick; a record goes
where its county belongs. So what a partition holds is a function of the recording, and how far an earlier run came is
read from the topic itself: partition p holds the first n of p's records, n being its length. The last of them is
compared before anything is added, so that nothing is lost or doubled, whatever became of the earlier run.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError
from msgspec import UNSET

from streams.broker.errors import BrokerError, TopicError, told
from streams.clock import pause
from streams.core.instant import SECOND, Instant, parse_instant
from streams.core.topic_line import (
    RECORD_HEADER,
    RECORDING_HEADER,
    Headers,
    Line,
    county_of,
    read_line,
    stamp_of,
    tick_value,
)

PATIENCE = 60.0
"""Seconds to wait for a broker before giving up; it may be restarting."""
_IN_FLIGHT = 20_000
"""Records handed to the producer and not acknowledged, at most: bounds memory."""
_QUIET = SECOND // 2
"""A producer that was killed may have sent what the broker has yet to append: the ends must stand still so long."""
LOG_APPEND_TIME = 1
"""What a record's timestamp type says where the broker stamps."""
_FOR_EVER = 2**31 - 1

_Content = tuple[bytes | None, bytes | None, Headers]
"""Value, key and headers of a record."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A record as a partition gets it."""

    partition: int
    value: bytes | None
    key: bytes | None
    timestamp: int
    headers: Headers


class Posting:
    """Which records a recording's lines become, and where: a pure function of lines, counties and partitions."""

    def __init__(self, counties: Collection[str], partitions: int, partition_of: Callable[[str, int], int]) -> None:
        self._places = {code: partition_of(code, partitions) for code in counties}
        self._partitions = partitions

    def start(self, header: bytes, span_start: str) -> Iterator[Posted]:
        """The tick with which every partition begins. `header`: the recording's header line, `span_start` RFC 3339."""
        stamp = stamp_of(parse_instant(span_start))
        for partition in range(self._partitions):
            yield Posted(partition, tick_value(span_start), None, stamp, ((RECORDING_HEADER, header.strip()),))

    def records(self, line: Line, number: int) -> Iterator[Posted]:
        """The records of a line: one, or for a tick one to every partition."""
        own = ((RECORD_HEADER, b"%d" % number),)
        if line.tick is not None:
            for partition in range(self._partitions):
                yield Posted(partition, line.value, None, line.timestamp, own)
            return
        county = county_of(line.value, self._places)
        partition, key = (0, None) if county is None else (self._places[county], county.encode())
        carried = line.carried
        if carried is None:
            yield Posted(partition, line.value, key, line.timestamp, own)
            return
        if carried.key is not UNSET:
            key = carried.key
        if carried.partition is not None and carried.partition < self._partitions:
            partition = carried.partition
        yield Posted(partition, line.value, key, line.timestamp, own + carried.headers)


class EventTopicWriter:
    """Writes one recording into one topic; as a context manager it closes what it opened.

    Raises BrokerError, and TopicError where the topic holds something else.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        topic: str,
        posting: Callable[[int], Posting],
    ) -> None:
        """`config`: kafka-python's connection settings; `posting`: made for the topic's number of partitions."""
        self.topic = topic
        self._where = f"{config.get('bootstrap_servers')}: {topic}"
        self._config = dict(config)
        self._sent: deque[Any] = deque()
        self._producer: KafkaProducer | None = None
        with told(self._where):
            self._ends, self._lasts = self._read_ends()
        self._posting = posting(len(self._ends))
        self._passed = [0] * len(self._ends)
        """Records of each partition that the recording has given so far."""
        self.added = 0
        """Lines of which this writer added at least one record."""

    @property
    def partitions(self) -> int:
        """How many the topic has."""
        return len(self._ends)

    @property
    def resumes(self) -> bool:
        """Whether an earlier run wrote into the topic."""
        return any(self._ends)

    @property
    def caught_up(self) -> bool:
        """Whether all that an earlier run wrote has been passed."""
        return all(passed >= end for passed, end in zip(self._passed, self._ends, strict=True))

    def start(self, header: bytes, span_start: str) -> None:
        """Take the beginning of the recording: what comes before its first record."""
        for posted in self._posting.start(header, span_start):
            self._take(posted)
        self.flush()

    def write(self, lines: bytes, first: int) -> Instant | None:
        """Take whole lines, of which the first is record number `first`; the last tick among them."""
        tick = None
        for number, line in enumerate(lines.split(b"\n")[:-1], first):
            read = read_line(line)
            tick = tick if read.tick is None else read.tick
            added = [self._take(posted) for posted in self._posting.records(read, number)]
            self.added += any(added)
        return tick

    def flush(self) -> None:
        """Wait until everything is acknowledged."""
        while self._sent:
            self._acknowledge()

    def finish(self) -> None:
        """Everything is acknowledged, and the topic holds the recording and nothing else; or TopicError."""
        self.flush()
        with told(self._where):
            beginnings, ends = self._bounds()
        if any(beginnings):
            what = f"retention has removed {sum(beginnings)} records already"
            raise TopicError(self._where, what, "set retention.ms=-1 on a topic for replays, and make it anew")
        for partition, (end, passed) in enumerate(zip(ends, self._passed, strict=True)):
            if end != passed:
                what = f"partition {partition} holds {end} records, where the recording has {passed}"
                raise TopicError(self._where, what, "something else writes to it, too: give an empty topic (--prefix)")

    def close(self) -> None:
        """Let go of the broker; what was not acknowledged is left to the next run."""
        if self._producer is not None:
            with suppress(KafkaTimeoutError):  # it would say so in place of why there was no more to wait for
                self._producer.close(timeout=0)

    def __enter__(self) -> "EventTopicWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, posted: Posted) -> bool:
        """Send a record, or see that it is there already; whether it was sent."""
        place = self._passed[posted.partition]
        end = self._ends[posted.partition]
        self._passed[posted.partition] = place + 1
        if place < end:
            if place == end - 1:
                self._compare(posted)
            return False
        self._send(posted)
        return True

    def _compare(self, posted: Posted) -> None:
        last = self._lasts[posted.partition]
        if last != (posted.value, posted.key, posted.headers):
            what = f"partition {posted.partition} ends with another record than this recording has at that place"
            instead = "give the recording, profile and partitions that it was begun with, or an empty topic (--prefix)"
            raise TopicError(self._where, what, instead)

    def _send(self, posted: Posted) -> None:
        with told(self._where):
            if self._producer is None:
                self._producer = KafkaProducer(**_producing(self._config))
            # A record that the broker refuses must not be followed by others of its partition: one is waited for
            # before the number in flight grows, and nothing is retried by us.
            future = self._producer.send(
                self.topic,
                value=posted.value,
                key=_key_of(posted),
                headers=list(posted.headers),
                partition=posted.partition,
                timestamp_ms=posted.timestamp,
            )
            self._sent.append((posted.timestamp, future))
        while len(self._sent) > _IN_FLIGHT:
            self._acknowledge()

    def _acknowledge(self) -> None:
        stamp, future = self._sent.popleft()
        with told(self._where):
            acknowledged = future.get(timeout=PATIENCE)
        if acknowledged.timestamp != stamp:
            raise self._stamped_anew()

    def _stamped_anew(self) -> TopicError:
        what = "the broker puts its own time on every record, so that the times of receipt would be lost"
        return TopicError(self._where, what, "set message.timestamp.type=CreateTime, or give another topic (--prefix)")

    # -- what is there -------------------------------------------------------------------------

    def _read_ends(self) -> tuple[list[int], dict[int, _Content]]:
        """The length of every partition once nothing is added any more, and the last record of each."""
        consumer = KafkaConsumer(enable_auto_commit=False, allow_auto_create_topics=False, **self._config)
        try:
            places = self._places(consumer)
            ends = consumer.end_offsets(places)
            if any(ends.values()):
                pause(_QUIET)
                if consumer.end_offsets(places) != ends:
                    raise TopicError(self._where, "something is writing to it", "wait until it is done")
            lasts = {}
            for place in places:
                if ends[place]:
                    lasts[place.partition] = self._last(consumer, place, ends[place])
            return [ends[place] for place in places], lasts
        finally:
            consumer.close()

    def _last(self, consumer: KafkaConsumer, place: TopicPartition, end: int) -> _Content:
        consumer.assign([place])
        consumer.seek(place, end - 1)
        for record in consumer.poll(timeout_ms=int(PATIENCE * 1000)).get(place, ()):
            if record.timestamp_type == LOG_APPEND_TIME:
                raise self._stamped_anew()
            return record.value, record.key, tuple((name, value or b"") for name, value in record.headers)
        what = f"the last record of partition {place.partition} is gone"
        raise TopicError(self._where, what, "give an empty topic (--prefix), with retention.ms=-1")

    def _bounds(self) -> tuple[list[int], list[int]]:
        consumer = KafkaConsumer(enable_auto_commit=False, allow_auto_create_topics=False, **self._config)
        try:
            places = self._places(consumer)
            beginnings, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
            return [beginnings[place] for place in places], [ends[place] for place in places]
        finally:
            consumer.close()

    def _places(self, consumer: KafkaConsumer) -> list[TopicPartition]:
        found = consumer.partitions_for_topic(self.topic)
        if not found:
            raise BrokerError(self._where, "no such topic", "make it with `jiantu topics apply`")
        return [TopicPartition(self.topic, partition) for partition in sorted(found)]


def _key_of(posted: Posted) -> bytes | None:
    """The client refuses a record without key and value; an empty key says as little."""
    return b"" if posted.key is None and posted.value is None else posted.key


def _producing(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings under which what is sent arrives once and in order, or not at all.

    A batch never expires while others wait behind it: that would leave a gap. Whoever waits gives up instead, and
    what was in flight stays unsent behind what was refused.
    """
    return {
        **config,
        "acks": "all",
        "enable_idempotence": True,
        "delivery_timeout_ms": _FOR_EVER,
        "linger_ms": 20,
        "batch_size": 128 * 1024,
        "max_request_size": 8 * 1024 * 1024,
        "compression_type": None,
        "max_block_ms": int(PATIENCE * 1000),
        "allow_auto_create_topics": False,
    }
