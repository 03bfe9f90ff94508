"""Pagers of tests: settings in a folder, notifications as Alertmanager sends them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streams.clock import Clock
from streams.ledger.place import Where
from streams.paging.pager import Pager, Secrets
from streams.paging.settings import PagingSettings, read_paging
from streams.profile import Profile
from tests.paging.receiver import Receiver
from tests.paging.samples import alert_id

TOKEN = "alertmanager-shows-this-0123456789"
FILE = """
console_url: https://console.example
webhook_token: {file: token}
link_key: {file: key}
channels:
  robot: {url: {file: robot}, a_minute: 600}
  lead: {url: {file: lead}, a_minute: 600}
routes:
  critical: [{channels: [robot, lead]}]
  warning: [{channels: [robot]}, {after: 10, channels: [lead]}]
  service: [{channels: [robot]}, {after: 20, channels: [lead]}]
"""


def settings_in(folder: Path, robot: Receiver, text: str = FILE) -> PagingSettings:
    """Settings and their secrets, written and read."""
    secrets = {"token": TOKEN, "key": "k" * 32, "robot": robot.url, "lead": robot.url.replace("robot", "lead")}
    for name, secret in secrets.items():
        (folder / name).write_text(f"{secret}\n")
    (folder / "paging.yaml").write_text(text)
    return read_paging(folder / "paging.yaml")


def quiet(_event: str, /, **_facts: object) -> None:
    """Says nothing."""


def new_pager(where: Where, profile: Profile, settings: PagingSettings, clock: Clock) -> Pager:
    """A pager that is not entered, with its ledger opened if there is one: nothing is told until it is entered."""
    made = Pager(where, lambda: profile, settings, Secrets.read(settings), clock, quiet)
    made.ready()
    return made


def anomaly(number: int, status: str = "firing", **labels: str) -> dict[str, Any]:
    """An alert of the ledger, as Prometheus knows it."""
    known = {
        "alertname": "JiantuAlertOpen",
        "kind": "anomaly",
        "alert": alert_id(number),
        "county": "511102",
        "category": "city_order",
        "severity": "warning",
        "replayed": "false",
    }
    return one(status, {**known, **labels})


def one(status: str, labels: Mapping[str, str], starts_at: str = "2026-03-02T04:00:00Z", **said: str) -> dict[str, Any]:
    """One alert of a notification."""
    return {
        "status": status,
        "labels": dict(labels),
        "annotations": {"summary": "摘要", "summary_en": "summary", **said},
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus",
        "fingerprint": "-".join(labels.values()),
    }


def notification(*alerts: Mapping[str, Any], **more: Any) -> bytes:
    """What Alertmanager posts."""
    document = {
        "version": "4",
        "groupKey": '{}:{county="511102"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "paging",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "",
        "alerts": list(alerts),
    }
    return json.dumps({**document, **more}).encode()
