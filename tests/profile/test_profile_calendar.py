"""The calendar: what kind of day it is, in which county, and until when that is sure."""

from dataclasses import replace
from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.profile import LocalEvent, Profile, load
from streams.profile.calendar import lunar_days
from streams.profile.holidays import Arrangement, ChineseHolidays

SHIZHONG, EMEISHAN, MABIAN = "511102", "511181", "511133"


@pytest.fixture(scope="module")
def leshan() -> Profile:
    return load("leshan")


def class_of(profile: Profile, county: str, day: date) -> str:
    return profile.calendar.classes[profile.calendar.day_class(county, day)].code


@pytest.mark.parametrize(
    "day",
    [
        date(2024, 2, 4), date(2024, 2, 18), date(2024, 4, 7), date(2024, 4, 28), date(2024, 5, 11),
        date(2024, 9, 14), date(2024, 9, 29), date(2024, 10, 12),
        date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11),
        date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10),
    ],
)  # fmt: skip
def test_make_up_workdays_are_worked_although_weekend(leshan: Profile, day: date) -> None:
    assert day.weekday() >= 5
    assert class_of(leshan, SHIZHONG, day) == "make_up_workday"
    assert leshan.calendar.is_workday(SHIZHONG, day)
    assert any(fact.startswith("调休上班") for fact in leshan.calendar.facts(SHIZHONG, day))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2024, 1, 1), "holiday_on_weekday"),
        (date(2024, 2, 7), "before_spring_festival"),
        (date(2024, 2, 9), "new_years_eve_at_work"),  # New Year's Eve, left to employers in 2024
        (date(2024, 2, 10), "spring_festival_on_weekend"),
        (date(2024, 2, 16), "spring_festival"),
        (date(2024, 2, 19), "ordinary"),
        (date(2025, 1, 28), "spring_festival"),
        (date(2025, 5, 31), "holiday_on_weekend"),
        (date(2025, 6, 2), "holiday_on_weekday"),
        (date(2025, 6, 6), "exams"),
        (date(2025, 10, 8), "holiday_on_weekday"),
        (date(2026, 2, 23), "spring_festival"),
        (date(2026, 2, 24), "ordinary"),
        (date(2026, 6, 13), "exams"),
        (date(2026, 3, 7), "ordinary"),  # an ordinary Saturday is an ordinary day: the week is the season's business
    ],
)
def test_classes_of_days_in_leshan(leshan: Profile, day: date, expected: str) -> None:
    assert class_of(leshan, SHIZHONG, day) == expected


