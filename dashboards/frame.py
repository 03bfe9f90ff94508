"""What all boards share: uids, time range, data source, links to each other and outwards, alerts drawn in.

A board is rows of panels; a panel takes the width that it is given, and the next line starts where 24 are full.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards import colours
from dashboards.library import NAMES, Lang, uid
from dashboards.panels import SOURCE, Builder, Words
from dashboards.queries import once, places, said_of_alerts, total
from dashboards.sdk import dashboard, model
from streams import metrics

SCHEMA: Final = 39
"""Of the boards' JSON: what Grafana 11.0 writes; later ones bring it up to date themselves."""
ALERT_LABELS: Final = ("alert", "county", "category", "signal", "size", "severity")
"""What is told of one alert."""
TITLES: Final = {
    "city": ("全市总览", "City overview"),
    "county": ("县区", "County"),
    "signal": ("信号", "Signal"),
    "desk": ("预警台", "Alert desk"),
    "pipeline": ("运行状况", "Pipeline health"),
}


@dataclass(frozen=True, slots=True)
class Tongue:
    """One of two languages: both stand beside each other in the code, so that neither is forgotten."""

    lang: Lang

    def __call__(self, zh: str, en: str) -> str:
        """What is said in this language."""
        return zh if self.lang == "zh" else en

    def words(self, title_zh: str, title_en: str, zh: str, en: str) -> Words:
        """Title and description of a panel."""
        return Words(self(title_zh, title_en), self(zh, en))

    @property
    def name(self) -> str:
        """The label of info metrics that holds the name of a county or a point."""
        return self("name", "name_en")

    @property
    def title(self) -> str:
        """The label of info metrics that holds the title of a signal or a category."""
        return self("title", "title_en")

    def board(self, name: str) -> str:
        """The title of a board."""
        return self(*TITLES[name])


@dataclass(slots=True)
class Placed:
    """A panel and its size: 24 wide is the whole board."""

    panel: Builder
    width: int
    height: int


@dataclass(slots=True)
class Board:
    """One board in the making."""

    name: str
    say: Tongue
    description: str
    since: str
    variables: list[Any] = field(default_factory=list)
    annotations: list[Any] = field(default_factory=list)
    rows: list[tuple[str, Sequence[Placed]]] = field(default_factory=list)

    def row(self, title: str, *placed: Placed) -> None:
        """Add a row with a heading."""
        self.rows.append((title, placed))

    def build(self) -> model.Dashboard:
        """The board as the SDK's model has it."""
        say = self.say
        title = f"{say('监土', 'jiantu')} · {say.board(self.name)}"
        board = dashboard.Dashboard(title).uid(uid(self.name, say.lang)).description(self.description)
        board = board.tags(["jiantu", f"jiantu-{say.lang}"]).timezone("browser").editable()
        board = board.time(self.since, "now").refresh("1m").tooltip(model.DashboardCursorSync.CROSSHAIR)
        board = board.timepicker(dashboard.TimePicker().refresh_intervals(["30s", "1m", "5m", "15m", "1h"]))
        outside = [from_address("console"), from_address("runbook")]
        board = board.variables([data_source(say), *self.variables, *outside])
        board = board.links(list(_links(say, self.name)))
        for title, placed in self.rows:
            board = board.with_row(dashboard.Row(title))
            for one in placed:
                board = board.with_panel(one.panel.span(one.width).height(one.height))
        made = board.build()
        made.schema_version = SCHEMA
        made.annotations = model.AnnotationContainer(list_val=self.annotations)
        for number, panel in enumerate(made.panels or [], start=1):
            panel.id_val = number
        return made


def data_source(say: Tongue) -> dashboard.DatasourceVariable:
    """Which Prometheus: the provisioned one (deploy/grafana); where it is not there, the first."""
    made = dashboard.DatasourceVariable("datasource").label(say("数据源", "Data source")).type("prometheus")
    return made.current(model.VariableOption(text="jiantu Prometheus", value="jiantu-prometheus", selected=True))


def from_address(label: str) -> dashboard.QueryVariable:
    """An address that the exporter says: of the console, of the runbook."""
    query = f"label_values({metrics.SERVICE_INFO.name}, {label})"
    return _asked(label, query, label).hide(model.VariableHide.HIDE_VARIABLE)


def signals(say: Tongue, where: str) -> dashboard.QueryVariable:
    """A choice of the signals that have windows `where`; first those that count the most people's matters.

    So the first look at a board is at the widest signal, whatever a profile calls it.
    """
    info = once(metrics.SIGNAL_INFO, "signal", say.title)
    there = f"({info} and on (signal) {once(metrics.WINDOW_SUPPRESSED, 'signal', where=where)})"
    flows = once(metrics.SIGNAL_INFO, "signal", where='measure="events",of=""')
    volume = f"{total(metrics.WINDOW_COUNT, 'county', 'signal', by='signal', where=where)} * on (signal) {flows}"
    by_volume = f"sort_desc({there} * on (signal) group_left () ({volume}) or {there} * 0)"
    return _named("signal", say("信号", "Signal"), by_volume, say.title)


