"""The topics of the benchmark on one broker: made, and filled with the stream."""

from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.benchmarks.kafka_events import Occurrence, Stream, Tick, Truth

PARTITIONS = 4
WHEN_WRITTEN = {"message.timestamp.type": "LogAppendTime"}
"""For topics of results: the broker's own clock says when they came, the same clock for every job."""
WHEN_SENT = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
"""For topics of events: their timestamps are long ago, and are to stay."""
_FLUSH_SECONDS = 300


class Written(NamedTuple):
    """A stream in its topics, and the truth about it."""

    name: str
    """Of the two topics: NAME.plain, and NAME.events."""
    events: int
    truth: Truth
    value_bytes: int
    resent: int
    started: str

    @property
    def plain(self) -> str:
        """Topic of the peers, keyed by what is counted."""
        return f"{self.name}.plain"

    @property
    def prefix(self) -> str:
        """Of jiantu's topics."""
        return f"{self.name}."


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
        """Remove topics, so that their pages make room for the next job's."""
        for gone in self._admin.delete_topics(list(names)).values():
            gone.result()

    def names(self) -> frozenset[str]:
        """All topics there are."""
        return frozenset(self._admin.list_topics(timeout=30).topics)

    def write_plain(self, name: str, stream: Stream) -> Written:
        """The topic that plain counts are taken from, uncompressed, in batches of 128 KiB at most."""
        written = Written(name, stream.events, stream.truth, 0, 0, "")
        self.make(written.plain, config=WHEN_SENT)
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "partitioner": "murmur2",
                "linger.ms": 20,
                "batch.size": 128 * 1024,
                "queue.buffering.max.messages": 500_000,
                "enable.idempotence": True,
            }
        )
        for sent in stream:
            if isinstance(sent, Occurrence):
                _send(producer, written.plain, sent)
        for sent in stream.closing():
            _send(producer, written.plain, sent)
        if left := producer.flush(_FLUSH_SECONDS):
            raise RuntimeError(f"{left} records were not taken by the broker")
        return written._replace(value_bytes=stream.value_bytes, resent=stream.resent, started=stream.started)


def _send(producer: Producer, topic: str, event: Occurrence) -> None:
    while True:
        try:
            producer.produce(topic, event.value, event.place.key, timestamp=event.at)
            break
        except BufferError:
            producer.poll(0.05)
    producer.poll(0)


__all__ = ["PARTITIONS", "WHEN_SENT", "WHEN_WRITTEN", "Tick", "Topics", "Written"]
