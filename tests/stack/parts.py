"""All of jiantu on this machine, of real parts: service, exporter, Prometheus, Alertmanager, pager, dead man.

The settings are those of `deploy/`, with addresses of this machine. In place of a robot stands a web server that
writes what staff would be told into a file.
"""

import json
import re
import secrets
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from streams.clock import Stopwatch, WallClock, pause
from streams.core.instant import DAY, MINUTE, SECOND, Instant, format_instant
from streams.ledger.reader import LedgerReader
from tests.cli.commands import command, environment
from tests.paging.processes import Process
from tests.paging.receiver import Receiver, receiving
from tests.prometheus.server import Alertmanager, Prometheus

DEPLOY = Path(__file__).parents[2] / "deploy"
PAGING = """
console_url: {console}
webhook_token: {{file: paging_token}}
link_key: {{file: link_key}}
channels: {{robot: {{url: {{file: robot_url}}, a_minute: 600}}}}
routes:
  critical: [{{channels: [robot]}}]
  warning: [{{channels: [robot]}}]
  service: [{{channels: [robot]}}]
heartbeat: {{url: "http://{deadman}/v1/alive/pager", token: {{file: deadman_token}}}}
"""
DEADMAN = """
webhook_token: {file: deadman_token}
expect: [watchdog, pager]
silence: 5
again: 60
channels: {robot: {url: {file: robot_url}, a_minute: 600}}
"""
_PATIENCE = 20 * MINUTE
_MARGIN = 6 * DAY


@dataclass(frozen=True)
class Feed:
    """What is fed to it: a simulated city, its past at once, then on from there so many times faster than time."""

    history: int = 90
    """Days."""
    ahead: int = 30
    """Days."""
    scale: float = 0.3
    """Of the city's volume."""
    speed: int = 600
    seed: int = 7


