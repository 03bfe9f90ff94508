"""What people did cannot be changed unseen."""

import pytest

from streams.clock import FixedClock
from streams.core.instant import DAY, HOUR
from streams.ledger.audit import GENESIS, AuditHead
from streams.ledger.desk import AlertDesk
from streams.ledger.glance import Glance
from streams.ledger.lifecycle import DiscardReason, Measure, Step, StepKind
from streams.ledger.pages import FIRING, SERVICE, Page, PageBook
from streams.ledger.reader import LedgerReader
from streams.ledger.service_pages import TakenUp
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.homes import Home
from tests.ledger.samples import LAYOUT, START, checkpoint, raised

STEPS = [
    ("a1", Step(StepKind.ACKNOWLEDGE, "王敏", note="已看")),
    ("a2", Step(StepKind.DISCARD, "duty02", reason=DiscardReason.DATA_FAULT)),
    ("a1", Step(StepKind.DISPOSE, "王敏", Measure.RECTIFICATION, "城管局", START + 30 * DAY)),
    ("a1", Step(StepKind.RESOLVE, "王敏")),
]


@pytest.fixture
def ledger_home(home: Home) -> Home:
    """Two alerts and four steps."""
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(1), Outputs(transitions=[raised("a1", START), raised("a2", START)]))
    clock = FixedClock(START)
    with AlertDesk(home.where, clock) as desk:
        for alert, step in STEPS:
            clock.advance(HOUR)
            desk.take(alert, step)
    return home


def test_an_untouched_chain_is_intact(ledger_home: Home) -> None:
    with LedgerReader(ledger_home.where) as ledger:
        verdict = ledger.verify_audit()
        assert verdict.intact
        assert verdict.head == ledger.audit_head()
        assert verdict.head.count == 4
        assert [(taken.number, taken.alert, taken.at, taken.step) for taken in ledger.steps()] == [
            (number, alert, START + number * HOUR, step) for number, (alert, step) in enumerate(STEPS, 1)
        ]
        assert ledger.verify_audit(AuditHead(0, GENESIS)).intact
        assert ledger.verify_audit(verdict.head).intact


TAMPERINGS = {
    "row 3 is not what was written": [
        "UPDATE audit SET document = replace(document, '城管局', '别人') WHERE number = 3"
    ],
    "row 2 is not what was written, or follows another": ["UPDATE audit SET digest = upper(digest) WHERE number = 2"],
    "row 1 is not what was written, or follows": ["UPDATE audit SET previous = '1' || previous WHERE number = 1"],
    "row 2 says something else in its columns": ["UPDATE audit SET alert = 'a1' WHERE number = 2"],
    "row 4 says something else in its columns": ["UPDATE audit SET at = at - 1 WHERE number = 4"],
    "row 2 is missing": ["DELETE FROM audit WHERE number = 2"],
    "row 3 is not what was written, or": [
        "DELETE FROM audit WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 4",
    ],
    "row 1 is missing": ["UPDATE audit SET number = number + 10"],
    "alert a1 is resolved, which its steps do not lead to": ["DELETE FROM audit WHERE number = 4"],
    "alert a1 is acknowledged, which": ["UPDATE alert SET step = 'acknowledged' WHERE id = 'a1'"],
    "alert a2 does not know of its steps": ["UPDATE alert SET step = NULL WHERE id = 'a2'"],
}


@pytest.mark.parametrize("found", TAMPERINGS)
def test_tampering_is_found_and_said_where(ledger_home: Home, found: str) -> None:
    ledger_home.unguarded(*TAMPERINGS[found])
    with LedgerReader(ledger_home.where) as ledger:
        verdict = ledger.verify_audit()
        assert not verdict.intact
        assert found in verdict.problem
        assert any(found in problem for problem in ledger.damage())


def test_a_chain_that_was_cut_with_care_is_found_by_who_kept_its_head(ledger_home: Home) -> None:
    with LedgerReader(ledger_home.where) as ledger:
        kept = ledger.audit_head()
    ledger_home.unguarded("DELETE FROM audit WHERE number = 4", "UPDATE alert SET step = 'disposed' WHERE id = 'a1'")
    with LedgerReader(ledger_home.where) as ledger:
        assert ledger.verify_audit().intact
        assert ledger.verify_audit(kept).problem == "rows 4 to 4 are missing"


