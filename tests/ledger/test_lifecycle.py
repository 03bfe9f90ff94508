"""An alert's life: the judge raises and ends, people do the rest, nothing happens that is not possible."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from streams.clock import FixedClock
from streams.core.instant import DAY, HOUR
from streams.ledger.alerts import AlertFilter
from streams.ledger.desk import AlertDesk
from streams.ledger.errors import LedgerError, StepRefusedError
from streams.ledger.lifecycle import (
    DISCARD_REASON_NAMES,
    LEADS_TO,
    MEASURE_NAMES,
    POSSIBLE,
    STATE_NAMES,
    STEP_NAMES,
    AlertState,
    DiscardReason,
    Measure,
    Step,
    StepKind,
)
from streams.ledger.place import Where
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.homes import Home, NewHome
from tests.ledger.samples import LAYOUT, START, checkpoint, ended, raised

DEADLINE = START + 30 * DAY
STAFF = st.sampled_from(["王敏", "duty02"])


def step(kind: StepKind, who: str = "王敏", note: str = "") -> Step:
    """A step that says what it has to."""
    if kind is StepKind.DISPOSE:
        return Step(kind, who, Measure.RECTIFICATION, "城管局", DEADLINE, note=note)
    return Step(kind, who, reason=DiscardReason.FALSE_PAGE if kind is StepKind.DISCARD else None, note=note)


class Lives(RuleBasedStateMachine):
    """Any order of what the judge and people do, against a model that is a dictionary."""

    def __init__(self, home: Home) -> None:
        super().__init__()
        self.where = home.where
        self.clock = FixedClock(START)
        self.people: dict[str, AlertState | None] = {}
        self.ended: set[str] = set()
        self.taken: list[tuple[str, Step]] = []
        self.record = 0
        self.open()

    def open(self) -> None:
        self.store = LedgerStore(self.where, LAYOUT)
        self.commit(Outputs())
        self.desk = AlertDesk(self.where, self.clock)
        self.reader = LedgerReader(self.where)

    def close(self) -> None:
        self.reader.close()
        self.desk.close()
        self.store.close()

    def teardown(self) -> None:
        assert self.reader.damage() == []
        self.close()

    def commit(self, outputs: Outputs) -> None:
        self.record += 1
        self.store.commit(checkpoint(self.record), outputs)

    def state(self, alert: str) -> AlertState:
        return self.people[alert] or (AlertState.ENDED if alert in self.ended else AlertState.OPEN)

    @rule()
    def judge_raises(self) -> None:
        alert = f"alert-{len(self.people)}"
        self.commit(Outputs(transitions=[raised(alert, START + len(self.people) * HOUR)]))
        self.people[alert] = None

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def judge_ends(self, data: st.DataObject) -> None:
        alert = data.draw(st.sampled_from(sorted(self.people)))
        self.commit(Outputs(transitions=[ended(alert, START + DAY)]))
        self.ended.add(alert)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), kind=st.sampled_from(StepKind), who=STAFF, note=st.sampled_from(["", "已到现场"]))
    def people_step(self, data: st.DataObject, kind: StepKind, who: str, note: str) -> None:
        alert = data.draw(st.sampled_from(sorted(self.people)))
        given = step(kind, who, note)
        before = self.state(alert)
        steps = [taken for name, taken in self.taken if name == alert]
        if steps and (steps[-1] == given or (not note and step(kind, who, steps[-1].note) == steps[-1])):
            result = self.desk.take(alert, given)
            assert result.repeated
            assert result.state == before
        elif kind in POSSIBLE[before]:
            self.clock.advance(HOUR)
            result = self.desk.take(alert, given)
            assert not result.repeated
            assert result.taken.at == self.clock.now()
            self.people[alert] = result.state
            self.taken.append((alert, given))
        else:
            with pytest.raises(StepRefusedError, match=f"alert {alert} is {before}: cannot {kind} it; possible now: "):
                self.desk.take(alert, given)

    @rule()
    def everything_restarts(self) -> None:
        self.close()
        self.open()

    @invariant()
    def the_ledger_is_as_the_model(self) -> None:
        assert {alert.id: alert.state for alert in self.reader.alerts()} == {
            alert: self.state(alert) for alert in self.people
        }
        assert [(taken.alert, taken.step) for taken in self.reader.steps()] == self.taken
        for state in AlertState:
            listed = {alert.id for alert in self.reader.alerts(AlertFilter(state=state))}
            assert listed == {alert for alert in self.people if self.state(alert) is state}


def test_any_order_of_what_the_judge_and_people_do(new_home: NewHome) -> None:
    class LivesHere(Lives):
        def __init__(self) -> None:
            super().__init__(new_home())

    run_state_machine_as_test(LivesHere, settings=settings(max_examples=15, stateful_step_count=20))


# ---- the same in single sentences ----


@pytest.fixture
def where(home: Home) -> Where:
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(1), Outputs(transitions=[raised("aaaa1", START), raised("aaab2", START)]))
    return home.where


@pytest.fixture
def desk(where: Where) -> AlertDesk:
    return AlertDesk(where, FixedClock(START))


def test_every_state_and_step_has_a_name_and_a_place() -> None:
    assert set(STATE_NAMES) == set(POSSIBLE) == set(AlertState)
    assert set(STEP_NAMES) == set(LEADS_TO) == set(StepKind)
    assert set(MEASURE_NAMES) == set(Measure)
    assert set(DISCARD_REASON_NAMES) == set(DiscardReason)


def test_every_state_of_people_can_be_reached_and_only_resolved_is_the_end() -> None:
    reached, fresh = set(), {AlertState.OPEN}
    while fresh:
        reached |= fresh
        fresh = {LEADS_TO[kind] for state in fresh for kind in POSSIBLE[state]} - reached
    assert reached == set(AlertState) - {AlertState.ENDED}
    assert [state for state in AlertState if not POSSIBLE[state]] == [AlertState.RESOLVED]


def test_what_nobody_took_up_cannot_be_resolved_and_the_refusal_says_what_can_be_done(desk: AlertDesk) -> None:
    with pytest.raises(StepRefusedError) as refusal:
        desk.take("aaaa1", step(StepKind.RESOLVE))
    assert str(refusal.value) == (
        "预警 aaaa1 未处理，不能办结；现在可以：确认、处置、排除  "
        "alert aaaa1 is open: cannot resolve it; possible now: acknowledge, dispose, discard"
    )


def test_nothing_follows_resolved(desk: AlertDesk) -> None:
    desk.take("aaaa1", step(StepKind.ACKNOWLEDGE))
    desk.take("aaaa1", step(StepKind.RESOLVE))
    with pytest.raises(StepRefusedError, match="possible now: nothing"):
        desk.take("aaaa1", step(StepKind.DISCARD))


def test_a_colleague_does_not_repeat_what_another_did(desk: AlertDesk) -> None:
    desk.take("aaaa1", step(StepKind.ACKNOWLEDGE, "王敏"))
    assert desk.take("aaaa1", step(StepKind.ACKNOWLEDGE, "王敏")).repeated
    with pytest.raises(StepRefusedError, match="alert aaaa1 is acknowledged"):
        desk.take("aaaa1", step(StepKind.ACKNOWLEDGE, "duty02"))


def test_saying_it_again_without_the_note_is_saying_it_again(desk: AlertDesk) -> None:
    desk.take("aaaa1", step(StepKind.ACKNOWLEDGE, note="已到现场"))
    again = desk.take("aaaa1", step(StepKind.ACKNOWLEDGE))
    assert again.repeated
    assert again.taken.step.note == "已到现场"
    with pytest.raises(StepRefusedError, match="alert aaaa1 is acknowledged"):
        desk.take("aaaa1", step(StepKind.ACKNOWLEDGE, note="另一件事"))


def test_disposing_again_gives_another_owner(desk: AlertDesk, where: Where) -> None:
    desk.take("aaaa1", Step(StepKind.DISPOSE, "王敏", Measure.SUPERVISION, "督查室", DEADLINE))
    desk.take("aaaa1", Step(StepKind.DISPOSE, "王敏", Measure.INSPECTION, "巡察办", DEADLINE + DAY))
    with LedgerReader(where) as ledger:
        life = ledger.alert("aaaa1")
    assert [(taken.step.owner, taken.step.measure) for taken in life.steps] == [
        ("督查室", "supervision"),
        ("巡察办", "inspection"),
    ]
    assert life.alert.state is AlertState.DISPOSED


def test_an_alert_is_named_by_any_beginning_that_names_one(desk: AlertDesk) -> None:
    assert desk.take("aaaa", step(StepKind.ACKNOWLEDGE)).taken.alert == "aaaa1"
    with pytest.raises(LedgerError, match="no alert has the id aaa;"):
        desk.take("aaa", step(StepKind.ACKNOWLEDGE))
    with pytest.raises(LedgerError, match="no alert has the id %%%%;"):
        desk.take("%%%%", step(StepKind.ACKNOWLEDGE))


def test_a_beginning_of_two_names_none(desk: AlertDesk, where: Where) -> None:
    with LedgerStore(where, LAYOUT) as store:
        store.commit(checkpoint(2), Outputs(transitions=[raised("aaaa2", START)]))
    with pytest.raises(LedgerError, match="aaaa begins several alerts' ids"):
        desk.take("aaaa", step(StepKind.ACKNOWLEDGE))


WRONGLY_SAID = {
    "who must not be empty": Step(StepKind.ACKNOWLEDGE, "  "),
    "who: at most 64 characters, not 65": Step(StepKind.ACKNOWLEDGE, "王" * 65),
    "who holds characters that cannot be printed": Step(StepKind.ACKNOWLEDGE, "王\x00敏"),
    "who seems to hold a phone": Step(StepKind.ACKNOWLEDGE, "13800138000"),
    "note: at most 1000 characters, not 1001": Step(StepKind.ACKNOWLEDGE, "王敏", note="好" * 1001),
    "note seems to hold a phone": Step(StepKind.ACKNOWLEDGE, "王敏", note="已联系 138-0013-8000, 待复"),
    "owner seems to hold a phone": Step(StepKind.DISPOSE, "王敏", Measure.WATCH, "李 139 0013 8000", DEADLINE),
    "a disposal needs a measure": Step(StepKind.DISPOSE, "王敏", Measure.WATCH, "督查室"),
    "owner must not be empty": Step(StepKind.DISPOSE, "王敏", Measure.WATCH, "", DEADLINE),
    "the deadline has passed": Step(StepKind.DISPOSE, "王敏", Measure.WATCH, "督查室", START),
    "belong to a disposal": Step(StepKind.ACKNOWLEDGE, "王敏", owner="督查室"),
    "discarding needs a reason": Step(StepKind.DISCARD, "王敏"),
    "nothing else has one": Step(StepKind.ACKNOWLEDGE, "王敏", reason=DiscardReason.EXERCISE),
}


@pytest.mark.parametrize("why", WRONGLY_SAID)
def test_what_is_not_properly_said_is_refused_and_not_written(desk: AlertDesk, where: Where, why: str) -> None:
    with pytest.raises(StepRefusedError, match=why):
        desk.take("aaaa1", WRONGLY_SAID[why])
    with LedgerReader(where) as ledger:
        assert ledger.steps() == []
        assert ledger.alert("aaaa1").alert.state is AlertState.OPEN
