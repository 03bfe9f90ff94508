"""The plain count on jiantu's faust transport: what the peers do, as the peers do it; see peers/job.py.

Of jiantu it has the transport (an agent's message is a whole fetch), the decoder and the producer: every event is
validated as in the full job, by the city's words, in the same compiled pass. No checkpoints, no de-duplication.
"""

import gc
import sys
from typing import Any

import faust
import msgspec
import numpy as np
from confluent_kafka import Producer
from faust.transport.drivers import TRANSPORTS
from numpy.typing import NDArray

from streams.broker.settings import BrokerSettings
from streams.core.city import FILTER_FIELDS, City
from streams.core.columns import AT, CELL, COUNTY, NONE, PLAIN, Words
from streams.core.counting import MILLISECOND
from streams.core.decode import RecordDecoder
from streams.profile.load import load
from streams.runtime.faust_transport import Consumer, Transport
from streams.runtime.fetcher import Fetched
from tests.benchmarks.kafka_events import PROFILE
from tests.benchmarks.peers.job import DISORDER_MS, HOUR_MS, Job, asked


class Event(msgspec.Struct, gc=False):
    """What is counted by."""

    county: str
    category: str


class Places:
    """Counties and categories of a city as one number."""

    def __init__(self, city: City) -> None:
        self.decoder = RecordDecoder(city)
        self._counties = [county.code for county in city.counties]
        self._categories = [category.code for category in city.categories]
        self._stride = int(Words.of(city).strides[1 + FILTER_FIELDS.index("category")])
        self._width = 1 + len(self._categories)
        """The columns' numbers of categories begin at 1."""
        self.count = len(self._counties) * self._width

    def numbers(self, columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of plain lines."""
        found: NDArray[np.int64] = columns[:, COUNTY] * self._width + columns[:, CELL] // self._stride % self._width
        return found

    def number(self, event: Event) -> int:
        """Of an event that is not plain."""
        return self._counties.index(event.county) * self._width + 1 + self._categories.index(event.category)

    def closed_window(self, place: int, hour: int, count: int) -> bytes:
        """One result, as `peers.job.closed_window` has it."""
        county, category = self._counties[place // self._width], self._categories[place % self._width - 1]
        return _json({"county": county, "category": category, "start": hour * HOUR_MS, "count": count})


class PartitionCount:
    """The open hours of one partition."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._hours: dict[int, NDArray[np.int64]] = {}
        """Number of an open hour -> events of each place."""
        self._newest = 0
        """Milliseconds."""
        self._decode = msgspec.json.Decoder(Event).decode

    def add(self, records: list[Any]) -> list[bytes]:
        """Count a fetch; the hours that it closes."""
        values = [record.value() for record in records]
        columns = self._places.decoder.stamped(values, np.full(len(values), NONE), 0).columns
        plain = columns[columns[:, PLAIN] == 1]
        if len(plain):
            self._count(plain[:, AT] // MILLISECOND, self._places.numbers(plain))
        if len(plain) < len(values):
            for line in np.flatnonzero(columns[:, PLAIN] == 0).tolist():
                event, at = self._decode(values[line]), records[line].timestamp()[1]
                self._count(np.array([at]), np.array([self._places.number(event)]))
        return self._close()

    def _count(self, at: NDArray[np.int64], places: NDArray[np.int64]) -> None:
        """Count events by their times, milliseconds, and places."""
        hours = at // HOUR_MS
        first, last, width = int(hours.min()), int(hours.max()), self._places.count
        found = np.bincount((hours - first) * width + places, minlength=(last - first + 1) * width)
        for hour, counts in enumerate(found.reshape(-1, width), first):
            if hour in self._hours:
                self._hours[hour] += counts
            else:
                self._hours[hour] = counts
        self._newest = max(self._newest, int(at.max()))

    def _close(self) -> list[bytes]:
        closed = []
        for hour in sorted(self._hours):
            if (hour + 1) * HOUR_MS + DISORDER_MS > self._newest:
                break
            counts = self._hours.pop(hour)
            places = np.flatnonzero(counts)
            closed += [
                self._places.closed_window(place, hour, count)
                for place, count in zip(places.tolist(), counts[places].tolist(), strict=True)
            ]
        return closed


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
    places = Places(load(PROFILE).city)
    partitions = [PartitionCount(places) for _ in range(job.partitions)]

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


_json = msgspec.json.Encoder().encode

if __name__ == "__main__":
    main()
