"""Panels as all boards have them: a title, a description, a unit, queries; the rest is the house's style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards import colours
from dashboards.sdk import (
    bargauge,
    common,
    common_model,
    dashboard,
    model,
    prometheus,
    prometheus_model,
    stat,
    statetimeline,
    timeseries,
)
from dashboards.sdk import table as table_sdk

SOURCE: Final = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")
HIDDEN: Final = -1
"""What a query gives for a number below k: mapped to words, never shown."""

COUNT: Final = "locale"
"""The unit of what is counted: every digit of it, 1,759 and never 2 K."""

Builder = timeseries.Panel | stat.Panel | table_sdk.Panel | bargauge.Panel | statetimeline.Panel


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of PromQL, and what its series are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What a panel says of itself."""

    title: str
    description: str


def lines(
    words: Words,
    unit: str,
    *queries: Query,
    paint: Sequence[str] = (),
    on_the_right: Mapping[int, str] | None = None,
    least: float | None = 0,
) -> timeseries.Panel:
    """Lines over time; `paint`: colours of the queries, where each is one series; on_the_right: query -> its unit."""
    panel = timeseries.Panel().unit(unit).line_width(1.5).fill_opacity(0).span_nulls(False)
    # A window's number holds from the moment it closed.
    panel = panel.line_interpolation(common_model.LineInterpolation.STEP_AFTER)
    panel = panel.show_points(common_model.VisibilityMode.AUTO).point_size(4)
    panel = panel.color_scheme(_palette())
    panel = panel.tooltip(
        common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI).sort(common_model.SortOrder.DESCENDING)
    )
    panel = panel.legend(
        common.VizLegendOptions()
        .show_legend(True)
        .placement(common_model.LegendPlacement.BOTTOM)
        .display_mode(common_model.LegendDisplayMode.LIST)
        .calcs([])
    )
    if least is not None:
        panel = panel.axis_soft_min(least)
    for place, colour in enumerate(paint):
        panel = panel.override_by_query(_letter(place), _paint(colour))
    for place, other in (on_the_right or {}).items():
        panel = panel.override_by_query(_letter(place), [_value("unit", other), _custom("axisPlacement", "right")])
    _finish(panel, words, queries, instant=False)
    return panel


def banded(words: Words, *, count: Query, expected: Query, low: Query, high: Query, hidden: Query) -> timeseries.Panel:
    """A count with what was expected, and the band around that shaded; grey from top to bottom where `hidden` is 1."""
    panel = lines(words, COUNT, count, expected, low, high, hidden)
    panel = panel.decimals(0).legend(common.VizLegendOptions().show_legend(False).calcs([]))
    panel = panel.override_by_query("A", [*_paint(colours.COUNT), _custom("lineWidth", 2)])
    dashes = {"fill": "dash", "dash": [6, 4]}
    panel = panel.override_by_query("B", [*_paint(colours.EXPECTED), _custom("lineStyle", dashes)])
    edge = [*_paint(colours.BAND), _custom("lineWidth", 0), _custom("showPoints", "never")]
    panel = panel.override_by_query("C", edge)
    panel = panel.override_by_query("D", [*edge, _custom("fillBelowTo", low.legend), _custom("fillOpacity", 25)])
    # On an axis of its own, so that the grey says nothing about a number.
    veil = [_value("min", 0), _value("max", 1), _value("unit", "bool"), _custom("axisPlacement", "hidden")]
    veil += [_custom("lineWidth", 0), _custom("showPoints", "never"), _custom("fillOpacity", 30)]
    return panel.override_by_query("E", [*_paint(colours.NONE), *veil])


