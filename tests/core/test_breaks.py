"""A category is split in two: no alert for a re-classification that the profile tells of, and it is said why."""

from dataclasses import replace
from datetime import date

from streams.core.city import BREAK, Size
from streams.core.explain import explain
from streams.core.explanation import Why
from streams.core.instant import DAY
from tests.core.courtroom import LEVEL, MONDAY, Courtroom, Seen, small_city

SPLIT = date(2026, 3, 4)
FALLS, RISES = Seen(0, 20.0, LEVEL / 4), Seen(60, 20.0, LEVEL / 4)


def court_with(*days: date) -> Courtroom:
    """A city in which noise was filed anew on some days, and road was not."""
    city = small_city()
    signals = tuple(replace(s, breaks=days) if s.name == "noise" else s for s in city.signals)
    return Courtroom(replace(city, signals=signals))


def days_of(court: Courtroom, first: int, last: int) -> None:
    """Noise rises and falls from day to day, in the east and the west."""
    for day in range(first, last):
        seen = {("noise", "east"): RISES, ("noise", "west"): FALLS}
        court.at(MONDAY + day * DAY, {Size.DAY: seen})


def test_a_split_that_the_profile_tells_of_pages_nobody() -> None:
    court = court_with(SPLIT)
    days_of(court, 3, 12)
    assert court.made == []
    window = court.window(MONDAY + 5 * DAY, Size.DAY, {("noise", "east"): RISES})
    answer = explain(court.plan, "noise", "east", Size.DAY, window.start, window)
    assert (answer.why, answer.alert) == (Why.BREAK, None)


def test_without_the_flag_it_does() -> None:
    court = court_with()
    days_of(court, 3, 12)
    assert {county for county, _ in court.pages()} == {"east", "west"}


def test_before_it_and_four_weeks_after_it_it_is_watched() -> None:
    before = court_with(SPLIT)
    days_of(before, 1, 3)
    assert before.pages()
    assert BREAK == 28 * DAY
    after = court_with(SPLIT)
    days_of(after, 2 + 28, 2 + 29)
    assert after.made == []
    days_of(after, 2 + 29, 2 + 31)
    assert after.pages()


def test_other_signals_are_watched_all_the_while() -> None:
    court = court_with(SPLIT)
    court.at(MONDAY + 4 * DAY, {Size.DAY: {("road", "east"): RISES}})
    assert court.pages() == [("east", "transport")]
