"""`jiantu topics` on a real broker: made once, changed where that is safe, refused where it is not."""

from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from streams.broker.administration import Administration
from streams.broker.settings import BrokerSettings
from streams.broker.topics_file import BUNDLED
from tests.cli.commands import REPOSITORY, Cli
from tests.kafka.fixtures import SharedBroker, unreachable
from tests.kafka.secured import SecuredBroker


@pytest.fixture
def topics(cli: Cli, kafka_broker: SharedBroker, topic_prefix: str) -> "Topics":
    return Topics(cli, kafka_broker.bootstrap, topic_prefix)


class Topics:
    """The command, on the test's own names."""

    def __init__(self, cli: Cli, brokers: str, prefix: str) -> None:
        self.cli, self.brokers, self.prefix = cli, brokers, prefix
        self.names = [
            f"{prefix}{one}" for one in ("events", "windows", "scores", "alerts", "events.dlq", "checkpoints")
        ]
        self.where = ("--brokers", brokers, "--prefix", prefix)

    def __call__(self, verb: str, *options: object) -> dict[str, list[str]]:
        """Kind of change: what is about it."""
        ended = self.cli("topics", verb, *self.where, "--replication", 1, "--json", *options)
        changes = ended.document["changes"]
        assert ended.code == (0 if ended.document["ok"] else 1)
        assert ended.document["applied"] == (verb == "apply" and ended.document["ok"])
        return {
            kind: [change["what"] for change in changes if change["kind"] == kind]
            for kind in ("create", "alter", "refused")
        }

    def config(self, name: str) -> dict[str, str]:
        with Administration(BrokerSettings(brokers=self.brokers)) as broker:
            return broker.configs([f"{self.prefix}{name}"])[f"{self.prefix}{name}"]


NOTHING: dict[str, list[str]] = {"create": [], "alter": [], "refused": []}


def test_made_once_and_then_left_alone(topics: Topics) -> None:
    assert topics("plan")["create"] == topics.names
    assert topics("plan")["create"] == topics.names  # a plan makes nothing
    assert topics("apply")["create"] == topics.names
    assert topics("apply") == NOTHING
    assert topics("plan") == NOTHING
    assert topics.config("events")["message.timestamp.type"] == "LogAppendTime"
    assert topics.config("checkpoints")["cleanup.policy"] == "compact"


def test_topics_for_recordings_keep_old_times_for_ever(topics: Topics) -> None:
    topics("apply", "--replay")
    assert topics("plan", "--replay") == NOTHING
    config = topics.config("events")
    assert (config["message.timestamp.type"], config["retention.ms"]) == ("CreateTime", "-1")
    assert topics("plan")["refused"] == [topics.names[0]] * 2 + topics.names[1:3]  # times; then three retentions


def test_what_would_break_state_is_refused_and_nothing_else_is_done(topics: Topics, tmp_path: Path) -> None:
    topics("apply")
    file = tmp_path / "topics.yaml"
    file.write_text(BUNDLED.read_text().replace("retention.ms: 31536000000", "retention.ms: 41536000000"))
    assert topics("apply", "--partitions", 7, "--file", file) == {
        "create": [],
        "alter": [topics.names[4]],
        "refused": [topics.names[0], topics.names[5]],
    }
    assert topics.config("events.dlq")["retention.ms"] == "31536000000"
    assert topics("apply", "--file", file)["alter"] == [topics.names[4]]
    assert topics.config("events.dlq")["retention.ms"] == "41536000000"


def test_deleting_records_has_to_be_meant(topics: Topics, tmp_path: Path) -> None:
    topics("apply")
    file = tmp_path / "topics.yaml"
    file.write_text(BUNDLED.read_text().replace("retention.ms: 31536000000", "retention.ms: 1000"))
    assert topics("apply", "--file", file)["refused"] == [topics.names[4]]
    assert topics("apply", "--file", file, "--may-delete")["alter"] == [topics.names[4]]


def test_copies_need_brokers(cli: Cli, topics: Topics) -> None:
    ended = cli("topics", "apply", *topics.where)
    assert ended.code == 1
    assert "3 copies need as many brokers; there are 1" in ended.said
    assert topics("plan")["create"] == topics.names


def test_copies_are_not_changed(topics: Topics, cli: Cli) -> None:
    topics("apply")
    ended = cli("topics", "plan", *topics.where, "--json")
    refused = [change["words"] for change in ended.document["changes"] if change["kind"] == "refused"]
    assert len(refused) == 6
    assert "has 1 copies, not 3" in refused[0]


@pytest.mark.parametrize(
    ("replaced", "by", "said"),
    [
        ("replication: 3", "replication: many", "replication: Input should be a valid integer"),
        ("  alerts:\n", "  alarms:\n", "topics.alarms: Input should be 'events'"),
        ("  scores:\n    partitions: 1", "  scores:\n    partitions: 2", "topics.scores.partitions"),
        ("  checkpoints:\n    partitions: 9", "  checkpoints:\n    partitions: 2", "topics.checkpoints.partitions"),
        ("topics:", "topics: [", "is no YAML"),
        ("User:jiantu-desk:", "jiantu-desk:", "principals.jiantu-desk"),
    ],
)
def test_files_that_are_none(cli: Cli, tmp_path: Path, replaced: str, by: str, said: str) -> None:
    file = tmp_path / "topics.yaml"
    text = BUNDLED.read_text()
    assert replaced in text
    file.write_text(text.replace(replaced, by))
    refused = cli.refused("topics", "plan", "--brokers", unreachable(), "--file", file)
    assert said in refused
    assert str(file) in refused


def test_one_file_and_no_copy_of_it() -> None:
    assert (REPOSITORY / "deploy/kafka/topics.yaml").resolve() == BUNDLED


def test_without_an_address(cli: Cli) -> None:
    assert "--brokers" in cli.refused("topics", "plan")


def test_rights_are_given_and_are_enough(
    cli: Cli, secured_broker: SecuredBroker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("topics", "apply", "--prefix", topic_prefix, "--replication", 1)
    for name, value in secured_broker.as_user("jiantu-worker").items():
        monkeypatch.setenv(name, value)
    ended = cli(*where)
    assert ended.code == 1
    assert "may not" in ended.said

    for name, value in secured_broker.as_user("jiantu-admin").items():
        monkeypatch.setenv(name, value)
    assert "User:jiantu-worker  READ TOPIC" in cli(*where).out
    assert "as it should be" in cli(*where).said

    source = BrokerSettings(**{**given(secured_broker, "jiantu-source"), "topic_prefix": topic_prefix})
    with KafkaProducer(**source.for_kafka_python()) as producer:
        producer.send(f"{topic_prefix}events", b"{}").get(20)
    with KafkaAdminClient(**source.for_kafka_python()) as admin:
        seen = {one["name"]: one["error_code"] for one in admin.describe_topics([f"{topic_prefix}alerts"])}
    assert seen[f"{topic_prefix}alerts"] == 29, "the source may not even see the alerts"


def given(broker: SecuredBroker, user: str) -> dict[str, str]:
    return {name.removeprefix("JIANTU_KAFKA_").lower(): value for name, value in broker.as_user(user).items()}
