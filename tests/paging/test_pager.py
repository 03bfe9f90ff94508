"""The pager: from a notification to a page in the ledger, to a robot, to the next level; on both kinds of ledgers."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from streams.clock import FixedClock
from streams.core.alert import Severity
from streams.core.instant import MINUTE, SECOND
from streams.ledger.desk import AlertDesk
from streams.ledger.errors import LedgerError
from streams.ledger.lifecycle import Step, StepKind
from streams.ledger.pages import Outcome, PageBook, Receipt
from streams.paging.card import CardMaker
from streams.paging.channels import Channel
from streams.paging.delivery import Limits, Retry, Teller
from streams.paging.pager import Pager, Secrets
from streams.paging.webhook import NotificationError, read_notification
from streams.profile import Profile
from tests.ledger.homes import Home
from tests.paging.pagers import anomaly, new_pager, notification, one, quiet, settings_in
from tests.paging.receiver import Heard, Receiver
from tests.paging.samples import THREAT, Filling, alert_id, raised
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


def always(pager: Pager) -> int:
    """How many pages of threats to life that makes."""
    assert pager._ledger is not None
    return pager._ledger.look_after()[0]


def escalated(pager: Pager) -> int:
    """How many pages of the next level that makes."""
    assert pager._ledger is not None
    return pager._ledger.look_after()[1]


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


def test_a_threat_to_life_is_paged_from_the_ledger_itself_whatever_is_held_back(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    """Nothing came from Alertmanager: it may be down, inhibit, or be silenced."""
    assert always(pager) == 0, "what waits for windows waits for Alertmanager too"
    Filling(home.where)(
        raised(7, severity=Severity.CRITICAL, evidence=THREAT),
        raised(8, county="511111", severity=Severity.CRITICAL, evidence=THREAT),
    )
    assert always(pager) == 2, "one a county"
    assert always(pager) == 0
    assert pages(pager, anomaly(7, severity="critical")) == 0, "when Alertmanager offers it later, it has been told"
    assert tell(home, pager, clock) == 2
    assert "按规定立即报告" in robot.taken[0].text
    acknowledge(home, 8)
    assert always(pager) == 0


def test_a_threat_to_life_in_replayed_data_pages_nobody(
    home: Home, leshan: Profile, robot: Receiver, clock: FixedClock, tmp_path: Path
) -> None:
    Filling(home.where, source="65536:9c1b")(raised(7, severity=Severity.CRITICAL, evidence=THREAT))
    pager = new_pager(home.where, leshan, settings_in(tmp_path, robot), clock)
    assert always(pager) == 0
    pager.close()


# ---- the ledger comes late, and changes --------------------------------------------------------------------------


def test_a_pager_waits_for_its_ledger_and_goes_on_by_itself(
    leshan: Profile, robot: Receiver, clock: FixedClock, tmp_path: Path
) -> None:
    with new_pager(tmp_path / "data", leshan, settings_in(tmp_path, robot), clock) as pager:
        assert "holds no ledger" in str(pager.ready())
        with pytest.raises(LedgerError):
            pages(pager, anomaly(1))
        Filling(tmp_path / "data")(raised(1))
        assert pages(pager, anomaly(1)) == 1
        assert pager.ready() is None
        robot.wait_for(lambda taken: taken)


def test_a_profile_that_changed_is_read_anew(
    home: Home, leshan: Profile, robot: Receiver, clock: FixedClock, tmp_path: Path
) -> None:
    fill, asked = Filling(home.where), list[str]()
    fill(raised(1))

    def naming() -> Profile:
        asked.append(fill.profile_version)
        return leshan

    settings = settings_in(tmp_path, robot)
    pager = Pager(home.where, naming, settings, Secrets.read(settings), clock, quiet)
    assert (pager.ready(), pager.ready(), asked) == (None, None, ["p"])
    before = pager._cards("zh")
    fill.profile_version = "q"
    fill(raised(2))
    assert (pager.ready(), pager.ready(), asked) == (None, None, ["p", "q"])
    assert pager._cards("zh") is not before
    assert pages(pager, anomaly(2)) == 1
    pager.close()


def test_a_ledger_that_was_put_in_the_place_of_another_is_read(
    leshan: Profile, robot: Receiver, clock: FixedClock, tmp_path: Path
) -> None:
    """A backup was restored beside a pager that runs."""
    Filling(tmp_path / "data")(raised(1))
    Filling(tmp_path / "other")(raised(1), raised(2))
    pager = new_pager(tmp_path / "data", leshan, settings_in(tmp_path, robot), clock)
    assert pages(pager, anomaly(1), anomaly(2)) == 2, "one of them strange"
    for file in (tmp_path / "data").glob("jiantu.db*"):
        file.unlink()
    (tmp_path / "other/jiantu.db").rename(tmp_path / "data/jiantu.db")
    assert pages(pager, anomaly(2)) == 1
    assert pager.look(alert_id(2)).alert.id == alert_id(2)
    pager.close()


# ---- escalation --------------------------------------------------------------------------------------------------


def test_what_nobody_acknowledges_is_told_to_the_next_once(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    pages(pager, anomaly(1), anomaly(2))
    tell(home, pager, clock)
    clock.advance(10 * MINUTE - 1)
    assert escalated(pager) == 0
    acknowledge(home, 2)
    clock.advance(1)
    assert escalated(pager) == 1
    assert escalated(pager) == 0
    clock.advance(60 * MINUTE)
    assert escalated(pager) == 0, "there is no level after the last"
    assert tell(home, pager, clock, "lead") == 1
    heard = robot.taken[-1]
    assert heard.path.startswith("/lead")
    assert "【升级 1】" in heard.text
    assert alert_id(1) in heard.text
    assert alert_id(2) not in heard.text


SILENT = {"alertname": "JiantuFeedSilent", "kind": "feed", "severity": "warning", "point": "hotline"}


def link_in(heard: Heard) -> str:
    """The acknowledge-link of a message about jiantu itself."""
    (found,) = re.findall(r"https://console.example/pages/(\w+)/acknowledge\?", heard.text)
    return str(found)


def test_what_is_about_jiantu_itself_escalates_too_until_somebody_takes_it_up(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    assert pages(pager, one("firing", SILENT), one("firing", {**SILENT, "point": "petition"})) == 2
    tell(home, pager, clock)
    clock.advance(20 * MINUTE - 1)
    assert escalated(pager) == 0
    taken = pager.take_up(link_in(robot.taken[0]), "王敏")
    assert (taken.who, pager.take_up(link_in(robot.taken[0]), "李强").who) == ("王敏", "王敏")
    clock.advance(1)
    assert escalated(pager) == 1, "the other one"
    assert escalated(pager) == 0
    assert tell(home, pager, clock, "lead") == 1
    assert "【升级 1】【预警】摘要" in robot.taken[-1].text
    assert link_in(robot.taken[-1]) == link_in(robot.taken[1])
    clock.advance(60 * MINUTE)
    assert escalated(pager) == 0, "there is no level after the last"


def test_what_is_over_does_not_escalate_and_whoever_heard_of_it_hears_that(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    pages(pager, one("firing", SILENT), one("firing", {**SILENT, "point": "petition"}))
    clock.advance(MINUTE)
    assert pages(pager, one("resolved", SILENT)) == 1
    clock.advance(20 * MINUTE)
    assert escalated(pager) == 1
    assert pages(pager, one("resolved", {**SILENT, "point": "petition"})) == 1
    tell(home, pager, clock)
    tell(home, pager, clock, "lead")
    paths = [heard.path.split("/")[1] for heard in robot.taken if "已解除" in heard.text]
    assert sorted(paths) == ["lead", "robot", "robot"]


def test_what_somebody_took_up_before_it_was_told_is_not_told(
    home: Home, pager: Pager, clock: FixedClock, robot: Receiver
) -> None:
    pages(pager, one("firing", SILENT))
    with PageBook(home.where) as book:
        due = book.take_due("robot", clock.now())
        assert due is not None
        book.note(Receipt(due.page.id, "robot", 1, clock.now(), Outcome.FAILED, "HTTP 500", "00"), clock.now())
    pager.take_up(due.about, "王敏")
    assert tell(home, pager, clock) == 0
    assert robot.taken == []
    assert pager.figures().backlog.pages == 0


# ---- telling -----------------------------------------------------------------------------------------------------


def teller(home: Home, pager: Pager, profile: Profile, robot: Receiver, clock: FixedClock, a_minute: int) -> Teller:
    cards = CardMaker(profile, pager.links, "zh")
    return Teller(
        lambda: PageBook(home.where),
        Channel("robot", SecretStr(robot.url)),
        lambda: cards,
        Limits(a_minute, 5),
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


def test_a_robots_limit_a_second_is_kept(
    home: Home, pager: Pager, leshan: Profile, robot: Receiver, clock: FixedClock
) -> None:
    """Feishu: 5 a second, 100 a minute."""
    services(pager, 7)
    with PageBook(home.where) as book:
        telling = teller(home, pager, leshan, robot, clock, 100)
        assert [telling.step(book) for _ in range(6)] == [0, 0, 0, 0, 0, SECOND]
        assert len(robot.heard) == 5
        clock.advance(SECOND)
        assert telling.step(book) == 0


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
