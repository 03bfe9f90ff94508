"""What a page says: enough to act on, in the reader's language, and nothing that narrows a cell below k people."""

import json

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from streams.core.alert import Ended, Evidence, Joined, Raised, Severity, Shape
from streams.core.city import Measure
from streams.core.instant import HOUR
from streams.ledger.alerts import Alert, AlertLife
from streams.ledger.lifecycle import AlertState
from streams.ledger.pages import Page
from streams.paging.card import Card, CardMaker
from streams.paging.links import Links
from streams.profile import Profile
from tests.paging.samples import FEW, alert_id, ended, joined, raised
from tests.wording.samples import CASE, NOON

LINKS = Links("https://console.example", SecretStr("k" * 32), 72 * HOUR)
PAGE = Page(id="p", group_key="g", status="firing", kind="alert", county="511102", severity="warning", made_at=NOON)
ROOM = 19_000


def life(made: Raised, *more: Joined, over: Ended | None = None) -> AlertLife:
    state = AlertState.OPEN if over is None else AlertState.ENDED
    return AlertLife(Alert(made.alert, state, made, None, None), more, over, ())


def card(profile: Profile, *alerts: AlertLife, page: Page = PAGE, lang: str = "zh", room: int = ROOM) -> Card:
    return CardMaker(profile, LINKS, lang).card(page, alerts, NOON, room)


def of_case(profile: Profile, case: Evidence, lang: str = "zh") -> str:
    return card(profile, life(raised(1, evidence=case)), lang=lang).body


def test_a_card_in_chinese(leshan: Profile) -> None:
    told = card(leshan, life(raised(1)))
    assert told.title == "【预警】市中区 预警 1 条"
    heading, figures, sentence, look, acknowledge = told.body.splitlines()
    assert heading == "● 市中区 · 城市管理（预警）"
    assert figures == "计数 58，预期 21"
    assert sentence.startswith("市中区 2026-03-01 12:00 至 2026-03-02 12:00")
    assert look == f"查看：https://console.example/alerts/{alert_id(1)}"
    assert acknowledge.startswith(f"确认：https://console.example/alerts/{alert_id(1)}/acknowledge?expires=")


def test_a_card_in_english(leshan: Profile) -> None:
    told = card(leshan, life(raised(1, severity=Severity.CRITICAL)), page=replace(PAGE, severity="critical"), lang="en")
    assert told.title == "[critical] Shizhong District: 1 alert(s)"
    assert "count 58, expected 21" in told.body
    assert "Acknowledge: https://" in told.body


def test_an_escalation_says_its_level(leshan: Profile) -> None:
    assert card(leshan, life(raised(1)), page=replace(PAGE, level=2)).title == "【升级 2】【预警】市中区 预警 1 条"


def test_an_alert_that_ended_says_so(leshan: Profile) -> None:
    assert "结束" in card(leshan, life(raised(1), over=ended(1))).body


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("few", [FEW, replace(FEW, shape=Shape.DROUGHT, direction="low", expected=30.0)])
def test_fewer_than_k_are_not_said_in_figures(leshan: Profile, lang: str, few: Evidence) -> None:
    said = [of_case(leshan, replace(few, count=count), lang) for count in range(1, leshan.city.privacy_k)]
    assert len(set(said)) == 1, "nobody can tell one small count from another"
    assert ("不足 10" if lang == "zh" else "fewer than 10") in said[0]


def test_what_joined_with_fewer_than_k_is_left_out(leshan: Profile) -> None:
    said = card(
        leshan, life(raised(1), joined(1, replace(FEW, signal="noise")), joined(1, replace(CASE, signal="housing")))
    ).body
    assert said == card(leshan, life(raised(1), joined(1, replace(CASE, signal="housing")))).body


def test_a_share_gives_away_neither_its_count_nor_the_rest(leshan: Profile) -> None:
    for count in (3, 37):
        share = replace(
            CASE, shape=Shape.RATE, signal="satisfaction", count=count, whole=40, by_category=(), by_point=()
        )
        assert "不足 10" in of_case(leshan, share)
        assert str(count) not in of_case(leshan, share).partition("查看")[0].replace("2026-03", "")


def test_a_duration_is_no_count(leshan: Profile) -> None:
    age = next(signal.name for signal in leshan.city.signals if signal.measure is Measure.BACKLOG_AGE)
    case = replace(
        CASE, shape=Shape.RULE, signal=age, count=258, expected=None, low=None, high=None, p=None, by_category=()
    )
    said = of_case(leshan, replace(case, by_point=()))
    assert said.splitlines()[1] == "时长 258 小时"
    assert "计数" not in said


