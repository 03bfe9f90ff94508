"""The topics of the benchmark on one broker: made, and filled with the stream."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.broker.partitioner import partition_of
from tests.benchmarks.kafka_events import Occurrence, Stream, Tick, Truth

PARTITIONS = 4
"""Of the topic that plain counts are taken from."""
EVENTS_PARTITIONS = 9
"""Of jiantu's topic of events: over nine, Leshan's counties spread so that each of two workers gets half the events."""
WHEN_WRITTEN = {"message.timestamp.type": "LogAppendTime"}
"""For topics of results: the broker's own clock says when they came, the same clock for every job."""
WHEN_SENT = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
"""For topics of events: their timestamps are long ago, and are to stay."""
HOURS_AFTER = 25
"""From the end of the stream to its last tick: every hour and day closes."""
_FLUSH_SECONDS = 300


class Written(NamedTuple):
    """A stream in a topic, and the truth about it."""

    topic: str
    events: int
    truth: Truth
    value_bytes: int
    resent: int


class Topics:
    """Makes and fills topics of one broker."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

    def make(self, name: str, partitions: int = PARTITIONS, config: Mapping[str, str] = WHEN_WRITTEN) -> None:
        """Make one topic. Raises KafkaException where it is there already."""
        topic = NewTopic(name, partitions, 1, config=dict(config))
        for made in self._admin.create_topics([topic]).values():
            made.result()

    def remove(self, *names: str) -> None:
        """Remove topics, so that their pages make room for the next job's; gone when this returns."""
        if not names:
            return
        for gone in self._admin.delete_topics(list(names)).values():
            gone.result()
        while self.names() & set(names):
            time.sleep(0.05)

    def names(self) -> frozenset[str]:
        """All topics there are."""
        return frozenset(self._admin.list_topics(timeout=30).topics)

    def write_plain(self, name: str, stream: Stream) -> Written:
        """The topic that plain counts are taken from, uncompressed, in batches of 128 KiB at most."""
        topic = f"{name}.plain"
        self.make(topic, config=WHEN_SENT)
        producer = Sender(self.bootstrap)
        for sent in stream:
            if isinstance(sent, Occurrence):
                producer.send(topic, sent.value, sent.place.key, sent.at)
        for sent in stream.closing():
            producer.send(topic, sent.value, sent.place.key, sent.at)
        producer.finish()
        return Written(topic, stream.events, stream.truth, stream.value_bytes, stream.resent)

    def write_events(self, topic: str, stream: Stream) -> None:
        """The topic as jiantu has it: ticks in every partition, the first of them where the stream starts; the last a
        day after its end, so that every hour closes."""
        self.make(topic, EVENTS_PARTITIONS, WHEN_SENT)
        producer = Sender(self.bootstrap)
        began = False
        for sent in stream:
            if not began:
                began = True
                producer.tick(topic, stream.first_tick(sent.received))
            if isinstance(sent, Tick):
                producer.tick(topic, sent)
            else:
                county = sent.place.county
                partition = partition_of(county, EVENTS_PARTITIONS)
                producer.send(topic, sent.value, county.encode(), sent.received, partition)
        producer.tick(topic, stream.tick(HOURS_AFTER))
        producer.finish()


class Sender:
    """Sends records, and makes sure that they came."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2",
                "linger.ms": 20,
                "batch.size": 128 * 1024,
                "queue.buffering.max.messages": 500_000,
                "enable.idempotence": True,
            }
        )

    def send(self, topic: str, value: bytes, key: bytes, timestamp: int, partition: int = -1) -> None:
        """Send one record; without a partition, to the one of its key."""
        while True:
            try:
                self._producer.produce(topic, value, key, partition=partition, timestamp=timestamp)
                break
            except BufferError:
                self._producer.poll(0.05)
        self._producer.poll(0)

    def tick(self, topic: str, tick: Tick) -> None:
        """Send a tick to every partition."""
        for partition in range(EVENTS_PARTITIONS):
            self.send(topic, tick.value, b"", tick.received, partition)

    def finish(self) -> None:
        """Wait until all that was sent is in its topic. Raises RuntimeError where it does not come."""
        if left := self._producer.flush(_FLUSH_SECONDS):
            raise RuntimeError(f"{left} records were not taken by the broker")
