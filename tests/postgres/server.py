"""A real PostgreSQL of our own: a cluster in a temporary folder, reached through a socket there, for one test session.

    server = Server.started()          # initdb, start, ready: 2 seconds
    server.url("postgres")             # "postgresql:///postgres?host=/tmp/jiantu-postgres-x&user=jiantu"
    server.schema("one_test")          # an empty schema, for a ledger of its own

It ends with the process that owns it, whatever becomes of that one (`tests/kafka/keeper.py`), and its folder goes
with it. It runs as nobody where the tests run as root: PostgreSQL refuses to run as root.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg

from tests.postgres.binaries import binaries, environment

KEEPER = Path(__file__).parents[1] / "kafka/keeper.py"
PATIENCE = 60.0
USER = "jiantu"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # the machine does not lose its power in a test; what a killed client left is what is tested
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "jit": "off",
    "timezone": "UTC",
}


class PostgresFailedError(Exception):
    """The server did not start; what it said."""


@dataclass(slots=True)
class Server:
    """One cluster. `keeper` is the process that ends it."""

    folder: Path
    keeper: int = 0
    pid: int = 0

    @classmethod
    def started(cls, owner: int | None = None) -> Self:
        """Make a cluster and start it; it ends with the process `owner` (this one). Raises PostgresFailedError."""
        server = cls(Path(tempfile.mkdtemp(prefix="jiantu-postgres-", dir="/tmp")))
        server._make()
        server.start(owner or os.getpid())
        return server

    def url(self, database: str) -> str:
        """How a ledger names one of its databases."""
        return f"postgresql:///{database}?host={self.folder}&user={USER}"

    def database(self, name: str, options: str = "") -> str:
        """Make an empty database; its url."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(f'CREATE DATABASE "{name}" {options}'.encode())
        return self.url(name)

    def schema(self, name: str) -> str:
        """Make an empty schema; its url. What a database takes a third of a second for is there in two milliseconds."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(f"CREATE SCHEMA {name}".encode())
        return self.url("postgres") + f"&options=-csearch_path%3D{name}"

    def start(self, owner: int) -> None:
        """Start it and wait until it answers. Raises PostgresFailedError."""
        log = self.folder / "log"
        programs = binaries()
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [
            *_not_as_root(),
            *(str(programs / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), *settings),
        ]
        keeper = [sys.executable, "-I", "-S", str(KEEPER), str(owner), str(log), "--remove", str(self.folder), "--"]
        said = subprocess.run(
            [*keeper, *command], stdout=subprocess.PIPE, text=True, check=True, env=environment(programs)
        )
        if not said.stdout:
            raise PostgresFailedError(f"the owner, process {owner}, is gone")
        self.keeper, self.pid = map(int, said.stdout.split())
        until = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > until or not Path(f"/proc/{self.pid}").exists():
                    raise PostgresFailedError(log.read_text() if log.exists() else str(error)) from error
                time.sleep(0.05)

    def stop(self) -> None:
        """End it, and wait for its folder to go."""
        os.kill(self.pid, signal.SIGINT)
        until = time.monotonic() + PATIENCE
        while self.folder.exists() and time.monotonic() < until:
            time.sleep(0.02)

    def _make(self) -> None:
        self.folder.chmod(0o755)
        programs = binaries()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        options = ["--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        made = subprocess.run(
            [*_not_as_root(), str(programs / "initdb"), "-D", str(self.folder / "data"), *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=environment(programs),
        )
        if made.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise PostgresFailedError(made.stdout + made.stderr)


def _not_as_root() -> list[str]:
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]
