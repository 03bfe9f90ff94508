"""What `jiantu doctor --brokers` finds: everything that would make a worker fail, with what to do about it."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from streams.broker.administration import Administration
from streams.broker.names import Topics
from streams.broker.settings import BrokerSettings
from streams.cli.broker_checks import broker_checks
from streams.cli.checks import Check
from streams.clock import Clock, WallClock, pause
from streams.core.instant import MINUTE, SECOND, Instant
from streams.core.outputs import Accounting
from streams.runtime.checkpoint_store import CheckpointStore
from streams.runtime.checkpoints import About, CheckpointWriter, Entry, Place, writer_name
from streams.runtime.cluster import Cluster
from streams.runtime.failures import Failure, of_worker
from tests.cli.commands import Cli
from tests.kafka.fixtures import SharedBroker, make_topics, unreachable
from tests.kafka.secured import SecuredBroker
from tests.kafka.server import Server


class Patient:
    """Brokers and topics that are examined."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.settings = BrokerSettings(brokers=bootstrap, topic_prefix=prefix)
        self.topics = Topics(prefix)

    def checks(self, clock: Clock | None = None) -> list[Check]:
        found = broker_checks(self.settings, clock or WallClock())
        assert all(check.todo for check in found if check.status == "fail" and check.name != "checkpoints")
        return found

    def fails(self, clock: Clock | None = None) -> dict[str, str]:
        """Name and words of what fails."""
        return {check.name: check.found for check in self.checks(clock) if check.status == "fail"}

    def admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(**self.settings.for_kafka_python())

    def set(self, topic: str, **config: str) -> None:
        changed = {name.replace("_", "."): value for name, value in config.items()}
        with Administration(self.settings) as broker:
            broker.alter(topic, changed)

    def remade(self, topic: str, partitions: int, **config: str) -> None:
        changed = {name.replace("_", "."): value for name, value in config.items()}
        with self.admin() as admin:
            admin.delete_topics([topic])
            while topic in admin.list_topics():  # it goes a moment after it is said to be gone
                pause(SECOND // 50)
            admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=changed)])
            admin.wait_for_topics([topic])

    def holds(self, topic: str, records: int) -> None:
        with KafkaProducer(**self.settings.for_kafka_python()) as producer:
            for _ in range(records):
                producer.send(topic, b"{}", partition=0)
            producer.flush(20)

    def checkpoint(self, position: int) -> None:
        """As the worker writes it, of `tally`'s partition 0."""
        facts = Cluster(self.settings).topics([self.topics.events])[self.topics.events]
        about = About(facts.name, facts.id, facts.partitions, "any")
        entries: list[Entry] = []

        class Kept:
            def write(self, given: Iterable[Entry]) -> None:
                entries.extend(given)

        writer = CheckpointWriter(Place("tally", 0), about, writer_name(1, "a"), Kept())
        writer.write(position, {"state": b"x"}, Accounting(), None)
        with KafkaProducer(**self.settings.for_kafka_python()) as producer:
            for key, value in entries:
                producer.send(self.topics.checkpoints, value, key=key.encode(), partition=0)
            producer.flush(20)


@pytest.fixture
def patient(kafka_broker: SharedBroker, topic_prefix: str) -> Patient:
    """With everything as it should be."""
    make_topics(kafka_broker.bootstrap, topic_prefix)
    return Patient(kafka_broker.bootstrap, topic_prefix)


def test_what_is_sound(patient: Patient) -> None:
    assert patient.fails() == {}
    assert {check.name for check in patient.checks() if check.status == "warn"} == {"secrets", "copies"}


def test_nobody_there() -> None:
    [check] = Patient(unreachable(), "").fails().items()
    assert "nobody listens there" in check[1]


def test_missing_topics(kafka_broker: SharedBroker, topic_prefix: str) -> None:
    patient = Patient(kafka_broker.bootstrap, topic_prefix)
    assert set(patient.fails()) == {f"topic {name}" for name in patient.topics.all()}
    with patient.admin() as admin:
        assert not set(admin.list_topics()) & set(patient.topics.all()), "looking made none"


def test_topics_that_are_not_as_they_should_be_are_all_told_at_once(patient: Patient) -> None:
    patient.remade(patient.topics.scores, 2, message_timestamp_type="LogAppendTime")
    patient.set(patient.topics.events, message_timestamp_type="CreateTime")
    patient.set(patient.topics.checkpoints, cleanup_policy="delete", max_message_bytes="500000")
    patient.set(patient.topics.alerts, min_insync_replicas="2")
    fails = patient.fails()
    assert "scores 有 has 2" in fails["partitions"]
    assert "expire at once" in fails["times"]
    assert "checkpoints expire" in fails["cleanup"]
    assert "at least 902000" in fails["sizes"]
    assert "nothing can be written" in fails["copies"]


def test_topics_for_recordings_are_as_they_should_be(patient: Patient) -> None:
    patient.set(patient.topics.events, message_timestamp_type="CreateTime", retention_ms="-1")
    assert patient.fails() == {}
    patient.set(patient.topics.events, cleanup_policy="compact")
    assert "records of one key vanish" in patient.fails()["cleanup"]