def counties(say: Tongue) -> dashboard.QueryVariable:
    """A choice of the counties and the whole city; first where the most alerts wait."""
    where = places(say.name)
    waiting = total(metrics.ALERTS_UNACKNOWLEDGED, "county", "severity", by="county")
    by_need = f"sort_desc({where} * on (county) group_left () ({waiting}) or {where} * 0)"
    return _named("county", say("县区", "County"), by_need, say.name)


def counties_with(say: Tongue, where: str) -> dashboard.QueryVariable:
    """A choice of the counties (and the city) that have windows `where`, always in one order: places are compared."""
    there = f"{places(say.name)} and on (county) {once(metrics.WINDOW_SUPPRESSED, 'county', where=where)}"
    found = _named("county", say("县区", "County"), there, say.name)
    return found.sort(model.VariableSort.ALPHABETICAL_ASC)


def _named(variable: str, label: str, expr: str, name: str) -> dashboard.QueryVariable:
    """A choice of what a vector names: its key (the label called as the variable) as value, its name as text."""
    found = _asked(variable, f"query_result({expr})", label)
    # Prometheus sorts labels by name.
    first, second = sorted([(variable, "value"), (name, "text")])
    return found.regex(f'/{first[0]}="(?<{first[1]}>[^"]*)".*{second[0]}="(?<{second[1]}>[^"]*)"/')


def every(variable: dashboard.QueryVariable, say: Tongue) -> dashboard.QueryVariable:
    """The same for several at once, all of them to begin with."""
    everything = model.VariableOption(text=say("全部", "All"), value="$__all", selected=True)
    return variable.multi(True).include_all(True).current(everything)


def sizes(say: Tongue) -> dashboard.QueryVariable:
    """The window sizes that numbers are shown of: days first where half of the counties have one, else weeks.

    Hours have flags alone (deploy/METRICS.md). In a small city so do days: its boards open with weeks.
    """
    day, week = ('size="day"', 'size="week"')
    shown = f"count by (county, size) ({once(metrics.WINDOW_SUPPRESSED, 'county', 'signal', 'size', where=day)} == 0)"
    half = f"count by (size) ({shown}) / on () group_left () count({once(metrics.COUNTY_INFO, 'county')}) >= bool 0.5"
    none = f"0 * {once(metrics.WINDOW_SUPPRESSED, 'size', where=day)}"
    weeks = f"1 + 0 * {once(metrics.WINDOW_SUPPRESSED, 'size', where=week)}"
    order = f"2 * ({half}) or {none} or {weeks}"
    for size, word in (("day", say("日", "Day")), ("week", say("周", "Week"))):
        order = f'label_replace({order}, "word", "{word}", "size", "{size}")'
    return _named("size", say("窗口", "Window"), f"sort_desc({order})", "word")


def alerts_raised(say: Tongue, where: str = "") -> model.AnnotationQuery:
    """Alerts at the instant they were raised: the value of the metric is the time.

    Grafana asks for at most 100 instants of the chosen range, the last of them up to a step before its end: each
    answers for the step after it, so that the newest alert is there.
    """
    by = ", ".join(ALERT_LABELS)
    selector = f"{metrics.ALERT_RAISED.name}{{{where}}}" if where else metrics.ALERT_RAISED.name
    raised = f"max by ({by}) (max_over_time({selector}[$__interval] offset -$__interval))"
    return model.AnnotationQuery(
        name=say("预警", "Alerts"),
        datasource=SOURCE,
        icon_color=colours.ALARM,
        expr=said_of_alerts(f"({raised} * 1000)", say.name, say.title),
        title_format=say("预警 {{severity}}", "Alert {{severity}}"),
        text_format=f"{{{{{say.name}}}}} · {{{{{say.title}}}}} · {{{{what}}}} · {{{{alert}}}}",
        tag_keys="severity",
        step="60s",
        use_value_for_time=True,
    )


def _asked(name: str, query: str, label: str) -> dashboard.QueryVariable:
    made = dashboard.QueryVariable(name).label(label).datasource(SOURCE)
    made = made.query({"query": query, "refId": name}).definition(query)
    return made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.DISABLED)


def _links(say: Tongue, here: str) -> Iterator[dashboard.DashboardLink]:
    for name in NAMES:
        if name != here:
            yield _link(say.board(name), f"/d/{uid(name, say.lang)}", "dashboard").keep_time(True).include_vars(True)
    for variable, title in (("console", say("控制台", "Console")), ("runbook", say("处置手册", "Runbook"))):
        yield _link(title, f"${{{variable}:raw}}", "external link").target_blank(True)
    other = Tongue("en" if say.lang == "zh" else "zh")
    title = other("中文", "English")
    yield _link(title, f"/d/{uid(here, other.lang)}", "exchange-alt").keep_time(True).include_vars(True)


def _link(title: str, url: str, icon: str) -> dashboard.DashboardLink:
    made = dashboard.DashboardLink(title).type(model.DashboardLinkType.LINK)
    return made.url(url).icon(icon).tooltip(title)
