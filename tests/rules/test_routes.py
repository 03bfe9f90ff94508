"""Where Alertmanager sends what: amtool's own answers, and the real server for what holds what back."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.paging.receiver import receiving
from tests.prometheus.fixtures import NewAlertmanager
from tests.prometheus.programs import tool
from tests.prometheus.server import Alertmanager
from tests.rules.files import ALERTMANAGER, read

SETTINGS = ALERTMANAGER / "alertmanager.yml"
ANOMALY = {"alertname": "JiantuAlertOpen", "kind": "anomaly", "replayed": "false"}
ROUTES = [
    ("paging", {**ANOMALY, "severity": "critical"}),
    ("paging", {**ANOMALY, "severity": "warning"}),
    ("nobody", {**ANOMALY, "severity": "critical", "replayed": "true"}),
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


def test_alerts_of_a_county_wait_seconds_for_others_of_the_same_county() -> None:
    """A page is due within a minute of its alert: scraping, rules and the pager take the rest of it."""
    tree = read(SETTINGS)["route"]
    waits = {"critical": 0, "warning": 0}
    for severity in waits:
        route = next(one for one in tree["routes"] if matches(one["matchers"], {**ANOMALY, "severity": severity}))
        waits[severity] = int(route["group_wait"].removesuffix("s"))
        assert {"county", "severity"} <= set(route["group_by"])
    assert waits["critical"] < waits["warning"] <= 15


def matches(matchers: Sequence[str], labels: Mapping[str, str]) -> bool:
    """Whether a route is for an alert."""
    parts = [re.fullmatch(r'(\w+)(=~|=)"(.*)"', one) for one in matchers]
    return all(part is not None and re.fullmatch(part[3], labels.get(part[1], "")) for part in parts)


# ---- what holds what back ----------------------------------------------------------------------------------------

WARNING = {**ANOMALY, "severity": "warning", "county": "511102", "category": "housing"}
CRITICAL = {**WARNING, "severity": "critical"}
STANDS_STILL = {"alertname": "JiantuStandsStill", "kind": "pipeline", "severity": "critical"}
HELD_BACK: list[tuple[str, Mapping[str, str], Mapping[str, str], bool]] = [
    ("a warning, by a pipeline that is down", STANDS_STILL, WARNING, True),
    (
        "what is critical, by a pipeline that is down (threats to life go past Alertmanager: tests/paging/test_pager)",
        STANDS_STILL,
        CRITICAL,
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
        WARNING,
        False,
    ),
    ("no pipeline that is down, by whatever is critical", CRITICAL, STANDS_STILL, False),
    (
        "a silent feed, by a pipeline that is down",
        {"alertname": "JiantuExporterAbsent", "kind": "pipeline", "severity": "critical"},
        {"alertname": "JiantuFeedSilent", "kind": "feed", "severity": "warning", "point": "hotline"},
        True,
    ),
    ("a warning, by what is critical of the same county and category", CRITICAL, WARNING, True),
    ("no warning of another county", CRITICAL, {**WARNING, "county": "511111"}, False),
    ("no warning of another category", CRITICAL, {**WARNING, "category": "traffic"}, False),
    ("nothing, by what was replayed", {**CRITICAL, "replayed": "true"}, WARNING, False),
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
