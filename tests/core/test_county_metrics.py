"""Running metrics of a county: volumes by what came in, rates over valid call-backs, no data where there is none."""

from datetime import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.cells import Cell, CellRegistry
from streams.core.city import Size
from streams.core.county_metrics import county_metrics, rate
from streams.core.event import INTAKE_KINDS, KINDS, OUTCOMES
from streams.core.instant import DAY, HOUR, MINUTE
from streams.core.outputs import ClosedWindow, CountyMetrics
from streams.core.span import Span
from streams.core.tally import Tally
from streams.core.tickets import Backlog
from tests.core.towns import SIGNALS, START, batch, event, tick, towns

NOTHING_OPEN = Backlog(0, 0, None)


def metrics(cells: dict[Cell, int], backlog: Backlog = NOTHING_OPEN, **totals: int) -> CountyMetrics:
    """The metrics of a window that holds some cells."""
    registry = CellRegistry(SIGNALS, cells)
    span = Span(START, len(SIGNALS))
    span.add_cells(np.array(list(cells.values()), dtype=np.int64))
    for name, total in totals.items():
        setattr(span, name, total)
    return county_metrics(registry, span, backlog)


def cell(kind: str = "accepted", outcome: str | None = None, **fields: Any) -> Cell:
    return Cell(
        **({"point": "hotline", "category": "noise", "channel": None, "sector": None} | fields),
        kind=kind,
        outcome=outcome,
    )


def call_backs(**heard: int) -> CountyMetrics:
    return metrics({cell("called_back", outcome): events for outcome, events in heard.items()})


def test_volume_is_what_came_in_by_point_category_and_sector_and_every_step_by_kind() -> None:
    found = metrics(
        {
            cell(): 5,
            cell(category="road", sector="school"): 2,
            cell("petition_filed", point="petitions", sector="hospital"): 1,
            cell("closed", sector="school"): 4,
            cell("dispatched"): 3,
        }
    )
    assert found.volume == 8
    assert found.by_point == {"hotline": 7, "petitions": 1}
    assert found.by_category == {"noise": 6, "road": 2}
    assert found.by_sector == {"hospital": 1, "school": 2}
    assert found.by_kind == {"accepted": 7, "closed": 4, "dispatched": 3, "petition_filed": 1}
    assert found.closed == 4


def test_the_three_rates_are_over_valid_call_backs() -> None:
    found = call_backs(satisfied=4, basically_satisfied=2, dissatisfied=1, unsolved=1, no_response=2, unreachable=90)
    assert found.valid_callbacks == 10
    assert found.response_rate == 0.8  # all but those who had no response
    assert found.solution_rate == 0.7  # nor found it unsolved
    assert found.satisfaction_rate == 0.58  # (satisfied + 0.9 basically satisfied) / valid


@pytest.mark.parametrize("heard", [{}, {"unreachable": 7}])
def test_without_a_valid_call_back_a_rate_is_no_data(heard: dict[str, int]) -> None:
    found = call_backs(**heard)
    assert found.valid_callbacks == 0
    assert (found.response_rate, found.solution_rate, found.satisfaction_rate) == (None, None, None)


def test_none_of_ten_is_nought_not_no_data() -> None:
    found = call_backs(no_response=10)
    assert (found.response_rate, found.solution_rate, found.satisfaction_rate) == (0.0, 0.0, 0.0)


def test_an_outcome_counts_only_when_a_call_back_heard_it() -> None:
    found = metrics({cell("closed", "satisfied"): 5, cell("called_back"): 3, cell("called_back", "unsolved"): 1})
    assert (found.valid_callbacks, found.satisfaction_rate) == (1, 0.0)


def test_on_time_is_a_share_of_the_closings_that_had_a_due_time() -> None:
    assert metrics({cell("closed"): 9}, on_time=2, with_due=3).on_time_rate == 0.666667
    assert metrics({cell("closed"): 9}, on_time=0, with_due=0).on_time_rate is None


def test_an_empty_window_is_all_noughts_and_no_data() -> None:
    found = metrics({})
    assert found == CountyMetrics(
        volume=0,
        by_point={},
        by_category={},
        by_sector={},
        by_kind={},
        backlog=0,
        backlog_age_hours=None,
        overdue=0,
        closed=0,
        on_time=0,
        on_time_rate=None,
        valid_callbacks=0,
        response_rate=None,
        solution_rate=None,
        satisfaction_rate=None,
        repeats=0,
        distinct_callers=0,
        distinct_matters=0,
        late=0,
    )


