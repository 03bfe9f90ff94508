"""One topic, read with kafka-python: where its partitions begin and end, one record, or all from positions on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import UnknownTopicOrPartitionError

from streams.broker.errors import BrokerError, TopicError, told
from streams.clock import Stopwatch

PATIENCE = 30.0
"""Seconds to wait for a record that is there."""
_POLL = 2_000
_PAUSE_MS = 200
_LOOK_EVERY = 10.0
"""Seconds between two looks whether it is still the topic that it was: kafka-python waits for one that is gone, and
goes on with another of its name."""
_MISSING_TWICE = 2
"""A broker that has just come back knows of no topic for a moment."""


class TopicReader:
    """A connection to one topic, outside of any consumer group. As a context manager it closes itself."""

    def __init__(self, config: Mapping[str, Any], topic: str) -> None:
        """`config`: kafka-python's connection settings. Raises BrokerError where there is no such topic."""
        self.topic = topic
        self.where = f"{config.get('bootstrap_servers')}: {topic}"
        with told(self.where):
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
            raise BrokerError(self.where, "no such topic", "make it with `jiantu topics apply`, or check --prefix")
        self.partitions = len(found)
        self._id = self._identity()
        self._missing = 0
        self._places = [TopicPartition(topic, partition) for partition in range(self.partitions)]

    def _identity(self) -> object:
        """The broker's own name of the topic, which another one of the same name has not."""
        consumer: Any = self._consumer
        return consumer._cluster.topic_id(self.topic)  # noqa: SLF001 - there is no other way

    def _check_same(self) -> None:
        """Raise TopicError where the topic is gone, or another one; BrokerError."""
        with told(self.where):
            try:
                there = self.topic in self._consumer.topics()
            except UnknownTopicOrPartitionError:  # it asks for what is being read, too
                there = False
        self._missing = 0 if there else self._missing + 1
        if self._missing >= _MISSING_TWICE:
            raise TopicError(self.where, "the topic was deleted", "make it anew with `jiantu topics apply`")
        if there and self._identity() != self._id:
            what = "the topic was deleted and made again: what comes now is another stream"
            raise TopicError(self.where, what, "begin anew with it")

    def beginnings(self) -> list[int]:
        """Of each partition, the offset of the first record that there still is."""
        with told(self.where):
            beginnings = self._consumer.beginning_offsets(self._places)
        return [beginnings[place] for place in self._places]

    def ends(self) -> list[int]:
        """Of each partition, the offset after its last record."""
        with told(self.where):
            ends = self._consumer.end_offsets(self._places)
        return [ends[place] for place in self._places]

    def record(self, partition: int, offset: int) -> ConsumerRecord | None:
        """The record at a position; None where there is none (any more)."""
        place = TopicPartition(self.topic, partition)
        if not 0 <= partition < self.partitions:
            return None
        with told(self.where):
            begin = self._consumer.beginning_offsets([place])[place]
            end = self._consumer.end_offsets([place])[place]
            if not begin <= offset < end:
                return None
            self._consumer.assign([place])
            self._consumer.seek(place, offset)
            polled = self._consumer.poll(timeout_ms=round(PATIENCE * 1000), max_records=1).get(place, [])
        if not polled:
            raise BrokerError(self.where, f"no answer for {PATIENCE:.0f} s", "check the broker, and run it again")
        return polled[0] if polled[0].offset == offset else None

    def at_time(self, partition: int, timestamp: int, otherwise: int) -> int:
        """The offset of the first record stamped so late or later (epoch milliseconds), `otherwise` where none is."""
        place = self._places[partition]
        with told(self.where):
            found = self._consumer.offsets_for_times({place: timestamp})[place]
        return otherwise if found is None else found.offset

    def read(
        self, positions: Sequence[int], until: Sequence[int] | None = None
    ) -> Iterator[Mapping[int, Sequence[ConsumerRecord]]]:
        """Records from positions on as they come, by partition; an empty mapping where nothing came for a while.
        `until`: offsets to stop at; None: never. Raises TopicError where the topic goes away meanwhile, BrokerError."""
        looked = Stopwatch()
        self._consumer.assign(self._places)
        for place, position in zip(self._places, positions, strict=True):
            self._consumer.seek(place, position)
        while True:
            if until is not None:
                done = [place for place in self._places if self.reached(place.partition) >= until[place.partition]]
                if len(done) == self.partitions:
                    return
                self._consumer.pause(*done)
            if looked.seconds() > _LOOK_EVERY:
                self._check_same()
                looked.restart()
            try:
                with told(self.where):
                    polled = self._consumer.poll(timeout_ms=_PAUSE_MS)
            except BrokerError:
                self._check_same()
                raise
            yield {
                place.partition: [r for r in records if until is None or r.offset < until[place.partition]]
                for place, records in sorted(polled.items())
            }

    def reached(self, partition: int) -> int:
        """Where `read` goes on in a partition."""
        return self._consumer.position(self._places[partition])

    def hold(self, partition: int, *, back: bool) -> None:
        """Read a partition no further while others catch up, or go on with it."""
        place = self._places[partition]
        if back:
            self._consumer.pause(place)
        else:
            self._consumer.resume(place)

    def close(self) -> None:
        """Let go of the broker."""
        consumer = getattr(self, "_consumer", None)
        if consumer is not None:
            consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
