"""What the boards of the city, of counties and of signals repeat: a series beside what was expected of it, whether it
is shown, and the county that it is of."""

from dashboards import colours
from dashboards.frame import Tongue
from dashboards.library import uid
from dashboards.panels import Column, Query, Words, banded, states
from dashboards.queries import once
from dashboards.sdk import statetimeline, timeseries
from streams import metrics


def counted(say: Tongue, title: str, where: str) -> timeseries.Panel:
    """Count, expected value and band of one series, which `where` picks; gaps where it is below k."""
    words = Words(
        title,
        say(
            "件数（蓝；占比信号是分子的件数，时长以小时计）、预期（橙，虚线）、95% 区间（浅蓝）。"
            "灰带处不足 k 人，不公布，不是零。",
            "Counted (blue; of a share its numerator, of ages hours), expected (orange, dashed), 95 % band (light). "
            "Grey: below k people, not shown; not zero.",
        ),
    )
    by = ("county", "signal", "size")
    return banded(
        words,
        count=Query(once(metrics.WINDOW_COUNT, *by, where=where), say("件数", "Count")),
        expected=Query(once(metrics.WINDOW_EXPECTED, *by, where=where), say("预期", "Expected")),
        low=Query(once(metrics.WINDOW_LOW, *by, where=where), say("下限", "Low")),
        high=Query(once(metrics.WINDOW_HIGH, *by, where=where), say("上限", "High")),
        hidden=Query(f"{once(metrics.WINDOW_SUPPRESSED, *by, where=where)} == 1", say("不足 k 人", "Below k")),
    )


def shown(say: Tongue, whose: str, query: Query) -> statetimeline.Panel:
    """Whether windows are shown over time; `whose` in this language."""
    words = Words(
        say("公布与否", "What is shown"),
        say(
            f"{whose}是否公布；灰色：不足 k 人，不公布，不是零。",
            f"Whether {whose} are shown; grey: below k people, not shown, not zero.",
        ),
    )
    said = {"0": (say("公布", "shown"), colours.COUNT), "1": (say("不足 k 人", "<k"), colours.NONE)}
    return states(words, query, said)


def county_columns(say: Tongue) -> tuple[Column, Column]:
    """Code and name of a row's county; the name leads to its board."""
    there = f"/d/{uid('county', say.lang)}?var-county=${{__data.fields.county}}&${{__url_time_range}}"
    return (
        Column("county", say("代码", "Code"), width=90),
        Column(say.name, say("县区", "County"), link=(say("查看县区", "Show the county"), there)),
    )
