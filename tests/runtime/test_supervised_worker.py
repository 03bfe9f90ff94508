"""`jiantu worker` as it runs in production, under its supervisor: what it counts, and who hears that it has stopped."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from streams.runtime.checkpoint_store import OF_WORKER
from streams.runtime.checkpoints import CheckpointReader
from streams.runtime.failures import Failure, of_worker
from streams.runtime.worker_setup import REFUSED, STOPPED_FOR_GOOD
from tests.cli.commands import REPOSITORY
from tests.kafka.fixtures import SharedBroker
from tests.promises.lake import FOLDER
from tests.runtime.lake_topics import LakeTopics
from tests.runtime.test_steps import events, sent
from tests.runtime.test_worker import PATIENCE, wait_until

PROFILE = str(FOLDER / "profile.yaml")


def jiantu(lake: LakeTopics, *arguments: str) -> list[str]:
    where = ["--brokers", lake.settings.brokers, "--prefix", lake.settings.topic_prefix, "--profile", PROFILE]
    return [sys.executable, "-m", "streams", *arguments, *where]


@contextmanager
def supervised(
    lake: LakeTopics, folder: Path, *more: str
) -> Iterator[tuple["subprocess.Popen[bytes]", Callable[[str], list[Mapping[str, Any]]]]]:
    """The supervisor's process, and what it and its workers said of one kind of event."""
    said = folder / "said.jsonl"

    def of(event: str) -> list[Mapping[str, Any]]:
        lines = [json.loads(line) for line in said.read_bytes().splitlines() if line.startswith(b"{")]
        return [one for one in lines if one["event"] == event]

    command = jiantu(lake, "worker", "--group", lake.settings.group, "--checkpoint-seconds", "1", *more)
    with said.open("wb") as err:
        process = subprocess.Popen(command, stderr=err, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, cwd=folder)
    try:
        yield process, of
    finally:
        process.kill()
        process.wait()


def samples(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_a_worker_that_is_killed_is_the_same_to_the_group_and_its_supervisor_counts(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1)
    lake.write(lake.names.events, 0, events(1)[0][:500])
    with supervised(lake, tmp_path, "--listen", "127.0.0.1:0") as (process, said):
        wait_until(lambda: lake.committed(lake.names.events) == [500])
        url = said("listening")[0]["metrics"]
        found = samples(url)
        assert found["jiantu_worker_alive"] == 1
        assert found['jiantu_worker_lag_records{partition="0",step="tally"}'] == 0
        assert abs(found['jiantu_worker_checkpoint_timestamp_seconds{partition="0",step="tally"}'] - time.time()) < 600
        before = said("assigned")[-1]
        os.kill(before["pid"], signal.SIGKILL)
        lake.write(lake.names.events, 0, events(1)[0][500:600])
        wait_until(lambda: lake.committed(lake.names.events) == [600])
        after = said("assigned")[-1]
        assert after["pid"] != before["pid"]
        assert (after["generation"], after["partitions"]) == (before["generation"], before["partitions"])
        found = samples(url)
        endings = {how: found[f'jiantu_worker_endings_total{{how="{how}"}}'] for how in ("failed", "stalled", "killed")}
        assert endings == {"failed": 0, "stalled": 0, "killed": 1}
        assert found["jiantu_stalls_total"] == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_the_third_failure_at_one_position_stops_for_good_and_reaches_who_pages(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    """From a record that a step cannot take, through the note, the ledger and the exporter, to what a rule asks for."""
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1)
    lake.write(lake.names.windows, 0, [sent(0, b"not a window")])
    with supervised(lake, tmp_path) as (process, said):
        assert process.wait(PATIENCE) == STOPPED_FOR_GOOD
        (stopped,) = said("stopped_for_good")
        assert len(said("failed")) == 3
    assert stopped["page"]
    assert (stopped["failure"]["step"], stopped["failure"]["first"]) == ("score", 0)

    def done(*command: str) -> str:
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE, cwd=REPOSITORY)
        return ran.stdout

    data = ["--data-dir", str(tmp_path / "data")]
    # what the ledger cannot read either is out of the way before it comes
    lake.delete_before(0, 1, lake.names.windows)
    done(*jiantu(lake, "ledger", "--once"), *data)
    scrape = done(sys.executable, "-m", "streams", "exporter", "--once", "--profile", PROFILE, *data)
    assert "jiantu_stopped_for_good 1.0" in scrape


def refusal_of(lake: LakeTopics) -> Failure | None:
    """What the topic of checkpoints says of why a worker as a whole may not go on."""
    reader = CheckpointReader(OF_WORKER)
    for key, value in lake.cluster().records(lake.names.checkpoints, OF_WORKER.partition):
        reader.take(key, value)
    return None if reader.stop is None else msgspec.json.decode(reader.stop, type=Failure)


def test_a_worker_that_may_not_even_begin_leaves_word_until_one_begins(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1)
    lake.delete(lake.names.alerts)
    with supervised(lake, tmp_path) as (process, said):
        assert process.wait(PATIENCE) == REFUSED
        (refused,) = said("refused")
    assert "alerts: there is no such topic; make it" in refused["error"]
    assert refusal_of(lake) == of_worker(refused["error"])
    lake.make(lake.names.alerts)
    with supervised(lake, tmp_path):
        wait_until(lambda: refusal_of(lake) is None)
