"""A recording into a topic and back: the same stream, the same alert log, whatever was killed in between."""

import random
import secrets
import signal
import subprocess
import time
from pathlib import Path

import pytest

from streams.broker.partitioner import partition_of
from tests.cli.commands import LAKE, RECORDING, Cli, Lake, command, environment
from tests.kafka.fixtures import SharedBroker, unreachable
from tests.sinks.topics import LIVE, content, length_of, make_topics, records_of, send
from tests.sources.test_csv_export import HEADER, PROFILE


def in_kafka(broker: SharedBroker, prefix: str) -> tuple[str, ...]:
    return ("--to-kafka", "--brokers", broker.bootstrap, "--prefix", prefix)


@pytest.mark.parametrize("partitions", [1, 3, 12])
def test_a_recording_goes_into_the_topic_and_comes_back(
    cli: Cli, lake: Lake, kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path, partitions: int
) -> None:
    first, second = f"{topic_prefix}a.", f"{topic_prefix}b."
    for prefix in (first, second):
        make_topics(kafka_broker.bootstrap, prefix, partitions)
    produced = cli("replay", RECORDING, "-p", LAKE, *in_kafka(kafka_broker, first), "--json").document
    assert (produced["added"], produced["partitions"], produced["resumed"]) == (produced["records"], partitions, False)
    once, twice = tmp_path / "once.jsonl.zst", tmp_path / "twice.jsonl.zst"
    record = ("record", "--brokers", kafka_broker.bootstrap, "--once", "-p", LAKE, "--json")
    assert cli(*record, "--prefix", first, once).document["held_back"] == 0
    cli("replay", once, "-p", LAKE, *in_kafka(kafka_broker, second), "--json")
    cli(*record, "--prefix", second, twice)
    assert once.read_bytes() == twice.read_bytes()
    replayed = cli("replay", once, "-p", LAKE, "-d", tmp_path / "d", "--json").document
    same = ("alert_log_sha256", "received", "counted", "duplicate", "late", "rejected", "windows_closed")
    assert {name: replayed[name] for name in same} == {name: lake.figures[name] for name in same}


def test_every_record_lies_where_its_county_belongs_and_every_tick_in_every_partition(
    cli: Cli, kafka_broker: SharedBroker, topic_prefix: str
) -> None:
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, 3)
    produced = cli("replay", RECORDING, "-p", LAKE, *in_kafka(kafka_broker, topic_prefix), "--json").document
    lying = records_of(kafka_broker.bootstrap, topics.events)
    assert len({one[0].value for one in lying}) == 1  # where the stream starts
    ticks = [[one.value for one in partition if one.value and one.value.startswith(b'{"tick"')] for partition in lying]
    assert ticks[0] == ticks[1] == ticks[2]
    for partition, records in enumerate(lying):
        assert all(partition_of(one.key.decode(), 3) == partition for one in records if one.key)
        numbers = [int(dict(one.headers)["jiantu-record"] or b"") for one in records[1:]]
        assert numbers == sorted(set(numbers))
    assert sum(map(len, lying)) == produced["records"] + 2 * len(ticks[0]) + 1


