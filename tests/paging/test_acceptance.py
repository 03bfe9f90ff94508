"""From an alert in the ledger to a phone, and what outages cost on the way: late pages; none lost, none for nothing."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from streams.clock import WallClock
from streams.core.alert import Raised
from streams.ledger.desk import AlertDesk
from streams.ledger.lifecycle import Step, StepKind
from tests.cli.commands import LAKE, RECORDING, command, environment, process
from tests.paging.chain import CONSOLE, Chain, Pace, running
from tests.paging.outages import Figures, Outage, alerts_in, first_told, told
from tests.paging.processes import Process
from tests.paging.receiver import Receiver
from tests.paging.samples import Filling, alert_id, ended, raised
from tests.wording.samples import CASE

pytestmark = pytest.mark.long
COUNTIES = (
    "511102",
    "511111",
    "511112",
    "511113",
    "511123",
    "511124",
    "511126",
    "511129",
    "511132",
    "511133",
    "511181",
)


def sample(number: int) -> Raised:
    """One of many alerts: of one county or another, with a count of its own."""
    return raised(number, COUNTIES[number % len(COUNTIES)], evidence=replace(CASE, count=40 + number))


def acknowledge(data: Path, number: int) -> None:
    with AlertDesk(data, WallClock()) as desk:
        desk.take(alert_id(number), Step(StepKind.ACKNOWLEDGE, "王敏"))


def alertmanager_down(chain: Chain, robot: Receiver, during: Callable[[], None]) -> None:
    chain.alertmanager.kill()
    during()
    time.sleep(chain.pace.outage)
    chain.alertmanager.start()


def alertmanager_restarted(chain: Chain, robot: Receiver, during: Callable[[], None]) -> None:
    """Every minute, for five."""
    during()
    for _ in range(5):
        chain.alertmanager.kill()
        chain.alertmanager.start()
        time.sleep(chain.pace.minute)


def prometheus_down(chain: Chain, robot: Receiver, during: Callable[[], None]) -> None:
    chain.prometheus.kill()
    during()
    time.sleep(chain.pace.outage)
    chain.prometheus.start()


def robot_fails(chain: Chain, robot: Receiver, during: Callable[[], None]) -> None:
    robot.status = 500
    during()
    time.sleep(chain.pace.outage)
    robot.status = 200


def pager_down(chain: Chain, robot: Receiver, during: Callable[[], None]) -> None:
    chain.pager.kill()
    during()
    time.sleep(chain.pace.outage)
    chain.pager.start()


OUTAGES = (alertmanager_down, alertmanager_restarted, prometheus_down, robot_fails, pager_down)
EACH = 20


def outages_lose_nothing(folder: Path, pace: Pace) -> Figures:
    """A hundred alerts raised while something on the way is away; thirty of them end in it."""
    data = folder / "data"
    fill = Filling(data)
    fill(raised(1))
    with running(folder / "chain", data, pace) as (chain, robot, phone), fill.ticking():
        first = robot.wait_for(lambda taken: next((one for one in taken if alerts_in(one)), None))
        assert first.text.startswith("【预警】市中区 预警 1 条")
        assert "计数 58，预期 21" in first.text
        assert "95% 区间 12–33" in first.text
        assert f"/alerts/{alert_id(1)}/acknowledge?expires=" in first.text
        calm = time.time()
        fill(sample(2))
        robot.wait_for(lambda taken: alert_id(2) in told(taken), 120)
        calm = first_told(robot.taken)[alert_id(2)] - calm

        outages: list[Outage] = []
        for number, outage in enumerate(OUTAGES):
            numbers = range(100 + EACH * number, 100 + EACH * (number + 1))
            over = [one for one in numbers if one % 10 < 3]
            now = Outage(outage.__name__, tuple(map(alert_id, numbers)), len(over), time.time())
            outages.append(now)

            def during(numbers: range = numbers, over: list[int] = over) -> None:
                fill(*(sample(one) for one in numbers))
                fill(*(ended(one) for one in over))

            outage(chain, robot, during)
            now.over = time.time()
            wanted = {name for one in outages for name in one.alerts}
            robot.wait_for(lambda taken, names=frozenset(wanted): names <= set(told(taken)), 60 + 3 * pace.outage)
            for one in numbers[:3]:
                acknowledge(data, one)
                now.acknowledged[alert_id(one)] = time.time()
        chain.alertmanager.kill()  # it forgets what it has sent, and offers everything again
        chain.alertmanager.start()
        time.sleep(5 * pace.minute)

        figures = Figures.of(outages, calm, robot.heard)
        assert figures.total("told") == figures.total("raised") == len(OUTAGES) * EACH
        assert [row.outage for row in figures.rows if row.most_repeats > (row.outage == "pager_down")] == []
        assert all(told(robot.taken)[alert_id(one)] == 1 for one in (1, 2)), "told before, and open all the time"
        assert figures.total("after_acknowledgement") == 0, "paged after somebody had taken it up"
        assert not any("中断" in one.text for one in phone.taken), "the dead man heard the Watchdog all the time"
        return figures


def open_alerts(chain: Chain) -> set[str]:
    """Alerts that Prometheus knows to be open."""
    return {
        one["labels"]["alert"] for one in chain.prometheus.alerts() if one["labels"]["alertname"] == "JiantuAlertOpen"
    }


def test_a_stream_goes_in_by_http_and_pages_come_out_until_the_service_is_killed(tmp_path: Path) -> None:
    """Killed, it resolves nothing: what is open stays open; and the dead man misses the Watchdog."""
    data, live = tmp_path / "data", ("--clock", "stream", "--page-replayed")
    service = Process(tmp_path, "run", "run", "-p", LAKE, "-d", data, *live)
    with service:
        service.wait()
        made = process("token", "create", "-d", data, "--name", "lake", "--scope", "ingest", "--json")
        with running(tmp_path / "chain", data, Pace(scaled=True, minute=1, silence=8), LAKE) as (chain, robot, phone):
            words = (
                "send",
                RECORDING,
                "--to",
                service.url,
                "--speed",
                "150000x",
                "--profile",
                LAKE,
                "--state",
                tmp_path / "sent",
            )
            more = environment(JIANTU_TOKEN=made.document["token"])
            with subprocess.Popen(
                command(*words), env=more, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ) as sender:
                try:
                    heard = robot.wait_for(
                        lambda taken: next((one for one in taken if "计数 12" in one.text), None), 180
                    )
                    assert httpx.get(f"{chain.deadman.url}/readyz").json()["heard"]["watchdog"], "the Watchdog arrives"
                finally:
                    killed = time.time()
                    service.kill()
                    sender.kill()
            (alert,) = alerts_in(heard)
            told_before = open_alerts(chain)
            assert alert in told_before
            for part in ("计数 12，预期 0.5", "95% 区间", f"{CONSOLE}/alerts/{alert}/acknowledge?expires="):
                assert part in heard.text
            phone.wait_for(lambda taken: any("watchdog 已" in one.text and one.at > killed for one in taken), 120)
            assert open_alerts(chain) >= told_before, "a dead service resolves nothing"
            chain.exporter.kill()
            time.sleep(6)
            assert open_alerts(chain) >= told_before, "nor does an exporter that is away"


def test_outages_on_the_way_lose_no_page(tmp_path: Path) -> None:
    outages_lose_nothing(tmp_path, Pace(scaled=True, minute=1.5, silence=60))


@pytest.mark.soak
def test_outages_on_the_way_lose_no_page_at_the_pace_of_production(tmp_path: Path) -> None:
    figures = outages_lose_nothing(tmp_path, Pace(scaled=False))
    assert figures.calm_seconds < 60
    figures.write(Path(os.environ.get("JIANTU_SOAK_DIR", ".soak")).absolute() / "paging")