@dataclass
class Stack:
    """Started by `with`; everything ends with it."""

    folder: Path
    feed: Feed
    say: Callable[[str], None]
    _ends: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def data(self) -> Path:
        """The service's data directory."""
        return self.folder / "data"

    @property
    def pages(self) -> Path:
        """What staff would have been told."""
        return self.folder / "pages.log"

    def addresses(self) -> dict[str, str]:
        """What answers where."""
        return {
            "实时服务 service": self.service.url,
            "指标 exporter": f"{self.exporter.url}/metrics",
            "Prometheus": self.prometheus.url,
            "Alertmanager": self.alertmanager.url,
            "寻呼 pager": self.pager.url,
            "寻呼记录 pages": str(self.pages),
            "数据目录 data": str(self.data),
            "令牌 token": str(self.folder / "token"),
        }

    def feeding(self) -> bool:
        """Whether the feed still runs."""
        return self._sender.poll() is None

    # ---- in the order in which they need one another ----

    def _start(self) -> None:
        recording = self._simulated()
        self.data.mkdir()
        token = json.loads(_said("token", "create", "-d", self.data, "--name", "stack", "--scope", "ingest", "--json"))
        secret = str(token["token"])
        _write_secret(self.folder / "token", secret)
        self.service = self._process(
            "run", "run", "-p", "leshan", "-d", self.data, "--clock", "stream", "--page-replayed", ready="/healthz"
        )
        self.service.wait()
        self._send_the_past(recording, secret)
        robot = self._ends.enter_context(receiving())
        self._pagers(robot)
        self.exporter = self._process(
            "exporter", "exporter", "-d", self.data, "-p", "leshan", JIANTU_CONSOLE_URL=self.pager.url
        )
        self.alertmanager = Alertmanager(self.folder / "alertmanager", self._alertmanager_settings())
        self.prometheus = Prometheus(self.folder / "prometheus", self._prometheus_settings())
        (self.folder / "prometheus/rules").symlink_to(DEPLOY / "prometheus/rules")
        for part in (self.pager, self.deadman, self.exporter):
            part.wait()
        for server in (self.alertmanager, self.prometheus):
            self._ends.callback(server.kill)
            server.start()
        self.say(f"以 {self.feed.speed} 倍速接着送  on from there, {self.feed.speed} times as fast as time")
        self._sender = self._sending(recording, secret, f"{self.feed.speed}x")

    def _simulated(self) -> Path:
        recording = self.folder / "recording.jsonl.zst"
        days = self.feed.history + self.feed.ahead
        start = WallClock().now() - (self.feed.history - 1) * DAY
        self.say(f"模拟 {days} 天  simulating {days} days of Leshan, the past of {self.feed.history} days among them")
        _said(
            *("simulate", "-p", "leshan", "--days", days, "--scale", self.feed.scale, "--seed", self.feed.seed),
            *("--start", format_instant(start)[:10], "-o", recording, "--labels", self.folder / "labels.jsonl"),
        )
        return recording

    def _send_the_past(self, recording: Path, secret: str) -> None:
        """As fast as the service takes it in, up to now; the next sender goes on where this one is stopped."""
        self.say("补上过去  catching up with the past")
        # What is on its way when the sender is stopped is still taken in: days of it, at that speed.
        now, waited = WallClock().now() - _MARGIN, Stopwatch()
        sender = self._sending(recording, secret, "max")
        while sender.poll() is None and self._reached() < now:
            assert waited.elapsed() < _PATIENCE, (self.folder / "send.log").read_text()
            pause(SECOND // 5)
        if sender.poll() is None:
            sender.send_signal(signal.SIGINT)
        sender.wait(60)

    def _reached(self) -> Instant:
        with LedgerReader(self.data) as ledger:
            progress = ledger.progress()
        return 0 if progress is None or progress.watermark is None else progress.watermark

    def _sending(self, recording: Path, secret: str, speed: str) -> subprocess.Popen[bytes]:
        words = ("send", recording, "--to", self.service.url, "--speed", speed, "--state", self.folder / "sent.json")
        with (self.folder / "send.log").open("ab") as log:
            sender = subprocess.Popen(
                command(*words),
                env=environment(JIANTU_TOKEN=secret),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._ends.callback(_end, sender)
        return sender

    def _pagers(self, robot: Receiver) -> None:
        for name in ("paging_token", "deadman_token", "link_key"):
            _write_secret(self.folder / name, secrets.token_hex(32))
        _write_secret(self.folder / "robot_url", robot.url)
        ended = threading.Event()
        writer = threading.Thread(target=_keep_pages, args=(robot, self.pages, ended, self.say), daemon=True)
        writer.start()
        self._ends.callback(writer.join)
        self._ends.callback(ended.set)
        (self.folder / "deadman.yaml").write_text(DEADMAN)
        self.deadman = self._process(
            "deadman", "deadman", "-d", self.folder / "deadman", "-c", self.folder / "deadman.yaml"
        )
        words = ("paging", "-d", self.data, "-c", self.folder / "paging.yaml", "-p", "leshan")
        self.pager = Process(self.folder, "paging", *words)
        # The pager serves the acknowledge-links itself.
        settings = PAGING.format(console=self.pager.url, deadman=self.deadman.address)
        (self.folder / "paging.yaml").write_text(settings)
        self._ends.enter_context(self.pager)

    def _process(self, name: str, *words: object, ready: str = "/healthz", **variables: str) -> Process:
        part = Process(self.folder, name, *words, ready=ready, **variables)
        self._ends.enter_context(part)
        return part

    def _alertmanager_settings(self) -> str:
        return _replaced(
            (DEPLOY / "alertmanager/alertmanager.yml").read_text(),
            {
                r"paging:\d+": self.pager.address,
                r"deadman:\d+": self.deadman.address,
                r"secrets/paging_token": str(self.folder / "paging_token"),
                r"secrets/deadman_token": str(self.folder / "deadman_token"),
            },
        )

    def _prometheus_settings(self) -> str:
        return _replaced(
            (DEPLOY / "prometheus/prometheus.yml").read_text(),
            {
                r"exporter:\d+": self.exporter.address,
                r"run:\d+": self.service.address,
                r"paging:\d+": self.pager.address,
                r"alertmanager:\d+": self.alertmanager.address,
            },
        )


def _replaced(text: str, addresses: dict[str, str]) -> str:
    for there, here in addresses.items():
        text, changed = re.subn(rf"\b{there}\b", here, text)
        assert changed, there
    return text


def _said(*words: object) -> str:
    done = subprocess.run(command(*words), env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _write_secret(path: Path, secret: str) -> None:
    path.touch(0o600)
    path.write_text(secret)


def _end(sender: subprocess.Popen[bytes]) -> None:
    if sender.poll() is None:
        sender.terminate()
    sender.wait(60)


def _keep_pages(robot: Receiver, file: Path, ended: threading.Event, say: Callable[[str], None]) -> None:
    """Write what the robot was told, as it comes."""
    file.touch()
    written = 0
    while not ended.wait(0.5):
        for one in robot.taken[written:]:
            written += 1
            with file.open("a") as out:
                out.write(f"{one.text}\n\n")
            say(f"寻呼 page: {one.text.splitlines()[0]}")
