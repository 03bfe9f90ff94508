"""Workers as processes, on a real broker: one log, idle partitions too; what they print; what they refuse.

Kills, zombies, rolling restarts and brokers that go away are the fault campaign's (`tests/faults`).
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.runtime.worker_setup import INSTANCE
from tests.cli.commands import REPOSITORY
from tests.kafka.fixtures import SharedBroker
from tests.promises.lake import FOLDER
from tests.runtime.lake_topics import LakeTopics
from tests.runtime.test_steps import undisturbed

PATIENCE = 300
"""Seconds for what is waited for, on a machine that has much else to do."""


class WorkerProcess:
    """One `jiantu worker --alone`."""

    def __init__(
        self,
        lake: LakeTopics,
        folder: Path,
        name: str,
        brokers: str = "",
        session_ms: int = 0,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Started in a folder of its own, in which it is to leave nothing. `session_ms`: how long it is waited for once
        it is gone, if not as long as the product does."""
        self._said = folder / f"{name}.jsonl"
        self.started_in = folder / f"{name}-in"
        self.started_in.mkdir(exist_ok=True)
        where = ["--brokers", brokers or lake.settings.brokers, "--prefix", lake.settings.topic_prefix]
        session = ["tests.faults.worker_main", "--session-ms", str(session_ms)] if session_ms else ["streams"]
        command = [sys.executable, "-m", *session, "worker", "--alone", "--profile", str(FOLDER / "profile.yaml")]
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [*command, *where, "--group", lake.settings.group, "--checkpoint-seconds", "1"],
                stderr=said,
                env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | dict(variables or {}),
                cwd=self.started_in,
            )

    def said(self, event: str) -> list[Mapping[str, Any]]:
        """What it said of one kind of event so far."""
        lines = [line for line in self._said.read_bytes().splitlines() if line.startswith(b"{")]
        return [one for one in map(msgspec.json.decode, lines) if one["event"] == event]

    def words(self) -> str:
        """All that it said so far."""
        return self._said.read_text()

    def said_otherwise(self) -> list[bytes]:
        """What came to stderr so far that it did not say itself: each of its lines is an event."""
        return [line for line in self._said.read_bytes().splitlines() if line and not line.startswith(b"{")]

    def wait_for(self, event: str, count: int = 1) -> list[Mapping[str, Any]]:
        deadline = time.monotonic() + PATIENCE
        while len(found := self.said(event)) < count:
            assert self.process.poll() is None, self.words()
            assert time.monotonic() < deadline, self.words()
            time.sleep(0.1)
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def workers(lake: LakeTopics, folder: Path, count: int) -> Iterator[list[WorkerProcess]]:
    made = [WorkerProcess(lake, folder, f"w{number}") for number in range(count)]
    try:
        yield made
    finally:
        for worker in made:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()


def wait_until(done: Any, *at_work: WorkerProcess) -> None:
    """Wait until something is so; who has ended meanwhile, though it is waited for, says why."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        for worker in at_work:
            assert worker.process.poll() is None, worker.words()
        assert time.monotonic() < deadline, [worker.words() for worker in at_work]
        time.sleep(0.2)


def test_two_workers_over_three_partitions_give_the_embedded_log_and_leave_everything_committed(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 3)
    names = lake.names
    with workers(lake, tmp_path, 2) as (one, other):
        one.wait_for("assigned")
        other.wait_for("assigned")
        wait_until(lambda: one.said("assigned")[-1]["generation"] == other.said("assigned")[-1]["generation"])
        lake.write_recording()
        wait_until(lambda: lake.log() == undisturbed().log, one, other)
        assert one.stop() == 0
        wait_until(lambda: sum(worker.said("assigned")[-1]["partitions"].count(",") for worker in (other,)) == 6)
        assert other.stop() == 0
        left = [*one.said("left"), *other.said("left")]
    assert [said["code"] for said in left] == [0, 0]
    assert [*one.started_in.iterdir(), *other.started_in.iterdir()] == []
    cluster = lake.cluster()
    for topic in (names.events, names.windows, names.scores):
        ends = [cluster.span(topic, number).next for number in range(cluster.topics([topic])[topic].partitions)]
        assert lake.committed(topic) == ends
    assert lake.log() == undisturbed().log


def test_a_worker_goes_on_where_the_last_one_left_though_the_groups_offset_says_otherwise(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1)
    lake.write_recording()
    with workers(lake, tmp_path, 1) as (first,):
        first.wait_for("checkpoint")
        first.process.kill()
    lake.forget_group()
    with workers(lake, tmp_path, 1) as (second,):
        saved = {(one["step"], one["partition"]): one["position"] for one in first_said(tmp_path)}
        resumed = second.wait_for("resumed", 5)
        assert all(one["position"] >= saved.get((one["step"], one["partition"]), 0) for one in resumed)
        wait_until(lambda: lake.log() == undisturbed().log, second)
        assert second.stop() == 0


def first_said(folder: Path) -> list[Mapping[str, Any]]:
    lines = [line for line in (folder / "w0.jsonl").read_bytes().splitlines() if line.startswith(b"{")]
    return [one for one in map(msgspec.json.decode, lines) if one["event"] == "checkpoint"]


def test_a_worker_that_is_back_at_once_is_the_member_it_was_and_no_other_stands_still(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 3)

    def member(name: str, instance: str) -> WorkerProcess:
        return WorkerProcess(lake, tmp_path, name, session_ms=600_000, variables={INSTANCE: instance})

    killed, other = member("killed", "one"), member("other", "two")
    back = None
    try:
        killed.wait_for("assigned")
        other.wait_for("assigned")
        wait_until(lambda: killed.said("assigned")[-1]["generation"] == other.said("assigned")[-1]["generation"])
        held = killed.said("assigned")[-1]
        lake.write_recording()
        killed.wait_for("checkpoint", 2)
        killed.process.kill()
        back = member("back", "one")
        given = back.wait_for("assigned")[0]
        assert (given["generation"], given["partitions"]) == (held["generation"], held["partitions"])
        wait_until(lambda: lake.log() == undisturbed().log, other, back)
        assert other.said("assigned")[-1]["generation"] == held["generation"]
        assert other.stop() == 0  # who is told to stop leaves: nobody waits ten minutes for its session to be over
        wait_until(lambda: back.said("assigned")[-1]["partitions"].count(",") == 6)
        assert back.stop() == 0
    finally:
        for worker in (killed, other, back):
            if worker is not None and worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()


@pytest.mark.parametrize("missing", ["scores", "checkpoints"])
def test_a_missing_topic_is_told_with_its_remedy(
    missing: str, kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1)
    lake.delete(getattr(lake.names, missing))
    done = subprocess.run(
        [sys.executable, "-m", "streams", "worker", "--alone", "--profile", str(FOLDER / "profile.yaml"), "--brokers",
         lake.settings.brokers, "--prefix", topic_prefix],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert f"{topic_prefix}{missing}" in done.stderr
    assert "jiantu topics apply" in done.stderr.replace("\n", " ")
