"""What staff read: one sentence an alert, in Chinese and in English, on the Leshan profile."""

from datetime import date

import pytest
from msgspec.structs import replace

from streams.core.alert import Ended, Evidence, Joined, Raised, Severity, Shape
from streams.core.instant import DAY, WEEK, parse_instant
from streams.profile import Profile, load
from streams.wording.catalog import UnknownLocaleError
from streams.wording.sentence import sentence
from tests.wording.samples import CASE, NOON

SHIFT = replace(
    CASE,
    shape=Shape.SHIFT,
    detector="shift",
    history=(14, 16, 15, 15, 15, 61, 60, 61),
    notes=(f"since:{NOON - 4 * DAY}", "possible_reclassification:noise"),
)


SATISFIED = replace(
    CASE,
    shape=Shape.RATE,
    detector="rates",
    signal="satisfaction",
    direction="low",
    count=22,
    whole=40,
    expected=34.0,
    low=28.0,
    high=38.0,
    by_category=(("noise", 22),),
)


@pytest.fixture(scope="module")
def leshan() -> Profile:
    return load("leshan")


def alert(case: Evidence, county: str = "511102") -> Raised:
    return Raised("a1", case.known_at, county, "city_order", Severity.WARNING, case)


def both(leshan: Profile, case: Evidence, joined: tuple[Evidence, ...] = (), county: str = "511102") -> tuple[str, str]:
    more = [Joined("a1", one.known_at, one) for one in joined]
    raised = alert(case, county)
    return sentence(leshan, raised, more), sentence(leshan, raised, more, locale="en")


def test_a_burst(leshan: Profile) -> None:
    chinese, english = both(leshan, CASE)
    assert chinese == (
        "市中区 2026-03-01 12:00 至 2026-03-02 12:00 城市管理诉求 58 件，预期 21 件（95% 区间 12–33），"
        "这样多的机会约为 1/40,000；主要来自 占道经营 31 件、违章搭建 27 件（经 市心连心服务中心 58 件）；"
        "当日为工作日。"
    )
    assert english == (
        "Shizhong District, 2026-03-01 12:00 to 2026-03-02 12:00: City-management requests 58, expected 21 "
        "(95% band 12–33), so many by a chance of about 1 in 40,000; mainly from Street vending and "
        "obstruction 31, Illegal building 27 (through Heart-to-Heart Service Centre (12345) 58); an ordinary workday."
    )


def test_a_drought_on_a_holiday(leshan: Profile) -> None:
    end = parse_instant("2026-10-02T12:00:00+08:00")
    calendar = leshan.calendar.facts("511102", date(2026, 10, 2))
    case = replace(
        CASE,
        signal="complaints_total",
        shape=Shape.DROUGHT,
        direction="low",
        count=0,
        window_start=end - DAY,
        window_end=end,
        calendar=calendar,
    )
    chinese, english = both(leshan, case)
    assert "诉求总量仅 0 件" in chinese
    assert "当日为国庆节" in chinese
    assert "All requests only 0" in english
    assert "国庆节" not in english
    assert "主要来自" not in chinese


def test_a_silent_feed_points_at_the_feed(leshan: Profile) -> None:
    case = replace(
        CASE,
        signal="complaints_total",
        shape=Shape.SILENT_FEED,
        direction="low",
        count=0,
        p=1e-12,
        by_category=(),
        by_point=(),
    )
    chinese, english = both(leshan, case, county="511100")
    assert chinese == (
        "乐山市（全市） 2026-03-01 12:00 至 2026-03-02 12:00 没有收到任何事件（诉求总量本应约 21 件），"
        "这样少的机会不到 1/1,000,000,000：可能是报送中断，请先查数据来源；当日为工作日。"
    )
    assert "the feed itself may be down" in english
    assert "less than 1 in 1,000,000,000" in english


def test_what_builds_up_is_improbable_with_the_weeks_before(leshan: Profile) -> None:
    """The week's own count may be an ordinary one."""
    chinese, english = both(leshan, replace(CASE, detector="outbreak", size="week", count=22))
    assert "城市管理诉求 22 件，预期 21 件（95% 区间 12–33）；连同此前三周一起看，这样多的机会约为 1/40,000" in chinese
    assert "taken with the three weeks before, so many by a chance of about 1 in 40,000" in english
    assert "连同此前三日一起看" in both(leshan, replace(CASE, detector="outbreak", size="day"))[0]


def test_a_shift_is_said_to_last_and_names_what_fell_meanwhile(leshan: Profile) -> None:
    chinese, english = both(leshan, SHIFT)
    assert "城市管理诉求自 2026-02-26 12:00 起水平持续上升至约 4 倍" in chinese
    assert "这是持续的变化，不是一次突发" in chinese
    assert "同期“噪声扰民”相应减少，可能是归类口径变化" in chinese
    assert "have been at about 4 times their level since 2026-02-26 12:00" in english
    assert "a lasting shift, not a burst" in english
    assert "“Noise” fell by as much at the same time: possibly a re-classification" in english


