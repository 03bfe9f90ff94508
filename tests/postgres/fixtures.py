"""One PostgreSQL for the whole test session, whichever worker asks first; an empty schema for every test."""

import fcntl
import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.postgres.server import Server

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The server of this run. It ends with the process that runs the whole suite, whatever becomes of that one."""
    folder, owner = tmp_path_factory.getbasetemp(), os.getpid()
    if hasattr(request.config, "workerinput"):  # of xdist: all workers' folders lie in the run's, their parent runs it
        folder, owner = folder.parent, os.getppid()
    note = folder / "postgres.json"
    with (folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            server = Server.started(owner)
            note.write_text(json.dumps({"folder": str(server.folder), "keeper": server.keeper, "pid": server.pid}))
        found = json.loads(note.read_text())
    return Server(Path(found["folder"]), found["keeper"], found["pid"])


@pytest.fixture
def new_schema(postgres_server: Server) -> Callable[[], str]:
    """Makes empty places for ledgers that are this test's own; their urls. They go with the server."""
    return lambda: postgres_server.schema(f"test_{os.getpid()}_{next(_numbers)}")


@pytest.fixture
def postgres(new_schema: Callable[[], str]) -> str:
    """The url of an empty place for a ledger that is this test's own."""
    return new_schema()
