"""A live service of Lake City: in a thread of this process, whose clock a test moves, or as a process to be killed."""

import io
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import zstandard

from streams.clock import FixedClock, Stopwatch, WallClock, pause
from streams.core.instant import DAY, SECOND, Instant, format_instant, parse_instant
from streams.ledger.tokens import Scope, TokenDesk
from streams.service.running import Running, open_service
from streams.service.settings import ServiceSettings
from streams.service.token_secret import new_secret
from streams.sources.inbox import FOLDER, segments
from tests.cli.commands import LAKE, command, environment
from tests.promises.lake import city_profile

START = parse_instant("2025-06-02T12:00:00-04:00")
"""When the service of a test is first started, unless it says otherwise."""
PROFILE = LAKE / "profile.yaml"
_LONG = 120 * SECOND


def event(number: int, at: Instant, **changes: object) -> dict[str, object]:
    """An event of Lake City; None takes a field away."""
    made: dict[str, object] = {
        "id": f"{number:032x}",
        "at": format_instant(at),
        "county": "c01",
        "point": "hotline",
        "category": "noise",
        "kind": "accepted",
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def new_token(data_dir: Path, *scopes: Scope, name: str = "", days: float | None = None) -> str:
    """A token, made as `jiantu token create` does."""
    secret = new_secret()
    with TokenDesk(data_dir, WallClock()) as desk:
        return desk.create(
            name or secret[:8], frozenset(scopes), "tests", secret, None if days is None else round(days * DAY)
        )


def kept_text(data_dir: Path) -> bytes:
    """Everything that the inbox holds, as text."""
    read = zstandard.ZstdDecompressor()
    found = [io.BytesIO(path.read_bytes()) for path, _ in segments(data_dir / FOLDER)]
    return b"".join(read.stream_reader(file, read_across_frames=True).read() for file in found)


@dataclass
class Living:
    """A service in a thread."""

    data_dir: Path
    clock: FixedClock
    running: Running
    client: httpx.Client
    """With a token to send."""
    reader: httpx.Client
    """With a token to read."""

    @property
    def url(self) -> str:
        """Where it is."""
        return self.running.url

    def post(self, content: object, **headers: str) -> httpx.Response:
        """Send something: bytes as they are, else as JSON."""
        if isinstance(content, bytes):
            return self.client.post("/v1/events", content=content, headers=dict(headers))
        return self.client.post("/v1/events", json=content, headers=dict(headers))

    def accounting(self) -> dict[str, int]:
        """Totals as the service says them."""
        response = self.reader.get("/v1/accounting")
        assert response.status_code == 200, response.text
        found: dict[str, int] = response.json()
        assert found["received"] == sum(found[name] for name in ("counted", "duplicate", "late", "rejected"))
        return found

    def move(self, by: int) -> None:
        """Let time pass, and wait until the service has told its stream."""
        self.clock.advance(by)
        every = round(self.running.service.settings.tick_seconds * SECOND)
        until(lambda: (self.running.service.writer.health.reached or 0) >= self.clock.now() // every * every)


@contextmanager
def living(data_dir: Path, *, at: Instant = START, **settings: object) -> Iterator[Living]:
    """A service that has recovered; told to stop at the end, which it must do in order."""
    chosen = ServiceSettings.model_validate({"listen": "127.0.0.1:0", "drain_seconds": 20, **settings})
    clock = FixedClock(at)
    failed: list[BaseException] = []
    tokens = [new_token(data_dir, scope) for scope in (Scope.INGEST, Scope.READ)]
    with open_service(city_profile(), data_dir, chosen, clock) as running:

        def run() -> None:
            try:
                running.run(lambda _health: None)
            except BaseException as error:  # noqa: BLE001 - raised by the thread that asked
                failed.append(error)

        thread = threading.Thread(target=run, name="service")
        thread.start()
        clients = [client(running.url, token) for token in tokens]
        try:
            until(lambda: running.service.writer.health.recovered or bool(failed))
            if not failed:
                yield Living(data_dir, clock, running, *clients)
        finally:
            for one in clients:
                one.close()
            running.server.end()
            thread.join()
        if failed:
            raise failed[0]


def client(url: str, token: str | None) -> httpx.Client:
    """Somebody with a token, or without."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    # Reading all authorities of the machine anew for each client, to speak plain HTTP, takes a tenth of a second.
    return httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False, verify=False)


def until(true: Any, within: int = _LONG) -> None:
    """Wait until something is so; a service that hangs fails the test in the end."""
    waited = Stopwatch()
    while not true():
        assert waited.elapsed() < within, "waited in vain"
        pause(SECOND // 20)


class Process:
    """`jiantu run` as a process of its own."""

    def __init__(self, data_dir: Path, *options: str, log: Path, wrap: tuple[str, ...] = (), port: int = 0) -> None:
        self.log = log
        arguments = ("run", "--profile", PROFILE, "--data-dir", data_dir, "--listen", f"127.0.0.1:{port}", *options)
        with log.open("ab") as out:
            self.popen = subprocess.Popen(
                [*wrap, *command(*arguments)], env=environment(COLUMNS="300"), stdout=out, stderr=out
            )
        self.url = ""

    def wait_ready(self) -> "Process":
        """Until it says where it listens, and is ready."""
        until(lambda: self._listens() or self.popen.poll() is not None)
        assert self._listens(), self.said
        self.url = re.findall(r"listening at (\S+),", self.said)[-1]
        until(self._is_ready)
        return self

    def _listens(self) -> bool:
        return len(re.findall(r"listening at (\S+),", self.said)) > 0

    def _is_ready(self) -> bool:
        assert self.popen.poll() is None, self.said
        try:
            with client(self.url, None) as nobody:
                return nobody.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def said(self) -> str:
        """Everything on its stdout and stderr."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """As a power cut does."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def stop(self) -> int:
        """As systemd does, which kills what has not ended in time; its exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout=_LONG // SECOND)


@contextmanager
def process(data_dir: Path, *options: str, log: Path, wrap: tuple[str, ...] = ()) -> Iterator[Process]:
    """A process that is ready, and is gone at the end however that comes."""
    made = Process(data_dir, *options, log=log, wrap=wrap)
    try:
        yield made.wait_ready()
    finally:
        if made.popen.poll() is None:
            made.kill()
