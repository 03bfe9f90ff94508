"""What the steps wrote into topics, read with kafka-python from positions that somebody else keeps."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from streams.broker.errors import TopicError, told

Place = tuple[str, int]
"""Topic and partition."""

_MOST_RECORDS = 2_000
_FETCHED_AT_ONCE = 16 * 1024 * 1024


class StepTopics:
    """A connection to several topics, outside of any consumer group. As a context manager it closes itself."""

    def __init__(self, config: Mapping[str, Any], topics: Sequence[str]) -> None:
        """`config`: kafka-python's connection settings. Raises BrokerError, TopicError where there is no such topic."""
        self.where = str(config.get("bootstrap_servers"))
        with told(self.where):
            self._consumer = KafkaConsumer(
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                auto_offset_reset="none",
                max_poll_records=_MOST_RECORDS,
                fetch_max_wait_ms=100,
                max_partition_fetch_bytes=_FETCHED_AT_ONCE,
                **config,
            )
        self._places: list[TopicPartition] = []
        for topic in topics:
            with told(self.where):
                found = self._consumer.partitions_for_topic(topic)
            if not found:
                self.close()
                raise TopicError(topic, "there is no such topic", "make it: `jiantu topics apply`")
            self._places += [TopicPartition(topic, partition) for partition in sorted(found)]

    @property
    def places(self) -> list[Place]:
        """Every partition of every topic, in their order."""
        return [(place.topic, place.partition) for place in self._places]

    def beginnings(self) -> dict[Place, int]:
        """Offset of the first record that there still is."""
        with told(self.where):
            found = self._consumer.beginning_offsets(self._places)
        return {(place.topic, place.partition): found[place] for place in self._places}

    def ends(self) -> dict[Place, int]:
        """Offset after the last record."""
        with told(self.where):
            found = self._consumer.end_offsets(self._places)
        return {(place.topic, place.partition): found[place] for place in self._places}

    def go_to(self, positions: Mapping[Place, int]) -> None:
        """Read on from positions, one for every partition."""
        self._consumer.assign(self._places)
        for place in self._places:
            self._consumer.seek(place, positions[place.topic, place.partition])

    def poll(self, wait_ms: int) -> Iterator[tuple[Place, Sequence[ConsumerRecord]]]:
        """Records that came, by partition; none where nothing came for so long."""
        with told(self.where):
            polled = self._consumer.poll(timeout_ms=wait_ms)
        for place, records in sorted(polled.items()):
            yield (place.topic, place.partition), records

    def reached(self) -> dict[Place, int]:
        """Where `poll` goes on."""
        return {(place.topic, place.partition): self._consumer.position(place) for place in self._places}

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
