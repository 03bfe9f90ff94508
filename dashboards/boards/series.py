"""A series beside what was expected of it: the panel that the boards of counties and of signals repeat."""

from dashboards.frame import Tongue
from dashboards.panels import Query, Words, banded
from dashboards.queries import once
from dashboards.sdk import timeseries
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
