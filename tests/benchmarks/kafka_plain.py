"""The plain count on jiantu's faust transport: what the peers do, as the peers do it; see peers/job.py.

Of jiantu it has the transport (an agent's message is a whole fetch) and the producer. No checkpoints, no
de-duplication.
"""

import gc
import sys
from typing import Any

import faust
import msgspec
from confluent_kafka import Producer
from faust.transport.drivers import TRANSPORTS

from streams.broker.settings import BrokerSettings
from streams.runtime.faust_transport import Consumer, Transport
from streams.runtime.fetcher import Fetched
from tests.benchmarks.peers.job import DISORDER_MS, HOUR_MS, Job, asked, closed_window


class Event(msgspec.Struct, gc=False):
    """What is counted by."""

    county: str
    category: str


class PartitionCount:
    """The open hours of one partition."""

    def __init__(self) -> None:
        self._hours: dict[int, dict[tuple[str, str], int]] = {}
        self._newest = 0
        self._decode = msgspec.json.Decoder(Event).decode

    def add(self, records: list[Any]) -> list[bytes]:
        """Count a fetch; the hours that it closes."""
        hours, newest, decode = self._hours, self._newest, self._decode
        for record in records:
            event, at = decode(record.value()), record.timestamp()[1]
            start = at - at % HOUR_MS
            counts = hours.get(start)
            if counts is None:
                counts = hours[start] = {}
            key = event.county, event.category
            counts[key] = counts.get(key, 0) + 1
            newest = max(newest, at)
        self._newest = newest
        over = [start for start in sorted(hours) if start + HOUR_MS + DISORDER_MS <= newest]
        return [
            closed_window(county, category, start, count)
            for start in over
            for (county, category), count in hours.pop(start).items()
        ]


def application(job: Job) -> faust.App:
    """An app that counts until stopped."""
    Transport.settings = BrokerSettings(brokers=job.bootstrap)
    TRANSPORTS.aliases["jiantu"] = "streams.runtime.faust_transport:Transport"
    app = faust.App(
        job.name,
        broker=f"jiantu://{job.bootstrap}",
        store="memory://",
        datadir=job.folder,
        topic_partitions=job.partitions,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=16,
        web_enabled=False,
        autodiscover=False,
    )
    source = app.topic(job.source, value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw")
    producer = Producer({"bootstrap.servers": job.bootstrap, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
    partitions = [PartitionCount() for _ in range(job.partitions)]

    @app.agent(source)
    async def count(stream: Any) -> None:
        """Count every fetch."""
        async for event in stream.events():
            message = event.message
            fetched: Fetched = event.value
            for closed in partitions[message.partition].add(fetched.records):
                producer.produce(job.results, closed)
            producer.poll(0)
            consumer = app.consumer
            assert isinstance(consumer, Consumer)
            consumer.processed(message.tp, message.generation_id, fetched.after)

    async def begin(_app: Any, /, *given: Any, **_: Any) -> None:
        assert isinstance(app.consumer, Consumer)
        for tp in sorted(given[0]):
            await app.consumer.go_to(tp, 0)

    app.on_partitions_assigned.connect(begin, weak=False)
    return app


def main() -> None:
    """Count until stopped."""
    app = application(asked())
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.argv = [sys.argv[0], "worker", "--loglevel", "warn", "--without-web"]
    app.main()


if __name__ == "__main__":
    main()