def number(
    words: Words,
    unit: str,
    query: Query,
    steps: Sequence[tuple[float | None, str]] = (),
    *,
    names: Mapping[str, tuple[str, str]] | None = None,
    absent: str = "–",
) -> stat.Panel:
    """One number, now; coloured by steps, each (from, colour), the first without a from.

    `names`: value -> (word, colour), said instead. Where there is no data it is `absent` and grey: what cannot be seen
    is neither calm nor alarming.
    """
    panel = stat.Panel().unit(unit).graph_mode(common_model.BigValueGraphMode.NONE)
    panel = panel.color_mode(common_model.BigValueColorMode.VALUE).reduce_options(_last())
    panel = panel.thresholds(_steps(steps or [(None, colours.COUNT)])).color_scheme(_by_threshold())
    nothing = model.DashboardSpecialValueMapOptions(
        match=model.SpecialValueMatch.NULL_AND_NAN,
        result=model.ValueMappingResult(text=absent, color=colours.NONE, index=len(names or ())),
    )
    said: list[model.ValueMapping] = [value_map(names)] if names else []
    panel = panel.mappings([*said, model.SpecialValueMap(options=nothing)])
    _finish(panel, words, [query], instant=True)
    return panel


def bars(words: Words, unit: str, *queries: Query, steps: Sequence[tuple[float | None, str]] = ()) -> bargauge.Panel:
    """One horizontal bar for every series, now."""
    panel = bargauge.Panel().unit(unit).min(0).reduce_options(_last())
    panel = panel.orientation(common_model.VizOrientation.HORIZONTAL)
    panel = panel.display_mode(common_model.BarGaugeDisplayMode.BASIC).show_unfilled(False)
    panel = panel.thresholds(_steps(steps or [(None, colours.COUNT)])).color_scheme(_by_threshold())
    _finish(panel, words, queries, instant=True)
    return panel


