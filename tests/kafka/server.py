"""A real broker of Apache Kafka: one node, KRaft, on this machine, on ports of its own.

    with Server(folder) as server:          # formatted, started, ready
        server.bootstrap                    # "127.0.0.1:21034"
        server.kill()                       # SIGKILL, as power fails
        server.start()                      # again, on the same data and the same ports

It ends with the process that started it, whatever becomes of that one (`keeper.py`).
"""

import base64
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy/kafka"
HOST = "127.0.0.1"
PATIENCE = 180.0
"""Seconds that a start may take on a busy machine."""
_STARTED = "Kafka Server started"
_TAKEN = "Address already in use"
_PORTS = range(10_000, 32_000)
"""Below those that the kernel gives to outgoing connections: nobody takes a port while its broker is down."""

Listener = Literal["PLAINTEXT", "SSL", "SASL_SSL"]


class NotStartedError(Exception):
    """The broker did not start, or ended by itself."""


@cache
def program() -> tuple[Path, Path]:
    """Java, and the folder of the jars: fetched where they are missing."""
    done = subprocess.run([DEPLOY / "fetch.sh"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotStartedError(done.stderr)
    java, jars = done.stdout.splitlines()
    return Path(java), Path(jars)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    chosen: list[int] = []
    while len(chosen) < count:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        if port not in chosen:
            chosen.append(port)
    return chosen


def _gone(process: int, timeout: float | None) -> bool:
    """Whether the process of this pidfd has ended, or does so in time (seconds)."""
    return bool(select.select([process], [], [], timeout)[0])


@dataclass(frozen=True, slots=True)
class Quorum:
    """The brokers, each its own controller, that are one cluster; `three.py` has some."""

    cluster: str
    """Its id."""
    controllers: Mapping[int, int]
    """Each node's port for the others' controllers."""
    node: int
    """Which of them a server is."""


def new_cluster_id() -> str:
    """An id for a cluster, as Kafka makes them."""
    return base64.urlsafe_b64encode(random.SystemRandom().randbytes(16)).rstrip(b"=").decode()


class Server:
    """One broker on one data folder. Made, it does nothing; `start` formats the folder where it is new, and waits."""

    def __init__(
        self,
        folder: Path,
        *,
        listeners: Sequence[Listener] = ("PLAINTEXT",),
        settings: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        jvm: Sequence[str] = ("-Xms96m", "-Xmx384m", "-XX:TieredStopAtLevel=1"),
        owner: int | None = None,
        remove: bool = False,
        quorum: Quorum | None = None,
    ) -> None:
        """`settings` are server.properties' own. `quorum`: which of several it is; else it is alone.

        `users` (name: password) are known to SCRAM-SHA-512 from the start.
        `owner` is the process with which the broker ends (this one); with `remove` its folder goes too.
        A benchmark gives a `jvm` without the limit on its compiler.
        """
        self.folder = folder
        self.listeners = tuple(listeners)
        self._settings = dict(settings or {})
        self._users = dict(users or {})
        self._jvm = tuple(jvm)
        self._owner = owner or os.getpid()
        self._remove = remove
        self._quorum = quorum
        self._ports: dict[str, int] = {}
        self._keeper: int | None = None
        self.pid: int | None = None
        """The broker's process, while it runs."""

    # ---- addresses -----------------------------------------------------------------------------------------------

    def address(self, listener: Listener = "PLAINTEXT") -> str:
        """Host and port of a listener; known from the first start on, and the same ever after."""
        return f"{HOST}:{self._ports[listener]}"

    @property
    def bootstrap(self) -> str:
        """The address without TLS and passwords."""
        return self.address()

    @property
    def log(self) -> Path:
        """Everything that the broker said."""
        return self.folder / "broker.log"

    # ---- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, and wait until it takes requests. Raises NotStartedError."""
        assert self.pid is None, "it is running"
        first = not self._ports
        for attempt in range(5):
            if first:
                self._settle()
            try:
                self._run()
                return
            except NotStartedError as error:
                if not first or _TAKEN not in str(error) or attempt == 4:
                    raise

    def stop(self) -> None:
        """Ask it to end (SIGTERM), as a rolling restart does; kill it where it takes more than 30 seconds."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as power fails (SIGKILL)."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop, then start on the same data and the same ports."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop its clock (SIGSTOP): connections stay open, nothing is answered."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGCONT)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._keeper is not None and not _gone(self._keeper, 0)

    def wait(self) -> None:
        """Until it ends, whoever ends it."""
        assert self._keeper is not None
        _gone(self._keeper, None)

    def last_words(self, since: int = 0) -> str:
        """The end of what it said, from this byte of its log on."""
        return "\n".join(self._said(since).splitlines()[-25:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    # ---- how -----------------------------------------------------------------------------------------------------

    def _end(self, how: signal.Signals) -> None:
        if self._keeper is None or self.pid is None:
            return
        try:
            if not _gone(self._keeper, 0):
                os.kill(self.pid, how)
                if how is not signal.SIGKILL and not _gone(self._keeper, 30):
                    os.kill(self.pid, signal.SIGKILL)
                assert _gone(self._keeper, 30), "the broker does not end"
        finally:
            os.close(self._keeper)
            self._keeper = self.pid = None

    def _settle(self) -> None:
        """Choose ports, write the settings, format the data folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports = dict(zip(self.listeners, free_ports(len(self.listeners)), strict=True))
        quorum = self._quorum or Quorum(new_cluster_id(), {1: free_ports(1)[0]}, 1)
        where = ",".join(f"{name}://{HOST}:{port}" for name, port in self._ports.items())
        given = {
            "@listeners@": f"{where},CONTROLLER://{HOST}:{quorum.controllers[quorum.node]}",
            "@advertised@": where,
            "@node@": str(quorum.node),
            "@voters@": ",".join(f"{node}@{HOST}:{port}" for node, port in quorum.controllers.items()),
            "@data@": str(self.folder / "data"),
            "@rebalance_delay_ms@": "0",
        }
        text = (DEPLOY / "server.properties").read_text()
        for name, value in given.items():
            text = text.replace(name, value)
        text += "".join(f"{name}={value}\n" for name, value in self._settings.items())
        self._properties.write_text(text)
        if (self.folder / "data").exists():
            return
        credentials = [f"--add-scram=SCRAM-SHA-512=[name={n},password={p}]" for n, p in self._users.items()]
        at = [f"--cluster-id={quorum.cluster}", f"--config={self._properties}"]
        done = subprocess.run(
            [*self._java("kafka.tools.StorageTool"), "format", *at, *credentials],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotStartedError(done.stdout)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _java(self, main: str) -> list[str]:
        java, jars = program()
        quiet = ["-XX:+UseSerialGC", "-Xshare:auto", "-Djava.awt.headless=true"]
        log = f"-Dlog4j2.configurationFile={DEPLOY / 'log4j2.properties'}"
        return [str(java), *self._jvm, *quiet, log, "-cp", f"{jars}/*", main]

    def _run(self) -> None:
        said_before = self.log.stat().st_size if self.log.exists() else 0
        options = ["--remove", str(self.folder)] if self._remove else []
        keeper = [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py"))]
        command = [*self._java("kafka.Kafka"), str(self._properties)]
        done = subprocess.run(
            [*keeper, str(self._owner), str(self.log), *options, "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        if not done.stdout:
            raise NotStartedError(f"the owner, process {self._owner}, is gone, or Java cannot be started")
        keeper_pid, self.pid = map(int, done.stdout.split())
        self._keeper = os.pidfd_open(keeper_pid)
        deadline = time.monotonic() + PATIENCE
        while True:
            ended = _gone(self._keeper, 0.05)
            if _STARTED in self._said(said_before):
                return
            if ended or time.monotonic() > deadline:
                self.kill()
                raise NotStartedError(self.last_words(said_before))

    def _said(self, since: int) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(since)
                return log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
