"""One incident pages once: totals, the city as a whole and longer windows see it too, and join it."""

from dataclasses import replace

from streams.core.alert import Joined, Raised
from streams.core.city import Size
from streams.core.instant import DAY, HOUR
from tests.core.courtroom import LEVEL, MONDAY, SIGNALS, Courtroom, Seen, small_city
from tests.core.towns import signal

NINE = MONDAY + 9 * HOUR
FIRE = LEVEL / 4
CITY = "towns-all"


def test_a_burst_in_a_category_lifts_the_total_and_pages_once() -> None:
    court = Courtroom()
    made = court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE), ("total", "east"): Seen(100, 60.0, FIRE)})
    assert court.pages() == [("east", "environment")]
    assert [type(one) for one in made] == [Raised, Joined]
    assert court.joined[0].evidence.signal == "total"


def test_a_total_that_rises_by_itself_pages_for_itself() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(30, 21.0, FIRE), ("total", "east"): Seen(150, 60.0, FIRE)})
    assert court.pages() == [("east", "environment"), ("east", "all")]  # 9 of 90 explain nothing


def test_two_categories_together_explain_a_total() -> None:
    court = Courtroom()
    court.hour(
        NINE,
        {
            ("noise", "east"): Seen(41, 21.0, FIRE),
            ("road", "east"): Seen(41, 21.0, FIRE),
            ("total", "east"): Seen(130, 60.0, FIRE),
        },
    )
    assert sorted(court.pages()) == [("east", "environment"), ("east", "transport")]


def test_an_open_alert_of_another_county_explains_nothing() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "west"): Seen(58, 21.0, FIRE), ("total", "east"): Seen(100, 60.0, FIRE)})
    assert sorted(court.pages()) == [("east", "all"), ("west", "environment")]


def test_an_open_alert_on_many_does_not_explain_few() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    few = {("noise", "east"): Seen(58, 21.0, FIRE), ("total", CITY): Seen(9, 60.0, FIRE)}
    court.hour(NINE + HOUR, few)
    assert (CITY, "all") in court.pages()


def test_the_total_comes_first_and_its_category_joins_it() -> None:
    court = Courtroom()
    court.hour(NINE, {("total", "east"): Seen(100, 60.0, FIRE)})
    court.hour(NINE + HOUR, {("noise", "east"): Seen(58, 21.0, FIRE), ("total", "east"): Seen(100, 60.0, FIRE)})
    court.hour(NINE + 2 * HOUR, {("noise", "east"): Seen(90, 21.0, FIRE)})
    assert court.pages() == [("east", "all")]
    (joined,) = court.joined
    assert joined.evidence.signal == "noise"


def test_a_category_in_which_the_total_has_no_part_any_more_is_news() -> None:
    court = Courtroom()
    court.hour(NINE, {("total", "east"): Seen(100, 60.0, FIRE)})
    court.quiet(NINE, 3)
    court.hour(NINE + 4 * HOUR, {("noise", "east"): Seen(58, 21.0, FIRE)})
    assert court.pages() == [("east", "all"), ("east", "environment")]


def test_a_category_that_is_little_of_what_the_total_shows_is_news() -> None:
    court = Courtroom()
    court.hour(NINE, {("total", "east"): Seen(200, 60.0, FIRE)})
    court.hour(NINE + HOUR, {("noise", "east"): Seen(58, 21.0, FIRE), ("total", "east"): Seen(200, 60.0, FIRE)})
    assert court.pages() == [("east", "all"), ("east", "environment")]


def test_a_category_is_news_when_the_total_does_not_feel_it() -> None:
    court = Courtroom()
    court.hour(NINE, {("total", "east"): Seen(100, 60.0, FIRE)})
    court.hour(NINE + HOUR, {("noise", "east"): Seen(58, 21.0, FIRE), ("total", "east"): Seen(62, 60.0, 0.4)})
    assert court.pages() == [("east", "all"), ("east", "environment")]


def test_a_category_that_is_counted_by_the_hour_explains_the_day_of_the_total() -> None:
    court = Courtroom(small_city(replace(s, sizes=(Size.HOUR,)) if s.name == "noise" else s for s in SIGNALS))
    court.hour(MONDAY + 20 * HOUR, {("noise", "east"): Seen(58, 21.0, FIRE)})
    court.quiet(MONDAY + 20 * HOUR, 3)
    court.at(MONDAY + DAY, {Size.DAY: {("total", "east"): Seen(300, 240.0, FIRE)}})
    assert court.pages() == [("east", "environment")]
    assert [one.evidence.signal for one in court.joined] == ["total"]


def test_a_burst_that_is_over_does_not_explain_that_the_week_is_low() -> None:
    court = Courtroom()
    next_monday = MONDAY + 7 * DAY
    court.hour(next_monday + HOUR, {("noise", CITY): Seen(90, 21.0, FIRE)})
    court.quiet(next_monday + HOUR, 7 * 24 - 2)
    court.at(next_monday + 7 * DAY, {Size.WEEK: {("noise", CITY): Seen(100, 300.0, FIRE)}})
    assert [one.evidence.direction for one in court.raised] == ["high", "low"]


