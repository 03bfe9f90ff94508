"""The broker that all tests of a run share, for the tests of any folder.

Started by the first test that asks, in whichever xdist worker; found by the others through a file. Its owner is the
process that runs the whole suite: with that, it ends. Tests keep apart by the prefix of their topics and groups.
"""

import fcntl
import hashlib
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kafka.server import HOST, Server

_FOUND = "broker.json"
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
    with (run / "broker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = run / _FOUND
        if not found.exists():
            server = Server(run / f"broker-{os.getpid()}", owner=owner, remove=True)
            server.start()
            found.write_text(
                json.dumps({"bootstrap": server.bootstrap, "pid": server.pid, "folder": str(server.folder)})
            )
        said = json.loads(found.read_text())
    return SharedBroker(said["bootstrap"], said["pid"], Path(said["folder"]))


@pytest.fixture(scope="session")
def kafka_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SharedBroker:
    """The run's broker."""
    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):  # of xdist: all workers' folders lie in the run's, their parent runs it
        return shared_broker(base.parent, os.getppid())
    return shared_broker(base, os.getpid())


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
    from tests.kafka.server import free_ports

    return f"{HOST}:{free_ports(1)[0]}"
