"""Three hours of every metric that there is, for two counties, as OpenMetrics: what a query finds data in.

Values mean nothing; labels do: they hang together as the exporter's do (county, signal, size; alert, category).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from streams import metrics
from streams.metrics.metric import Group, Kind, Metric, Unit
from tests.prometheus.programs import tool

END = 1_750_000_200
STEP = 300
SPAN = 3 * 3600
CITY, COUNTIES = "city", ("east", "west")
SIGNALS = {"total": ("events", ""), "late": ("backlog", ""), "over": ("overdue", ""), "old": ("backlog_age", "")}
SIGNALS |= {"share": ("events", "total")}
HIDDEN = ("west", "total", "day")
"""The series that is below k."""
SIZES = ("hour", "day", "week")
SCRAPED, LEDGERS = ("run", "exporter"), (Group.ALERTS, Group.WINDOWS, Group.BUDGET, Group.PIPELINE, Group.NAMES)
"""Both tell of the ledger: nothing may be seen twice."""
# a3 says nothing but where; what always pages (a5) has a category as its signal; the profile no longer has a6's county.
ALERTS = (
    {"alert": "a1", "county": "east", "category": "order", "signal": "total", "size": "day", "severity": "critical"},
    {"alert": "a2", "county": "east", "category": "order", "signal": "late", "size": "day", "severity": "warning"},
    {"alert": "a3", "county": "west", "category": "", "signal": "", "size": "", "severity": "critical"},
    {"alert": "a4", "county": "city", "category": "order", "signal": "total", "size": "day", "severity": "warning"},
    {"alert": "a5", "county": "east", "category": "order", "signal": "threat", "size": "", "severity": "critical"},
    {"alert": "a6", "county": "gone", "category": "order", "signal": "total", "size": "day", "severity": "warning"},
)
CHOICES: Mapping[str, Sequence[str]] = {
    "county": (*COUNTIES, CITY),
    "severity": ("critical", "warning"),
    "verdict": ("counted", "duplicate", "late", "rejected"),
    "outcome": ("right", "false", "other", "open"),
    "reason": ("not_json",),
    "step": ("acknowledge", "discard"),
    "choice": ("", "false_page"),
    "point": ("hotline", "petition"),
    "size": SIZES,
    "channel": ("wecom",),
    "route": ("/v1/events",),
    "status": ("202", "400"),
    "replayed": ("false",),
    "console": ("http://127.0.0.1:8080",),
    "runbook": ("http://127.0.0.1:8080/runbook",),
    "version": ("0.1.0",),
    "profile": ("town",),
    "profile_version": ("4b1c889f",),
}


_TILE = {"row": "00"}
NAMED: Mapping[Metric, Sequence[Mapping[str, str]]] = {
    metrics.ALERT_OPEN: [{**alert, "replayed": "false"} for alert in ALERTS],
    metrics.ALERT_RAISED: [{**alert, "replayed": "false"} for alert in ALERTS],
    metrics.CITY_INFO: [{"county": CITY, "name": "小城", "name_en": "Town"}],
    metrics.COUNTY_INFO: [
        {"county": one, "name": f"{one}区", "name_en": one.title(), "position": str(at), "column": f"{at:02d}"} | _TILE
        for at, one in enumerate(COUNTIES)
    ],
    metrics.SIGNAL_INFO: [
        {"signal": one, "title": f"信号{one}", "title_en": one.title(), "family": "order", "measure": measure, "of": of}
        for one, (measure, of) in SIGNALS.items()
    ],
    metrics.POINT_INFO: [{"point": one, "name": f"{one}点", "name_en": one.title()} for one in CHOICES["point"]],
    metrics.CATEGORY_INFO: [{"category": "order", "title": "秩序", "title_en": "Order"}],
}


def labels_of(metric: Metric) -> Iterator[Mapping[str, str]]:
    """The label sets of a metric's series."""
    if metric in NAMED:
        yield from NAMED[metric]
    elif metric.labels == metrics.SERIES_LABELS:
        for series in product((*COUNTIES, CITY), SIGNALS, SIZES):
            shown = metric is metrics.WINDOW_SUPPRESSED or series != HIDDEN
            if shown and (metric is not metrics.WINDOW_RATIO or SIGNALS[series[1]][1]):
                yield dict(zip(metrics.SERIES_LABELS, series, strict=True))
    else:
        for chosen in product(*(CHOICES.get(label, ("any",)) for label in metric.labels)):
            yield dict(zip(metric.labels, chosen, strict=True))


def value(metric: Metric, labels: Mapping[str, str], at: int) -> float:
    """Something that such a metric might say."""
    if metric.unit is Unit.TIMESTAMP:
        return END - 7200 if metric is metrics.ALERT_RAISED else at - 600
    if metric is metrics.WINDOW_SUPPRESSED:
        return float(tuple(labels[one] for one in metrics.SERIES_LABELS) == HIDDEN)
    if metric.kind is Kind.COUNTER:
        return (at - END + SPAN) / STEP * (4 if metric is metrics.RECORDS_RECEIVED else 1)
    if metric in (metrics.WINDOW_P, metrics.WINDOW_RATIO, metrics.FALSE_PAGE_RATIO):
        return 0.1
    return 1.0


def openmetrics() -> Iterator[str]:
    """All of it, family by family."""
    times = range(END - SPAN, END + 1, STEP)
    for metric in metrics.METRICS:
        family = metric.name.removesuffix("_total") if metric.kind is Kind.COUNTER else metric.name
        yield f"# TYPE {family} {metric.kind.value}"
        for instance, labels in product(SCRAPED if metric.group in LEDGERS else SCRAPED[:1], labels_of(metric)):
            text = ",".join(f'{name}="{one}"' for name, one in {**labels, "instance": instance}.items())
            if metric.kind is Kind.HISTOGRAM:
                for bound in ("60.0", "3600.0", "+Inf"):
                    bucket = f'{text},le="{bound}"'
                    yield from (f"{metric.name}_bucket{{{bucket}}} {(at - times[0]) // STEP} {at}" for at in times)
                yield from (f"{metric.name}_count{{{text}}} {(at - times[0]) // STEP} {at}" for at in times)
            else:
                yield from (f"{metric.name}{{{text}}} {value(metric, labels, at)} {at}" for at in times)
    yield "# EOF"


def fill(data: Path) -> None:
    """Blocks of it, for a Prometheus that is not running yet."""
    text = data.parent / "history.txt"
    text.write_text("\n".join(openmetrics()) + "\n")
    made = tool("promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", text, data)
    assert made.returncode == 0, made.stderr