def test_too_few_partitions_for_checkpoints(patient: Patient) -> None:
    patient.remade(patient.topics.checkpoints, 2, cleanup_policy="compact", message_timestamp_type="LogAppendTime")
    assert "at least 9" in patient.fails()["partitions"]


class Wrong:
    """This machine's clock, set wrong."""

    def __init__(self, by: int) -> None:
        self._by = by

    def now(self) -> Instant:
        return WallClock().now() + self._by


def test_clocks_that_disagree(patient: Patient) -> None:
    for by in (-6 * MINUTE, 6 * MINUTE):
        assert "rejected" in patient.fails(Wrong(by))["clock"]
    assert {check.name: check.status for check in patient.checks(Wrong(90 * SECOND))}["clock"] == "warn"


def test_a_checkpoint_that_can_be_gone_on_from(patient: Patient) -> None:
    patient.holds(patient.topics.events, 10)
    patient.checkpoint(7)
    [found] = [check.found for check in patient.checks() if check.name == "checkpoints"]
    assert "1 个" in found


def test_retention_that_passed_a_checkpoint(patient: Patient) -> None:
    patient.holds(patient.topics.events, 10)
    patient.checkpoint(4)
    with patient.admin() as admin:
        admin.delete_records({TopicPartition(patient.topics.events, 0): 6})
    assert "records 4 to 5 were deleted" in patient.fails()["checkpoints"]


def test_a_step_that_has_stopped_for_good(patient: Patient) -> None:
    store = CheckpointStore(patient.settings, Cluster(patient.settings), patient.topics.checkpoints, "1")
    store.note_stop(Failure("tally", patient.topics.events, 0, 3, 5, "KeyError: 'a'"))
    assert "tally 0" in patient.fails()["stopped"]
    assert "KeyError: 'a'" in patient.fails()["stopped"]
    patient.checkpoint(7)
    patient.holds(patient.topics.events, 10)
    assert "stopped" not in patient.fails()


def test_a_worker_that_may_not_begin(patient: Patient) -> None:
    store = CheckpointStore(patient.settings, Cluster(patient.settings), patient.topics.checkpoints, "1")
    store.note_stop(of_worker("TopicError: alerts: this user may not read it"))
    assert "this user may not read it" in patient.fails()["stopped"]
    store.note_begun()
    assert "stopped" not in patient.fails()


def test_a_topic_that_was_made_again(patient: Patient) -> None:
    patient.checkpoint(0)
    patient.remade(patient.topics.events, 9, message_timestamp_type="LogAppendTime")
    assert "made again" in patient.fails()["checkpoints"]


def test_rights_that_are_missing(secured_broker: SecuredBroker, topic_prefix: str, tmp_path: Path) -> None:
    make_topics(secured_broker.bootstrap, topic_prefix)
    named = {k.removeprefix("JIANTU_KAFKA_").lower(): v for k, v in secured_broker.as_user("jiantu-source").items()}
    source = Patient(secured_broker.sasl, topic_prefix)
    source.settings = BrokerSettings(**{**named, "topic_prefix": topic_prefix})
    fails = source.fails()
    assert "GroupAuthorizationFailedError" in fails["group jiantu"]
    assert f"topic {topic_prefix}events" in fails
    secret = tmp_path / "password"
    secret.write_text(named.pop("sasl_password"))
    secret.chmod(0o644)
    source.settings = BrokerSettings(**{**named, "sasl_password_file": secret, "topic_prefix": topic_prefix})
    assert "other accounts may read it" in next(check for check in source.checks() if check.name == "secrets").found


def test_a_worker_has_enough_with_what_is_given_to_it(secured_broker: SecuredBroker, topic_prefix: str) -> None:
    make_topics(secured_broker.bootstrap, topic_prefix)
    named = {k.removeprefix("JIANTU_KAFKA_").lower(): v for k, v in secured_broker.as_user("jiantu-worker").items()}
    worker = Patient(secured_broker.sasl, topic_prefix)
    worker.settings = BrokerSettings(**{**named, "topic_prefix": topic_prefix})
    assert worker.fails() == {}


def test_brokers_that_make_topics_by_themselves(tmp_path: Path, topic_prefix: str) -> None:
    settings = {"auto.create.topics.enable": "true", "group.min.session.timeout.ms": "20000"}
    with Server(tmp_path / "careless", settings=settings) as server:
        found = [check.found for check in Patient(server.bootstrap, topic_prefix).checks() if check.name == "broker 1"]
        with Patient(server.bootstrap, topic_prefix).admin() as admin:
            assert not [name for name in admin.list_topics() if name.startswith(topic_prefix)]
    assert "a misspelt topic becomes a new one" in found[0]
    assert "session timeouts 20000" in found[1]


def test_the_command(cli: Cli, patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    where = ("--brokers", patient.settings.brokers, "--prefix", patient.settings.topic_prefix)
    names = [check["name"] for check in cli("doctor", *where, "--json").document["checks"]]
    assert names[-1] == "checkpoints"
    ended = cli("doctor", "--brokers", unreachable())
    assert ended.code == 1
    assert "nobody listens there" in ended.out
    monkeypatch.setenv("JIANTU_KAFKA_BROKERS", unreachable())
    assert cli("doctor").code == 1