def test_growth_from_nothing_is_new_and_has_no_ratio(leshan: Profile) -> None:
    chinese, english = both(leshan, replace(SHIFT, history=(0, 0, 0, 0, 0, 61, 60, 61)))
    assert "自 2026-02-26 12:00 起从无到有" in chinese
    assert "倍" not in chinese
    assert "are new" in english


def test_a_shift_without_a_history_goes_by_what_was_expected(leshan: Profile) -> None:
    chinese, _ = both(leshan, replace(SHIFT, history=(), notes=()))
    assert "自 2026-03-01 12:00 起水平持续上升至约 2.8 倍" in chinese


def test_a_shift_downwards(leshan: Profile) -> None:
    chinese, english = both(leshan, replace(SHIFT, direction="low", count=4))
    assert "持续下降" in chinese
    assert "相应增加" in chinese
    assert "at a lower level since 2026-02-26 12:00" in english
    assert "grew by as much" in english


def test_an_always_page_event(leshan: Profile) -> None:
    case = replace(
        CASE,
        signal="life_threat",
        size="event",
        shape=Shape.ALWAYS_PAGE,
        window_start=NOON,
        window_end=NOON,
        count=1,
        expected=None,
        low=None,
        high=None,
        p=None,
        level=None,
        by_category=(("life_threat", 1),),
        by_point=(("hotline", 1),),
    )
    chinese, english = both(leshan, case)
    assert chinese == "市中区 2026-03-02 12:00 市心连心服务中心收到“生命威胁”一件，按规定立即报告；当日为工作日。"
    assert english.startswith("Shizhong District, 2026-03-02 12:00: Heart-to-Heart Service Centre (12345) received one")


def test_a_detector_without_expectation(leshan: Profile) -> None:
    chinese, english = both(leshan, replace(CASE, expected=None, low=None, high=None, p=None))
    assert "无预期值可比" in chinese
    assert "no expected value" in english


def test_what_joined_is_appended(leshan: Profile) -> None:
    citywide = replace(CASE, signal="distinct_callers", size="week", window_start=NOON - WEEK, county="511100")
    chinese, english = both(leshan, CASE, (SHIFT, citywide))
    assert chinese.endswith(
        "；另有 城市管理诉求（日）自 2026-02-26 12:00 起水平持续上升，是持续的变化，"
        "同期“噪声扰民”相应减少，可能是归类口径变化；"
        "乐山市（全市）诉求人数（周）58 人，预期 21 人（95% 区间 12–33）。"
    )
    assert "a lasting shift" in english
    assert "Leshan as a whole Different callers (week) 58 people" in english


def test_many_that_joined_are_counted(leshan: Profile) -> None:
    chinese, english = both(leshan, CASE, tuple(replace(CASE, window_end=NOON + n * DAY) for n in range(1, 7)))
    assert "，共 6 项" in chinese
    assert "6 in all" in english


def test_an_ended_alert_says_so(leshan: Profile) -> None:
    text = sentence(leshan, alert(CASE), (), Ended("a1", NOON + 3 * DAY, ()))
    assert text.endswith("；已于 2026-03-05 12:00 结束。")


def test_a_cell_below_k_is_never_shown_nor_given_away(leshan: Profile) -> None:
    few = replace(CASE, by_point=(("hotline", 50), ("opinion", 8)))
    chinese, english = both(leshan, few)
    assert "市网信办（不足10）" in chinese
    assert "8" not in chinese.split("经 ")[1].split("）；当日")[0]
    assert "50" not in chinese  # 58 - 50 would give the 8 away
    assert "fewer than 10" in english
    hidden_rest = replace(CASE, by_point=(("hotline", 30), ("opinion", 24)))
    chinese, _ = both(leshan, hidden_rest)
    assert "市心连心服务中心 30 件、市网信办）" in chinese  # 4 elsewhere: the smaller of the two is held back


def test_windows_over_a_clock_change_say_their_offsets() -> None:
    boston = load("boston311")
    start, end = parse_instant("2015-03-08T00:00:00-05:00"), parse_instant("2015-03-09T00:00:00-04:00")
    county = boston.city.counties[0].code
    signal = boston.city.signals[0].name
    text = sentence(
        boston, alert(replace(CASE, window_start=start, window_end=end, signal=signal), county), locale="en"
    )
    assert "2015-03-08 00:00 -05:00 to 2015-03-09 00:00 -04:00" in text


def test_the_county_never_learns_of_an_accusation(leshan: Profile) -> None:
    clues = replace(CASE, signal="discipline_clues", size="week")
    assert sentence(leshan, alert(clues), audience="county") is None
    assert "问题线索" in sentence(leshan, alert(clues), audience="desk")
    threat = replace(CASE, signal="accusation", shape=Shape.ALWAYS_PAGE, size="event")
    assert sentence(leshan, alert(threat), audience="county") is None
    mixed = replace(CASE, by_category=(("street_order", 31), ("accusation", 27)))
    for locale in ("zh", "en"):
        seen = sentence(leshan, alert(mixed), [Joined("a1", NOON, clues)], locale=locale, audience="county")
        told = sentence(leshan, alert(mixed), [Joined("a1", NOON, clues)], locale=locale)
        assert seen is not None
        for word in ("检举", "线索", "ccusation", "lues", "另有", "also"):
            assert word not in seen
        assert seen != told


