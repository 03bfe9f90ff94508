"""A worker among bad things: every record that a broker took is accounted for; what cannot go on says what to do."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.broker.settings import BrokerSettings
from streams.core.record import Reason
from streams.core.wire import decode_dead_letter
from streams.runtime.worker_setup import FAILED, REFUSED
from tests.kafka.fixtures import SharedBroker, make_topics
from tests.kafka.secured import SecuredBroker
from tests.promises.lake import FOLDER
from tests.runtime.lake_topics import LakeTopics
from tests.runtime.test_steps import events, sent, undisturbed
from tests.runtime.test_worker import PATIENCE, WorkerProcess, wait_until, workers

MEGABYTE = 1_000_000


def test_large_records_and_empty_ones_go_to_the_dead_letters_and_nothing_waits_for_them(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1, max_message_bytes=str(16 << 20))
    tick, *rest = events(1)[0]
    sizes = (900_000, 1_100_000, 5 * MEGABYTE)
    large = [sent(0, b'{"county":"' + b"x" * size + b'"}') for size in sizes]
    bad = [sent(0, None), *large, sent(0, b"")]
    with workers(lake, tmp_path, 1) as (worker,):
        lake.write(lake.names.events, 0, [tick, *bad, *rest])
        wait_until(lambda: lake.log() == undisturbed().log, worker)
        lake.write(lake.names.events, 0, large * 5)
        end = lake.cluster().span(lake.names.events, 0).next
        wait_until(lambda: lake.committed(lake.names.events) == [end], worker)
        assert worker.stop() == 0
        received = max(one["received"] for one in worker.said("checkpoint"))
    letters = [decode_dead_letter(value or b"") for _, value in lake.cluster().records(lake.names.dlq, 0)]
    reasons = Counter(one.reason for one in letters if one.offset < 6 or one.offset >= end - 15)
    assert reasons == {Reason.EMPTY: 2, Reason.TOO_LARGE: 3 + 15}
    assert received == undisturbed().accounting.received + len(bad) + 15


def test_a_record_that_is_too_large_for_the_topic_is_refused_at_the_sender_who_is_told_what_to_do(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    make_topics(kafka_broker.bootstrap, topic_prefix, replay=True)
    recording = tmp_path / "large.jsonl"
    recording.write_bytes(
        b'{"recording":1,"schema":1,"profile":"lake","span":["2025-01-01T00:00:00Z","2025-02-01T00:00:00Z"]}\n'
        b'{"tick":"2025-01-01T00:00:00Z"}\n{"event":{"id":"'
        + b"x" * 1_100_000
        + b'"}}\n{"tick":"2025-01-02T00:00:00Z"}\n'
    )
    where = ("--to-kafka", "--brokers", kafka_broker.bootstrap, "--prefix", topic_prefix)
    profile = str(FOLDER / "profile.yaml")
    done = subprocess.run(
        [sys.executable, "-m", "streams", "replay", str(recording), "--profile", profile, *where],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert "max.message.bytes" in said, said
    assert "Traceback" not in said


@pytest.fixture
def at_work(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> Iterator[tuple[LakeTopics, WorkerProcess]]:
    """A worker that has committed all there is, 500 records in one partition."""
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1)
    lake.write(lake.names.events, 0, events(1)[0][:500])
    with workers(lake, tmp_path, 1) as (worker,):
        wait_until(lambda: lake.committed(lake.names.events) == [500], worker)
        yield lake, worker


def test_records_that_are_deleted_before_a_running_worker_has_read_them_end_it_with_what_to_do(
    at_work: tuple[LakeTopics, WorkerProcess],
) -> None:
    lake, worker = at_work
    worker.process.send_signal(signal.SIGSTOP)
    for first in range(500, 3000, 500):  # what is under way when it wakes is not all of them
        lake.write(lake.names.events, 0, events(1)[0][first : first + 500])
    lake.delete_before(0, 2900)
    worker.process.send_signal(signal.SIGCONT)
    assert worker.process.wait(PATIENCE) == REFUSED
    (said,) = worker.said("refused")
    assert "were deleted (retention) before they were counted" in said["error"]
    assert "put them back, or begin anew" in said["error"]
    assert said["page"]


def test_a_topic_that_is_deleted_and_made_again_under_a_running_worker_ends_it_with_what_to_do(
    at_work: tuple[LakeTopics, WorkerProcess],
) -> None:
    lake, worker = at_work
    lake.make_events_again()
    lake.write(lake.names.events, 0, events(1)[0][:100])
    assert worker.process.wait(PATIENCE) == REFUSED
    (said,) = worker.said("refused")
    assert "the topic was made again" in said["error"]
    assert said["page"]


def test_a_topic_that_is_deleted_under_a_running_worker_ends_it_though_the_group_gives_nobody_anything_of_it(
    at_work: tuple[LakeTopics, WorkerProcess],
) -> None:
    lake, worker = at_work
    lake.delete(lake.names.events)
    code = worker.process.wait(PATIENCE)
    ends = [*worker.said("failed"), *worker.said("refused")]
    assert worker.said_otherwise() == []
    logged = [(one["name"], one["text"]) for one in worker.said("library")]
    assert len(logged) == len(set(logged))
    assert code == (FAILED if worker.said("failed") else REFUSED)  # whoever notices first
    assert f"{lake.names.events}: there is no such topic; make it: `jiantu topics apply`" in ends[0]["error"]


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_a_worker_over_tls_with_and_without_a_password(
    protocol: str, secured_broker: SecuredBroker, topic_prefix: str, tmp_path: Path
) -> None:
    make_topics(secured_broker.bootstrap, topic_prefix, partitions=3, replay=True)
    group = f"jiantu-{topic_prefix}"
    lake = LakeTopics(BrokerSettings(brokers=secured_broker.bootstrap, topic_prefix=topic_prefix, group=group), 3)
    lake.write_recording()
    if protocol == "SSL":
        address, told = secured_broker.ssl, {"SECURITY_PROTOCOL": "SSL", "CA_FILE": str(secured_broker.ca)}
    else:
        address, told = secured_broker.sasl, {}
    variables = {f"JIANTU_KAFKA_{name}": value for name, value in told.items()}
    variables |= secured_broker.as_user("jiantu-worker") if protocol == "SASL_SSL" else {}
    worker = WorkerProcess(lake, tmp_path, "w0", brokers=address, variables=variables)
    try:
        wait_until(lambda: lake.log() == undisturbed().log, worker)
        assert worker.stop() == 0
    finally:
        worker.process.kill()
        worker.process.wait()


def test_a_group_that_a_user_may_not_take_part_in_is_told_with_what_to_do(
    secured_broker: SecuredBroker, topic_prefix: str, tmp_path: Path
) -> None:
    make_topics(secured_broker.bootstrap, topic_prefix, partitions=3, replay=True)
    lake = LakeTopics(BrokerSettings(brokers=secured_broker.sasl, topic_prefix=topic_prefix, group="other"), 3)
    worker = WorkerProcess(lake, tmp_path, "w0", variables=secured_broker.as_user("jiantu-worker"))
    assert worker.process.wait(PATIENCE) == REFUSED
    (said,) = worker.said("refused")
    assert "group other: this user may not take part in it; give it the ACL" in said["error"]
