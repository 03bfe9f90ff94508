"""The whole way of a page, of real parts: exporter, Prometheus, Alertmanager, `jiantu paging`, a web server as robot.

The settings are those of `deploy/`, with addresses of this machine. Time is scaled: a minute of theirs is a second or
two, an hour a minute, and what they say in seconds is one second; `make soak` runs them as they are.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.paging.processes import Process
from tests.paging.receiver import Receiver, receiving
from tests.prometheus.server import Alertmanager, Prometheus

DEPLOY = Path(__file__).parents[2] / "deploy"
TOKEN = "alertmanager-shows-this-0123456789"
DEADMAN_TOKEN = "the-dead-man-asks-for-this-0123456789"
CONSOLE = "https://console.example"

PAGING = """
console_url: {console}
webhook_token: {{file: paging_token}}
link_key: {{file: link_key}}
channels:
  robot: {{url: {{file: robot_url}}, a_minute: 600}}
  lead: {{url: {{file: lead_url}}, a_minute: 600}}
routes:
  critical: [{{channels: [robot]}}, {{after: {after}, channels: [lead]}}]
  warning: [{{channels: [robot]}}, {{after: {after}, channels: [lead]}}]
  service: [{{channels: [robot]}}]
retry: {{first: {first}, longest: {longest}}}
heartbeat: {{url: "http://{deadman}/v1/alive/pager", token: {{file: deadman_token}}, every: {every}}}
"""
DEADMAN = """
webhook_token: {{file: deadman_token}}
expect: [watchdog, pager]
silence: {silence}
again: 600
channels:
  phone: {{url: {{file: phone_url}}, a_minute: 600}}
"""


@dataclass(frozen=True)
class Pace:
    """How fast time goes."""

    scaled: bool
    """Whether a minute takes less than a minute."""
    minute: float = 60
    """Seconds that a minute takes."""
    silence: float = 600
    """Seconds of silence that the dead man bears."""
    escalate: float = 1e4
    """Minutes until the next level is told."""

    @property
    def outage(self) -> float:
        """Seconds that an outage of five minutes takes."""
        return 5 * self.minute

    def text(self, settings: str) -> str:
        """Settings of `deploy/` in this time."""
        if not self.scaled:
            return settings
        settings = re.sub(r"\b[1-9]\d*s\b", "1s", settings)
        settings = re.sub(r"\b(\d+)m\b", lambda found: f"{round(self.minute * int(found[1]))}s", settings)
        return re.sub(r"\b(\d+)h\b", r"\1m", settings)


class Chain:
    """Everything, on free ports; started one by one."""

    def __init__(
        self, folder: Path, data: Path, profile: str | Path, robot: Receiver, phone: Receiver, pace: Pace
    ) -> None:
        """`data`: the ledger's folder. `robot` is told of alerts, `phone` by the dead man."""
        self.folder, self.data, self.pace = folder, data, pace
        self.exporter = Process(folder, "exporter", "exporter", "-d", data, "--profile", profile)
        secrets = {
            "paging_token": TOKEN,
            "deadman_token": DEADMAN_TOKEN,
            "link_key": "signs-links-0123456789-0123456789",
            "robot_url": robot.url,
            "lead_url": robot.url.replace("robot", "lead"),
            "phone_url": phone.url,
        }
        for name, secret in secrets.items():
            (folder / name).write_text(secret)
        (folder / "deadman.yaml").write_text(DEADMAN.format(silence=pace.silence / 60))
        self.deadman = Process(folder, "deadman", "deadman", "-d", folder / "deadman", "-c", folder / "deadman.yaml")
        first, longest, every = (0.5, 1, 0.5) if pace.scaled else (5, 60, 30)
        settings = PAGING.format(
            console=CONSOLE,
            after=pace.escalate,
            first=first,
            longest=longest,
            every=every,
            deadman=self.deadman.address,
        )
        (folder / "paging.yaml").write_text(settings)
        self.pager = Process(
            folder, "paging", "paging", "-d", data, "-c", folder / "paging.yaml", "--profile", profile, ready="/readyz"
        )
        self.alertmanager = Alertmanager(folder / "alertmanager", self._alertmanager())
        resend = ("--rules.alert.resend-delay=1s",) if pace.scaled else ()  # of its own accord once a minute
        self.prometheus = Prometheus(folder / "prometheus", self._prometheus(), options=resend)
        rules = folder / "prometheus/rules"
        rules.mkdir()
        for path in (DEPLOY / "prometheus/rules").glob("*.yaml"):
            text = pace.text(path.read_text())
            (rules / path.name).write_text(text.replace("6 * 3600", "1e10"))  # the samples are of another year

    def _alertmanager(self) -> str:
        text = self.pace.text((DEPLOY / "alertmanager/alertmanager.yml").read_text())
        for there, here in (
            ("paging:9095", self.pager.address),
            ("deadman:9096", self.deadman.address),
            ("secrets/paging_token", str(self.folder / "paging_token")),
            ("secrets/deadman_token", str(self.folder / "deadman_token")),
        ):
            assert there in text
            text = text.replace(there, here)
        return text

    def _prometheus(self) -> str:
        text = self.pace.text((DEPLOY / "prometheus/prometheus.yml").read_text())
        for there, here in (
            (r"exporter:\d+", self.exporter.address),
            (r"paging:\d+", self.pager.address),
            (r"alertmanager:\d+", self.alertmanager.address),
            (r'"run:\d+"', ""),
        ):
            text, changed = re.subn(there, here, text)
            assert changed == 1, there
        # A busy machine takes its time to answer.
        return text.replace("scrape_interval: 1s", "scrape_interval: 3s")


@contextmanager
def running(
    folder: Path, data: Path, pace: Pace, profile: str | Path = "leshan"
) -> Iterator[tuple[Chain, Receiver, Receiver]]:
    """A chain that runs, its robot and its dead man's phone."""
    with ExitStack() as stack:
        robot, phone = stack.enter_context(receiving()), stack.enter_context(receiving())
        folder.mkdir()
        chain = Chain(folder, data, profile, robot, phone, pace)
        processes = (chain.pager, chain.deadman, chain.exporter)
        for part in processes:
            stack.enter_context(part)
        for part in processes:
            part.wait()
        for server in (chain.alertmanager, chain.prometheus):
            stack.callback(server.kill)
            server.start()
        yield chain, robot, phone
