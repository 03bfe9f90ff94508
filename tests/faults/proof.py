"""What must be true of the topics when all is done: the embedded runtime's alert log, every record accounted for,
nothing lost, nothing twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Asked
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from streams.broker.names import Topics
from streams.broker.settings import BrokerSettings
from streams.core.alert import Transition
from streams.core.alert_log import alert_log, alert_log_sha256
from streams.core.outputs import Accounting, Correction
from streams.core.pipeline import Pipeline
from streams.core.wire import decode_alert, decode_dead_letter, decode_score, decode_window, id_of
from streams.profile.load import load
from streams.runtime.checkpoints import CheckpointReader, Manifest, Place
from streams.runtime.cluster import Cluster
from streams.sources.recording import RecordingReader

_SECONDS = 5.0


class BrokenPromiseError(AssertionError):
    """The topics hold something else than they must."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the embedded runtime makes of a recording."""

    log_sha256: str
    accounting: Accounting
    windows: int
    scored: int
    alerts: int
    records: int
    """Of the recording, ticks included."""
    ticks: int


@cache
def truth_of(recording: Path, profile: Path | str) -> Truth:
    """The recording through the embedded pipeline."""
    reader = RecordingReader(recording)
    pipeline = Pipeline(load(profile).city, reader.span[0])
    transitions: list[Transition] = []
    windows = scored = records = 0
    for chunk in reader.chunks():
        out = pipeline.step(pipeline.decoder.lines(chunk.lines, chunk.after.record - chunk.records, chunk.records))
        transitions += out.transitions
        windows += len(out.closed)
        scored += len(out.scored)
        records += chunk.records
    log = alert_log(transitions)
    counted = pipeline.accounting
    ticks = records - counted.received
    return Truth(alert_log_sha256(log), counted, windows, scored, len(transitions), records, ticks)


@dataclass(slots=True)
class Found:
    """What the topics hold."""

    log_sha256: str = ""
    accounting: Accounting = field(default_factory=Accounting)
    windows: int = 0
    scored: int = 0
    alerts: int = 0
    corrections: int = 0
    dead_letters: int = 0
    repeated: int = 0
    """Records that were written more than once, as law 3 allows: under the same id, with the same bytes."""


def settings_for(bootstrap: str, prefix: str) -> BrokerSettings:
    return BrokerSettings(brokers=bootstrap, topic_prefix=prefix, group=group_of(prefix))


def group_of(prefix: str) -> str:
    """The consumer group of a campaign."""
    return f"{prefix}workers"


def found_in(bootstrap: str, prefix: str) -> Found:
    """Read all topics to their ends. BrokenPromiseError where one id has two contents."""
    topics = Topics(prefix)
    found = Found()
    windows = _distinct(bootstrap, topics.windows, lambda value: id_of(decode_window(value)), found)
    scores = _distinct(bootstrap, topics.scores, _name_of_score, found)
    alerts = _distinct(bootstrap, topics.alerts, lambda value: id_of(decode_alert(value)), found)
    letters = _distinct(bootstrap, topics.dlq, lambda value: id_of(decode_dead_letter(value)), found)
    alerted = [decode_alert(value) for value in alerts.values()]
    transitions = [one for one in alerted if not isinstance(one, Correction)]
    found.windows, found.alerts = len(windows), len(transitions)
    found.scored = sum(name.startswith("ScoredWindow") for name in scores)
    found.corrections, found.dead_letters = len(alerted) - len(transitions), len(letters)
    found.log_sha256 = alert_log_sha256(alert_log(transitions))
    for manifest in manifests(bootstrap, prefix, "tally"):
        own = manifest.accounting
        found.accounting = found.accounting.plus(
            own.received, own.counted, own.duplicate, own.late, own.rejected, own.windows_closed
        )
    return found


def check(found: Found, truth: Truth) -> None:
    """BrokenPromiseError where anything differs from what the embedded runtime makes of the recording."""
    differences = [
        f"{what}: {got}, where the embedded runtime has {must}"
        for what, got, must in (
            ("accounting", found.accounting, truth.accounting),
            ("closed windows", found.windows, truth.windows),
            ("scored windows", found.scored, truth.scored),
            ("corrections", found.corrections, truth.accounting.late),
            ("dead letters", found.dead_letters, truth.accounting.rejected),
            ("transitions", found.alerts, truth.alerts),
            ("alert log", found.log_sha256, truth.log_sha256),
        )
        if got != must
    ]
    if differences:
        raise BrokenPromiseError("\n".join(differences))


def manifests(bootstrap: str, prefix: str, step: str) -> list[Manifest]:
    """The checkpoint of a step that is furthest on, for every partition that has one."""
    topics = Topics(prefix)
    cluster = Cluster(settings_for(bootstrap, prefix))
    made = []
    for partition in range(cluster.topics([topics.checkpoints])[topics.checkpoints].partitions):
        reader = CheckpointReader(Place(step, partition))
        for key, value in cluster.records(topics.checkpoints, partition):
            reader.take(key, value)
        best = reader.best()
        if best is not None:
            made.append(best.manifest)
    return made


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the stream and the group are."""

    produced: int = 0
    """Records in the topic of events."""
    safe: int = 0
    """Of them, those that checkpoints hold."""
    committed: int = 0
    """Of everything that a step reads, what checkpoints hold."""
    behind: int = -1
    """What they do not hold yet; -1: nobody has looked."""


class Lag:
    """How far the group is, by the broker's own figures: what is committed is in a durable checkpoint.

    Asked through librdkafka: kafka-python leaves sockets open where a broker is away.
    """

    def __init__(self, bootstrap: str, prefix: str) -> None:
        """Raises KafkaException."""
        topics = Topics(prefix)
        self._consumer = Consumer(
            settings_for(bootstrap, prefix).for_confluent()
            | {"group.id": group_of(prefix), "enable.auto.commit": False}
        )
        known = self._consumer.list_topics(timeout=_SECONDS).topics
        self._events = topics.events
        self._places = [
            Asked(topic, partition)
            for topic in (topics.events, topics.windows, topics.scores)
            for partition in sorted(known[topic].partitions)
        ]

    def look(self) -> Progress:
        """Where everything is now. Raises KafkaException."""
        ends = []
        for place in self._places:
            answer = self._consumer.get_watermark_offsets(place, timeout=_SECONDS)
            if answer is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            ends.append(answer[1])
        # asked last: what is safe is never more than there is
        safe = [max(place.offset, 0) for place in self._consumer.committed(self._places, timeout=_SECONDS)]
        own = [place.topic == self._events for place in self._places]
        return Progress(
            sum(end for end, events in zip(ends, own, strict=True) if events),
            sum(offset for offset, events in zip(safe, own, strict=True) if events),
            sum(safe),
            max(0, sum(ends) - sum(safe)),
        )


def _name_of_score(value: bytes) -> str:
    made = decode_score(value)
    return f"{type(made).__name__} {id_of(made)}"


def _distinct(bootstrap: str, topic: str, name: Callable[[bytes], str], found: Found) -> dict[str, bytes]:
    """Values by id. BrokenPromiseError where one id has two contents."""
    kept: dict[str, bytes] = {}
    for record in _records(bootstrap, topic):
        value = record.value or b""
        own = name(value)
        if kept.setdefault(own, value) != value:
            raise BrokenPromiseError(f"{topic}: {own} was written with two contents")
        found.repeated += 1
    found.repeated -= len(kept)
    return kept


def _records(bootstrap: str, topic: str) -> Iterator[ConsumerRecord]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, max_poll_records=5000)
    try:
        places = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=1000).values():
                yield from records
    finally:
        consumer.close()
