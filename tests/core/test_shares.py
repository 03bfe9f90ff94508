"""Signals of shares on their way through tally, score and judge."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.observation import ScoreReason
from streams.core.alert import Evidence, Raised, Shape
from streams.core.alert_log import log_lines
from streams.core.cells import CellCounts
from streams.core.city import City, Direction, Measure, Size
from streams.core.instant import DAY, HOUR, format_instant
from streams.core.judge import JudgePlan, step
from streams.core.judge_state import JudgeState
from streams.core.levels import levels_of
from streams.core.outputs import ClosedWindow, ScoredWindow
from streams.core.score import Score
from streams.core.tally import Tally
from tests.core.towns import START, batch, event, signal, tick, towns

CALLED = replace(signal("called", {"kind": ["called_back"]}, (Size.DAY,)), detectors=())
SATISFIED = replace(
    signal("satisfied", {"kind": ["called_back"], "outcome": ["satisfied"]}, (Size.DAY,), direction=Direction.LOW),
    detectors=("rates",),
    of="called",
    citywide=True,
)
DUE = replace(signal("due", {}, (Size.DAY,), measure=Measure.DUE), detectors=())
ON_TIME = replace(signal("on_time", {}, (Size.DAY,), measure=Measure.ON_TIME), detectors=("rates",), of="due")
CITY = towns(signals=(CALLED, SATISFIED, DUE, ON_TIME))
USUAL = (50, 45, 20, 18)


def closed(county: str, day: int, counts: tuple[int, ...]) -> ClosedWindow:
    start, none = START + day * DAY, np.zeros(0, dtype=np.int64)
    return ClosedWindow(county, Size.DAY, start, start + DAY, np.array(counts, np.int64), CellCounts([], none))


def judged(last: tuple[int, ...], city: City = CITY, days: int = 120) -> tuple[ScoredWindow, list[Evidence]]:
    """The last of many usual days, on which the east had other counts; what raised an alert on it."""
    score = Score(city, detail_p=0.01)
    plan, state = JudgePlan.of(city, levels_of(city), {"rates": "1"}), JudgeState()
    window = None
    raised: list[Evidence] = []
    for day in range(days):
        for county in city.counties:
            special = (day, county.code) == (days - 1, "east")
            window = score.step(closed(county.code, day, last if special else USUAL))
        assert window is not None
        state, made = step(plan, state, window)
        raised += [one.evidence for one in made if isinstance(one, Raised)]
        assert {"raised"} >= {line["transition"] for line in log_lines(made)}
    assert window is not None
    return window, raised


def test_a_share_that_falls_is_an_alert_at_once_with_what_it_is_made_of() -> None:
    """Fewer satisfied is no drought: nothing else need be low with it."""
    _, (case,) = judged((50, 25, 20, 18))
    assert (case.signal, case.shape, case.direction) == ("satisfied", Shape.RATE, "low")
    assert (case.count, case.whole) == (25, 50)
    assert case.expected == pytest.approx(45, abs=0.01)


def test_as_many_fewer_of_as_many_fewer_call_backs_is_no_news() -> None:
    _, raised = judged((10, 9, 20, 18))
    assert raised == []


def test_no_call_back_is_no_data() -> None:
    window, raised = judged((0, 0, 20, 18))
    assert raised == []
    assert window.scores["rates"].reason[1].tolist() == [
        ScoreReason.MISSING, ScoreReason.SCORED, ScoreReason.SCORED, ScoreReason.SCORED,
    ]  # fmt: skip


def test_the_city_as_a_whole_is_the_share_of_its_sums() -> None:
    window, _ = judged((50, 25, 20, 18))
    assert window.counts[:2, -1].tolist() == [150, 115]
    assert abs(window.scores["rates"].expected[1, -1] - 135) < 0.5


def test_what_only_counts_is_not_judged_and_costs_nothing() -> None:
    assert {signal for signal, _, _ in levels_of(CITY)} == {"satisfied", "on_time"}
    window, _ = judged(USUAL)
    assert set(window.scores) == {"rates"}
    assert (window.scores["rates"].reason[0] == ScoreReason.NOT_JUDGED).all()


def test_closings_with_a_due_date_are_counted_and_those_that_kept_it() -> None:
    """The one in time, the one late, and the one without a due date."""
    due = {"due": format_instant(START + 5 * HOUR)}
    records = [
        event(1, START, ticket="a", **due),
        event(2, START, ticket="b", **due),
        event(3, START, ticket="c"),
        event(4, START + 3 * HOUR, ticket="a", kind="closed"),
        event(5, START + 9 * HOUR, ticket="b", kind="closed"),
        event(6, START + 9 * HOUR, ticket="c", kind="closed"),
        tick(START + DAY + 3 * HOUR),
    ]
    tally = Tally(CITY, START)
    out = tally.step(batch(CITY, records))
    (day,) = (w for w in out.closed if w.county == "east" and w.size is Size.DAY)
    assert day.counts.tolist() == [0, 0, 2, 1]
    assert day.metrics is not None
    assert day.metrics.on_time_rate == 0.5
