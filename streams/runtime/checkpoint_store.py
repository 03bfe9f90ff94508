"""The topic of checkpoints: a step's partition taken up from it, and handed back to it."""

import msgspec
from confluent_kafka import Producer

from streams.broker.settings import BrokerSettings
from streams.clock import unique_name
from streams.runtime.checkpoints import STOPPED, About, CheckpointReader, CheckpointWriter, Place, writer_name
from streams.runtime.cluster import Cluster, TopicFacts
from streams.runtime.delivery import PartitionLog, producer_settings
from streams.runtime.failures import WORKER, Failure
from streams.runtime.partition import HeldPartition, check_manifest
from streams.runtime.steps import Step

OF_WORKER = Place(WORKER, 0)
"""Where it is noted that a worker as a whole may not go on."""


class CheckpointStore:
    """Reads and writes the checkpoints of all partitions; for one thread at a time."""

    def __init__(self, settings: BrokerSettings, cluster: Cluster, topic: str, profile_version: str) -> None:
        self._cluster = cluster
        self._topic = topic
        self._profile_version = profile_version
        self._producer = Producer(producer_settings(settings) | {"linger.ms": 0, "compression.type": "none"})

    def load(self, step: Step, facts: TopicFacts, partition: int, generation: int) -> HeldPartition:
        """A fresh step, restored from its checkpoint that is furthest on; from the first record where it has none.

        Raises RefusedError where it must not go on from there, BrokerError.
        """
        place = Place(step.name, partition)
        reader = CheckpointReader(place)
        for key, value in self._cluster.records(self._topic, partition):
            reader.take(key, value)
        about = About(facts.name, facts.id, facts.partitions, self._profile_version)
        best = reader.best()
        span = self._cluster.span(facts.name, partition)
        position = span.first
        if best is not None:
            check_manifest(best.manifest, about, span, place)
            step.restore(best.chunks)
            position = best.manifest.position
        log = PartitionLog(self._producer, self._topic, partition)
        writer = CheckpointWriter(
            place, about, writer_name(generation, unique_name()), log, reader.keys_until(generation)
        )
        return HeldPartition(step, place, writer, position, generation)

    def note_stop(self, failure: Failure) -> None:
        """Leave word that a step, or a worker, was stopped for good, for whoever looks. Raises DeliveryError."""
        self._note(Place(failure.step, failure.partition), msgspec.json.encode(failure))

    def note_begun(self) -> None:
        """Take back that a worker as a whole may not go on: this one does. Of a step its next checkpoint says so.
        Raises DeliveryError."""
        self._note(OF_WORKER, None)

    def _note(self, place: Place, note: bytes | None) -> None:
        PartitionLog(self._producer, self._topic, place.partition).write([(place.prefix + STOPPED, note)])
