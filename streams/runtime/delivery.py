"""Sending, and knowing what has arrived: librdkafka's producer, whose threads Python's lock does not hold up.

Idempotent, in order, acknowledged by all replicas, and without holes: where one record is lost, nothing that was
sent after it is written either. A worker that cannot deliver ends; the next one repeats its work.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.broker.names import Topics
from streams.broker.settings import BrokerSettings
from streams.runtime.checkpoints import Entry
from streams.runtime.steps import Made

_PATIENCE_SECONDS = 300.0
"""How long a broker may be away before what is to be sent is given up. The watchdog ends a worker earlier."""
_POLL_SECONDS = 0.1


class DeliveryError(Exception):
    """Records that could not be delivered: the broker's own words."""


def producer_settings(settings: BrokerSettings) -> dict[str, Any]:
    """librdkafka's settings for records that must arrive once, in order and without holes."""
    return settings.for_confluent() | {
        "enable.idempotence": True,
        "enable.gapless.guarantee": True,
        "acks": "all",
        "message.timeout.ms": round(_PATIENCE_SECONDS * 1000),
        "partitioner": "murmur2_random",
        "compression.type": "gzip",  # the one that every client reads without another library
        "linger.ms": 20,
        "message.max.bytes": 8 << 20,
        "queue.buffering.max.kbytes": 128 << 10,
    }


class _Tranche:
    """What was sent between two calls of `Outbox.tranche`."""

    __slots__ = ("arrived", "sent")

    def __init__(self) -> None:
        self.sent = 0
        self.arrived = 0


class Outbox:
    """What the steps make, on its way to the topics. `send` is for one thread; `wait` for any."""

    def __init__(self, settings: BrokerSettings, topics: Topics, profile_version: str) -> None:
        self._topics = {"windows": topics.windows, "scores": topics.scores, "alerts": topics.alerts, "dlq": topics.dlq}
        self._producer = Producer(producer_settings(settings) | {"error_cb": self._on_error})
        self._profile = profile_version.encode()
        self._arrival = threading.Condition()
        self._tranches = {0: _Tranche()}
        self._number = 0
        self._failure: KafkaError | None = None
        self._closed = False
        self._poller = threading.Thread(target=self._poll, name="outbox", daemon=True)
        self._poller.start()

    @property
    def failure(self) -> str:
        """Why something could not be delivered; empty while all is well."""
        return "" if self._failure is None else str(self._failure)

    def send(self, made: Made) -> None:
        """Have a record sent. Raises DeliveryError where one before it could not be."""
        self._check()
        tranche = self._tranches[self._number]
        tranche.sent += 1

        def arrived(error: KafkaError | None, _message: Message) -> None:
            with self._arrival:
                if error is not None:
                    self._failure = self._failure or error
                tranche.arrived += 1
                self._arrival.notify_all()

        partition: Any = {} if made.partition is None else {"partition": made.partition}
        headers: Any = [("id", made.id.encode()), ("profile", self._profile)]
        while True:
            try:
                self._producer.produce(
                    self._topics[made.topic],
                    made.value,
                    made.key.encode(),
                    headers=headers,
                    on_delivery=arrived,
                    **partition,
                )
                return
            except BufferError:
                with self._arrival:
                    self._arrival.wait(_POLL_SECONDS)
                self._check()

    def tranche(self) -> int:
        """A number for everything that was sent until now."""
        with self._arrival:
            self._number += 1
            self._tranches[self._number] = _Tranche()
            return self._number - 1

    def wait(self, number: int) -> None:
        """Return when everything of a tranche and those before has arrived. Raises DeliveryError."""
        with self._arrival:
            for earlier in sorted(one for one in self._tranches if one <= number):
                tranche = self._tranches[earlier]
                while tranche.arrived < tranche.sent:
                    self._check()
                    self._arrival.wait(1.0)
                del self._tranches[earlier]
            self._check()

    def close(self) -> None:
        """Give what is on its way a last chance."""
        self._closed = True
        self._poller.join()
        self._producer.flush(5)

    def _poll(self) -> None:
        while not self._closed:
            self._producer.poll(_POLL_SECONDS)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            with self._arrival:
                self._failure = self._failure or error
                self._arrival.notify_all()

    def _check(self) -> None:
        if self._failure is not None:
            raise DeliveryError(f"could not be delivered: {self._failure}")


class PartitionLog:
    """One partition of the topic of checkpoints, to write to."""

    def __init__(self, producer: Producer, topic: str, partition: int) -> None:
        """`producer`: made with `producer_settings`; used by nobody else at the same time."""
        self._producer = producer
        self._topic = topic
        self._partition = partition

    def write(self, entries: Iterable[Entry]) -> None:
        """Have records written, in order; they are durable when this returns. Raises DeliveryError."""
        failures: list[KafkaError] = []

        def arrived(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failures.append(error)

        for key, value in entries:
            self._produce(key, value, arrived)
        left = self._producer.flush(_PATIENCE_SECONDS)
        if failures or left:
            raise DeliveryError(f"{self._topic}: {failures[0] if failures else 'no answer from the broker'}")

    def _produce(self, key: str, value: bytes | None, arrived: Any) -> None:
        while True:
            try:
                self._producer.produce(self._topic, value, key, partition=self._partition, on_delivery=arrived)
                return
            except BufferError:
                self._producer.poll(_POLL_SECONDS)
            except KafkaException as error:
                raise DeliveryError(f"{self._topic}: {error}") from error


def headers_of(headers: Iterable[tuple[str, bytes]] | None) -> Mapping[str, bytes]:
    """A record's headers by name."""
    return dict(headers or ())
