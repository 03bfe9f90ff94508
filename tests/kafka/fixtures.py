"""The broker that all tests of a run share, for the tests of any folder.

Started by the first test that asks, in whichever xdist worker; found by the others through a file. Its owner is the
process that runs the whole suite: with that, it ends. Tests keep apart by the prefix of their topics and groups.
"""

import fcntl
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streams.broker.names import Topics
from tests.kafka.secured import SecuredBroker, secured_server
from tests.kafka.server import HOST, Server, free_ports

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class SharedBroker:
    """The running broker: PLAINTEXT, no passwords, everything allowed, no topic made by itself."""

    bootstrap: str
    """Host and port."""
    pid: int
    folder: Path

    @property
    def log(self) -> Path:
        """Everything that it said."""
        return self.folder / "broker.log"


def shared_broker(run: Path, owner: int) -> SharedBroker:
    """The broker of the run that keeps its temporary files in `run`; started where it is not."""
    said = _shared(run, "broker", lambda folder: Server(folder, owner=owner, remove=True))
    return SharedBroker(said["PLAINTEXT"], said["pid"], Path(said["folder"]))


def _shared(run: Path, name: str, make: Callable[[Path], Server]) -> dict[str, Any]:
    """Addresses, process and folder of the server that the run has under this name."""
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = run / f"{name}.json"
        if not found.exists():
            server = make(run / f"{name}-{os.getpid()}")
            server.start()
            addresses = {one: server.address(one) for one in server.listeners}
            found.write_text(json.dumps({**addresses, "pid": server.pid, "folder": str(server.folder)}))
        said: dict[str, Any] = json.loads(found.read_text())
    return said


def _run_of(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The folder of the whole run, and the process that it is."""
    base = factory.getbasetemp()
    if hasattr(request.config, "workerinput"):  # of xdist: all workers' folders lie in the run's, their parent runs it
        return base.parent, os.getppid()
    return base, os.getpid()


@pytest.fixture(scope="session")
def kafka_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SharedBroker:
    """The run's broker."""
    return shared_broker(*_run_of(request, tmp_path_factory))


@pytest.fixture(scope="session")
def secured_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SecuredBroker:
    """The run's other broker, which asks who one is."""
    run, owner = _run_of(request, tmp_path_factory)
    said = _shared(run, "secured", lambda folder: secured_server(folder, owner))
    return SecuredBroker(said["PLAINTEXT"], said["SSL"], said["SASL_SSL"], said["pid"], Path(said["folder"]))


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> str:
    """A prefix of names that no other test of the run has, nor this one when it is run again."""
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8]
    return f"t{digest}-{os.getpid()}-{next(_numbers)}."


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Server]:
    """A broker for one test alone, to kill, freeze and restart; running."""
    with Server(tmp_path / "own-broker") as server:
        yield server


def unreachable() -> str:
    """An address of this machine where nobody listens."""
    return f"{HOST}:{free_ports(1)[0]}"


def make_topics(bootstrap: str, prefix: str, *, partitions: int | None = None, replay: bool = False) -> Topics:
    """The topics as `jiantu topics apply` makes them, on a broker that is alone."""
    from streams.broker.administration import Administration
    from streams.broker.plan import Planner
    from streams.broker.settings import BrokerSettings
    from streams.broker.topics_file import read_topics_file

    settings = BrokerSettings(brokers=bootstrap, topic_prefix=prefix)
    file = read_topics_file().changed(replication=1, partitions=partitions)
    with Administration(settings) as broker:
        planner = Planner(broker, settings, file, replay=replay)
        planner.apply(planner.plan())
    return Topics(prefix)