def test_every_announced_day_is_as_the_library_says(leshan: Profile) -> None:
    day = date(2013, 1, 1)
    while day.year < 2027:
        assert leshan.calendar.is_workday(SHIZHONG, day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


def test_local_holidays_hold_in_their_counties_alone(leshan: Profile) -> None:
    day = date(2025, 11, 20)
    assert class_of(leshan, MABIAN, day) == "local_holiday"
    assert leshan.calendar.facts(MABIAN, day) == ("彝族年",)
    assert leshan.calendar.facts_en(MABIAN, day) == ("Yi New Year",)
    assert not leshan.calendar.is_workday(MABIAN, day)
    assert class_of(leshan, SHIZHONG, day) == "ordinary"
    assert leshan.calendar.facts(SHIZHONG, day) == ()
    assert leshan.calendar.is_workday(SHIZHONG, day)
    assert class_of(leshan, EMEISHAN, date(2025, 10, 2)) == "golden_week"


@pytest.mark.parametrize(
    ("day", "fact"),
    [
        (date(2025, 1, 28), "除夕"),  # the 29th of a short month
        (date(2024, 2, 9), "除夕"),  # the 30th of a long one
        (date(2025, 1, 29), "正月初一"),
        (date(2025, 2, 12), "元宵节"),
        (date(2025, 4, 4), "清明"),
        (date(2025, 5, 31), "端午"),
        (date(2025, 10, 6), "中秋"),
        (date(2025, 10, 29), "重阳节"),
        (date(2033, 9, 8), "中秋"),
    ],
)
def test_days_by_the_moon_and_the_sun(leshan: Profile, day: date, fact: str) -> None:
    assert fact in leshan.calendar.facts(SHIZHONG, day)


def test_a_leap_month_keeps_no_festivals(leshan: Profile) -> None:
    assert lunar_days(date(2025, 8, 17)) == ()
    # 2025 had a second sixth month: the Torch Festival was on 2025-07-18, not again on 2025-08-17.
    assert "火把节" in leshan.calendar.facts(MABIAN, date(2025, 7, 18))
    assert leshan.calendar.facts(MABIAN, date(2025, 8, 17)) == ()


def test_after_the_last_announced_year_it_says_so_and_falls_back_to_the_law(leshan: Profile) -> None:
    assert leshan.calendar.sure_until() == date(2026, 12, 31)
    new_year = date(2027, 2, 6)
    assert class_of(leshan, SHIZHONG, new_year) == "spring_festival_on_weekend"
    assert "2027 年调休安排未收录" in leshan.calendar.facts(SHIZHONG, new_year)
    assert "make-up workdays of 2027 are not known" in leshan.calendar.facts_en(SHIZHONG, new_year)
    assert leshan.calendar.facts(SHIZHONG, date(2027, 3, 10)) == ()
    assert not any(
        class_of(leshan, SHIZHONG, date(2027, 1, 1) + timedelta(days=n)) == "make_up_workday" for n in range(365)
    )
    statutory = sum(
        "public_holiday" in leshan.calendar.keys(SHIZHONG, date(2027, 1, 1) + timedelta(days=n)) for n in range(365)
    )
    assert statutory == 13


def test_an_overlay_makes_the_next_year_sure(leshan: Profile) -> None:
    announced = Arrangement({date(2027, 2, 8): "spring_festival"}, frozenset({date(2027, 1, 30)}))
    calendar = replace(leshan.calendar, official=ChineseHolidays({2027: announced}))
    assert calendar.sure_until() == date(2027, 12, 31)
    assert calendar.is_workday(SHIZHONG, date(2027, 1, 30))
    assert not calendar.is_workday(SHIZHONG, date(2027, 2, 8))
    assert calendar.facts(SHIZHONG, date(2027, 1, 30)) == ("调休上班", "春节前半月")
    assert calendar.is_workday(SHIZHONG, date(2027, 5, 3))
    # A year in between that nobody knows ends what is sure.
    assert replace(leshan.calendar, official=ChineseHolidays({2028: announced})).sure_until() == date(2026, 12, 31)


def test_legal_clocks_count_workdays(leshan: Profile) -> None:
    # 2026-02-13 is the Friday before the Spring Festival; the 14th is worked, the 15th to the 23rd are off.
    assert leshan.calendar.add_workdays(SHIZHONG, date(2026, 2, 13), 1) == date(2026, 2, 14)
    assert leshan.calendar.add_workdays(SHIZHONG, date(2026, 2, 13), 5) == date(2026, 2, 27)
    assert leshan.calendar.add_workdays(SHIZHONG, date(2026, 2, 13), 6) == date(2026, 2, 28)


@given(st.dates(), st.sampled_from([SHIZHONG, MABIAN, "nowhere"]))
def test_any_day_of_any_year_has_an_answer(day: date, county: str) -> None:
    for name in ("leshan", "boston311"):
        calendar = load_once(name).calendar
        number = calendar.day_class(county, day)
        assert 0 <= number < len(calendar.class_names())
        assert number == calendar.day_class(county, day)
        assert len(calendar.facts(county, day)) == len(calendar.facts_en(county, day))


_loaded: dict[str, Profile] = {}


def load_once(name: str) -> Profile:
    if name not in _loaded:
        _loaded[name] = load(name)
    return _loaded[name]


def test_a_span_goes_over_the_turn_of_the_year() -> None:
    event = LocalEvent("fair", "庙会", "Fair", yearly=(((12, 30), (1, 2)),))
    assert [event.on(date(2026, 12, 29) + timedelta(days=n)) for n in range(6)] == [
        False, True, True, True, True, False,
    ]  # fmt: skip
    moon = LocalEvent("eve", "除夕前后", "New year", lunar=(((12, 30), (1, 1)),))
    assert [moon.on(date(2025, 1, 27) + timedelta(days=n)) for n in range(4)] == [False, True, True, False]


def test_holidays_of_boston() -> None:
    calendar = load_once("boston311").calendar
    assert calendar.facts("fenway", date(2015, 4, 20)) == ("爱国者日",)
    assert calendar.facts_en("fenway", date(2015, 4, 20)) == ("Patriots' Day",)
    assert calendar.facts("fenway", date(2022, 12, 26)) == ("圣诞节（补假）",)
    assert class_of(load_once("boston311"), "fenway", date(2015, 4, 20)) == "holiday_on_weekday"
    assert class_of(load_once("boston311"), "fenway", date(2015, 7, 4)) == "holiday_on_weekend"
    assert class_of(load_once("boston311"), "fenway", date(2015, 9, 1)) == "moving_days"
    assert class_of(load_once("boston311"), "dorchester", date(2015, 9, 1)) == "ordinary"
    assert calendar.sure_until() is None
