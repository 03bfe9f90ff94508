"""PromQL that boards share. Names of metrics stand in `streams.metrics`, and nowhere else.

Every vector is first reduced to the labels that are looked at: who scrapes a service and an exporter sees both once.
So of what a ledger counts the rates are reduced by max, and only what a process counts for itself is summed.
"""

from streams import metrics
from streams.metrics.metric import Metric


def once(metric: Metric, *by: str, where: str = "") -> str:
    """A metric by some of its labels, whoever exported it.

    >>> once(metrics.POINT_INFO, "point", where='point="hotline"')
    'max by (point) (jiantu_point_info{point="hotline"})'
    """
    grouping = f"by ({', '.join(by)}) " if by else ""
    return f"max {grouping}({metric.name}{{{where}}})" if where else f"max {grouping}({metric.name})"


def total(metric: Metric, *labels: str, by: str = "", where: str = "") -> str:
    """The sum over all of a metric's `labels`; by one of them where that is named."""
    grouping = f"by ({by}) " if by else ""
    return f"sum {grouping}({once(metric, *labels, where=where)})"


def age(metric: Metric, *by: str, where: str = "") -> str:
    """Seconds since the instant that a metric holds; 0 where it lies ahead, as a fast replay may have it."""
    return f"clamp_min(time() - {once(metric, *by, where=where)}, 0)"


def with_name(expr: str, key: str, info: Metric, name: str) -> str:
    """A vector with the label that names its `key` for people; an empty key is left without a name."""
    return f"({expr}) * on ({key}) group_left ({name}) ({once(info, key, name)} or vector(1))"


def places(name: str) -> str:
    """The counties and, after them, the whole city, which windows and alerts have as a county too; with their names."""
    return f"({once(metrics.COUNTY_INFO, 'county', name)} or {once(metrics.CITY_INFO, 'county', name)})"


def of_place(expr: str, name: str) -> str:
    """A vector by county, with the name of the county or the city."""
    return f"({expr}) * on (county) group_left ({name}) {places(name)}"


def said_of_alerts(expr: str, name: str, title: str) -> str:
    """A vector by alert in words: `name` of the place, `title` of the category, `what` (its signal's title).

    No alert may drop out for want of a word: one whose category is not said has no title, a signal without a title
    (what always pages has a category there) is its code, and what a newer profile no longer names stays as it is.
    """
    named = with_name(of_place(expr, name), "category", metrics.CATEGORY_INFO, title)
    what = f'label_replace({once(metrics.SIGNAL_INFO, "signal", title)}, "what", "$1", "{title}", "(.+)")'
    coded = f'label_replace({named}, "what", "$1", "signal", "(.+)")'
    return f"({named}) * on (signal) group_left (what) {what} or on (alert) {coded} or on (alert) {expr}"


def or_hidden(metric: Metric, *by: str, where: str) -> str:
    """A number of windows, and -1 where it is below k and not published."""
    flag = once(metrics.WINDOW_SUPPRESSED, *by, where=where)
    return f"{once(metric, *by, where=where)} or -({flag} == 1)"


def by_measure(metric: Metric, measure: str, title: str, where: str) -> str:
    """A number of windows of the signals that measure something, whatever a profile calls them; titled."""
    info = once(metrics.SIGNAL_INFO, "signal", title, where=f'measure="{measure}"')
    return f"{once(metric, 'county', 'signal', where=where)} * on (signal) group_left ({title}) {info}"


def titled(expr: str, title: str) -> str:
    """A vector by signal, with the signal's title."""
    return with_name(expr, "signal", metrics.SIGNAL_INFO, title)


def quantile(share: float, metric: Metric, over: str) -> str:
    """A quantile of a histogram, over a time that slides."""
    return f"histogram_quantile({share}, sum by (le) (max by (le, severity) (increase({metric.name}_bucket[{over}]))))"
