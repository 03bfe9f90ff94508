"""What the brokers themselves say of topics: ids, partitions, first and next offsets, and whole partitions read."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.broker.errors import BrokerError, TopicError
from streams.broker.settings import BrokerSettings
from streams.clock import Stopwatch, pause
from streams.core.instant import SECOND

_SECONDS = 15.0
_UNKNOWN_SECONDS = 6.0
_PASSING = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError._DESTROY,  # noqa: SLF001 - its public name
    KafkaError._TRANSPORT,  # noqa: SLF001
)
"""What is said of a partition for a moment after its topic was made, its leader has changed, or the broker that led it
has died: another of them leads it soon."""

_UNKNOWN = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
)
"""What is said of a topic that is not there; and by librdkafka alone, of any while no broker answers."""


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic as it is now."""

    name: str
    id: str
    """The broker's own: a topic that is made again has another."""
    partitions: int


@dataclass(frozen=True, slots=True)
class Span:
    """The records that a partition holds: offsets from `first` to before `next`."""

    first: int
    next: int


class Cluster:
    """The brokers, asked one question at a time; any thread may ask."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._where = ",".join(settings.addresses)
        base = settings.for_confluent()
        self._admin = AdminClient(base)
        self._consumer = Consumer(
            base
            | {
                "group.id": f"{settings.group}-reader",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "isolation.level": "read_uncommitted",
                "fetch.wait.max.ms": 10,
                "fetch.queue.backoff.ms": 5,
                "queued.max.messages.kbytes": 65536,
            }
        )
        self._lock = threading.Lock()

    def topics(self, names: Sequence[str]) -> dict[str, TopicFacts]:
        """The topics, by name. Raises TopicError for one that is not there, BrokerError where nobody answers.

        A broker that has just come back knows of no topics for a moment: what is missing is asked for again.
        """
        patience = Stopwatch()
        while True:
            try:
                return self._topics(names)
            except TopicError:
                if patience.seconds() > _UNKNOWN_SECONDS:
                    raise
                pause(SECOND // 2)

    def _topics(self, names: Sequence[str]) -> dict[str, TopicFacts]:
        found = {}
        answers = self._admin.describe_topics(TopicCollection(list(names)), request_timeout=_SECONDS)
        for name in names:
            try:
                told = answers[name].result()
            except KafkaException as error:
                raise self._problem(name, error) from None
            found[name] = TopicFacts(name, str(told.topic_id), len(told.partitions))
        return found

    def check_same(self, known: Mapping[str, TopicFacts]) -> None:
        """Raise TopicError where a topic that was known is not there, or another of its name; BrokerError."""
        for name, now in self.topics(list(known)).items():
            if now.id != known[name].id:
                what = f"was made again (it was {known[name].id}, it is {now.id})"
                raise TopicError(name, what, "put the old one back, or begin anew (RUNBOOK: beginning anew)")

    def span(self, topic: str, partition: int) -> Span:
        """The records that a partition holds now. Raises BrokerError."""
        with self._lock:
            return self._span(topic, partition)

    def _span(self, topic: str, partition: int) -> Span:
        answer: tuple[int, int] | None = None
        patience = Stopwatch()
        while answer is None:
            try:
                answer = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_SECONDS)
            except KafkaException as error:
                code = error.args[0].code()
                if code not in _PASSING + _UNKNOWN or patience.seconds() > _SECONDS:
                    raise self._problem(topic, error) from None
                pause(SECOND // 10)  # a topic that was just made, or a leader that was just chosen
                self._ask_anew(topic)
                continue
            break
        if answer is None:
            raise BrokerError(self._where, f"no answer about {topic} {partition}", "check that the broker is running")
        return Span(*answer)

    def _ask_anew(self, topic: str) -> None:
        """Have the brokers say what there is of a topic, and who leads it. Raises TopicError, BrokerError.

        librdkafka believes what it once knew for five minutes: a leader that has died, and, of a broker that is away
        or has only just come back, that there is no such topic.
        """
        try:
            told = self._consumer.list_topics(topic, timeout=_SECONDS).topics[topic].error
        except KafkaException as error:
            raise self._problem(topic, error) from None
        if told is not None and told.code() in _UNKNOWN:
            raise self._problem(topic, KafkaException(told))

    def records(self, topic: str, partition: int) -> Iterator[tuple[str, bytes | None]]:
        """Key and value of every record of a partition as it is now, in order. Raises BrokerError."""
        with self._lock:
            self._consumer.assign([TopicPartition(topic, partition, self._span(topic, partition).first)])
            try:
                yield from self._read(topic)
            finally:
                self._consumer.unassign()

    def _read(self, topic: str) -> Iterator[tuple[str, bytes | None]]:
        while True:
            message = self._consumer.poll(_SECONDS)  # `consume` would wait for as many as it may bring
            if message is None:
                raise BrokerError(self._where, f"no answer while reading {topic}", "check that the broker is running")
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                return
            if error is not None:
                raise self._problem(topic, KafkaException(error))
            key: bytes = message.key() or b""
            yield key.decode(errors="replace"), message.value()

    def _problem(self, topic: str, error: KafkaException) -> BrokerError:
        code = error.args[0].code()
        if code in _UNKNOWN:
            return TopicError(topic, "there is no such topic", "make it: `jiantu topics apply`")
        if code in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED):
            return TopicError(topic, "this user may not read it", "give it the ACL: `jiantu topics plan` shows them")
        if code == KafkaError._AUTHENTICATION:  # noqa: SLF001
            return BrokerError(self._where, "the password or user is refused", "check JIANTU_KAFKA_SASL_*")
        return BrokerError(self._where, f"{error.args[0].str()}", "check the address and that the broker is running")
