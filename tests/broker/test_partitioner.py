"""The partitioner agrees with everybody else's: kafka-python's, librdkafka's, and the Java client's own answer."""

import subprocess

import confluent_kafka
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer, TopicPartition
from kafka.partitioner.default import murmur2 as murmur2_of_kafka_python

from streams.broker.partitioner import murmur2, partition_of
from streams.broker.settings import BrokerSettings
from tests.kafka.fixtures import SharedBroker, make_topics
from tests.kafka.server import program

COUNTIES = (
    *("511102", "511111", "511112", "511113", "511123", "511124", "511126", "511129", "511132", "511133", "511181"),
    *("", "a", "ab", "abc", "峨眉山市", "15", "dorchester"),
)


@given(st.binary(max_size=64))
def test_murmur2_is_kafka_pythons(key: bytes) -> None:
    assert murmur2(key) == murmur2_of_kafka_python(key)


@given(st.text(max_size=20), st.integers(1, 1000))
def test_it_is_one_of_the_partitions(county: str, partitions: int) -> None:
    assert 0 <= partition_of(county, partitions) < partitions


def test_a_topic_has_partitions() -> None:
    with pytest.raises(ValueError, match="at least one partition"):
        partition_of("511102", 0)


def where_they_went(broker: SharedBroker, topic: str) -> dict[str, int]:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False)
    places = [TopicPartition(topic, partition) for partition in range(12)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    end = sum(consumer.end_offsets(places).values())
    found: dict[str, int] = {}
    while sum(consumer.position(place) for place in places) < end:
        for place, records in consumer.poll(500).items():
            found |= {(record.key or b"").decode(): place.partition for record in records}
    consumer.close()
    return found


def test_librdkafka_puts_them_there(kafka_broker: SharedBroker, topic_prefix: str) -> None:
    topic = make_topics(kafka_broker.bootstrap, topic_prefix, partitions=12).events
    producer = confluent_kafka.Producer(
        {**BrokerSettings(brokers=kafka_broker.bootstrap).for_confluent(), "partitioner": "murmur2"}
    )
    for county in COUNTIES:
        producer.produce(topic, b"{}", key=county.encode())
    assert producer.flush(20) == 0
    assert where_they_went(kafka_broker, topic) == {county: partition_of(county, 12) for county in COUNTIES}


def test_java_puts_them_there(kafka_broker: SharedBroker, topic_prefix: str) -> None:
    topic = make_topics(kafka_broker.bootstrap, topic_prefix, partitions=12).events
    java, jars = program()
    producer = [str(java), "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-cp", f"{jars}/*"]
    producer += ["org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", kafka_broker.bootstrap]
    producer += ["--topic", topic, "--property", "parse.key=true", "--property", "key.separator=|"]
    lines = "".join(f"{county}|{{}}\n" for county in COUNTIES)
    subprocess.run(producer, input=lines.encode(), capture_output=True, check=True, timeout=60)
    assert where_they_went(kafka_broker, topic) == {county: partition_of(county, 12) for county in COUNTIES}