def states(words: Words, query: Query, names: Mapping[str, tuple[str, str]]) -> statetimeline.Panel:
    """States over time, one row a series: value -> (word, colour)."""
    panel = statetimeline.Panel().unit("short").mappings([value_map(names)]).row_height(0.8).fill_opacity(80)
    panel = panel.show_value(common_model.VisibilityMode.NEVER).merge_values(True)
    panel = panel.legend(
        common.VizLegendOptions()
        .show_legend(True)
        .placement(common_model.LegendPlacement.BOTTOM)
        .display_mode(common_model.LegendDisplayMode.LIST)
        .calcs([])
    )
    panel = panel.thresholds(_steps([(None, colours.NONE)])).color_scheme(_by_threshold())
    _finish(panel, words, [query], instant=False)
    return panel


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the field it is of, its heading, how it is shown.

    Labels are words, even where they look like numbers: a county's code is not 511 K.
    """

    field: str
    heading: str
    unit: str | None = None
    mapping: Any = None
    link: tuple[str, str] | None = None
    """(title, url) of where a cell leads to."""
    width: int | None = None
    coloured: bool = False


def rows(
    words: Words, columns: Sequence[Column], *queries: Query, sort: Sequence[tuple[str, bool]] = ()
) -> table_sdk.Panel:
    """A table, now: one row for every set of labels, a column a query; only the named columns, in their order.

    The values of queries are the fields `Value #A`, `Value #B` and so on; of a single one, `Value`.
    `sort`: (heading, descending), by the first one first.
    """
    panel = table_sdk.Panel().unit("string").filterable(True).cell_height(common_model.TableCellHeight.SM)
    panel = panel.thresholds(_steps([(None, colours.NONE)]))
    if len(queries) > 1:
        panel = panel.with_transformation(model.DataTransformerConfig("merge", options={}))
    shown = [column.field for column in columns]
    panel = panel.with_transformation(
        model.DataTransformerConfig("filterFieldsByName", options={"include": {"names": shown}})
    )
    organise = {
        "excludeByName": {},
        "indexByName": {field: place for place, field in enumerate(shown)},
        "renameByName": {column.field: column.heading for column in columns},
    }
    panel = panel.with_transformation(model.DataTransformerConfig("organize", options=organise))
    for column in columns:
        panel = panel.override_by_name(column.heading, _of_column(column))
    if sort:
        panel = panel.sort_by([common.TableSortByFieldState().display_name(name).desc(down) for name, down in sort])
    _finish(panel, words, queries, instant=True, as_table=True)
    return panel


def tile_map(
    words: Words, query: Query, *, row: str, column: str, tile: str, marks: Mapping[str, str]
) -> table_sdk.Panel:
    """Tiles at (row, column): three labels of every series say where it lies and what stands in it.

    `marks`: what a tile begins with -> its colour.
    """
    corner = f"{row}\\{column}"
    panel = table_sdk.Panel().unit("string").show_header(False).cell_height(common_model.TableCellHeight.LG)
    for step, options in (
        ("sortBy", {"sort": [{"field": column, "desc": False}]}),
        ("groupingToMatrix", {"columnField": column, "rowField": row, "valueField": tile, "emptyValue": "empty"}),
        ("sortBy", {"sort": [{"field": corner, "desc": False}]}),
        ("organize", {"excludeByName": {corner: True}, "indexByName": {}, "renameByName": {}}),
    ):
        panel = panel.with_transformation(model.DataTransformerConfig(step, options=options))
    mappings: list[model.ValueMapping] = [
        model.RegexMap(
            options=model.DashboardRegexMapOptions(
                pattern=f"^({mark}.*)$", result=model.ValueMappingResult(text="$1", color=colour, index=place)
            )
        )
        for place, (mark, colour) in enumerate(marks.items())
    ]
    # Left and wrapped: where a long name has no room, mark and number still stand there. Since 12.3 a field wraps, not
    # its cells; what a version does not know it ignores.
    panel = panel.mappings(mappings).align(common_model.FieldTextAlignment.LEFT).min_width(50)
    panel = panel.cell_options(
        common_model.TableColoredBackgroundCellOptions(
            mode=common_model.TableCellBackgroundDisplayMode.BASIC, wrap_text=True
        )
    ).override_by_field_type("string", [_custom("wrapText", value=True)])
    panel = panel.thresholds(_steps([(None, "transparent")])).color_scheme(_by_threshold())
    _finish(panel, words, [query], instant=True, as_table=True)
    return panel


def _of_column(column: Column) -> list[model.DynamicConfigValue]:
    found: list[model.DynamicConfigValue] = []
    if column.unit is not None:
        found.append(_value("unit", column.unit))
    if column.mapping is not None:
        found.append(_value("mappings", [column.mapping]))
    if column.link is not None:
        title, url = column.link
        found.append(_value("links", [{"title": title, "url": url, "targetBlank": False}]))
    if column.width is not None:
        found.append(_custom("width", column.width))
    if column.coloured:
        found.append(_custom("cellOptions", {"type": "color-background", "mode": "basic"}))
    return found


def value_map(names: Mapping[str, tuple[str, str | None]]) -> model.ValueMap:
    """Value -> (word, colour)."""
    options = {
        value: model.ValueMappingResult(text=word, color=colour, index=place)
        for place, (value, (word, colour)) in enumerate(names.items())
    }
    return model.ValueMap(options=options)


def named(words: str) -> list[model.DynamicConfigValue]:
    """What a series is called instead."""
    return [_value("displayName", words)]


def _finish(panel: Any, words: Words, queries: Sequence[Query], *, instant: bool, as_table: bool = False) -> None:
    panel.title(words.title).description(words.description).datasource(SOURCE)
    for place, one in enumerate(queries):
        target = prometheus.Dataquery().expr(one.expr).ref_id(_letter(place)).legend_format(one.legend)
        target = target.datasource(SOURCE).editor_mode(prometheus_model.QueryEditorMode.CODE)
        target = target.instant() if instant else target.range()
        if as_table:
            target = target.format(prometheus_model.PromQueryFormat.TABLE)
        panel.with_target(target)


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("")


def _steps(steps: Sequence[tuple[float | None, str]]) -> dashboard.ThresholdsConfig:
    made = [model.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(made)


def _by_threshold() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)


def _palette() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC_BY_NAME)


def _value(name: str, value: object) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val=name, value=value)


def _custom(name: str, value: object) -> model.DynamicConfigValue:
    return _value(f"custom.{name}", value)


def _paint(colour: str) -> list[model.DynamicConfigValue]:
    return [_value("color", {"mode": "fixed", "fixedColor": colour})]
