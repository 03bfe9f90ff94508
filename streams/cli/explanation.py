"""Explanations asked of a ledger, as JSON-ready data and for a person."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from streams.cli.profile_view import table
from streams.cli.prose import Prose
from streams.core.city import Direction, Size
from streams.core.explanation import PAGED, Explanation, Test, Why
from streams.core.instant import Instant, format_instant, to_datetime
from streams.profile import Profile
from streams.wiring.explaining import explanation
from streams.wiring.reading import Reading
from streams.wording.catalog import Speech
from streams.wording.names import Names
from streams.wording.why import why

_SIDES = {Direction.HIGH: "↑", Direction.LOW: "↓"}
_WORDS = {
    Why.RAISED: "已预警",
    Why.JOINED: "并入",
    Why.CONTINUED: "延续",
    Why.EXPLAINED: "已说明",
    Why.NOT_CORROBORATED: "无佐证",
    Why.PAST: "已过去",
    Why.CALENDAR: "特殊日",
    Why.VERDICT: "异常",
    Why.BREAK: "口径调整",
    Why.NEWCOMER: "县区新增",
    Why.BELOW_LIMIT: "未达限额",
    Why.MINIMUM_COUNT: "数量太少",
    Why.DIRECTION: "不看此侧",
    Why.OTHER_CLUSTER: "另有更甚",
    Why.ABOVE_LEVEL: "不够反常",
    Why.WARMING_UP: "预热",
    Why.SILENT_FEED: "报送中断",
    Why.NOT_HEARD: "尚未报送",
    Why.MISSING: "无数据",
    Why.NO_EXPOSURE: "没有分母",
    Why.NOT_TESTED: "不判断",
    Why.NOT_CLOSED: "无记录",
}


def answers(
    reading: Reading, county: str, signal: str, at: Instant, sizes: Sequence[Size] | None = None
) -> list[Explanation]:
    """One explanation for each window size that the signal is watched in, shortest first."""
    own = next(one.sizes for one in reading.profile.city.signals if one.name == signal)
    return [explanation(reading, county, signal, size, at) for size in sizes or [s for s in Size if s in own]]


def document(
    profile: Profile, county: str, signal: str, at: Instant, found: Sequence[Explanation], lang: str
) -> dict[str, object]:
    """Explanations as JSON-ready data."""
    return {
        "county": county,
        "signal": signal,
        "at": format_instant(at, profile.city.zone),
        "paged": any(one.why in PAGED for one in found),
        "windows": [_one(profile, one, lang) for one in found],
    }


def quiet_document(profile: Profile, found: Sequence[Explanation], lang: str) -> list[dict[str, object]]:
    """The largest non-alerts as JSON-ready data, each as `jiantu explain` has it."""
    return [{"county": one.county, "signal": one.signal, **_one(profile, one, lang)} for one in found]


def quiet_parts(profile: Profile, found: Sequence[Explanation], lang: str) -> Iterator[RenderableType]:
    """The largest non-alerts for a person."""
    names = Names(profile, Speech(lang))
    yield Text("最接近预警而没有预警的 the largest non-alerts", style="bold")
    for number, one in enumerate(found, 1):
        place = f"{number}. {names.county(one.county)} {names.signal(one.signal)}"
        yield Text.assemble((place, "bold"), (f"  {one.county} {one.signal}", "dim"))
        yield from parts(profile, one, lang)


def _one(profile: Profile, one: Explanation, lang: str) -> dict[str, object]:
    zone = profile.city.zone
    return {
        "size": one.size,
        "window_start": format_instant(one.window_start, zone),
        "window_end": format_instant(one.window_end, zone),
        "known_at": format_instant(one.known_at, zone),
        "why": one.why,
        "sentence": why(profile, one, locale=lang),
        "sentence_en": why(profile, one, locale="en"),
        "count": one.count,
        "minimum_count": one.minimum_count,
        "direction": one.direction,
        "alert": one.alert,
        "calendar": list(one.calendar),
        "budget_per_week": one.budget_per_week,
        "budget_spent": one.spent,
        "budget_left": one.left,
        "tests": [
            {
                "detector": test.detector,
                "side": test.side,
                "why": test.why,
                "expected": test.expected,
                "low": test.low,
                "high": test.high,
                "p": test.p,
                "level": test.level,
                "turning_count": test.turning_count,
                "cluster": None
                if test.cluster is None
                else {
                    "counties": list(test.cluster.counties),
                    "days": test.cluster.days,
                    "count": test.cluster.count,
                },
            }
            for test in one.tests
        ],
    }


def parts(profile: Profile, one: Explanation, lang: str) -> Iterator[RenderableType]:
    """One window's explanation for a person."""
    zone = profile.city.zone
    start, end = (f"{to_datetime(at, zone):%Y-%m-%d %H:%M}" for at in (one.window_start, one.window_end))
    style = "bold red" if one.why in PAGED else "bold green"
    yield Text.assemble((f"{one.size} ", "bold"), f"{start} – {end}  ", (f"{_WORDS[one.why]} {one.why}", style))
    yield Prose(why(profile, one, locale=lang) or "", indent=2)
    if lang == "zh":
        yield Prose(why(profile, one, locale="en") or "", style="dim", indent=2)
    if any(test.p is not None for test in one.tests):
        yield _tests(one.tests, lang)


def _tests(tests: Sequence[Test], lang: str) -> RenderableType:
    made = table(
        "",
        "检验\ntest",
        ">预期\nexpected",
        ">区间\nband",
        ">概率\np",
        ">限额\nlevel",
        ">转折点\nwould page",
        "结果\nwhy",
    )
    made.title = None
    for test in tests:
        edge = "≥" if test.side == "high" else "≤"
        made.add_row(
            f"{test.detector} {_SIDES[test.side]}",
            _figure(test.expected),
            "" if test.low is None or test.high is None else f"{test.low:g}–{test.high:g}",
            _figure(test.p),
            _figure(test.level),
            "" if test.turning_count is None else f"{edge} {test.turning_count}",
            _WORDS[test.why] if lang == "zh" else str(test.why),
        )
    return made


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
