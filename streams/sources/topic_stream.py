"""All partitions of the topic `events`, read as one stream from positions on, to the end or for ever."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from streams.broker.errors import BrokerError, TopicError, told
from streams.core.instant import Instant
from streams.core.topic_line import RECORDING_HEADER, number_of, tick_of
from streams.sources.topic_merge import TopicMerge, TopicRecord

_HELD = 20_000
"""Records of one partition that wait for the others, before it is read no further: bounds memory."""
_POLL = 2_000


class TopicStream:
    """Reads one topic. As a context manager it closes its connection."""

    def __init__(self, config: Mapping[str, Any], topic: str) -> None:
        """`config`: kafka-python's connection settings. Raises BrokerError where there is no such topic."""
        self.topic = topic
        self._where = f"{config.get('bootstrap_servers')}: {topic}"
        with told(self._where):
            self._consumer = KafkaConsumer(
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                auto_offset_reset="none",
                max_poll_records=_POLL,
                fetch_max_wait_ms=100,
                max_partition_fetch_bytes=4 * 1024 * 1024,
                **config,
            )
            found = self._consumer.partitions_for_topic(topic)
        if not found:
            self.close()
            raise BrokerError(self._where, "no such topic", "make it with `jiantu topics apply`, or check --prefix")
        self.partitions = len(found)
        self._places = [TopicPartition(topic, partition) for partition in range(self.partitions)]
        self.held = 0
        """After `stream` has ended: records before the end that wait for a tick which not every partition has."""
        self.behind: Sequence[int] = ()
        """The partitions without it."""

    def ends(self) -> list[int]:
        """Of each partition, the offset after its last record."""
        with told(self._where):
            ends = self._consumer.end_offsets(self._places)
        return [ends[place] for place in self._places]

    def beginnings(self) -> list[int]:
        """Of each partition, the offset of the first record that there still is."""
        with told(self._where):
            beginnings = self._consumer.beginning_offsets(self._places)
        return [beginnings[place] for place in self._places]

    def starts(self) -> tuple[Instant, bytes | None]:
        """Where the stream starts, as the first tick of every partition says, and the recording's header line that it
        carries where the stream was replayed. Raises TopicError where there is no such tick."""
        started: set[Instant] = set()
        header: bytes | None = None
        for partition, (begin, end) in enumerate(zip(self.beginnings(), self.ends(), strict=True)):
            if begin:
                what = f"partition {partition} has lost its first {begin} records to retention"
                raise TopicError(self._where, what, "set retention.ms=-1 on a topic that is to be recorded whole")
            first = self._first(partition) if end else None
            if first is None or first.tick is None:
                what = f"partition {partition} does not begin with a tick, so nothing says where the stream starts"
                raise TopicError(self._where, what, "run `jiantu ticker`, or `jiantu replay --to-kafka`")
            started.add(first.tick)
            header = next((value for name, value in first.headers if name == RECORDING_HEADER), header)
        if len(started) > 1:
            what = "the partitions start at different times"
            raise TopicError(self._where, what, "give the prefix of one stream, or make the topic anew")
        return started.pop(), header

    def stream(
        self, positions: Sequence[int], until: Sequence[int] | None
    ) -> Iterator[list[tuple[TopicRecord, list[int]]]]:
        """Records from positions on, merged, with the partitions that each was taken from; empty lists while nothing
        comes. `until`: stop there, at the offsets of `ends`; None: never."""
        merge = TopicMerge(self.partitions)
        self._consumer.assign(self._places)
        reached = list(positions)
        for place, position in zip(self._places, positions, strict=True):
            self._consumer.seek(place, position)
        ended: set[int] = set()
        while True:
            if until is not None:
                for partition in range(self.partitions):
                    if partition not in ended and reached[partition] >= until[partition]:
                        ended.add(partition)
                        merge.end(partition)
                        self._consumer.pause(self._places[partition])
            made = list(merge.take())
            if made:
                yield made
            if len(ended) == self.partitions:
                self.held, self.behind = merge.held, merge.behind
                return
            self._pause_those_ahead(merge, ended)
            with told(self._where):
                polled = self._consumer.poll(timeout_ms=200)
            if not polled and not made:
                yield []
            for place, records in polled.items():
                for record in records:
                    if until is None or record.offset < until[place.partition]:
                        merge.add(topic_record(record))
                reached[place.partition] = records[-1].offset + 1

    def _pause_those_ahead(self, merge: TopicMerge, ended: set[int]) -> None:
        for partition, place in enumerate(self._places):
            if partition in ended:
                continue
            if merge.waiting(partition) >= _HELD:
                self._consumer.pause(place)
            else:
                self._consumer.resume(place)

    def record(self, partition: int, offset: int, patience: float = 30.0) -> TopicRecord | None:
        """The record at a position; None where it is gone (or was compacted away). Raises BrokerError."""
        place = TopicPartition(self.topic, partition)
        if not 0 <= partition < self.partitions or not self._holds(place, offset):
            return None
        with told(self._where):
            self._consumer.assign([place])
            self._consumer.seek(place, offset)
            polled = self._consumer.poll(timeout_ms=int(patience * 1000), max_records=1).get(place, [])
        if not polled:
            raise BrokerError(self._where, f"no answer for {patience:.0f} s", "check the broker; run it again")
        return topic_record(polled[0]) if polled[0].offset == offset else None

    def _holds(self, place: TopicPartition, offset: int) -> bool:
        with told(self._where):
            begin = self._consumer.beginning_offsets([place])[place]
            end = self._consumer.end_offsets([place])[place]
        return begin <= offset < end

    def _first(self, partition: int) -> TopicRecord | None:
        return self.record(partition, 0)

    def close(self) -> None:
        """Let go of the broker."""
        consumer = getattr(self, "_consumer", None)
        if consumer is not None:
            consumer.close()

    def __enter__(self) -> "TopicStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def topic_record(record: ConsumerRecord) -> TopicRecord:
    """A record as kafka-python gives it, with what it says of itself."""
    headers = tuple((name, value or b"") for name, value in record.headers)
    return TopicRecord(
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        headers,
        number_of(headers),
        tick_of(record.value),
    )
