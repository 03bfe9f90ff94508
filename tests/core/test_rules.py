"""Rules: a limit of the profile, one page while it holds, outside the budget, and explained."""

from dataclasses import replace

import numpy as np
import pytest

from streams.core.alert import Ended, Raised, Severity, Shape, Transition
from streams.core.city import City, Measure, Size
from streams.core.explain import Around, explain
from streams.core.explanation import Why
from streams.core.instant import DAY, HOUR, format_instant
from streams.core.judge import JudgePlan, step
from streams.core.judge_state import JudgeState, restore, snapshot
from streams.core.levels import levels_of
from streams.core.outputs import ScoredWindow
from streams.core.rules import limits_of
from streams.core.tally import Tally
from tests.core.towns import START, batch, event, signal, tick, towns

BACKLOG = replace(
    signal("backlog", {}, (Size.DAY,), measure=Measure.BACKLOG, family="handling"), detectors=(), threshold=20
)
OVERDUE = replace(signal("overdue", {}, (Size.DAY,), measure=Measure.OVERDUE), detectors=(), threshold=5)
AGE = replace(signal("age", {}, (Size.DAY,), measure=Measure.BACKLOG_AGE), detectors=(), threshold=48)
CITY = towns(signals=(BACKLOG, OVERDUE, AGE))


class Days:
    """A judge over days of a backlog in the east."""

    def __init__(self, city: City = CITY) -> None:
        self.plan = JudgePlan.of(city, levels_of(city), {})
        self.state = JudgeState()
        self.made: list[Transition] = []
        self.windows: list[ScoredWindow] = []

    def day(self, backlog: int) -> list[Transition]:
        start = START + len(self.windows) * DAY
        counts = np.zeros((3, 4), dtype=np.int64)
        counts[0, 0] = counts[0, -1] = backlog
        self.windows.append(ScoredWindow(Size.DAY, start, start + DAY, counts, {}, {}))
        self.state, made = step(self.plan, self.state, self.windows[-1])
        assert restore(snapshot(self.state)) == self.state
        self.made += made
        return list(made)

    def why(self, day: int) -> tuple[Why, str | None]:
        window = self.windows[day]
        answer = explain(
            self.plan, "backlog", "east", Size.DAY, window.start, window, self.made, Around(self.windows[-7:])
        )
        assert answer.spent == 0
        assert [test.turning_count for test in answer.tests] == [20]
        return answer.why, answer.alert


def test_one_page_while_it_holds_and_another_when_it_comes_back() -> None:
    days = Days()
    for backlog in (3, 19, 20, 25, 22, 19, 30, 1, 1, 1, 1, 21):
        days.day(backlog)
    kinds = [type(one).__name__ for one in days.made]
    assert kinds == ["Raised", "Ended", "Raised"]
    first = days.made[0]
    assert isinstance(first, Raised)
    case = first.evidence
    assert (first.county, first.family, case.shape, case.count) == ("east", "handling", Shape.RULE, 20)
    assert (case.p, case.level, case.expected) == (None, None, None)
    assert case.notes == ("limit:20",)
    assert isinstance(days.made[1], Ended)
    assert days.made[0].alert == days.made[1].alert != days.made[2].alert


def test_twice_the_limit_is_critical() -> None:
    for backlog, severity in ((39, Severity.WARNING), (40, Severity.CRITICAL)):
        (raised,) = (one for one in Days().day(backlog) if isinstance(one, Raised))
        assert raised.severity is severity


def test_it_costs_nothing_of_the_budget() -> None:
    days = Days()
    days.day(50)
    assert levels_of(CITY) == {}
    assert days.state.account.total == 0


def test_it_is_explained_like_any_other() -> None:
    days = Days()
    for backlog in (3, 20, 25):
        days.day(backlog)
    (raised,) = days.made
    assert days.why(0) == (Why.BELOW_LIMIT, None)
    assert days.why(1) == (Why.RAISED, raised.alert)
    assert days.why(2) == (Why.CONTINUED, raised.alert)


def test_a_limit_may_be_for_so_many_residents() -> None:
    per_head = replace(BACKLOG, threshold=30, per_residents=1000, citywide=True)
    people = dict(zip(("east", "west", "south"), (1000, 1500, None), strict=True))
    city = towns(signals=(per_head,))
    some = replace(city, counties=tuple(replace(c, population=people[c.code]) for c in city.counties))
    assert limits_of(some).tolist() == [[30, 45, -1, -1]]
    everyone = replace(city, counties=tuple(replace(c, population=1001) for c in city.counties))
    assert limits_of(everyone).tolist() == [[31, 31, 31, 91]]
    assert limits_of(CITY)[:, 3].tolist() == [-1, -1, -1]  # nobody asked for the city as a whole


def test_a_source_that_tells_of_no_closings_has_no_backlog() -> None:
    records = [event(n + 1, START + n * HOUR, ticket=f"t{n}") for n in range(40)]
    tally = Tally(CITY, START)
    out = tally.step(batch(CITY, [*records, tick(START + 4 * DAY)]))
    days = [w for w in out.closed if w.county == "east" and w.size is Size.DAY]
    assert [w.counts.tolist() for w in days] == [[0, 0, 0]] * 3
    assert days[-1].metrics is not None
    assert days[-1].metrics.backlog == 40  # as a running metric it is shown


@pytest.mark.parametrize("day", [1, 3])
def test_the_tally_counts_what_stands_as_a_day_closes(day: int) -> None:
    """Three tickets, one closed on the first day, one with a due date of the second."""
    records = [
        event(1, START + HOUR, ticket="a"),
        event(2, START + 2 * HOUR, ticket="b", due=format_instant(START + 30 * HOUR)),
        event(3, START + 3 * HOUR, ticket="c"),
        event(4, START + 9 * HOUR, ticket="c", kind="closed"),
        tick(START + 4 * DAY),
    ]
    tally = Tally(CITY, START)
    out = tally.step(batch(CITY, records))
    closed = [w.counts.tolist() for w in out.closed if w.county == "east" and w.size is Size.DAY]
    assert closed[day - 1] == {1: [2, 0, 22], 3: [2, 1, 70]}[day]