def test_the_backlog_and_the_rest_are_passed_on() -> None:
    found = metrics({}, Backlog(7, 3, 12.5), repeats=2, late=4)
    assert (found.backlog, found.overdue, found.backlog_age_hours, found.repeats, found.late) == (7, 3, 12.5, 2, 4)


cells = st.builds(
    Cell,
    st.sampled_from(["hotline", "petitions"]),
    st.sampled_from(["noise", "road", "threat"]),
    st.sampled_from(KINDS),
    st.sampled_from(["phone", "web", None]),
    st.sampled_from(["school", "hospital", None]),
    st.sampled_from([*OUTCOMES, None]),
)


@given(st.dictionaries(cells, st.integers(0, 10**6), max_size=30))
def test_the_parts_add_up(found: dict[Cell, int]) -> None:
    made = metrics(found)
    intake = sum(events for cell, events in found.items() if cell.kind in INTAKE_KINDS)
    assert made.volume == sum(made.by_point.values()) == sum(made.by_category.values()) == intake
    assert sum(made.by_kind.values()) == sum(found.values())
    for rate_ in (made.response_rate, made.solution_rate, made.satisfaction_rate):
        assert (rate_ is None) == (made.valid_callbacks == 0)
        assert rate_ is None or 0 <= rate_ <= 1
    for by in (made.by_point, made.by_category, made.by_sector, made.by_kind):
        assert list(by) == sorted(by)
        assert 0 not in by.values()


@given(st.dictionaries(cells, st.integers(1, 1000), max_size=12), st.randoms(use_true_random=False))
def test_the_order_in_which_cells_were_first_seen_does_not_matter(
    found: dict[Cell, int], shuffle: st.DataObject
) -> None:
    order = list(found.items())
    shuffle.shuffle(order)  # type: ignore[attr-defined]
    assert metrics(dict(order)) == metrics(found)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_rate_has_six_decimals(part: int, whole: int) -> None:
    found = rate(part, whole)
    assert found is not None
    assert round(found, 6) == found
    assert abs(found - part / whole) <= 5.1e-7 * max(1.0, found)


# ---- as a window closes ----


def closed(records: list[dict[str, str]], size: Size, day_start: time = time(0)) -> ClosedWindow:
    """The first window of a size that the east closes."""
    city = towns(day_start=day_start)
    out = Tally(city, START).step(batch(city, [*records, tick(START + 16 * DAY)]))
    return next(window for window in out.closed if window.county == "east" and window.size is size)


def test_a_day_window_carries_the_metrics_of_its_day() -> None:
    life = [
        event(1, START, ticket="1", caller="a" * 32, matter="m" * 32, due="2026-03-02T05:00:00Z"),
        event(2, START + HOUR, ticket="2", caller="a" * 32, matter="m" * 32, due="2026-03-02T05:00:00Z"),
        event(3, START + 2 * HOUR, ticket="3", caller="b" * 32, matter="n" * 32),
        event(4, START + 3 * HOUR, kind="closed", ticket="1"),
        event(5, START + 6 * HOUR, kind="closed", ticket="2"),
        event(6, START + 7 * HOUR, kind="called_back", ticket="1", outcome="satisfied"),
        event(7, START + DAY + HOUR, ticket="4"),
    ]
    found = closed(life, Size.DAY).metrics
    assert found is not None
    assert (found.volume, found.closed, found.on_time, found.on_time_rate) == (3, 2, 1, 0.5)
    assert (found.backlog, found.backlog_age_hours) == (1, 22.0)
    assert (found.distinct_callers, found.distinct_matters, found.repeats) == (2, 2, 1)
    assert (found.valid_callbacks, found.satisfaction_rate) == (1, 1.0)


def test_a_week_counts_one_caller_of_seven_days_once() -> None:
    calls = [event(n, START + n * DAY, caller="a" * 32, matter="m" * 32) for n in range(7)]
    found = closed(calls, Size.WEEK).metrics
    assert found is not None
    assert (found.volume, found.distinct_callers, found.distinct_matters, found.repeats) == (7, 1, 1, 6)


def test_an_hour_window_carries_none() -> None:
    assert closed([event(1, START)], Size.HOUR).metrics is None


def test_late_events_are_told_in_the_day_in_which_they_came() -> None:
    city = towns()
    tally = Tally(city, START)
    records = [event(1, START), tick(START + DAY + 9 * HOUR), event(2, START + MINUTE), tick(START + 3 * DAY)]
    days = [w for w in tally.step(batch(city, records)).closed if w.county == "east" and w.size is Size.DAY]
    assert [(day.metrics.volume, day.metrics.late) for day in days if day.metrics] == [(1, 0), (0, 1)]
