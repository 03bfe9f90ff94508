"""A real Prometheus, a real Alertmanager: each on a port and a data folder of its own, on this machine.

    with Prometheus(folder, text_of_prometheus_yml) as prometheus:      # started, ready
        prometheus.query("up")                  # [({"job": "jiantu", ...}, 1.0)]
        prometheus.kill()                       # SIGKILL, as power fails
        prometheus.start()                      # again, on the same data and the same port

They end with the process that started them, whatever becomes of that one (`tests/kafka/keeper.py`).
"""

import os
import select
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.kafka.server import HOST, free_ports
from tests.prometheus.programs import program, working_directory

KEEPER = Path(__file__).parents[1] / "kafka/keeper.py"
PATIENCE = 60.0
"""Seconds that a start may take on a busy machine."""

Sample = tuple[Mapping[str, str], float]
"""Labels, without the metric's name, and a value."""


class NotStartedError(Exception):
    """A server did not start, or ended by itself; what it said."""


def _gone(process: int, timeout: float | None) -> bool:
    return bool(select.select([process], [], [], timeout)[0])


class Daemon(ABC):
    """One server on one folder. Made, it does nothing; `start` starts it and waits until it answers."""

    name: str

    def __init__(self, folder: Path, settings: str, *, owner: int | None = None, options: Sequence[str] = ()) -> None:
        """`settings`: the text of its YAML file; paths in it are relative to `folder`.

        `owner` is the process with which the server ends (this one); `options` are more words of its command line.
        """
        self.folder = folder
        self.port = free_ports(1)[0]
        self._owner = owner or os.getpid()
        self._options = tuple(options)
        self._client: httpx.Client | None = None
        self._keeper: int | None = None
        self.pid: int | None = None
        """The server's process, while it runs."""
        folder.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(settings)

    @property
    def address(self) -> str:
        """Host and port: known before it is started, and the same ever after."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}"

    @property
    def settings(self) -> Path:
        """Its YAML file."""
        return self.folder / f"{self.name}.yml"

    @property
    def log(self) -> Path:
        """Everything that it said."""
        return self.folder / f"{self.name}.log"

    @abstractmethod
    def command(self) -> list[str]:
        """How it is started."""

    # ---- life ----

    def start(self) -> None:
        """Start it, and wait until it answers. Raises NotStartedError."""
        assert self.pid is None, "it is running"
        keeper = [sys.executable, "-I", "-S", str(KEEPER), str(self._owner), str(self.log), "--"]
        said = subprocess.run(
            [*keeper, *self.command(), *self._options],
            cwd=working_directory(self.name) or self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        if not said.stdout:
            raise NotStartedError(f"the owner, process {self._owner}, is gone")
        keeper_pid, self.pid = map(int, said.stdout.split())
        self._keeper = os.pidfd_open(keeper_pid)
        until = time.monotonic() + PATIENCE
        while not self._ready():
            if _gone(self._keeper, 0.05) or time.monotonic() > until:
                words = "\n".join(self.log.read_text().splitlines()[-20:])
                self.kill()
                raise NotStartedError(f"{self.name} did not start\n{words}")

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and wait."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as power fails (SIGKILL)."""
        self._end(signal.SIGKILL)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._keeper is not None and not _gone(self._keeper, 0)

    def reload(self, settings: str | None = None) -> None:
        """Read the settings anew, other ones where they are given."""
        if settings is not None:
            self.settings.write_text(settings)
        self._connection().post("/-/reload").raise_for_status()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def _ready(self) -> bool:
        try:
            return self._connection().get("/-/ready", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _connection(self) -> httpx.Client:
        """One for one life of the server: a test asks hundreds of things."""
        if self._client is None:
            self._client = httpx.Client(base_url=self.url, timeout=60)
        return self._client

    def _end(self, how: signal.Signals) -> None:
        if self._keeper is None or self.pid is None:
            return
        try:
            if not _gone(self._keeper, 0):
                os.kill(self.pid, how)
                if how is not signal.SIGKILL and not _gone(self._keeper, 30):
                    os.kill(self.pid, signal.SIGKILL)
                assert _gone(self._keeper, 30), f"{self.name} does not end"
        finally:
            os.close(self._keeper)
            self._keeper = self.pid = None
            if self._client is not None:
                self._client.close()
                self._client = None

    def _got(self, path: str, **parameters: str | float) -> Any:
        answer = self._connection().get(path, params=parameters)
        assert answer.is_success, answer.text
        return answer.json()


class Prometheus(Daemon):
    """One Prometheus. Its data stay for good, however old: what was backfilled is not let go."""

    name = "prometheus"

    @property
    def data(self) -> Path:
        """Its TSDB: blocks of a backfill go here before it is started."""
        return self.folder / "data"

    def command(self) -> list[str]:
        """As Debian starts it, with limits for a test."""
        return [
            str(program("prometheus")),
            f"--config.file={self.settings}",
            f"--storage.tsdb.path={self.data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={self.address}",
            "--web.enable-lifecycle",
            "--web.enable-admin-api",
        ]

    def query(self, promql: str, at: float | None = None) -> list[Sample]:
        """What an instant query gives, now or at a Unix time: a vector (a scalar is one sample without labels)."""
        found = self._got("/api/v1/query", query=promql, **({} if at is None else {"time": at}))["data"]
        if found["resultType"] == "scalar":
            return [({}, float(found["result"][1]))]
        return [(_labels(one["metric"]), float(one["value"][1])) for one in found["result"]]

    def query_range(self, promql: str, start: float, end: float, step: float) -> list[tuple[Mapping[str, str], int]]:
        """What a range query gives: labels, and how many points each series has."""
        found = self._got("/api/v1/query_range", query=promql, start=start, end=end, step=step)["data"]["result"]
        return [(_labels(one["metric"]), len(one["values"])) for one in found]

    def alerts(self) -> list[Mapping[str, Any]]:
        """Pending and firing alerts."""
        found: list[Mapping[str, Any]] = self._got("/api/v1/alerts")["data"]["alerts"]
        return found

    def targets(self) -> list[Mapping[str, Any]]:
        """What it scrapes, and how that went."""
        found: list[Mapping[str, Any]] = self._got("/api/v1/targets")["data"]["activeTargets"]
        return found


class Alertmanager(Daemon):
    """One Alertmanager, alone: without the gossip of a cluster."""

    name = "alertmanager"

    def command(self) -> list[str]:
        """As Debian starts it."""
        return [
            str(program("alertmanager")),
            f"--config.file={self.settings}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
        ]

    def alerts(self) -> list[Mapping[str, Any]]:
        """Alerts that it knows, with their state: active, suppressed (inhibited, silenced), unprocessed."""
        found: list[Mapping[str, Any]] = self._got("/api/v2/alerts")
        return found


def _labels(metric: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in metric.items() if name != "__name__"}
