"""The server that tests speak to is a real one, is shared, and leaves nothing behind."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.postgres.server import Server

OWNER = """
import sys
from tests.postgres.server import Server
print(Server.started().folder, flush=True)
sys.stdin.read()
"""


def test_a_schema_is_empty_and_speaks_utf8(postgres: str) -> None:
    with psycopg.connect(postgres) as db:
        tables = db.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchone()
        encoding = db.execute("SHOW server_encoding").fetchone()
    assert (tables, encoding) == ((0,), ("UTF8",))


def test_it_is_one_server_for_all(postgres_server: Server) -> None:
    assert Path(f"/proc/{postgres_server.pid}").exists()
    assert postgres_server.folder.exists()


def test_it_goes_with_its_owner_however_that_ends() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        assert (folder / "data/PG_VERSION").exists()
        owner.kill()
    until = time.monotonic() + 120
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not folder.exists()
