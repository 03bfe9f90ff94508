"""Pages in the ledger: made once a level, told until a channel takes them, withdrawn when people take the alert up."""

import pytest
from msgspec.structs import replace

from streams.clock import FixedClock
from streams.core.instant import MINUTE, SECOND
from streams.ledger.desk import AlertDesk
from streams.ledger.errors import StepRefusedError, UnknownAlertError
from streams.ledger.lifecycle import Step, StepKind
from streams.ledger.pages import LEASE, Due, Outcome, Page, PageBook, Receipt, page_id, receipts
from streams.ledger.place import Where
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.homes import Home
from tests.ledger.samples import LAYOUT, START, checkpoint, ended, raised

NOW = 2 * START
ASKED = Page(id="", group_key="g", status="firing", kind="alert", county="511102", severity="warning", made_at=NOW)


def fill(where: Where, *alerts: str) -> None:
    with LedgerStore(where, LAYOUT) as store:
        store.commit(checkpoint(100), Outputs(transitions=[raised(name, START + n) for n, name in enumerate(alerts)]))


def acknowledge(where: Where, alert: str) -> None:
    with AlertDesk(where, FixedClock(NOW)) as desk:
        desk.take(alert, Step(StepKind.ACKNOWLEDGE, "王敏"))


def receipt(due: Due, outcome: Outcome = Outcome.DELIVERED, at: int = NOW) -> Receipt:
    return Receipt(due.page.id, due.channel, due.attempt, at, outcome, "HTTP 200", "00")


def names(due: Due | None) -> list[str]:
    assert due is not None
    return [life.alert.id for life in due.alerts]


def test_an_alert_has_one_page_a_level_however_often_it_is_announced(home: Home) -> None:
    fill(home.where, "a1", "a2", "a3")
    with PageBook(home.where) as book, PageBook(home.where) as another:
        assert len(book.page_alerts(ASKED, ["a1", "a2"], ["robot"], 4)) == 1
        assert book.page_alerts(ASKED, ["a2", "a1"], ["robot"], 4) == []
        (page,) = another.page_alerts(replace(ASKED, group_key="other"), ["a1", "a2", "a3"], ["robot"], 4)
        assert another.page_alerts(replace(ASKED, level=1), ["a1", "a2"], ["lead"], 4) != []
        first, second = book.take_due("robot", NOW), book.take_due("robot", NOW)
    assert sorted([names(first), names(second)]) == [["a1", "a2"], ["a3"]]
    assert page.id == page_id(replace(ASKED, group_key="other"), ["a3"])


def test_many_alerts_are_told_in_several_pages_in_the_order_in_which_they_were_raised(home: Home) -> None:
    fill(home.where, "a3", "a1", "a2")
    with PageBook(home.where) as book:
        assert len(book.page_alerts(ASKED, ["a1", "a2", "a3"], ["robot"], 2)) == 2
        found = [names(book.take_due("robot", NOW)) for _ in range(2)]
    assert sorted(found) == [["a2"], ["a3", "a1"]]


def test_what_people_took_up_is_not_paged_nor_told(home: Home) -> None:
    fill(home.where, "a1", "a2", "a3")
    acknowledge(home.where, "a1")
    with PageBook(home.where) as book:
        book.page_alerts(ASKED, ["a1", "a2", "a3"], ["robot", "mail"], 4)
        assert names(book.take_due("mail", NOW)) == ["a2", "a3"]
        acknowledge(home.where, "a2")
        assert names(book.take_due("robot", NOW)) == ["a3"]
        acknowledge(home.where, "a3")
        assert book.take_due("robot", NOW + LEASE) is None
        assert book.take_due("mail", NOW + LEASE) is None
        assert book.backlog().pages == 0


def test_an_alert_that_ended_still_waits_for_somebody(home: Home) -> None:
    fill(home.where, "a1")
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(101), Outputs(transitions=[ended("a1", START + 9 * MINUTE)]))
    with PageBook(home.where) as book:
        book.page_alerts(ASKED, ["a1"], ["robot"], 4)
        assert names(book.take_due("robot", NOW)) == ["a1"]


def test_a_delivery_is_one_pagers_until_its_lease_is_over(home: Home) -> None:
    fill(home.where, "a1")
    with PageBook(home.where) as book, PageBook(home.where) as another:
        book.page_alerts(ASKED, ["a1"], ["robot"], 4)
        first = book.take_due("robot", NOW)
        assert another.take_due("robot", NOW) is None
        assert another.take_due("robot", NOW + LEASE - 1) is None
        again = another.take_due("robot", NOW + LEASE)
    assert first is not None
    assert again is not None
    assert (first.attempt, again.attempt) == (1, 2), "who took it up first was killed"


