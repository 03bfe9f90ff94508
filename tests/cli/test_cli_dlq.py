"""`jiantu dlq`: what could not become an event, by reason and place; and taken up again, once."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from kafka import KafkaAdminClient, TopicPartition

from streams.broker.names import Topics
from streams.broker.partitioner import partition_of
from streams.core.record import Reason
from streams.core.wire import DeadLetter, encode_dead_letter
from tests.cli.commands import LAKE, Cli
from tests.kafka.fixtures import SharedBroker
from tests.sinks.topics import LIVE, REPLAYED, make_topics, records_of, send

PARTITIONS = 3
HOME = partition_of("c03", PARTITIONS)
AWAY = (HOME + 1) % PARTITIONS


def value(**changed: Any) -> bytes:
    event = {"id": "e1", "at": "2025-02-03T12:00:00Z", "county": "c03", "point": "hotline", "category": "noise"}
    return json.dumps(event | {"kind": "accepted"} | changed).encode()


REJECTED = {
    value(): Reason.UNKNOWN_CATEGORY,  # today's profile knows it
    value(category="smog"): Reason.UNKNOWN_CATEGORY,
    b"no json": Reason.NOT_JSON,
    value(caller="13800138000"): Reason.PERSONAL_NUMBER,
    value(at="2999-01-01T00:00:00Z"): Reason.FUTURE,
    value(at="2025-02-03T12:00:00"): Reason.NAIVE_TIME,
}


class Desk:
    """A topic with rejected records in a partition where they do not belong, and their letters, each twice."""

    def __init__(self, cli: Cli, broker: SharedBroker, prefix: str, events: dict[str, str] | None = None) -> None:
        self._cli = cli
        self._bootstrap = broker.bootstrap
        self._prefix = prefix
        self.topics = make_topics(broker.bootstrap, prefix, PARTITIONS, events)
        self.add(list(REJECTED.items()))

    def add(self, rejected: Sequence[tuple[bytes, Reason]], begin: int = 0, digest: str = "") -> None:
        send(self._bootstrap, self.topics.events, *((one, b"c99", AWAY, {"trace": b"7"}) for one, _ in rejected))
        letters = [
            letter(self.topics, AWAY, offset, reason, digest or hashlib.sha256(one).hexdigest())
            for offset, (one, reason) in enumerate(rejected, begin)
        ]
        self.add_letters(*letters, *letters)

    def add_letters(self, *letters: bytes) -> None:
        send(self._bootstrap, self.topics.dlq, *((one, None, 0, {}) for one in letters))

    def __call__(self, command: str, *more: str) -> Any:
        where = ("--brokers", self._bootstrap, "--prefix", self._prefix, "--json")
        return self._cli("dlq", command, *where, *more)

    def redrive(self, *more: str) -> dict[str, int]:
        outcomes: dict[str, int] = self("redrive", "-p", str(LAKE), *more).document["by_outcome"]
        return outcomes

    def home(self) -> list[tuple[Any, ...]]:
        """What lies in the partition of the county, redriven or not."""
        lying = records_of(self._bootstrap, self.topics.events)[HOME]
        return [(one.key, one.value, dict(one.headers)) for one in lying]


def letter(topics: Topics, partition: int, offset: int, reason: Reason, digest: str) -> bytes:
    return encode_dead_letter(DeadLetter(reason, topics.events, partition, offset, digest, 0, "category"))


def test_the_list_says_why_and_where_and_never_what(cli: Cli, kafka_broker: SharedBroker, topic_prefix: str) -> None:
    desk = Desk(cli, kafka_broker, topic_prefix)
    shown = desk("list")
    document = shown.document
    assert document["total"] == len(REJECTED)
    assert document["by_reason"] == {
        "unknown_category": 2,
        "future": 1,
        "naive_time": 1,
        "not_json": 1,
        "personal_number": 1,
    }
    first = document["letters"][0]
    assert (first["partition"], first["offset"], first["digest"]) == (AWAY, 0, hashlib.sha256(value()).hexdigest())
    assert "13800138000" not in shown.out
    assert "smog" not in shown.out
    assert desk("list", "--reason", "not_json").document["total"] == 1
    assert "there are: empty" in cli.refused(
        "dlq", "list", "--brokers", kafka_broker.bootstrap, "--prefix", topic_prefix, "--reason", "boredom"
    )
    where = ("--brokers", kafka_broker.bootstrap, "--prefix", topic_prefix)
    assert "unknown_category" in cli("dlq", "list", *where).out


@pytest.mark.parametrize("events", [REPLAYED, LIVE], ids=["own times", "broker's times"])
def test_what_can_be_decoded_today_is_produced_again_once(
    cli: Cli, kafka_broker: SharedBroker, topic_prefix: str, events: dict[str, str]
) -> None:
    desk = Desk(cli, kafka_broker, topic_prefix, events)
    assert desk.redrive("--dry-run") == {"can_be_redriven": 1, "still_rejected": 5}
    assert desk.home() == []
    assert desk.redrive() == {"redriven": 1, "still_rejected": 5}
    origin = f"{desk.topics.events}/{AWAY}/0".encode()
    redriven = [(b"c03", value(), {"trace": b"7", "jiantu-redriven": origin})]
    assert desk.home() == redriven
    for _ in range(2):
        assert desk.redrive() == {"already_redriven": 1, "still_rejected": 5}
    assert desk.home() == redriven
    still = {one["reason"]: one["still"] for one in desk("redrive", "-p", str(LAKE)).document["letters"][1:]}
    assert still == {reason.value: reason.value for reason in list(REJECTED.values())[1:]}


def test_a_redriven_record_that_is_rejected_again_is_not_driven_for_ever(
    cli: Cli, kafka_broker: SharedBroker, topic_prefix: str
) -> None:
    desk = Desk(cli, kafka_broker, topic_prefix)
    desk.redrive()
    digest = hashlib.sha256(value()).hexdigest()
    desk.add_letters(letter(desk.topics, HOME, 0, Reason.WRONG_PARTITION, digest))
    assert desk.redrive()["rejected_again"] == 1
    assert len(desk.home()) == 1


def test_what_is_gone_or_another_is_said(cli: Cli, kafka_broker: SharedBroker, topic_prefix: str) -> None:
    desk = Desk(cli, kafka_broker, topic_prefix)
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
    admin.delete_records({TopicPartition(desk.topics.events, AWAY): 2})  # as retention does
    admin.close()
    assert desk.redrive() == {"still_rejected": 4, "gone": 2}
    desk.add([(value(id="e2"), Reason.UNKNOWN_CATEGORY)], len(REJECTED), digest="0" * 64)
    refused = desk("redrive", "-p", str(LAKE))
    assert refused.code == 1
    assert refused.document["by_outcome"] == {"still_rejected": 4, "gone": 2, "differs": 1}
    assert desk.home() == []


def test_redriving_wants_a_profile(cli: Cli, kafka_broker: SharedBroker) -> None:
    assert "add --profile" in cli.refused("dlq", "redrive", "--brokers", kafka_broker.bootstrap)
