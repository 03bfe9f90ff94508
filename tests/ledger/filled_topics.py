"""Topics as workers leave them: the steps themselves, driven one after the other over what lies in `events`.

No faust: what the ledger reads does not depend on how records got there, and this way it lies there in two seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Message
from kafka import KafkaProducer

from streams.broker.names import Topics
from streams.broker.partitioner import partition_of
from streams.broker.settings import BrokerSettings
from streams.profile import Profile
from streams.runtime.checkpoints import About, CheckpointWriter, Entry, Place, writer_name
from streams.runtime.cluster import Cluster
from streams.runtime.steps import JudgeStep, Made, ScoreStep, Step, TallyPlace, TallyStep, offset_of
from tests.runtime.test_steps import sent
from tests.sinks.topics import records_of

AT_ONCE = 300
"""Records of a partition between two checkpoints."""


@dataclass
class PartitionLog:
    """One partition of the topic of checkpoints, to write to."""

    producer: KafkaProducer
    topic: str
    partition: int

    def write(self, entries: Iterable[Entry]) -> None:
        for key, value in entries:
            self.producer.send(self.topic, key=key.encode(), value=value, partition=self.partition)
        self.producer.flush()


@dataclass
class Steps:
    """All steps of one installation."""

    bootstrap: str
    prefix: str
    profile: Profile
    repeated: bool = False
    """Whether a worker dies after every second checkpoint's outputs, and another repeats them."""
    _producer: KafkaProducer = field(init=False)
    _written: dict[tuple[str, int], list[Message]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.topics = Topics(self.prefix)
        names = self.topics.all()
        self._facts = Cluster(BrokerSettings(brokers=self.bootstrap, topic_prefix=self.prefix)).topics(names)
        self._producer = KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5)

    def run(self) -> None:
        """Tally, score and judge everything."""
        city, events = self.profile.city, self._facts[self.topics.events]
        for partition, lying in enumerate(records_of(self.bootstrap, events.name)):
            counties = [one.code for one in city.counties if partition_of(one.code, events.partitions) == partition]
            place = TallyPlace(events.name, partition, counties, self._facts[self.topics.windows].partitions)
            records = [sent(one.offset, one.value or b"", one.timestamp) for one in lying]
            self._tally(TallyStep(city, place), partition, records)
        for lying_windows in self._of(self.topics.windows):
            self._send(ScoreStep(city).take(lying_windows))
        for lying_scores in self._of(self.topics.scores):
            self._send(JudgeStep(city).take(lying_scores))
        self._producer.flush()
        self._producer.close()

    def _of(self, topic: str) -> Iterator[Sequence[Message]]:
        for partition in range(self._facts[topic].partitions):
            yield self._written.get((topic, partition), [])

    def _tally(self, step: Step, partition: int, records: Sequence[Message]) -> None:
        events = self._facts[self.topics.events]
        about = About(events.name, events.id, events.partitions, self.profile.version)
        log = PartitionLog(self._producer, self.topics.checkpoints, partition)
        writer = CheckpointWriter(Place("tally", partition), about, writer_name(1, "test"), log)
        for number, first in enumerate(range(0, len(records), AT_ONCE)):
            part = records[first : first + AT_ONCE]
            made = step.take(part)
            self._send(made)
            if self.repeated and number % 2:
                self._send(made)
            self._producer.flush()
            chunks = step.chunks(whole=True)
            if chunks is not None:
                writer.write(offset_of(part[-1]) + 1, chunks, step.accounting, step.reached)

    def _send(self, made: Iterable[Made]) -> None:
        names = {"windows": self.topics.windows, "scores": self.topics.scores}
        names |= {"alerts": self.topics.alerts, "dlq": self.topics.dlq}
        for one in made:
            topic = names[one.topic]
            partition = one.partition or 0
            headers = [("id", one.id.encode()), ("profile", self.profile.version.encode())]
            self._producer.send(topic, value=one.value, key=one.key.encode(), partition=partition, headers=headers)
            lying = self._written.setdefault((topic, partition), [])
            lying.append(sent(len(lying), one.value))