def test_a_language_nobody_speaks_here_is_refused(leshan: Profile) -> None:
    with pytest.raises(UnknownLocaleError, match="zh, en"):
        sentence(leshan, alert(CASE), locale="fr")


def test_a_share_that_fell_is_said_as_a_share(leshan: Profile) -> None:
    chinese, english = both(leshan, SATISFIED)
    assert "回访满意率 55%（40 件中 22 件），预期 85%（95% 区间 70%–95%），这样低的机会约为 1/40,000" in chinese
    assert "Satisfied share of call-backs 55% (22 of 40), expected 85% (95% band 70%–95%)" in english
    assert "主要" not in chinese  # where the satisfied ones came from is not the matter
    joined = both(leshan, CASE, (SATISFIED,))[0]
    assert "另有 回访满意率（日）55%（40 件中 22 件）" in joined


@pytest.mark.parametrize(
    ("note", "zh", "en"),
    [
        (
            "people:few_callers:58/2/58/1",
            "多出的来自少数人反复反映（58 件来自不足 10 人）",
            "the excess is a few people calling again and again (58 calls by fewer than 10 people)",
        ),
        (
            "people:one_matter:58/55/58/3",
            "多出的是多人反映同样的事项（55 人，不足 10 个事项）",
            "the excess is many people about the same matters (55 people, fewer than 10 matters)",
        ),
        (
            "people:unrelated:58/57/58/56",
            "多出的来自不同的人、不同的事项（57 人，56 个事项）",
            "the excess is different people, each with a matter of their own (57 people, 56 matters)",
        ),
    ],
)
def test_the_crowd_behind_an_alert_is_said_and_few_people_never_counted_out(
    leshan: Profile, note: str, zh: str, en: str
) -> None:
    for case, joined in ((replace(CASE, notes=(note,)), ()), (CASE, (replace(CASE, notes=(note,)),))):
        chinese, english = both(leshan, case, joined)
        assert zh in chinese
        assert en in english


def test_a_drought_says_what_bears_it_out_and_that_the_feed_is_alive(leshan: Profile) -> None:
    low = replace(CASE, shape=Shape.DROUGHT, direction="low", count=3, signal="complaints_total")
    chinese, english = both(leshan, replace(low, notes=("witness:high:petitions:day", "heartbeat")))
    assert "而信访件（日）偏多：诉求可能没有减少，只是换了渠道；其间仍有其他记录报送，不是报送中断" in chinese
    assert "while Petitions (day) are high" in english
    assert "the feed is alive" in english
    assert "前一窗口也偏少" in both(leshan, replace(low, notes=("witness:before",)))[0]
    assert "退单（周）也偏少" in both(leshan, replace(low, notes=("witness:low:returned:week",)))[0]


def test_a_feed_that_is_dead_in_one_county_or_of_one_point_is_named(leshan: Profile) -> None:
    dead = replace(CASE, shape=Shape.SILENT_FEED, direction="low", count=0, signal="complaints_total")
    assert both(leshan, dead)[0].startswith("市中区 2026-03-01")
    chinese, english = both(leshan, replace(dead, signal="petitions", notes=("silent:petition",)))
    assert "没有收到来自市委群工局的任何记录（信访件本应约 21 件）" in chinese
    assert "nothing of any kind came in from" in english


def test_a_cluster_names_its_counties_and_how_rare_it_is(leshan: Profile) -> None:
    case = replace(
        CASE, shape=Shape.CLUSTER, detector="scan", p=0.002, notes=("cluster:511102,511112,511123:7",),
        window_start=NOON - 7 * DAY,
    )  # fmt: skip
    chinese, english = both(leshan, case)
    assert "市中区、五通桥区、犍为县相邻 3 个县区" in chinese
    assert "合计 58 件，预期 21 件（95% 区间 12–33）；像这样的聚集平均约 500 天才会偶然出现一次" in chinese
    assert "3 neighbouring counties" in english
    assert "about every 500 days" in english
    assert "相邻 3 个县区城市管理诉求（7 日）合计 58 件" in both(leshan, CASE, (case,))[0].replace("诉求总量", "")


def test_a_rule_says_its_limit(leshan: Profile) -> None:
    bare = replace(CASE, shape=Shape.RULE, detector="threshold", expected=None, low=None, high=None, p=None, level=None)
    chinese, english = both(leshan, replace(bare, signal="backlog", count=3300, notes=("limit:3260",)))
    assert "积压 3,300 件，达到规定的限额 3,260 件" in chinese
    assert "Open tickets 3,300, at or above the limit of 3,260" in english
    age = replace(bare, signal="backlog_age", count=250, notes=("limit:240",))
    assert "在办时长（中位数） 250 小时，达到规定的限额 240 小时" in both(leshan, age)[0]
