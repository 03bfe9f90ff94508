"""`jiantu explain` in words: every reason in both languages, with the figures that decided."""

import pytest
from msgspec.structs import replace

from streams.core.city import Direction, Size
from streams.core.explain import explain
from streams.core.explanation import Explanation, Test, Together, Why
from streams.core.instant import DAY, HOUR, parse_instant
from streams.core.judge import JudgePlan
from streams.core.levels import levels_of
from streams.profile import Profile, load
from streams.wording.why import why

NOON = parse_instant("2026-03-02T12:00:00+08:00")
TEST = Test("counts", Direction.HIGH, Why.ABOVE_LEVEL, 21.0, 12.0, 33.0, 0.0125, 2.5e-5, 43)
ANSWER = Explanation(
    county="511102",
    signal="city_order",
    size=Size.DAY,
    window_start=NOON - DAY,
    window_end=NOON,
    known_at=NOON + HOUR,
    why=Why.ABOVE_LEVEL,
    count=32,
    minimum_count=5,
    direction=Direction.HIGH,
    tests=(TEST,),
    calendar=(),
    alert=None,
    budget_per_week=7.0,
    spent=6.95,
)


@pytest.fixture(scope="module")
def leshan() -> Profile:
    return load("leshan")


def test_not_improbable_enough(leshan: Profile) -> None:
    assert why(leshan, ANSWER) == (
        "市中区 2026-03-01 12:00 至 2026-03-02 12:00 城市管理诉求（日）：32 件；未预警：不够反常；"
        "预期 21 件（95% 区间 12–33）；这样多的机会约为 1/80；机会不超过 1/40,000 才会预警；达到 43 件就会预警；"
        "误报额度每周 7 次，前七天已用 6.95，余 0.05。"
    )
    assert why(leshan, ANSWER, locale="en") == (
        "Shizhong District, 2026-03-01 12:00 to 2026-03-02 12:00: City-management requests (day) 32; "
        "no alert: not improbable enough; expected 21 (95% band 12–33); so many by a chance of about 1 in 80; "
        "a page needs 1 in 40,000 or rarer; 43 or more would have paged; "
        "the budget is 7 false pages a week, 6.95 spent in the 7 days before, 0.05 left."
    )


CLUSTER = Test(
    "scan",
    Direction.HIGH,
    Why.ABOVE_LEVEL,
    38.0,
    27.0,
    51.0,
    0.08,
    4e-4,
    71,
    True,
    Together(("511102", "511111"), 4, 52),
)


def test_what_the_scan_saw_is_said_first_where_it_came_nearest_and_last_where_not(leshan: Profile) -> None:
    answer = replace(ANSWER, tests=(CLUSTER, TEST))
    assert why(leshan, answer) == (
        "市中区 2026-03-01 12:00 至 2026-03-02 12:00 城市管理诉求（日）：32 件；未预警：不够反常；"
        "连同邻县看，市中区、沙湾区 4 日合计 52 件，预期 38（95% 区间 27–51），偶然聚成这样平均约 12 天一次，"
        "2,500 天以上一次才会预警；合计达到 71 件就会预警；误报额度每周 7 次，前七天已用 6.95，余 0.05。"
    )
    today = replace(CLUSTER, cluster=Together(("511102", "511111"), 1, 52))
    assert "市中区、沙湾区 当日合计 52 件" in (why(leshan, replace(ANSWER, tests=(today,))) or "")
    beside = why(leshan, replace(ANSWER, tests=(TEST, CLUSTER)), locale="en") or ""
    assert (
        "43 or more would have paged; with its neighbours: Shizhong District, Shawan District over 4 days 52" in beside
    )
    assert "71" not in beside
    nothing = replace(CLUSTER, cluster=None, p=1.0, turning_count=None)
    assert why(leshan, replace(ANSWER, tests=(TEST, nothing))) == why(leshan, ANSWER)


def test_what_is_improbable_is_what_the_test_looked_at(leshan: Profile) -> None:
    """The filter looks at four windows together, a shift at the sum of weeks: not at this window's count."""

    def said(detector: str, size: Size, side: Direction, locale: str = "zh") -> str:
        test = replace(TEST, detector=detector, side=side)
        return why(leshan, replace(ANSWER, size=size, tests=(test,)), locale=locale) or ""

    assert "连同此前三周一起看，这样多的机会约为 1/80" in said("outbreak", Size.WEEK, Direction.HIGH)
    assert "taken with the three days before, so many by a chance" in said("outbreak", Size.DAY, Direction.HIGH, "en")
    assert "最近几周合计，这样多的机会约为 1/80" in said("shift", Size.DAY, Direction.HIGH)
    assert "最近几周合计，这样少的机会约为 1/80" in said("shift", Size.WEEK, Direction.LOW)
    assert "；这样少的机会约为 1/80" in said("counts", Size.DAY, Direction.LOW)