def test_the_city_as_a_whole_joins_what_its_counties_page() -> None:
    court = Courtroom()
    court.hour(
        NINE,
        {
            ("noise", "east"): Seen(41, 21.0, FIRE),
            ("noise", "west"): Seen(61, 21.0, FIRE),
            ("noise", CITY): Seen(125, 63.0, FIRE),
            ("total", CITY): Seen(240, 180.0, FIRE),
        },
    )
    assert court.pages() == [("east", "environment"), ("west", "environment")]
    west = court.raised[1].alert
    assert {(one.alert, one.evidence.signal, one.evidence.county) for one in court.joined} == {
        (west, "total", CITY)  # its own noise by the hour is there already
    }


def test_a_rise_that_no_county_shows_alone_pages_for_the_city() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", CITY): Seen(125, 63.0, FIRE)})
    assert court.pages() == [(CITY, "environment")]
    court.hour(NINE + HOUR, {("noise", CITY): Seen(125, 63.0, FIRE), ("noise", "east"): Seen(58, 21.0, FIRE)})
    assert court.pages()[1:] == [("east", "environment")]  # its people have to know


def test_what_a_total_and_its_category_show_of_a_county_counts_once() -> None:
    court = Courtroom()
    court.hour(NINE, {("total", "east"): Seen(120, 60.0, FIRE)})
    court.quiet(NINE, 2)
    court.hour(NINE + 3 * HOUR, {("noise", "east"): Seen(58, 21.0, FIRE)})
    assert court.pages() == [("east", "all"), ("east", "environment")]
    lifted = {
        ("total", "east"): Seen(80, 60.0),
        ("noise", "east"): Seen(40, 21.0),
        ("total", CITY): Seen(240, 180, FIRE),
    }
    court.hour(NINE + 4 * HOUR, lifted)
    assert court.pages()[2:] == [(CITY, "all")]  # 20 of its 60 are the east's, not 39


def test_one_county_is_not_the_whole_city() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(30, 21.0, FIRE), ("noise", CITY): Seen(125, 63.0, FIRE)})
    assert sorted(court.pages()) == [("east", "environment"), (CITY, "environment")]


def test_the_day_of_a_burst_that_is_over_does_not_page_again() -> None:
    court = Courtroom()
    court.hour(MONDAY + HOUR, {("noise", "east"): Seen(90, 21.0, FIRE)})
    court.quiet(MONDAY + HOUR, 46)
    assert len(court.ended) == 1
    wednesday = MONDAY + 2 * DAY
    court.at(wednesday, {Size.DAY: {}})
    made_before = len(court.made)
    week = {("noise", "east"): Seen(400, 300.0, FIRE), ("total", "east"): Seen(1000, 880.0, FIRE)}
    for hours in range(1, 5 * 24):
        court.hour(wednesday + hours * HOUR)
    court.at(MONDAY + 7 * DAY, {Size.WEEK: week})
    assert court.made[made_before:] == []
    # A week later the same is news.
    for hours in range(1, 7 * 24):
        court.hour(MONDAY + 7 * DAY + hours * HOUR)
    court.at(MONDAY + 14 * DAY, {Size.WEEK: week})
    assert court.pages() == [("east", "environment"), ("east", "environment")]


def test_compartmented_material_is_never_lost_in_an_alert_that_everybody_sees() -> None:
    court = Courtroom()
    court.hour(NINE, {("total", "east"): Seen(100, 60.0, FIRE)})
    court.hour(NINE + HOUR, {("accusation", "east"): Seen(58, 21.0, FIRE), ("total", "east"): Seen(100, 60.0, FIRE)})
    assert court.pages() == [("east", "all"), ("east", "conduct")]
    assert court.joined == []


def test_compartmented_material_pages_apart_and_joins_nothing_that_the_county_sees() -> None:
    mixed = replace(signal("manners", {"category": ["noise"]}, family="conduct"))
    court = Courtroom(small_city((*SIGNALS, mixed)))
    court.hour(NINE, {("manners", "east"): Seen(58, 21.0, FIRE)})
    court.hour(NINE + HOUR, {("accusation", "east"): Seen(58, 21.0, FIRE), ("total", "east"): Seen(99, 60.0, FIRE)})
    assert court.pages() == [("east", "conduct"), ("east", "conduct")]
    open_one, hidden = court.raised[0].alert, court.raised[1].alert
    assert [(one.alert, one.evidence.signal) for one in court.joined] == [(hidden, "total")]
    assert open_one != hidden
    court.hour(NINE + 2 * HOUR, {("accusation", "east"): Seen(58, 21.0, FIRE), ("manners", "east"): Seen(60, 21, FIRE)})
    assert len(court.joined) == 1


def test_compartmented_material_is_not_explained_by_what_everybody_sees() -> None:
    secret = replace(signal("secret", {"category": ["noise", "accusation"]}, family="conduct"), compartmented=True)
    court = Courtroom(small_city((*SIGNALS, secret)))
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE), ("secret", "east"): Seen(60, 22.0, FIRE)})
    assert court.pages() == [("east", "environment"), ("east", "conduct")]