def test_killed_again_and_again_it_writes_every_record_once(
    cli: Cli, kafka_broker: SharedBroker, topic_prefix: str
) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    killed, whole = f"{topic_prefix}killed.", f"{topic_prefix}whole."
    for prefix in (killed, whole):
        make_topics(kafka_broker.bootstrap, prefix, 3)
    arguments = ("replay", RECORDING, "-p", LAKE, *in_kafka(kafka_broker, killed))
    lengths = []
    for _ in range(3):
        run = subprocess.Popen(command(*arguments, "--speed", "800000x"), env=environment(), stderr=subprocess.PIPE)
        before = length_of(kafka_broker.bootstrap, f"{killed}events")
        while length_of(kafka_broker.bootstrap, f"{killed}events") < before + 100:
            assert run.poll() is None, run.communicate()
            time.sleep(0.1)
        time.sleep(chance.uniform(0, 0.3))
        run.kill()
        assert run.wait() == -signal.SIGKILL
        run.communicate()
        lengths.append(length_of(kafka_broker.bootstrap, f"{killed}events"))
    assert lengths == sorted(set(lengths))
    rest = cli(*arguments, "--json").document
    assert rest["resumed"]
    assert 0 < rest["added"] < rest["records"]
    cli("replay", RECORDING, "-p", LAKE, *in_kafka(kafka_broker, whole), "--json")
    for resumed, undisturbed in zip(
        records_of(kafka_broker.bootstrap, f"{killed}events"),
        records_of(kafka_broker.bootstrap, f"{whole}events"),
        strict=True,
    ):
        assert content(resumed) == content(undisturbed)
    again = cli(*arguments, "--json").document
    assert (again["added"], again["resumed"]) == (0, True)


def test_what_it_cannot_do_is_said(cli: Cli, kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path) -> None:
    replay = ("replay", RECORDING, "-p", LAKE)
    missing = cli(*replay, *in_kafka(kafka_broker, topic_prefix))
    assert missing.code == 1
    assert "no such topic" in missing.said
    nobody = cli(*replay, "--to-kafka", "--brokers", unreachable())
    assert nobody.code == 1
    assert "nobody listens" in nobody.said or "refused" in nobody.said
    assert "JIANTU_KAFKA_BROKERS" in cli.refused(*replay, "--to-kafka")
    assert "--data-dir" in cli.refused(*replay, *in_kafka(kafka_broker, topic_prefix), "-d", tmp_path)


def test_a_topic_that_holds_something_else_is_left_as_it_is(
    cli: Cli, kafka_broker: SharedBroker, topic_prefix: str
) -> None:
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, 1)
    send(kafka_broker.bootstrap, topics.events, (b"{}", None, 0, {}))
    refused = cli("replay", RECORDING, "-p", LAKE, *in_kafka(kafka_broker, topic_prefix))
    assert refused.code == 1
    assert "another record" in refused.said
    assert len(records_of(kafka_broker.bootstrap, topics.events)[0]) == 1


def test_a_topic_that_stamps_records_itself_is_refused(cli: Cli, kafka_broker: SharedBroker, topic_prefix: str) -> None:
    make_topics(kafka_broker.bootstrap, topic_prefix, 1, LIVE)
    for _ in range(2):
        refused = cli("replay", RECORDING, "-p", LAKE, *in_kafka(kafka_broker, topic_prefix))
        assert refused.code == 1
        assert "message.timestamp.type=CreateTime" in refused.said


def test_a_csv_goes_into_the_topic_through_the_profile_with_the_ticks_that_it_lacks(
    cli: Cli, kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    make_topics(kafka_broker.bootstrap, topic_prefix, 3)
    export, back = tmp_path / "export.csv", tmp_path / "back.jsonl"
    (tmp_path / "town").mkdir()
    (tmp_path / "town/profile.yaml").write_text(PROFILE)
    rows = [
        f"2025-03-01 {hour:02}:20:00,{area},Snow,,{hour}{area}\n"
        for hour in range(8, 20)
        for area in ("North", "South")
    ]
    export.write_text(HEADER + "".join(rows))
    town = ("-p", tmp_path / "town")
    produced = cli("replay", export, *town, *in_kafka(kafka_broker, topic_prefix), "--json").document
    cli("record", "--brokers", kafka_broker.bootstrap, "--prefix", topic_prefix, "--once", *town, back)
    from_csv = cli("replay", export, *town, "-d", tmp_path / "a", "--json").document
    from_topic = cli("replay", back, *town, "-d", tmp_path / "b", "--json").document
    assert produced["records"] > len(rows)
    assert from_csv["counted"] == len(rows)
    for name in ("counted", "windows_closed", "alert_log_sha256", "state_sha256"):
        assert from_topic[name] == from_csv[name]
