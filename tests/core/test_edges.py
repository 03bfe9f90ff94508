"""Odd series, from their closed windows to the answer of `explain`: no alert without sense, and a reason each time."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from streams.core.cells import CellCounts
from streams.core.city import BREAK, City, Size
from streams.core.explain import explain
from streams.core.explanation import Explanation, Why
from streams.core.instant import DAY, WEEK, to_datetime
from streams.core.judge import JudgePlan, step
from streams.core.judge_state import JudgeState
from streams.core.levels import levels_of
from streams.core.outputs import ClosedWindow, ScoredWindow
from streams.core.score import Score
from tests.core.towns import START, signal, towns

WEEKS = 110
BY_SIZE = {Size.DAY: ("counts", "shift"), Size.WEEK: ("outbreak", "shift")}
STEP = 7 * (WEEKS - 4)
"""The day on which what is odd happens."""
BILLION = 10**9


def odd(name: str, day: int) -> int:
    """What one county counts on a day, of every kind of odd series."""
    if name == "missing":
        return -1 if STEP - 3 <= day < STEP + 3 else 20 + day % 3
    return {
        "zero": 0,
        "constant": 20,
        "first": int(day == STEP),
        "forty": 40 * (day == STEP),
        "vast": BILLION + day % 5 * 1000,
        "appears": 20 + day % 3 if day >= STEP else -1,
        "goes": 20 + day % 3 if day < STEP else -1,
        "split": 30 + day % 3 if day < STEP else 12 + day % 3,
    }[name]


NAMES = ("zero", "constant", "first", "forty", "vast", "missing", "appears", "goes", "split")


@cache
def city() -> City:
    signals = [
        replace(signal(name, {"kind": [name]}, (Size.DAY, Size.WEEK)), detectors=("counts", "shift", "outbreak"))
        for name in NAMES
    ]
    plain = towns(signals=tuple(replace(one, by_size=BY_SIZE) for one in signals))
    filed_anew = to_datetime(START + STEP * DAY, plain.zone).date()
    return replace(
        plain,
        signals=tuple(replace(s, breaks=(filed_anew,)) if s.name == "split" else s for s in plain.signals),
    )


@cache
def watched() -> tuple[JudgePlan, Mapping[tuple[Size, int], ScoredWindow], tuple[object, ...]]:
    """Two years of days and weeks through score and judge."""
    score, plan, state = Score(city(), detail_p=1e-3), JudgePlan.of(city(), levels_of(city()), {}), JudgeState()
    scored: dict[tuple[Size, int], ScoredWindow] = {}
    made: list[object] = []
    nothing = CellCounts([], np.zeros(0, np.int64))
    for day in range(7 * WEEKS):
        sizes = [(Size.DAY, [day])] + ([(Size.WEEK, list(range(day - 6, day + 1)))] if day % 7 == 6 else [])
        for size, days in sizes:
            counts = [-1 if any(odd(n, d) < 0 for d in days) else sum(odd(n, d) for d in days) for n in NAMES]
            start, end = START + days[0] * DAY, START + (day + 1) * DAY
            for county in city().counties:
                window = score.step(ClosedWindow(county.code, size, start, end, np.array(counts, np.int64), nothing))
                if window is not None:
                    scored[size, end] = window
                    state, transitions = step(plan, state, window)
                    made += transitions
    return plan, scored, tuple(made)


def asked(name: str, day: int, size: Size = Size.DAY) -> Explanation:
    """Why, of the window that holds a day."""
    plan, scored, made = watched()
    at = START + day * DAY
    end = plan.grid.window(size, at).end
    return explain(plan, name, "east", size, at, scored.get((size, end)), made)  # type: ignore[arg-type]  # transitions


@pytest.mark.parametrize("name", ["zero", "constant", "vast", "first", "missing"])
@pytest.mark.parametrize("size", [Size.DAY, Size.WEEK])
def test_nothing_is_news_of_them_and_the_reason_is_said(name: str, size: Size) -> None:
    last = 7 * WEEKS - 1
    answer = asked(name, last, size)
    assert answer.alert is None
    assert answer.why in (Why.ABOVE_LEVEL, Why.MINIMUM_COUNT, Why.DIRECTION)
    assert all(test.p is not None and 0.0 <= test.p <= 1.0 for test in answer.tests)
    assert not [one for one in watched()[2] if getattr(getattr(one, "evidence", None), "signal", None) == name]


def test_one_after_two_years_of_none_is_no_news_and_forty_are() -> None:
    assert asked("first", STEP).why in (Why.ABOVE_LEVEL, Why.MINIMUM_COUNT)
    assert asked("first", STEP).count == 1
    assert asked("forty", STEP).why in (Why.RAISED, Why.EXPLAINED)
    assert 3 <= (asked("forty", STEP).tests[0].turning_count or 0) <= 5  # the minimum count is 3


def test_a_missing_window_is_said_to_be_missing_and_the_next_one_is_judged_again() -> None:
    assert (asked("missing", STEP).why, asked("missing", STEP).count) == (Why.MISSING, None)
    assert asked("missing", STEP + 3).why is Why.ABOVE_LEVEL


def test_a_county_that_appears_warms_up_and_one_that_goes_is_missing() -> None:
    assert asked("appears", STEP - 1).why is Why.MISSING
    assert asked("appears", STEP + 7).why is Why.WARMING_UP
    assert asked("goes", STEP - 1).why is Why.ABOVE_LEVEL
    assert asked("goes", STEP + 7).why is Why.MISSING


def test_a_category_split_in_two_is_told_of_and_pages_nobody() -> None:
    answers = [asked("split", STEP + day) for day in range(BREAK // DAY - 1)]
    assert Why.BREAK in {answer.why for answer in answers}
    assert all(answer.alert is None for answer in answers)


def test_before_the_stream_there_is_no_window() -> None:
    assert asked("zero", -WEEK // DAY).why is Why.NOT_CLOSED