def test_a_chain_that_was_made_anew_is_found_by_who_kept_its_head(ledger_home: Home) -> None:
    with LedgerReader(ledger_home.where) as ledger:
        kept = ledger.audit_head()
    ledger_home.unguarded("DELETE FROM audit", "UPDATE alert SET step = NULL")
    clock = FixedClock(START)
    with AlertDesk(ledger_home.where, clock) as desk:
        for alert, step in [*STEPS[:3], ("a1", Step(StepKind.RESOLVE, "别人"))]:
            clock.advance(HOUR)
            desk.take(alert, step)
    with LedgerReader(ledger_home.where) as ledger:
        assert ledger.verify_audit().intact
        assert "row 4 is not the one that was there" in ledger.verify_audit(kept).problem


def test_rows_cannot_be_changed_by_accident(ledger_home: Home) -> None:
    for statement in ("UPDATE audit SET at = 0", "DELETE FROM audit WHERE number = 4"):
        with pytest.raises(ledger_home.refused, match="audit is append-only"):
            ledger_home.execute(statement)


# ---- who took up a page about jiantu itself ---------------------------------------------------------------------


@pytest.fixture
def with_a_trouble(ledger_home: Home) -> Home:
    """A fifth row: somebody took up that a feed is silent, and nobody could do so twice."""
    asked = Page(
        id="", group_key="g", status=FIRING, kind=SERVICE, county="", severity="critical",
        document='{"alertname":"JiantuFeedSilent"}', made_at=START,
    )  # fmt: skip
    with PageBook(ledger_home.where) as book:
        assert book.page_service(asked, "feed", ["robot"])
        assert book.take_up("feed", "王敏", START + 9 * HOUR) == TakenUp("王敏", START + 9 * HOUR)
        assert book.take_up("feed", "别人", START + 10 * HOUR) == TakenUp("王敏", START + 9 * HOUR)
    return ledger_home


def test_who_took_up_a_trouble_is_on_the_chain_and_is_no_step_on_an_alert(with_a_trouble: Home) -> None:
    with LedgerReader(with_a_trouble.where) as ledger:
        verdict = ledger.verify_audit()
        assert (verdict.problem, verdict.head.count) == ("", 5)
        assert [taken.number for taken in ledger.steps()] == [1, 2, 3, 4]
    with AlertDesk(with_a_trouble.where, FixedClock(START + 11 * HOUR)) as desk:
        assert desk.take("a2", Step(StepKind.ACKNOWLEDGE, "王敏")).taken.number == 6
    with LedgerReader(with_a_trouble.where) as ledger, Glance(with_a_trouble.where) as glance:
        assert ledger.verify_audit().intact
        assert [taken.number for taken in glance.look(lambda look: look.steps(4))] == [6]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE page_taken_up SET who = '别人'", "trouble feed is taken up otherwise than the chain says"),
        ("DELETE FROM audit WHERE number = 5", "trouble feed is taken up otherwise than the chain says"),
        ("UPDATE audit SET document = replace(document, '王敏', '别人') WHERE number = 5", "row 5 is not what was"),
        ("UPDATE audit SET about = 'disk' WHERE number = 5", "row 5 says something else in its columns"),
    ],
)
def test_whoever_changes_who_took_up_a_trouble_is_found_out(with_a_trouble: Home, statement: str, problem: str) -> None:
    with_a_trouble.unguarded(statement)
    with LedgerReader(with_a_trouble.where) as ledger:
        assert problem in ledger.verify_audit().problem


def test_the_chain_keeps_who_took_up_a_trouble_that_retention_let_go_of(with_a_trouble: Home) -> None:
    with_a_trouble.execute("DELETE FROM page_taken_up")
    with LedgerReader(with_a_trouble.where) as ledger:
        verdict = ledger.verify_audit()
        assert (verdict.problem, verdict.head.count) == ("", 5)
