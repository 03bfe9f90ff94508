"""The limit of Python on Kafka: a bare librdkafka consumer and msgspec, tuned, nothing around them.

librdkafka hands out 10,000 records at a time; `fetch.queue.backoff.ms` is what it waits once its queue is full, one
second unless told. No group, no commits, no recovery.
"""

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition
from job import DISORDER_MS, HOUR_MS, asked, closed_window


class Event(msgspec.Struct):
    """What is counted by."""

    county: str
    category: str


def main() -> None:
    """Count until stopped."""
    job = asked()
    consumer = Consumer(
        {
            "bootstrap.servers": job.bootstrap,
            "group.id": job.name,
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 5,
            "queued.min.messages": 50_000,
            "queued.max.messages.kbytes": 128 * 1024,
        }
    )
    consumer.assign([TopicPartition(job.source, number, 0) for number in range(job.partitions)])
    producer = Producer({"bootstrap.servers": job.bootstrap, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
    decode = msgspec.json.Decoder(Event).decode
    hours: list[dict[int, dict[tuple[str, str], int]]] = [{} for _ in range(job.partitions)]
    newest = [0] * job.partitions
    while True:
        for message in consumer.consume(10_000, 0.1):
            number = message.partition()
            at = message.timestamp()[1]
            event = decode(message.value())
            start = at - at % HOUR_MS
            counts = hours[number].get(start)
            if counts is None:
                counts = hours[number][start] = {}
            key = event.county, event.category
            counts[key] = counts.get(key, 0) + 1
            newest[number] = max(newest[number], at)
        for number, open_hours in enumerate(hours):
            for start in sorted(open_hours):
                if start + HOUR_MS + DISORDER_MS > newest[number]:
                    break
                for (county, category), count in open_hours.pop(start).items():
                    producer.produce(job.results, closed_window(county, category, start, count))
                producer.poll(0)


if __name__ == "__main__":
    main()
