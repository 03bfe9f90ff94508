"""Live ticks: the clock's word to every partition of events that event time has passed T."""

from collections.abc import Sequence

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from streams.broker.errors import BrokerError
from streams.broker.settings import BrokerSettings
from streams.clock import Clock
from streams.core.instant import HOUR, Duration, Instant, format_instant
from streams.runtime.cluster import Cluster
from streams.runtime.delivery import producer_settings

_SECONDS = 60.0


def tick_value(at: Instant) -> bytes:
    """A tick as a record's value."""
    return msgspec.json.encode({"tick": format_instant(at)})


class Ticker:
    """Writes a tick to every partition, in order and never back, whatever the machine's clock does.

    In an empty topic the first one says where the stream starts: the hour it is now, so that one ticker that dies in
    the middle of its first round, and the next, name the same.
    """

    def __init__(self, settings: BrokerSettings, topic: str, clock: Clock) -> None:
        """Raises TopicError where there is no such topic, BrokerError."""
        self._cluster = cluster = Cluster(settings)
        self._facts = cluster.topics([topic])
        self.topic = topic
        self.partitions = self._facts[topic].partitions
        self._clock = clock
        self._producer = Producer(producer_settings(settings) | {"linger.ms": 0, "message.timeout.ms": 30_000})
        self._empty = [n for n in range(self.partitions) if cluster.span(topic, n).next == 0]
        self._last: Instant | None = None

    def tick(self) -> Instant:
        """One tick to every partition, durable when this returns. Raises TopicError where it is another topic now:
        that wants to be told anew where it starts; BrokerError."""
        self._cluster.check_same(self._facts)
        now = self._clock.now()
        if self._empty:
            self._write(now // HOUR * HOUR, self._empty)
            self._empty = []
        at = now if self._last is None else max(self._last, now)
        self._write(at, range(self.partitions))
        self._last = at
        return at

    def _write(self, at: Instant, partitions: Sequence[int]) -> None:
        failed: list[KafkaError] = []

        def arrived(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append(error)

        for partition in partitions:
            self._producer.produce(self.topic, tick_value(at), partition=partition, on_delivery=arrived)
        left = self._producer.flush(_SECONDS)
        if failed or left:
            self._cluster.check_same(self._facts)
            what = f"a tick was not taken ({failed[0].str() if failed else 'no answer'})"
            raise BrokerError(self.topic, what, "check the brokers and this user's rights; the same call goes on")


def until_next(now: Instant, every: Duration) -> Duration:
    """How long to wait for the next tick: they fall on whole multiples of their distance."""
    return every - now % every