@pytest.mark.parametrize("reason", list(Why))
@pytest.mark.parametrize("side", [Direction.HIGH, Direction.LOW])
def test_every_reason_can_be_said(leshan: Profile, reason: Why, side: Direction) -> None:
    answer = replace(ANSWER, why=reason, alert="ab12", tests=(replace(TEST, why=reason, side=side),))
    chinese, english = why(leshan, answer), why(leshan, answer, locale="en")
    assert chinese is not None
    assert english is not None
    assert chinese.endswith("。")
    assert english.isascii() or "–" in english
    if reason in (Why.RAISED, Why.JOINED, Why.CONTINUED, Why.EXPLAINED):
        assert "ab12" in chinese
        assert "ab12" in english


def test_a_year_that_the_calendar_does_not_know_is_said(leshan: Profile) -> None:
    """By law the day is a holiday; which days around it are worked instead is not known yet."""
    plan = JudgePlan.of(leshan.city, levels_of(leshan.city), {})
    new_year = parse_instant("2027-02-06T09:00:00+08:00")
    answer = explain(plan, "complaints_total", "511102", Size.DAY, new_year, None)
    assert "日历：春节（法定假日）、2027 年调休安排未收录" in (why(leshan, answer) or "")
    assert "make-up workdays of 2027 are not known" in (why(leshan, answer, locale="en") or "")


def test_a_window_without_a_count_has_no_figures(leshan: Profile) -> None:
    answer = replace(ANSWER, why=Why.NOT_CLOSED, count=None, tests=(), spent=None)
    assert why(leshan, answer) == (
        "市中区 2026-03-01 12:00 至 2026-03-02 12:00 城市管理诉求（日）；"
        "没有这个窗口的记录：尚未结束，或早于数据的起点，或已过保存期；误报额度每周 7 次。"
    )


def test_few_is_asked_the_other_way_round(leshan: Profile) -> None:
    low = replace(TEST, side=Direction.LOW, turning_count=None, tells_counts=True)
    answer = replace(ANSWER, signal="complaints_total", count=3, why=Why.ABOVE_LEVEL, tests=(low,))
    assert "即使一件也没有，也不会预警" in str(why(leshan, answer))
    unsaid = replace(answer, tests=(replace(low, tells_counts=False),))  # the sum of weeks pages, not this window
    assert "即使一件也没有" not in str(why(leshan, unsaid))
    some = replace(answer, tests=(replace(low, turning_count=2, p=0.75),))
    assert "不超过 2 件就会预警" in str(why(leshan, some))
    assert "这样少的机会超过一半" in str(why(leshan, some))


def test_a_share_is_said_with_what_it_is_made_of(leshan: Profile) -> None:
    low = replace(TEST, detector="rates", side=Direction.LOW, expected=34.0, low=28.0, high=38.0, turning_count=None)
    answer = replace(ANSWER, signal="satisfaction", count=22, whole=40, why=Why.ABOVE_LEVEL, tests=(low,))
    assert "回访满意率（日）：55%（40 件中 22 件）" in str(why(leshan, answer))
    assert "预期 85%（95% 区间 70%–95%）；这样低的机会" in str(why(leshan, answer))
    assert "55% (22 of 40)" in str(why(leshan, answer, locale="en"))


def test_the_day_is_named(leshan: Profile) -> None:
    assert "日历：调休上班" in str(why(leshan, replace(ANSWER, calendar=("调休上班",))))


def test_the_county_is_not_told_of_what_it_must_not_know(leshan: Profile) -> None:
    clues = replace(ANSWER, signal="discipline_clues")
    assert why(leshan, clues, audience="county") is None
    assert why(leshan, clues) is not None


def test_a_rule_says_how_far_it_was_from_its_limit(leshan: Profile) -> None:
    rule = Test("threshold", Direction.HIGH, Why.BELOW_LIMIT, turning_count=3260)
    answer = replace(ANSWER, signal="backlog", count=1400, why=Why.BELOW_LIMIT, tests=(rule,))
    text = str(why(leshan, answer))
    assert "1,400 件；未预警：没有达到限额；限额为 3,260 件" in text
    assert "不占误报额度" in text
    assert "the limit is 3,260" in str(why(leshan, answer, locale="en"))
