"""The table of all metrics, for people: `python -m streams.exporter.table > deploy/METRICS.md`."""

import sys
from collections.abc import Iterator

from streams.metrics import METRICS
from streams.metrics.metric import Group, Metric, Unit

_HEAD = """\
# 指标 · Metrics

Made by `python -m streams.exporter.table > deploy/METRICS.md` from `streams/metrics`; a test holds them equal.

**不足 k 人的格子不公布。** 计数、预期、区间、p、占比只在其数字不会泄露任何不足 k 人的格子时才导出；否则只有
`jiantu_window_suppressed` 为 1。保密（检举控告）的信号与预警不出现在任何县区名下。

**Nothing narrows a cell below k people.** Counts, expected values, bands, p and shares are exported only where they
tell nothing of any cell below k (`jiantu_privacy_k`); elsewhere `jiantu_window_suppressed` is 1 and there is no number:

* Numbers are shown of one window size per table of signals: of days where the median county counts 3 k a day (as the
  week before says), else of weeks; of weeks also where they are sums of shown days. Hours have flags only.
* A number is shown where it, and those of the week before (for weeks: of four weeks), are at least k, and where all
  shown numbers together leave 0 to k - 1 possible for every cell below k. Expected values and bands are whole numbers,
  p is a power of ten.
* What is open as a window closes (backlog, overdue, median age) is rounded down to a multiple of k.
* An alert whose count is below k has no signal, no size and no exact time; compartmented alerts are only counted, for
  the whole city.

Instants are Unix seconds. A ledger's counters go on where the ledger is when an exporter is restarted; those of
"Live service", "Paging" and "The exporter itself" begin with their process.
"""


def table() -> str:
    """The whole page, Markdown."""
    return "\n".join([_HEAD, *(line for group in Group for line in _section(group))])


def _section(group: Group) -> Iterator[str]:
    yield f"## {group}"
    yield ""
    yield "| 名称 name | 类型 type | 单位 unit | 标签 labels | 含义 meaning |"
    yield "|---|---|---|---|---|"
    yield from (_row(metric) for metric in METRICS if metric.group is group)
    yield ""


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    unit = {Unit.TIMESTAMP: "Unix s", Unit.SECONDS: "s"}.get(metric.unit, str(metric.unit))
    return f"| `{metric.name}` | {metric.kind} | {unit} | {labels} | {metric.zh}<br>{metric.en} |"


if __name__ == "__main__":
    sys.stdout.write(table())
