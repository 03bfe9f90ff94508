"""Levels: the tests of any 7 x 24 hours spend no more than the budget, in any zone, whatever the plan."""

import math
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.budget import Test, levels
from detectors.registry import DETECTORS, SCANS, UnknownDetectorError, create, summaries

WEEK = timedelta(days=7)
ZONES = ("Asia/Shanghai", "UTC", "America/New_York", "Europe/Lisbon")


def ends(zone: str, windows_per_week: int, first: date, days: int) -> list[datetime]:
    """Window ends by the local clock: every hour, every midnight, every Monday's midnight."""
    local = ZoneInfo(zone)
    midnights = [datetime.combine(first + timedelta(days=i), time(), local).astimezone(UTC) for i in range(days)]
    if windows_per_week == 7:
        return midnights
    if windows_per_week == 1:
        return [midnight for i, midnight in enumerate(midnights) if (first + timedelta(days=i)).weekday() == 0]
    hours = int((midnights[-1] - midnights[0]) / timedelta(hours=1))
    return [midnights[0] + timedelta(hours=i) for i in range(hours)]


PLANS = st.lists(
    st.builds(
        Test,
        signal=st.just("signal"),
        windows_per_week=st.sampled_from([168, 7, 1]),
        detector=st.just("counts"),
        series=st.integers(0, 300),
        weight=st.floats(0.0, 100.0).filter(lambda weight: weight == 0 or weight > 1e-6),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40)
@given(PLANS, st.floats(0.0, 50.0), st.sampled_from(ZONES), st.dates(date(2014, 1, 1), date(2026, 1, 1)))
def test_no_seven_days_spend_more_than_the_budget(plan: list[Test], budget: float, zone: str, first: date) -> None:
    made = levels(plan, budget, short_weeks=True)
    each = dict.fromkeys((168, 7, 1), 0.0)
    for test, level in zip(plan, made, strict=True):
        each[test.windows_per_week] += level * test.series
    spent = sorted((end, each[size]) for size in (168, 7, 1) for end in ends(zone, size, first, 15))
    first_in = 0
    for i, (last, _) in enumerate(spent):
        while spent[first_in][0] <= last - WEEK:
            first_in += 1
        assert math.fsum(level for _, level in spent[first_in : i + 1]) <= budget * (1 + 1e-12)


def test_where_clocks_never_change_the_whole_budget_is_spent() -> None:
    plan = [Test("a", 168, "counts", 11, weight=1), Test("a", 7, "counts", 12, weight=3), Test("b", 1, "shift", 11)]
    made = levels(plan, 2.0)
    spent = sum(level * test.series * test.windows_per_week for test, level in zip(plan, made, strict=True))
    assert 2.0 * (1 - 1e-5) < spent <= 2.0
    assert made[1] * 12 * 7 == pytest.approx(3 * made[0] * 11 * 168, rel=1e-4), "shares follow the weights"


def test_a_spring_with_eight_midnights_in_a_week_would_overspend_without_short_weeks() -> None:
    plan = [Test("a", 7, "counts", 10)]
    march = ends("America/New_York", 7, date(2015, 3, 5), 12)
    most = max(sum(last - WEEK < end <= last for end in march) for last in march)
    assert most == 8
    assert levels(plan, 2.0)[0] * 10 * most > 2.0
    assert levels(plan, 2.0, short_weeks=True)[0] * 10 * most <= 2.0


def test_tests_without_series_or_weight_get_nothing_and_take_nothing() -> None:
    plan = [Test("a", 7, "counts", 0), Test("b", 7, "counts", 5, weight=0.0), Test("c", 7, "counts", 5)]
    assert levels(plan, 1.0) == (0.0, 0.0, levels(plan[2:], 1.0)[0])
    assert levels([], 1.0) == ()


@pytest.mark.parametrize(("budget", "weight"), [(-1.0, 1.0), (1.0, -1.0), (1.0, math.nan), (1.0, math.inf)])
def test_a_plan_that_makes_no_sense_is_refused(budget: float, weight: float) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        levels([Test("a", 7, "counts", 5, weight=weight)], budget)


def test_detectors_are_made_by_name() -> None:
    assert create("counts", 3, 7).name == "counts"
    assert set(summaries()) == {*DETECTORS, *SCANS}
    assert all(summary and "\n" not in summary for summary in summaries().values())
    with pytest.raises(UnknownDetectorError, match="no detector is called 'count'; there are: counts, "):
        create("count", 3, 7)
