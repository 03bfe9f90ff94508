"""What the ledger says while it is being filled: at no time an accounting that is ahead of its rows."""

from pathlib import Path

import pytest
from kafka import KafkaProducer

from streams.broker.errors import TopicError
from streams.broker.settings import BrokerSettings
from streams.core.outputs import Accounting
from streams.core.record import Reason
from streams.core.wire import DeadLetter, encode_dead_letter
from streams.ledger.glance import Glance
from streams.ledger.reader import LedgerReader
from streams.ledger.topics import TopicLedger
from streams.runtime.checkpoint_store import CheckpointStore
from streams.runtime.checkpoints import About, CheckpointWriter, Place
from streams.runtime.cluster import Cluster
from streams.runtime.failures import Failure
from streams.runtime.topic_ledger import Progress, TopicLedgerRuntime
from streams.sources import step_topics
from streams.sources.step_topics import StepTopics
from tests.kafka.fixtures import SharedBroker, make_topics
from tests.ledger.filled_topics import PartitionLog
from tests.ledger.samples import LAYOUT, START
from tests.runtime.lake_topics import LakeTopics
from tests.runtime.test_steps import sent

LETTERS = 5


def letter(events: str, offset: int) -> DeadLetter:
    return DeadLetter(Reason.NOT_JSON, events, 0, offset, f"{offset:064x}", START)


def test_an_account_waits_for_everything_that_was_written_before_it(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint is read first; what it speaks of comes a record at a time."""
    monkeypatch.setattr(step_topics, "_MOST_RECORDS", 1)
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, partitions=1, replay=True)
    settings = BrokerSettings(brokers=kafka_broker.bootstrap, topic_prefix=topic_prefix)
    cluster = Cluster(settings)
    facts = cluster.topics(topics.all())
    events = facts[topics.events]
    producer = KafkaProducer(bootstrap_servers=kafka_broker.bootstrap)
    for offset in range(LETTERS):
        producer.send(topics.dlq, value=encode_dead_letter(letter(events.name, offset)), partition=0)
    producer.flush()
    about = About(events.name, events.id, events.partitions, LAYOUT.profile_version)
    log = PartitionLog(producer, topics.checkpoints, 0)
    totals = Accounting(received=LETTERS, rejected=LETTERS)
    CheckpointWriter(Place("tally", 0), about, "1-test", log).write(LETTERS, {"state": b"1"}, totals, START)
    producer.close()

    told: list[int] = []

    def watch(progress: Progress) -> bool:
        with LedgerReader(tmp_path) as reader:
            assert reader.damage() == []
            found = reader.progress()
        assert found is not None
        told.append(found.accounting.rejected)
        return True

    config = settings.for_kafka_python()
    with (
        TopicLedger(tmp_path, LAYOUT, "events", 1) as ledger,
        StepTopics(config, [topics.windows, topics.scores, topics.alerts, topics.dlq]) as outputs,
        StepTopics(config, [topics.checkpoints]) as checkpoints,
    ):
        runtime = TopicLedgerRuntime(
            topics, facts, outputs, checkpoints, ledger, LAYOUT.profile_version, 0, lambda: cluster.check_same(facts)
        )
        assert runtime.run(watch, once=True) == LETTERS
    assert told == [0] * (LETTERS - 1) + [LETTERS]


def test_what_has_stopped_for_good_is_in_the_ledger_until_it_goes_on(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, partitions=3, replay=True)
    settings = BrokerSettings(brokers=kafka_broker.bootstrap, topic_prefix=topic_prefix)
    cluster = Cluster(settings)
    facts = cluster.topics(topics.all())
    store = CheckpointStore(settings, cluster, topics.checkpoints, LAYOUT.profile_version)
    store.note_stop(Failure("tally", topics.events, 2, 10, 19, "KeyError: 'a'"))
    store.note_stop(Failure("score", topics.windows, 1, 3, 3, "RefusedError: gone"))

    def stopped_after_taking_all() -> list[tuple[str, int, str]]:
        config = settings.for_kafka_python()
        with (
            TopicLedger(tmp_path, LAYOUT, "events", 3) as ledger,
            StepTopics(config, [topics.windows, topics.scores, topics.alerts, topics.dlq]) as outputs,
            StepTopics(config, [topics.checkpoints]) as checkpoints,
        ):
            runtime = TopicLedgerRuntime(
                topics,
                facts,
                outputs,
                checkpoints,
                ledger,
                LAYOUT.profile_version,
                0,
                lambda: cluster.check_same(facts),
            )
            runtime.run(lambda _: True, once=True)
        with Glance(tmp_path) as glance:
            return glance.look(lambda look: look.stopped())

    assert stopped_after_taking_all() == [("score", 1, "RefusedError: gone"), ("tally", 2, "KeyError: 'a'")]
    about = About(facts[topics.windows].name, facts[topics.windows].id, 3, LAYOUT.profile_version)
    producer = KafkaProducer(bootstrap_servers=kafka_broker.bootstrap)
    log = PartitionLog(producer, topics.checkpoints, 1)
    CheckpointWriter(Place("score", 1), about, "1-test", log).write(4, {"state": b"1"}, Accounting(), START)
    producer.close()
    assert stopped_after_taking_all() == [("tally", 2, "KeyError: 'a'")]


@pytest.mark.parametrize(("again", "said"), [(False, "there is no such topic; make it"), (True, "was made again")])
def test_a_topic_that_goes_away_under_a_running_ledger_ends_it_and_nothing_of_another_is_taken(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path, *, again: bool, said: str
) -> None:
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, partitions=1, replay=True)
    lake = LakeTopics(BrokerSettings(brokers=kafka_broker.bootstrap, topic_prefix=topic_prefix), 1)
    cluster = lake.cluster()
    facts = cluster.topics(topics.all())
    config = lake.settings.for_kafka_python() | {"request_timeout_ms": 5_000}
    with (
        TopicLedger(tmp_path, LAYOUT, "events", 1) as ledger,
        StepTopics(config, [topics.windows, topics.scores, topics.alerts, topics.dlq]) as outputs,
        StepTopics(config, [topics.checkpoints]) as checkpoints,
    ):
        runtime = TopicLedgerRuntime(
            topics, facts, outputs, checkpoints, ledger, LAYOUT.profile_version, 0, lambda: cluster.check_same(facts)
        )
        runtime.run(lambda _: True, once=True)
        lake.delete(topics.dlq)
        if again:
            lake.make(topics.dlq)
            lake.write(topics.dlq, 0, [sent(0, encode_dead_letter(letter(facts[topics.events].name, 0)))])
        with pytest.raises(TopicError, match=said):
            runtime.run(lambda _: True, once=False)
    with LedgerReader(tmp_path) as reader:
        assert reader.rejections() == []
