"""`explain`: every window of every series can be asked why it paged, or why it did not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from detectors.observation import ScoreReason
from streams.core.city import Direction, Size
from streams.core.explain import Around, explain, largest_count, smallest_count
from streams.core.explanation import Explanation, Why
from streams.core.instant import DAY, HOUR, Instant
from streams.core.outputs import ScoredWindow
from tests.core.courtroom import LEVEL, MONDAY, SIGNALS, Courtroom, Seen, small_city

NINE = MONDAY + 9 * HOUR
FIRE = LEVEL / 4


def ask(
    court: Courtroom, window: ScoredWindow | None, signal: str, county: str, end: Instant = NINE, size: Size = Size.HOUR
) -> Explanation:
    """Why, of a window as the ledger gives it back: without details."""
    stored = None if window is None else replace(window, details={})
    return explain(court.plan, signal, county, size, end - 1, stored, court.made)


def heard(court: Courtroom, end: Instant, seen: dict[tuple[str, str], Seen]) -> ScoredWindow:
    window = court.window(end, Size.HOUR, seen)
    court.hear(window)
    return window


def test_an_ordinary_window_is_not_improbable_enough() -> None:
    court = Courtroom()
    answer = ask(court, heard(court, NINE, {}), "noise", "east")
    assert answer.why is Why.ABOVE_LEVEL
    assert (answer.count, answer.alert) == (10, None)
    assert answer.tests[0].turning_count == smallest_count(10.0, 50.0, LEVEL / 2)


def test_a_verdict_names_the_alert_it_raised_joined_and_kept_open() -> None:
    court = Courtroom()
    first = heard(court, NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    second = heard(
        court, NINE + HOUR, {("noise", "east"): Seen(57, 21.0, FIRE), ("dust", "east"): Seen(41, 10.0, FIRE)}
    )
    (raised,) = court.raised
    at_first = ask(court, first, "noise", "east")
    assert (at_first.why, at_first.alert) == (Why.RAISED, raised.alert)
    joined = ask(court, second, "dust", "east", NINE + HOUR)
    assert (joined.why, joined.alert) == (Why.JOINED, raised.alert)
    continued = ask(court, second, "noise", "east", NINE + HOUR)
    assert (continued.why, continued.alert) == (Why.CONTINUED, raised.alert)


def test_a_window_that_is_near_a_verdict_belongs_to_the_alert_that_it_keeps_open() -> None:
    """Too few for a page of its own, or not quite improbable enough: but nobody was left unwarned."""
    city = small_city(replace(s, minimum_count=20) for s in SIGNALS)
    court = Courtroom(city)
    heard(court, NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    (raised,) = court.raised
    for hour, seen in enumerate((Seen(19, 3.0, FIRE), Seen(33, 21.0, 2 * LEVEL)), 1):
        window = heard(court, NINE + hour * HOUR, {("noise", "east"): seen})
        answer = ask(court, window, "noise", "east", NINE + hour * HOUR)
        assert (answer.why, answer.alert) == (Why.CONTINUED, raised.alert)
    far = heard(court, NINE + 3 * HOUR, {})
    assert ask(court, far, "noise", "east", NINE + 3 * HOUR).why is Why.ABOVE_LEVEL
    other = heard(court, NINE + 4 * HOUR, {("noise", "west"): Seen(19, 3.0, FIRE)})
    assert ask(court, other, "noise", "west", NINE + 4 * HOUR).why is Why.MINIMUM_COUNT


def test_a_total_that_its_part_accounts_for_names_that_alert() -> None:
    court = Courtroom()
    both = {("noise", "east"): Seen(58, 21.0, FIRE), ("total", "east"): Seen(100, 60.0, FIRE)}
    heard(court, NINE, both)
    again = heard(court, NINE + HOUR, both)
    answer = ask(court, again, "total", "east", NINE + HOUR)
    assert (answer.why, answer.alert) == (Why.EXPLAINED, court.raised[0].alert)


def test_the_minimum_count_stands_before_the_level() -> None:
    city = small_city(replace(s, minimum_count=20) for s in SIGNALS)
    court = Courtroom(city)
    answer = ask(court, heard(court, NINE, {("noise", "east"): Seen(19, 3.0, FIRE)}), "noise", "east")
    assert answer.why is Why.MINIMUM_COUNT
    assert answer.minimum_count == 20
    assert answer.tests[0].turning_count == 20
    assert court.made == []


def test_few_of_what_is_only_watched_for_many_is_a_matter_of_direction() -> None:
    court = Courtroom()
    answer = ask(court, heard(court, NINE, {("dust", "east"): Seen(0, 20.0, 1e-9)}), "dust", "east")
    assert answer.why is Why.DIRECTION
    assert answer.direction is Direction.HIGH
    assert answer.tests[0].side is Direction.LOW


def test_a_lone_drought_is_not_corroborated() -> None:
    court = Courtroom()
    answer = ask(court, heard(court, NINE, {("noise", "east"): Seen(0, 20.0, FIRE)}), "noise", "east")
    assert (answer.why, answer.alert) == (Why.NOT_CORROBORATED, None)
    assert answer.tests[0].turning_count == largest_count(20.0, 50.0, LEVEL / 2)


def test_few_on_a_holiday_are_the_calendar_s_doing() -> None:
    court = Courtroom()
    wednesday = MONDAY + 2 * DAY + 9 * HOUR
    window = heard(court, wednesday, {("noise", "east"): Seen(0, 20.0, FIRE)})
    assert ask(court, window, "noise", "east", wednesday).why is Why.CALENDAR


@pytest.mark.parametrize(
    ("reason", "why"), [(ScoreReason.WARMING_UP, Why.WARMING_UP), (ScoreReason.MISSING, Why.MISSING)]
)
def test_a_series_without_a_verdict_says_why(reason: ScoreReason, why: Why) -> None:
    court = Courtroom()
    answer = ask(court, heard(court, NINE, {("noise", "east"): Seen(10, reason=reason)}), "noise", "east")
    assert answer.why is why
    assert answer.tests[0].p is None


def test_a_window_that_is_not_stored_or_not_tested() -> None:
    court = Courtroom(small_city(replace(s, sizes=(Size.HOUR,), citywide=False) for s in SIGNALS))
    assert ask(court, None, "noise", "east").why is Why.NOT_CLOSED
    citywide = ask(court, heard(court, NINE, {}), "noise", court.city.code)
    assert citywide.why is Why.NOT_TESTED
    day = court.window(MONDAY + DAY, Size.DAY, {})
    assert ask(court, day, "noise", "east", MONDAY + DAY, Size.DAY).why is Why.NOT_TESTED


def test_of_two_sides_the_one_nearer_to_a_page_comes_first() -> None:
    court = Courtroom()
    answer = ask(court, heard(court, NINE, {("noise", "east"): Seen(0, 10.0, 0.02)}), "noise", "east")
    assert [test.side for test in answer.tests] == [Direction.LOW, Direction.HIGH]


def test_what_did_and_did_not_fire_is_never_contradicted_by_the_turning_count() -> None:
    court = Courtroom()
    fired = ask(court, heard(court, NINE, {("road", "east"): Seen(24, 21.0, FIRE)}), "road", "east")
    assert fired.tests[0].turning_count == 24
    quiet = ask(
        court, heard(court, NINE + HOUR, {("noise", "east"): Seen(90, 21.0, 0.4)}), "noise", "east", NINE + HOUR
    )
    assert quiet.tests[0].turning_count == 91


def test_an_unknown_signal_or_a_window_of_another_time_is_refused() -> None:
    court = Courtroom()
    with pytest.raises(LookupError, match="nose"):
        ask(court, None, "nose", "east")
    with pytest.raises(ValueError, match="not the one"):
        ask(court, court.window(NINE + HOUR, Size.HOUR, {}), "noise", "east")


def test_the_calendar_and_the_budget_are_said() -> None:
    court = Courtroom()
    wednesday = MONDAY + 2 * DAY + 9 * HOUR
    window = heard(court, wednesday, {})
    answer = explain(court.plan, "noise", "east", Size.HOUR, wednesday - 1, window, (), Around([window]))
    assert answer.calendar == ("节日",)
    assert answer.budget_per_week == 2.0
    tests = sum(2 if s.direction is Direction.BOTH else 1 for s in court.city.signals for _ in range(3 + s.citywide))
    levels = sum(LEVEL * (3 + s.citywide) for s in court.city.signals)
    assert tests > 0
    assert answer.spent == pytest.approx(levels)
    assert answer.left == pytest.approx(2.0 - levels)


@given(mean=st.floats(0.01, 500), size=st.floats(0.2, 1e4), level=st.floats(1e-9, 0.2))
def test_turning_counts_are_the_exact_turning_points(mean: float, size: float, level: float) -> None:
    def upper(x: int) -> float:
        return float(f"{nbinom.sf(x - 1, size, size / (size + mean)):.6g}")

    def lower(x: int) -> float:
        return float(f"{nbinom.cdf(x, size, size / (size + mean)):.6g}")

    slack = 1 + 1e-5  # the last of six digits
    smallest = smallest_count(mean, size, level)
    assert upper(smallest) <= level * slack
    assert upper(smallest - 1) > level / slack
    largest = largest_count(mean, size, level)
    assert largest == -1 or lower(largest) <= level * slack
    assert lower(largest + 1) > level / slack


def test_explaining_changes_nothing() -> None:
    court = Courtroom()
    window = court.window(NINE, Size.HOUR, {("noise", "east"): Seen(58, 21.0, FIRE)})
    before = window.counts.copy()
    ask(court, window, "noise", "east")
    assert np.array_equal(before, window.counts)
    assert court.state.pending == ()
