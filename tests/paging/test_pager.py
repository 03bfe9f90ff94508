"""The pager: from a notification to a page in the ledger, to a robot, to the next level; on both kinds of ledgers."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from streams.clock import FixedClock
from streams.core.instant import MINUTE, SECOND
from streams.ledger.desk import AlertDesk
from streams.ledger.lifecycle import Step, StepKind
from streams.ledger.pages import PageBook
from streams.paging.card import CardMaker
from streams.paging.channels import Channel
from streams.paging.delivery import Retry, Teller
from streams.paging.pager import Pager
from streams.paging.webhook import NotificationError, read_notification
from streams.profile import Profile
from tests.ledger.homes import Home
from tests.paging.pagers import anomaly, new_pager, notification, one, quiet, settings_in
from tests.paging.receiver import Receiver
from tests.paging.samples import Filling, alert_id, raised
from tests.wording.samples import CASE

NOW = 1_800_000_000 * SECOND


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def pager(home: Home, leshan: Profile, robot: Receiver, clock: FixedClock, tmp_path: Path) -> Iterator[Pager]:
    """Of a ledger with alerts 1, 2 (warnings) and 3 (restricted); it tells nobody by itself."""
    Filling(home.where)(
        raised(1), raised(2), raised(3, family="conduct", evidence=replace(CASE, signal="discipline_clues"))
    )
    found = new_pager(home.where, leshan, settings_in(tmp_path, robot), clock)
    yield found
    found.__exit__(None, None, None)


def pages(pager: Pager, *alerts: dict[str, object]) -> int:
    return pager.take(read_notification(notification(*alerts))).pages


def tell(home: Home, pager: Pager, clock: FixedClock, channel: str = "robot") -> int:
    """Tell what is due on one channel; how many messages that took."""
    telling = next(one for one in pager._tellers if one._channel.name == channel)
    with PageBook(home.where) as book:
        before = len(book.said_since(channel, 0))
        while telling.step(book) == 0:
            pass
        return len(book.said_since(channel, 0)) - before


def acknowledge(home: Home, number: int) -> None:
    with AlertDesk(home.where, FixedClock(NOW)) as desk:
        desk.take(alert_id(number), Step(StepKind.ACKNOWLEDGE, "王敏"))


def test_a_group_is_one_page_and_its_repeats_are_none(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    assert pages(pager, anomaly(1), anomaly(2)) == 1
    assert pages(pager, anomaly(1), anomaly(2)) == 0, "Alertmanager was restarted"
    assert pages(pager, anomaly(2)) == 0, "it was grouped otherwise"
    assert tell(home, pager, clock) == 1
    (heard,) = robot.taken
    assert "预警 2 条" in heard.text
    assert tell(home, pager, clock) == 0


def test_resolved_is_what_people_say_not_what_a_scrape_does(home: Home, pager: Pager) -> None:
    assert pages(pager, anomaly(1)) == 1
    assert pages(pager, anomaly(1, "resolved")) == 0
    assert pages(pager, anomaly(1)) == 0, "the exporter is back"
    assert pager.figures().backlog.pages == 1


def test_nobody_is_paged_of_replayed_data_nor_by_the_watchdog(pager: Pager) -> None:
    assert pages(pager, anomaly(1, replayed="true")) == 0
    assert pages(pager, one("firing", {"alertname": "Watchdog", "kind": "watchdog"})) == 0


def test_what_was_acknowledged_meanwhile_is_not_paged(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    acknowledge(home, 1)
    assert pages(pager, anomaly(1)) == 0
    assert pages(pager, anomaly(2)) == 1
    acknowledge(home, 2)
    assert tell(home, pager, clock) == 0
    assert robot.heard == []


def test_restricted_alerts_are_found_in_the_ledger_by_their_number_alone(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    restricted = one("firing", {"alertname": "JiantuRestrictedAlertOpen", "kind": "restricted", "replayed": "false"})
    assert pages(pager, restricted) == 1
    assert pages(pager, restricted) == 0
    tell(home, pager, clock)
    (heard,) = robot.taken
    assert "限制知悉" in heard.text
    assert "市中区" not in heard.text


def test_an_alert_that_the_ledger_does_not_know_is_told_all_the_same(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    assert pages(pager, anomaly(99), anomaly(1)) == 2
    assert pages(pager, anomaly(99)) == 0
    tell(home, pager, clock)
    assert any("摘要" in heard.text for heard in robot.taken)


def test_what_else_is_watched_begins_and_ends_once_each(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    labels = {"alertname": "JiantuFeedSilent", "kind": "feed", "severity": "warning", "point": "hotline"}
    assert pages(pager, one("resolved", labels)) == 0, "nobody was told that it began"
    assert pages(pager, one("firing", labels)) == 1
    assert pages(pager, one("firing", labels)) == 0
    clock.advance(MINUTE)
    assert pages(pager, one("resolved", labels)) == 1
    assert pages(pager, one("resolved", labels)) == 0
    assert pages(pager, one("firing", labels, "2026-03-03T04:00:00Z")) == 1, "it began again"
    assert tell(home, pager, clock) == 3
    assert ["已解除" in heard.text for heard in robot.taken].count(True) == 1


# ---- escalation --------------------------------------------------------------------------------------------------


def test_what_nobody_acknowledges_is_told_to_the_next_once(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    pages(pager, anomaly(1), anomaly(2))
    tell(home, pager, clock)
    clock.advance(10 * MINUTE - 1)
    assert pager._intake.escalate() == 0
    acknowledge(home, 2)
    clock.advance(1)
    assert pager._intake.escalate() == 1
    assert pager._intake.escalate() == 0
    clock.advance(60 * MINUTE)
    assert pager._intake.escalate() == 0, "there is no level after the last"
    assert tell(home, pager, clock, "lead") == 1
    heard = robot.taken[-1]
    assert heard.path.startswith("/lead")
    assert "【升级 1】" in heard.text
    assert alert_id(1) in heard.text
    assert alert_id(2) not in heard.text


# ---- telling -----------------------------------------------------------------------------------------------------


def teller(home: Home, pager: Pager, profile: Profile, robot: Receiver, clock: FixedClock, a_minute: int) -> Teller:
    return Teller(
        lambda: PageBook(home.where),
        Channel("robot", SecretStr(robot.url)),
        CardMaker(profile, pager.links, "zh"),
        a_minute,
        clock,
        quiet,
        Retry(),
    )


def services(pager: Pager, count: int) -> None:
    for number in range(count):
        pages(pager, one("firing", {"alertname": f"Rule{number}", "kind": "service"}))


def test_a_robots_limit_is_kept_over_restarts(
    home: Home, pager: Pager, leshan: Profile, robot: Receiver, clock: FixedClock
) -> None:
    services(pager, 5)
    with PageBook(home.where) as book:
        for _ in range(3):
            clock.advance(SECOND)
            assert teller(home, pager, leshan, robot, clock, 3).step(book) == 0
        assert teller(home, pager, leshan, robot, clock, 3).step(book) == 58 * SECOND
        assert len(robot.heard) == 3
        clock.advance(58 * SECOND)
        assert teller(home, pager, leshan, robot, clock, 3).step(book) == 0
        assert len(robot.heard) == 4


def test_a_robot_that_fails_is_left_alone_for_longer_and_longer(
    home: Home, pager: Pager, leshan: Profile, robot: Receiver, clock: FixedClock
) -> None:
    services(pager, 1)
    robot.status = 500
    telling, rests = teller(home, pager, leshan, robot, clock, 600), []
    with PageBook(home.where) as book:
        for _ in range(6):
            rests.append(telling.step(book) // SECOND)
            clock.advance(rests[-1] * SECOND)
        robot.status = 200
        assert telling.step(book) == 0
        assert book.backlog().pages == 0
    assert rests == [5, 10, 20, 40, 60, 60]
    assert len(robot.taken) == 1


def test_a_pager_that_runs_tells_at_once_and_stops_when_told(home: Home, pager: Pager, robot: Receiver) -> None:
    before = threading.active_count()
    with pager:
        pages(pager, anomaly(1))
        robot.wait_for(lambda taken: taken)
        assert pager.ready() is None
    assert threading.active_count() <= before


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", notification(anomaly(1), version="3"), notification(anomaly(1), truncatedAlerts=2)],
)
def test_what_is_no_notification_is_refused(body: bytes) -> None:
    with pytest.raises(NotificationError):
        read_notification(body)
