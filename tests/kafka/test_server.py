"""The broker that the other tests rely on: it is real, it is shared, and it never outlives its owner."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from tests.kafka.fixtures import SharedBroker, shared_broker
from tests.kafka.server import REPOSITORY, Server


def ends(pid: int, within: float = 20) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], within)[0])
    finally:
        os.close(process)


def test_what_is_sent_is_read(kafka_broker: SharedBroker, topic_prefix: str) -> None:
    topic = f"{topic_prefix}there-and-back"
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka_broker.bootstrap)
    producer.send(topic, b"one").get(20)
    producer.close()
    consumer = KafkaConsumer(
        topic, bootstrap_servers=kafka_broker.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    assert next(consumer).value == b"one"
    consumer.close()


def test_one_broker_a_run(kafka_broker: SharedBroker, tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    assert shared_broker(run, os.getpid()) == kafka_broker


def test_killed_it_comes_back_with_what_it_acknowledged(own_broker: Server) -> None:
    admin = KafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
    admin.create_topics([NewTopic("kept", 1, 1)])
    admin.close()
    own_broker.kill()
    assert not own_broker.running
    own_broker.start()
    admin = KafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
    assert "kept" in admin.list_topics()
    admin.close()


OWNER = """
import os, sys, time
from pathlib import Path
from tests.kafka.server import Server
server = Server(Path(sys.argv[1]), remove=True)
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_with_its_owner_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    owner = subprocess.Popen([sys.executable, "-c", OWNER, folder], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    broker = int(owner.stdout.readline())
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    assert ends(broker)
    waited = 0
    while folder.exists() and waited < 200:
        waited += 1
        select.select([], [], [], 0.05)
    assert not folder.exists()