def test_what_failed_is_told_again_and_every_attempt_has_its_receipt(home: Home) -> None:
    fill(home.where, "a1")
    with PageBook(home.where) as book:
        book.page_alerts(ASKED, ["a1"], ["robot"], 4)
        due = book.take_due("robot", NOW)
        assert due is not None
        book.note(receipt(due, Outcome.FAILED), NOW + 5 * SECOND)
        assert book.take_due("robot", NOW + 5 * SECOND - 1) is None
        assert (book.backlog().pages, book.backlog().oldest) == (1, NOW)
        again = book.take_due("robot", NOW + 5 * SECOND)
        assert again is not None
        book.note(receipt(again, at=NOW + 6 * SECOND), None)
        assert book.take_due("robot", NOW + LEASE) is None
        assert (book.backlog().pages, book.backlog().oldest) == (0, None)
        assert book.receipt_totals() == {("robot", Outcome.DELIVERED): 1, ("robot", Outcome.FAILED): 1}
        assert book.said_since("robot", NOW) == [NOW + 6 * SECOND]
    with home.engine().connect() as db:
        assert [(one.attempt, one.outcome) for one in receipts(db, "a1")] == [(1, "failed"), (2, "delivered")]
        assert receipts(db, "a2") == []


def test_the_urgent_is_told_first(home: Home) -> None:
    fill(home.where, "a1", "a2")
    with PageBook(home.where) as book:
        book.page_alerts(ASKED, ["a1"], ["robot"], 4)
        book.page_alerts(replace(ASKED, severity="critical", made_at=NOW + 1), ["a2"], ["robot"], 4)
        assert names(book.take_due("robot", NOW + 1)) == ["a2"]


def test_what_nobody_answered_in_time_is_for_the_next_level(home: Home) -> None:
    fill(home.where, "a1", "a2", "a3")
    with PageBook(home.where) as book:
        book.page_alerts(ASKED, ["a1", "a2"], ["robot"], 4)
        book.page_alerts(replace(ASKED, made_at=NOW + MINUTE), ["a3"], ["robot"], 4)
        assert book.unanswered(0, "warning", NOW - 1) == {}
        assert book.unanswered(0, "critical", NOW) == {}
        assert book.unanswered(0, "warning", NOW) == {"511102": ["a1", "a2"]}
        acknowledge(home.where, "a1")
        assert book.unanswered(0, "warning", NOW) == {"511102": ["a2"]}
        book.page_alerts(replace(ASKED, level=1), ["a2"], ["lead"], 4)
        assert book.unanswered(0, "warning", NOW) == {}
        assert book.unanswered(1, "warning", NOW) == {"511102": ["a2"]}


def test_a_service_page_is_made_once_and_needs_no_alert(home: Home) -> None:
    fill(home.where, "a1")
    asked = replace(ASKED, kind="service", document='{"alertname":"Rule"}')
    with PageBook(home.where) as book:
        assert book.page_service(asked, "t1", ["robot"])
        assert not book.page_service(replace(asked, group_key="other"), "t1", ["robot"])
        assert book.page_service(replace(asked, level=1), "t1", ["lead"])
        assert (book.service_levels("t1"), book.service_levels("t2")) == ([0, 1], [])
        due = book.take_due("robot", NOW)
        assert due is not None
        assert (replace(due.page, id=""), due.alerts, due.about) == (asked, (), "t1")
        assert (book.trouble("t1").name, book.trouble("t1").over, book.trouble("t1").taken_up) == ("Rule", False, None)
        with pytest.raises(UnknownAlertError):
            book.take_up("t2", "王敏", NOW)
        with pytest.raises(StepRefusedError, match="phone"):
            book.take_up("t1", "13812345678", NOW)
        assert book.unknown(["a9", "a1", "a9"]) == ["a9"]


def test_what_waits_for_a_channel_that_is_no_more_is_withdrawn(home: Home) -> None:
    fill(home.where, "a1")
    with PageBook(home.where) as book:
        book.page_alerts(ASKED, ["a1"], ["robot", "old"], 4)
        assert book.withdraw_all_but(["robot"]) == {"old": 1}
        assert book.take_due("old", NOW) is None
        assert names(book.take_due("robot", NOW)) == ["a1"]
