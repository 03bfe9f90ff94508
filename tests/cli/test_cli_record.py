"""`jiantu record`: what is in the topic, as one stream; and what it says of a topic that is none."""

import signal
import subprocess
from pathlib import Path

import msgspec

from streams.broker.partitioner import partition_of
from streams.clock import pause
from streams.core.instant import SECOND
from streams.sources.recording import RecordingReader
from tests.cli.commands import LAKE, RECORDING, Cli, command, environment
from tests.kafka.fixtures import SharedBroker
from tests.sinks.topics import LIVE, make_topics, records_of, send

START = b'{"tick":"2025-02-02T17:00:00Z"}'
LATER = b'{"tick":"2025-02-02T18:00:00Z"}'


def lines_of(path: Path) -> list[bytes]:
    return b"".join(chunk.lines for chunk in RecordingReader(path).chunks()).splitlines()


def test_a_live_topic_is_recorded_with_all_that_its_records_carry(
    cli: Cli, kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, 2, LIVE)
    event = {"id": "1", "at": "2025-02-02T17:10:00Z", "county": "north", "nonsense": True}
    value = msgspec.json.encode(event)
    home = partition_of("north", 2)
    send(
        kafka_broker.bootstrap,
        topics.events,
        (START, None, 0, {}),
        (START, None, 1, {}),
        (value, b"north", home, {"trace": b"\x00\xff"}),
        (value, b"elsewhere", 1 - home, {}),
        (b"not\njson", None, 0, {}),
        (None, b"gone", 0, {}),
        (LATER, None, 0, {}),
        (LATER, None, 1, {}),
    )
    out, back = tmp_path / "out.jsonl", tmp_path / "back.jsonl"
    record = ("record", "--brokers", kafka_broker.bootstrap, "--once", "--json", "-p", LAKE)
    done = cli(*record, "--prefix", topic_prefix, out).document
    assert (done["records"], done["held_back"]) == (5, 0)
    lines = lines_of(out)
    assert lines[-1] == LATER
    assert sum(b'"received":' in line for line in lines) == 4
    assert sum(b'"carried":' in line for line in lines) == 3
    assert RecordingReader(out).header.span == ("2025-02-02T12:00:00-05:00", "2025-02-02T13:00:00-05:00")
    # and it can go into a topic again: the same records in the same partitions
    make_topics(kafka_broker.bootstrap, f"{topic_prefix}again.", 2)
    again = ("--brokers", kafka_broker.bootstrap, "--prefix", f"{topic_prefix}again.")
    cli("replay", out, "-p", LAKE, "--to-kafka", *again)
    cli(*record, "--prefix", f"{topic_prefix}again.", back)
    assert lines_of(back) == lines
    for first, second in zip(
        records_of(kafka_broker.bootstrap, topics.events),
        records_of(kafka_broker.bootstrap, f"{topic_prefix}again.events"),
        strict=True,
    ):
        # the first says where the stream starts, in the city's zone
        assert [(one.key, one.value) for one in first[1:]] == [(one.key, one.value) for one in second[1:]]


def test_it_follows_until_it_is_stopped_and_leaves_a_whole_recording(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, 1, LIVE)
    send(kafka_broker.bootstrap, topics.events, (START, None, 0, {}))
    out = tmp_path / "out.jsonl"
    where = ("--brokers", kafka_broker.bootstrap, "--prefix", topic_prefix)
    running = subprocess.Popen(
        command("record", *where, "-p", LAKE, out, "--json"), env=environment(), stdout=subprocess.PIPE
    )
    part = tmp_path / ".out.jsonl.part"
    while not part.exists():
        assert running.poll() is None
        pause(SECOND // 20)
    send(kafka_broker.bootstrap, topics.events, (b"one", None, 0, {}), (LATER, None, 0, {}))
    running.send_signal(signal.SIGTERM)
    printed, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    assert msgspec.json.decode(printed)["finished"]
    reader = RecordingReader(out)
    assert sum(chunk.records for chunk in reader.chunks()) <= 2
    assert reader.ending is not None
    assert reader.ending.state == "complete"


def test_what_waits_for_a_tick_is_left_out_and_said(
    cli: Cli, kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, 2)
    send(
        kafka_broker.bootstrap,
        topics.events,
        (START, None, 0, {}),
        (START, None, 1, {}),
        (b"before", None, 1, {}),
        (LATER, None, 0, {}),
        (b"after", None, 0, {}),
    )
    where = ("--brokers", kafka_broker.bootstrap, "--prefix", topic_prefix, "--once", "-p", LAKE)
    done = cli("record", *where, tmp_path / "out.jsonl")
    assert done.code == 0
    assert "2 records at the end wait for a tick that partitions [1] lack" in done.said
    assert len(lines_of(tmp_path / "out.jsonl")) == 1


def test_what_it_cannot_record_is_said(cli: Cli, kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    where = ("record", "--brokers", kafka_broker.bootstrap, "--prefix", topic_prefix, "--once")
    assert "no such topic" in cli(*where, out).said
    topics = make_topics(kafka_broker.bootstrap, topic_prefix, 1)
    assert "does not begin with a tick" in cli(*where, out).said
    send(kafka_broker.bootstrap, topics.events, (START, None, 0, {}))
    assert "add --profile" in cli.refused(*where, out)
    out.write_bytes(b"mine")
    assert "is there already" in cli.refused(*where, "-p", LAKE, out)
    assert out.read_bytes() == b"mine"
    assert RECORDING.exists()
