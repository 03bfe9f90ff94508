"""What goes wrong in a real stream, as an operator asks about it: a reason each time, in words that say what to do."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from detectors.registry import DETECTORS
from streams.core.alert import Raised, Shape
from streams.core.city import Size
from streams.core.explain import Around, explain
from streams.core.explanation import Explanation, Why
from streams.core.instant import Instant, parse_instant
from streams.core.judge import JudgePlan
from streams.core.levels import levels_of
from streams.core.people import Crowd, people_in
from streams.profile import Profile
from streams.replay.driving import Driven, drive
from streams.replay.scenario import read_scenario
from streams.replay.scenario_model import Scenario
from streams.replay.scenario_records import record_lines
from streams.wording.why import why

HERE = Path(__file__).parents[1] / "scenarios" / "edges.yaml"
"""Where these scenarios would lie: what they name is found from there."""
HEAD = "title: 边角\nprofile: profiles/river_town.yaml\nothers: allowed\nseed: 3\n"
MANY = "noise, parking"
BATCH = 8192


def at(local: str) -> Instant:
    """A time of River Town."""
    return parse_instant(f"{local}:00+08:00")


class Town:
    """River Town after a stream, and what `jiantu explain` says of it."""

    def __init__(self, text: str) -> None:
        self.scenario: Scenario = read_scenario(str(HERE), (HEAD + text).encode())
        self.profile: Profile = self.scenario.profile
        city, lines = self.profile.city, record_lines(self.scenario)
        parts = (lines[i : i + BATCH] for i in range(0, len(lines), BATCH))
        self.driven: Driven = drive(
            city, self.scenario.span[0], ((b"".join(part), len(part)) for part in parts), lambda _: True
        )
        self.plan = JudgePlan.of(city, levels_of(city), {name: made.version for name, made in DETECTORS.items()})

    def asked(self, county: str, signal: str, local: str, size: Size = Size.DAY) -> Explanation:
        ends = [window.end for window in self.driven.scored if window.size is size]
        kept = (self.plan.grid.window(size, ends[0] - 1).start, ends[-1])
        end = self.plan.grid.window(size, at(local)).end
        window = next((one for one in self.driven.scored if (one.size, one.end) == (size, end)), None)
        made = self.driven.transitions
        return explain(self.plan, signal, county, size, at(local), window, made, Around((), (), kept))

    def said(self, answer: Explanation) -> tuple[str, str]:
        zh, en = (why(self.profile, answer, locale=locale) for locale in ("zh", "en"))
        assert zh is not None
        assert en is not None
        return zh, en

    def raised(self, county: str) -> list[Raised]:
        return [one for one in self.driven.transitions if isinstance(one, Raised) and one.county == county]


@cache
def odd_town() -> Town:
    """East's wages: none but one, and thirty later. West's are the same every day. South joins in July; west's hotline
    breaks off for good in August, while its online opinion goes on."""
    return Town(
        "start: 2025-04-14\nend: 2025-08-31\nbackground:\n"
        f"  - {{county: east, category: [{MANY}], per_day: 12, between: 2025-04-13/2025-08-31}}\n"
        "  - {county: west, category: [noise, parking, wages], per_day: 12, spread: 0, "
        "between: 2025-04-13/2025-08-20T12:00}\n"
        "  - {county: west, category: noise, per_day: 6, point: opinion, kind: opinion_post}\n"
        "  - {county: south, category: [noise, parking, wages], per_day: 16, between: 2025-07-14T12:00/2025-08-31}\n"
        "events:\n"
        "  - {at: 2025-07-22T13:00, county: east, category: wages}\n"
        "  - {at: 2025-08-05T13:00, over: 4h, county: east, category: wages, count: 30}\n"
    )


def test_a_series_of_zeros_is_as_expected() -> None:
    answer = odd_town().asked("east", "work", "2025-07-01T13:00")
    zh, en = odd_town().said(answer)
    assert (answer.why, answer.count) == (Why.ABOVE_LEVEL, 0)
    assert "0 件；未预警：不够反常" in zh
    assert "达到 8 件就会预警" in zh
    assert "not improbable enough" in en


def test_one_after_months_of_zeros_is_no_news_and_thirty_are() -> None:
    one = odd_town().asked("east", "work", "2025-07-22T13:30", Size.HOUR)
    assert (one.why, one.count) == (Why.ABOVE_LEVEL, 1)
    assert "预期 0 件" not in odd_town().said(one)[0]  # what is more than none is never said to be 0
    many = odd_town().asked("east", "work", "2025-08-05T20:00")
    (raised,) = odd_town().raised("east")
    assert many.why in (Why.RAISED, Why.JOINED)
    assert many.alert == raised.alert
    assert raised.alert in odd_town().said(many)[0]


def test_a_constant_series_is_as_expected_and_its_band_is_not_nothing() -> None:
    answer = odd_town().asked("west", "work", "2025-07-22T13:00")
    assert (answer.why, answer.count) == (Why.ABOVE_LEVEL, 12)
    low, high = answer.tests[0].low or 0, answer.tests[0].high or 0
    assert low < 12 < high


def test_a_cold_start_says_that_it_is_warming_up() -> None:
    answer = odd_town().asked("east", "order", "2025-04-20T13:00")
    zh, en = odd_town().said(answer)
    assert answer.why is Why.WARMING_UP
    assert "积累的数据还不够，尚在预热" in zh
    assert "warming up" in en


def test_a_county_that_appears_is_not_heard_then_warms_up_and_pages_nobody() -> None:
    town = odd_town()
    before, soon = (town.asked("south", "total", f"2025-07-{day}T13:00") for day in (10, 20))
    assert (before.why, soon.why) == (Why.NOT_HEARD, Why.WARMING_UP)
    assert "从未报送过任何事件" in town.said(before)[0]
    assert "nothing of any kind has ever come from here" in town.said(before)[1]
    assert town.raised("south") == []
    city = town.asked("300", "total", "2025-07-16T13:00")
    assert city.why is Why.NEWCOMER
    assert "有县区刚开始报送" in town.said(city)[0]
    assert town.raised("300") == []


def test_a_point_that_stops_is_told_apart_from_a_quiet_county_and_its_windows_say_so() -> None:
    town = odd_town()
    (raised,) = town.raised("west")
    assert (raised.evidence.shape, raised.evidence.notes[-1]) == (Shape.SILENT_FEED, "silent:hotline")
    first = town.asked("west", "total", "2025-08-21T09:00")
    assert (first.why, first.alert) == (Why.RAISED, raised.alert)
    for size in (Size.HOUR, Size.DAY):
        later = town.asked("west", "order", "2025-08-27T16:30", size)
        assert (later.why, later.count, later.alert) == (Why.SILENT_FEED, 0, raised.alert)
        zh, en = town.said(later)
        assert "没有收到报送，不是没有诉求" in zh
        assert "does not mean that nothing happened" in en


@pytest.mark.parametrize(
    ("local", "zh", "en"),
    [
        ("2025-01-20T13:00", "保存的最早窗口始于 2025-04-13 12:00", "the first one kept begins 2025-04-13 12:00"),
        ("2025-12-20T13:00", "尚未结束，数据到 2025-08-31 12:00 为止", "the data reach to 2025-08-31 12:00"),
    ],
)
def test_a_window_that_is_not_there_says_whether_it_is_too_early_or_too_late(local: str, zh: str, en: str) -> None:
    answer = odd_town().asked("east", "order", local)
    assert answer.why is Why.NOT_CLOSED
    assert zh in odd_town().said(answer)[0]
    assert en in odd_town().said(answer)[1]


@cache
def new_year_town() -> Town:
    """A year whose arrangement of holidays nobody has announced: all is quiet on three days of its Spring Festival."""
    days = ("2026-11-22/2027-02-05T12:00", "2027-02-09T12:00/2027-02-21")
    return Town(
        "start: 2026-11-23\nend: 2027-02-21\nbackground:\n"
        + "".join(
            f"  - {{county: [east, west, south], category: [{MANY}, wages], per_day: {n}, between: {one}}}\n"
            for one, n in ((days[0], 12), ("2027-02-05T12:00/2027-02-09T12:00", 3), (days[1], 12))
        )
    )


def test_a_year_that_the_library_does_not_know_falls_back_to_the_law_and_says_so() -> None:
    answer = new_year_town().asked("east", "total", "2027-02-07T09:00")
    zh, en = new_year_town().said(answer)
    assert "春节（法定假日）" in zh
    assert "2027 年调休安排未收录" in zh
    assert "make-up workdays of 2027 are not known" in en


def test_few_on_a_holiday_are_no_drought() -> None:
    answers = [new_year_town().asked("east", "total", f"2027-02-0{day}T09:00") for day in (7, 8, 9)]
    assert Why.CALENDAR in {answer.why for answer in answers}
    quiet = next(answer for answer in answers if answer.why is Why.CALENDAR)
    assert "这是特殊的日子，节假日偏少不算异常" in new_year_town().said(quiet)[0]
    assert all(answer.alert is None for answer in answers)
    assert new_year_town().raised("300") == []


CROWDS = {
    Crowd.FEW_CALLERS: "count: 80, caller: 张某, matter: 工钱",
    Crowd.ONE_MATTER: "count: 80, matter: 厂子",
    Crowd.UNRELATED: "count: 80",
}


@cache
def crowded_town() -> Town:
    """A large town and a small one; every three weeks eighty calls more, of one person, on one matter, of anybody."""
    days = ("2025-06-17", "2025-07-08", "2025-07-29")
    events: Iterable[str] = (
        f"  - {{at: {day}T13:00, over: 5h, county: {county}, category: wages, channel: phone, {crowd}}}\n"
        for county in ("east", "south")
        for day, crowd in zip(days, CROWDS.values(), strict=True)
    )
    return Town(
        "start: 2025-05-12\nend: 2025-08-03\nbackground:\n"
        "  - {county: east, category: wages, per_day: 40, between: 2025-05-11/2025-08-03}\n"
        "  - {county: south, category: wages, per_day: 2, between: 2025-05-11/2025-08-03}\n"
        "events:\n" + "".join(events)
    )


@pytest.mark.parametrize("county", ["east", "south"])
def test_one_caller_one_matter_and_unrelated_people_are_told_apart_in_small_and_large_counties(county: str) -> None:
    told = [
        found[0]
        for one in crowded_town().driven.transitions
        if hasattr(one, "evidence")
        and one.evidence.signal == "work"
        and one.evidence.size == "day"
        and (one.evidence.county or county) == county
        and one.alert in {raised.alert for raised in crowded_town().raised(county)}
        and (found := people_in(one.evidence.notes)) is not None
    ]
    assert told == list(CROWDS)
