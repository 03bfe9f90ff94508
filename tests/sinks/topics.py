"""Topics for a test: made under its own prefix, filled, read back."""

from collections.abc import Sequence

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.consumer.fetcher import ConsumerRecord

from streams.broker.names import Topics

REPLAYED = {
    "message.timestamp.type": "CreateTime",
    "retention.ms": "-1",
    "message.timestamp.after.max.ms": "9223372036854775807",
}
"""A topic for replays: its records keep their own times, and old ones stay."""
LIVE = {"message.timestamp.type": "LogAppendTime"}


def make_topics(bootstrap: str, prefix: str, partitions: int = 3, events: dict[str, str] | None = None) -> Topics:
    """The topics that the commands need. `events`: settings of the topic of events."""
    topics = Topics(prefix)
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics(
            [
                NewTopic(topics.events, partitions, 1, topic_configs=REPLAYED if events is None else events),
                NewTopic(topics.alerts, 1, 1),
                NewTopic(topics.dlq, 1, 1),
            ]
        )
    finally:
        admin.close()
    return topics


def send(bootstrap: str, topic: str, *records: tuple[bytes | None, bytes | None, int, dict[str, bytes]]) -> None:
    """Produce (value, key, partition, headers), stamped 1000."""
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    try:
        for value, key, partition, headers in records:
            sent = producer.send(
                topic, value=value, key=key, partition=partition, headers=list(headers.items()), timestamp_ms=1000
            )
            sent.get(timeout=30)
    finally:
        producer.close()


def records_of(bootstrap: str, topic: str) -> list[list[ConsumerRecord]]:
    """Everything that a topic holds, partition by partition."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        found = sorted(consumer.partitions_for_topic(topic) or ())
        places = [TopicPartition(topic, partition) for partition in found]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        lying: list[list[ConsumerRecord]] = [[] for _ in places]
        while any(consumer.position(place) < ends[place] for place in places):
            for place, records in consumer.poll(timeout_ms=1000).items():
                lying[place.partition].extend(records)
        return lying
    finally:
        consumer.close()


def length_of(bootstrap: str, topic: str) -> int:
    """How many records a topic holds."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        places = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic) or ()]
        return sum(consumer.end_offsets(places).values())
    finally:
        consumer.close()


def content(records: Sequence[ConsumerRecord]) -> list[tuple[object, ...]]:
    """What producers gave of records."""
    return [(one.key, one.value, one.timestamp, tuple(one.headers)) for one in records]
