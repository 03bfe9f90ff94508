"""Lake City's topics on a real broker, and what is written to them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from streams.broker.names import Topics
from streams.broker.settings import BrokerSettings
from streams.core.alert_log import alert_log
from streams.core.outputs import Correction
from streams.core.wire import Alerted, decode_alert, id_of
from streams.runtime.cluster import Cluster
from tests.runtime.test_steps import events


@dataclass(frozen=True)
class LakeTopics:
    """The topics of one test."""

    settings: BrokerSettings
    partitions: int

    @staticmethod
    def made(bootstrap: str, prefix: str, partitions: int, **of_events: str) -> "LakeTopics":
        """`of_events`: settings of the topic of events, with _ for a dot."""
        settings = BrokerSettings(brokers=bootstrap, topic_prefix=prefix, group=prefix + "group")
        found = LakeTopics(settings, partitions)
        names, forever = found.names, {"retention.ms": "-1", "message.timestamp.type": "CreateTime"}
        forever |= {name.replace("_", "."): value for name, value in of_events.items()}
        found._make(
            NewTopic(names.events, partitions, 1, config=forever),
            NewTopic(names.windows, 3, 1),
            NewTopic(names.scores, 1, 1),
            NewTopic(names.alerts, 1, 1),
            NewTopic(names.dlq, 1, 1),
            NewTopic(names.checkpoints, max(3, partitions), 1, config={"cleanup.policy": "compact"}),
        )
        return found

    @property
    def names(self) -> Topics:
        return Topics(self.settings.topic_prefix)

    @property
    def admin(self) -> AdminClient:
        return AdminClient(self.settings.for_confluent())

    def cluster(self) -> Cluster:
        return Cluster(self.settings)

    def _make(self, *topics: NewTopic) -> None:
        admin = self.admin  # which must outlive the answer
        for made in admin.create_topics(list(topics)).values():
            made.result()
        while not {topic.topic for topic in topics} <= set(admin.list_topics(timeout=10).topics):
            time.sleep(0.05)

    def make_events_again(self) -> None:
        """The topic of events deleted, and made again under its name."""
        admin = self.admin
        admin.delete_topics([self.names.events])[self.names.events].result()
        while self.names.events in admin.list_topics(timeout=10).topics:
            time.sleep(0.05)
        self._make(NewTopic(self.names.events, self.partitions, 1))

    def make(self, topic: str) -> None:
        """A topic of one partition."""
        self._make(NewTopic(topic, 1, 1))

    def write(self, topic: str, partition: int, records: Sequence[Message]) -> None:
        producer = Producer(self.settings.for_confluent() | {"linger.ms": 5, "message.max.bytes": 16 << 20})
        for record in records:
            received = record.timestamp()[1]
            when: Any = {} if received < 0 else {"timestamp": received}
            producer.produce(topic, record.value(), partition=partition, **when)
            producer.poll(0)
        assert producer.flush(30) == 0

    def write_recording(self) -> None:
        for partition, records in enumerate(events(self.partitions)):
            self.write(self.names.events, partition, records)

    def delete_before(self, partition: int, offset: int, topic: str = "") -> None:
        """As retention does; of the topic of events, if of no other."""
        where = TopicPartition(topic or self.names.events, partition, offset)
        admin = self.admin
        admin.delete_records([where])[where].result()

    def add_partition(self) -> None:
        """One more for the topic of events."""
        admin = self.admin
        more = NewPartitions(self.names.events, self.partitions + 1)
        admin.create_partitions([more])[self.names.events].result()

    def committed(self, topic: str) -> list[int]:
        """Offsets that the group has committed; none while it has no coordinator, as on a broker that is new."""
        consumer = Consumer(self.settings.for_confluent() | {"group.id": self.settings.group})
        count = self.cluster().topics([topic])[topic].partitions
        try:
            found = consumer.committed([TopicPartition(topic, number) for number in range(count)], timeout=15)
        except KafkaException as error:
            if error.args[0].code() not in (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS):
                raise
            return []
        finally:
            consumer.close()
        return [one.offset for one in found]

    def alerts(self) -> list[Alerted]:
        """What was said of alerts so far, each once."""
        found = {}
        consumer = Consumer(self.settings.for_confluent() | {"group.id": "reader", "enable.auto.commit": False})
        span = self.cluster().span(self.names.alerts, 0)
        consumer.assign([TopicPartition(self.names.alerts, 0, span.first)])
        for _ in range(span.next - span.first):
            message = consumer.poll(15)
            assert message is not None
            assert not message.error()
            alerted = decode_alert(message.value() or b"")
            found[id_of(alerted)] = alerted
        consumer.close()
        return list(found.values())

    def log(self) -> bytes:
        """The alert log so far."""
        return alert_log([one for one in self.alerts() if not isinstance(one, Correction)])

    def delete(self, topic: str) -> None:
        """Delete a topic, and wait until it is gone."""
        admin = self.admin
        admin.delete_topics([topic])[topic].result()
        while topic in admin.list_topics(timeout=10).topics:
            time.sleep(0.05)

    def forget_group(self) -> None:
        """Have the group's offsets deleted, once its members are gone."""
        admin, group = self.admin, self.settings.group
        while True:
            try:
                admin.delete_consumer_groups([group])[group].result()
                return
            except KafkaException as error:
                if error.args[0].code() != KafkaError.NON_EMPTY_GROUP:
                    raise
                time.sleep(0.2)
