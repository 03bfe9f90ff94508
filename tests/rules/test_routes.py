"""Where Alertmanager sends what: amtool's own answers, and the real server for what holds what back."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.paging.receiver import receiving
from tests.prometheus.fixtures import NewAlertmanager
from tests.prometheus.programs import tool
from tests.prometheus.server import Alertmanager
from tests.rules.files import ALERTMANAGER

SETTINGS = ALERTMANAGER / "alertmanager.yml"
ROUTES = [
    ("paging", {"alertname": "JiantuAlertOpen", "kind": "anomaly", "severity": "critical", "replayed": "false"}),
    ("paging", {"alertname": "JiantuAlertOpen", "kind": "anomaly", "severity": "warning", "replayed": "false"}),
    ("nobody", {"alertname": "JiantuAlertOpen", "kind": "anomaly", "severity": "critical", "replayed": "true"}),
    ("nobody", {"alertname": "JiantuRestrictedAlertOpen", "kind": "restricted", "replayed": "true"}),
    ("paging", {"alertname": "JiantuRestrictedAlertOpen", "kind": "restricted", "replayed": "false"}),
    ("paging", {"alertname": "JiantuExporterAbsent", "kind": "pipeline", "severity": "critical"}),
    ("paging", {"alertname": "JiantuBudgetSpent", "kind": "service", "severity": "warning"}),
    ("deadman", {"alertname": "Watchdog", "kind": "watchdog", "severity": "none"}),
]


def test_amtool_accepts_it() -> None:
    said = tool("amtool", "check-config", SETTINGS)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize(
    ("receiver", "labels"), ROUTES, ids=lambda one: one if isinstance(one, str) else one["alertname"]
)
def test_who_is_told(receiver: str, labels: Mapping[str, str]) -> None:
    said = tool(
        "amtool", "config", "routes", "test", "--config.file", SETTINGS, *(f"{k}={v}" for k, v in labels.items())
    )
    assert said.stdout.strip() == receiver, said.stderr


# ---- what holds what back ----------------------------------------------------------------------------------------

ANOMALY = {"alertname": "JiantuAlertOpen", "kind": "anomaly", "replayed": "false"}
HELD_BACK: list[tuple[str, Mapping[str, str], Mapping[str, str], bool]] = [
    (
        "a warning, by a pipeline that is down",
        {"alertname": "JiantuStandsStill", "kind": "pipeline", "severity": "critical"},
        {**ANOMALY, "severity": "warning", "county": "511102", "category": "housing"},
        True,
    ),
    (
        "what is critical, by a pipeline that is down (threats to life go past Alertmanager: tests/paging/test_pager)",
        {"alertname": "JiantuStandsStill", "kind": "pipeline", "severity": "critical"},
        {**ANOMALY, "severity": "critical", "county": "511102", "category": "housing"},
        True,
    ),
    (
        "what is restricted, by a pipeline that is down",
        {"alertname": "JiantuStoppedForGood", "kind": "pipeline", "severity": "critical"},
        {"alertname": "JiantuRestrictedAlertOpen", "kind": "restricted", "severity": "warning", "replayed": "false"},
        True,
    ),
    (
        "nothing, by what is about jiantu and no pipeline that is down",
        {"alertname": "JiantuStalled", "kind": "service", "severity": "warning"},
        {**ANOMALY, "severity": "warning", "county": "511102", "category": "housing"},
        False,
    ),
    (
        "no pipeline that is down, by whatever is critical",
        {**ANOMALY, "severity": "critical", "county": "511102", "category": "housing"},
        {"alertname": "JiantuStandsStill", "kind": "pipeline", "severity": "critical"},
        False,
    ),
    (
        "a silent feed, by a pipeline that is down",
        {"alertname": "JiantuExporterAbsent", "kind": "pipeline", "severity": "critical"},
        {"alertname": "JiantuFeedSilent", "kind": "feed", "severity": "warning", "point": "hotline"},
        True,
    ),
    (
        "a warning, by what is critical of the same county and category",
        {**ANOMALY, "severity": "critical", "county": "511102", "category": "housing"},
        {**ANOMALY, "severity": "warning", "county": "511102", "category": "housing"},
        True,
    ),
    (
        "no warning of another county",
        {**ANOMALY, "severity": "critical", "county": "511102", "category": "housing"},
        {**ANOMALY, "severity": "warning", "county": "511111", "category": "housing"},
        False,
    ),
    (
        "no warning of another category",
        {**ANOMALY, "severity": "critical", "county": "511102", "category": "housing"},
        {**ANOMALY, "severity": "warning", "county": "511102", "category": "traffic"},
        False,
    ),
    (
        "nothing, by what was replayed",
        {**ANOMALY, "severity": "critical", "county": "511102", "category": "housing", "replayed": "true"},
        {**ANOMALY, "severity": "warning", "county": "511102", "category": "housing"},
        False,
    ),
]


def post(server: Alertmanager, *alerts: Mapping[str, str]) -> None:
    """As Prometheus does."""
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    httpx.post(
        f"{server.url}/api/v2/alerts", json=[{"labels": dict(one), "endsAt": until} for one in alerts], timeout=30
    ).raise_for_status()


def test_what_holds_what_back(new_alertmanager: NewAlertmanager) -> None:
    """Each case in a "case" of its own, so that one server does for all; inhibitions ask for it too."""
    text = SETTINGS.read_text().replace("    equal: [county, category]", "")
    for rule in ("target_matchers: [kind", "target_matchers: [alertname"):
        text = text.replace(f"    {rule}", f"    equal: [case]\n    {rule}")
    last = text.rindex("    equal: [case]")
    text = text[:last] + "    equal: [case, county, category]" + text[last + len("    equal: [case]") :]
    with receiving() as nobody:
        server = new_alertmanager(text.replace("http://paging:9095", f"http://127.0.0.1:{nobody.port}"))
        server.start()
        for number, (_, source, target, _) in enumerate(HELD_BACK):
            post(
                server,
                {**source, "case": str(number), "part": "source"},
                {**target, "case": str(number), "part": "target"},
            )
        until, found = time.monotonic() + 30, dict[int, bool]()
        while time.monotonic() < until:
            found = {
                int(one["labels"]["case"]): bool(one["status"]["inhibitedBy"])
                for one in server.alerts()
                if one["labels"]["part"] == "target" and one["status"]["state"] != "unprocessed"
            }
            if len(found) == len(HELD_BACK):
                break
            time.sleep(0.2)
    assert {HELD_BACK[number][0]: held for number, held in sorted(found.items())} == {
        name: held for name, _, _, held in HELD_BACK
    }