def test_a_threat_to_life_is_one_ticket_and_says_so(leshan: Profile) -> None:
    threat = next(category.code for category in leshan.city.categories if category.always_page)
    case = replace(
        CASE, shape=Shape.ALWAYS_PAGE, signal=threat, size="event", count=1, expected=None, low=None, high=None
    )
    said = of_case(leshan, case)
    assert "按规定立即报告" in said
    assert "计数" not in said


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_material_of_accusation_names_neither_county_nor_content(leshan: Profile, lang: str) -> None:
    told = card(leshan, life(raised(1, family="conduct", evidence=replace(CASE, signal="discipline_clues"))), lang=lang)
    said = (told.title + told.body).partition("https://")[0]
    for name in ("市中区", "Shizhong", "58", "511102", "conduct", "廉", "clue"):
        assert name not in said
    assert alert_id(1) in told.body, "who may see it finds it by its link"


@pytest.mark.parametrize("room", [2048 - 64, 1400, 300])
def test_a_robots_room_is_kept_and_links_are_whole(leshan: Profile, room: int) -> None:
    alerts = [life(raised(n)) for n in range(1, 5)]
    told = card(leshan, *alerts, room=room)
    if room > 1800:
        assert len(told.body.encode()) + len(told.title.encode()) <= room
    for one in alerts:
        assert LINKS.acknowledge(one.alert.id, NOON) in told.body


def service(status: str = "firing", **said: str) -> Page:
    document = json.dumps(
        {"alertname": "JiantuBudgetSpent", "summary": "额度已用完", "summary_en": "It is spent", **said}
    )
    return replace(PAGE, kind="service", status=status, document=document)


@pytest.mark.parametrize(
    ("lang", "status", "title"),
    [
        ("zh", "firing", "【预警】额度已用完"),
        ("zh", "resolved", "【已解除】额度已用完"),
        ("en", "firing", "[warning] It is spent"),
        ("en", "resolved", "[resolved] It is spent"),
    ],
)
def test_what_else_is_watched_says_its_rule(leshan: Profile, lang: str, status: str, title: str) -> None:
    assert card(leshan, page=service(status), lang=lang).title == title


def test_its_runbook_is_a_link_where_it_can_be_read(leshan: Profile) -> None:
    page = service(runbook_url="deploy/RUNBOOK.md#jiantubudgetspent", description="只有更罕见的")
    made = CardMaker(leshan, LINKS, "zh", "https://wiki.example/runbook")
    assert made.card(page, (), NOON, ROOM).body.splitlines() == [
        "只有更罕见的",
        "处置手册：https://wiki.example/runbook#jiantubudgetspent",
    ]


@pytest.mark.parametrize(
    ("lang", "line"),
    [("zh", "观测点：市心连心服务中心"), ("en", "Observation point: Heart-to-Heart Service Centre (12345)")],
)
def test_a_silent_feed_is_called_by_its_name(leshan: Profile, lang: str, line: str) -> None:
    assert card(leshan, page=service(point="hotline"), lang=lang).body.splitlines()[0] == line


def test_what_is_about_jiantu_itself_can_be_taken_up_while_it_lasts(leshan: Profile) -> None:
    made = CardMaker(leshan, LINKS, "zh")
    assert (
        "确认：https://console.example/pages/t1/acknowledge?expires=" in made.card(service(), (), NOON, ROOM, "t1").body
    )
    assert "确认" not in made.card(service("resolved"), (), NOON, ROOM, "t1").body
    assert made.card(replace(service(), level=2), (), NOON, ROOM, "t1").title == "【升级 2】【预警】额度已用完"


# ---- links -------------------------------------------------------------------------------------------------------


def parts(link: str) -> tuple[str, str]:
    """(expires, signature) of an acknowledge-link."""
    query = dict(one.split("=") for one in link.partition("?")[2].split("&"))
    return query["expires"], query["signature"]


def refused(links: Links, expires: str, signature: str, alert: str = "a1", at: int = NOON) -> str | None:
    return links.refused(alert, expires, signature, at)


def test_a_link_is_good_for_its_alert_and_its_time() -> None:
    expires, signature = parts(LINKS.acknowledge("a1", NOON))
    assert refused(LINKS, expires, signature) is None
    assert refused(LINKS, expires, signature, at=NOON + 73 * HOUR) == "expired"
    assert refused(LINKS, expires, signature, alert="a2") == "signature"
    assert refused(LINKS, str(int(expires) + 1), signature) == "signature"
    assert refused(Links("https://console.example", SecretStr("x" * 32), HOUR), expires, signature) == "signature"


@pytest.mark.parametrize("given", [("", ""), ("x", "y"), ("９", "é"), ("1" * 400, "0" * 64), ("-1", "0" * 64)])
def test_what_is_no_link_is_refused(given: tuple[str, str]) -> None:
    assert refused(LINKS, given[0], given[1]) == "signature"
