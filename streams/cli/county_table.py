"""Running metrics per county, as of each county's last window: how much, how fast, how well, and how it changed.

Nothing here narrows a cell below the profile's k people (law 6): a count from 1 to k - 1 is shown as "<k", and
so is a rate over fewer than k cases, and a change from or to such a count.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from streams.cli.profile_view import table
from streams.core.city import Size
from streams.core.instant import format_instant, to_datetime
from streams.core.outputs import CountyMetrics
from streams.ledger.measures import Change, CountyWindow
from streams.wiring.reading import Reading

NO_DATA = "—"
_RATES = ("on_time_rate", "response_rate", "solution_rate", "satisfaction_rate")
_OVER = {"on_time_rate": "closed"}
"""Rate -> the count that it is a share of; call-backs for the others."""


@dataclass(frozen=True, slots=True)
class CountyFigures:
    """One county's last window, with its changes."""

    name: str
    window: CountyWindow
    before: Change
    """Against the window before (环比)."""
    year_before: Change
    """Against a year before (同比)."""


def latest(reading: Reading, size: Size) -> list[CountyFigures]:
    """The figures of every county that has a closed window of a size, in the city's order."""
    ledger, city = reading.ledger, reading.profile.city
    windows = ledger.latest_metrics(size)
    return [
        CountyFigures(
            county.name,
            window,
            ledger.window_on_window(window).volume,
            ledger.year_on_year(window, city.zone).volume,
        )
        for county in city.counties
        if (window := windows.get(county.code)) is not None
    ]


def county_table(reading: Reading, figures: Iterable[CountyFigures]) -> RenderableType:
    """The figures of all counties."""
    k = reading.profile.city.privacy_k
    shown = list(figures)
    made = table(
        "",
        "县区\ncounty",
        ">件数\ncount",
        ">环比\nprev",
        ">同比\nyear",
        ">在办\nopen",
        ">龄(天)\nage(d)",
        ">按期\nontime",
        ">响应\nresp.",
        ">解决\nsolve",
        ">满意\nsatis",
        ">重复\nagain",
        tight=True,
    )
    made.title = _title(reading, shown)
    for one in shown:
        m = one.window.metrics
        age = None if m.backlog_age_hours is None or m.backlog < k else f"{m.backlog_age_hours / 24:.1f}"
        made.add_row(
            escape(one.name),
            count(m.volume, k),
            change(one.before, k),
            change(one.year_before, k),
            count(m.backlog, k),
            age or (NO_DATA if m.backlog == 0 else f"<{k}"),
            *(rate(m, name, k) for name in _RATES),
            count(m.repeats, k),
        )
    legend = f"{NO_DATA} 无数据 no data  新 new: 上期为零 none before  <{k} 太少 too few to show"
    return Group(made, Text(legend, style="dim"))


def document(reading: Reading, figures: Iterable[CountyFigures]) -> list[dict[str, object]]:
    """The figures as JSON-ready data: null is no data, "<k" too few to show, "new" nothing before."""
    k, zone = reading.profile.city.privacy_k, reading.profile.city.zone
    return [
        {
            "county": one.window.county,
            "county_name": one.name,
            "size": one.window.size,
            "window_start": format_instant(one.window.start, zone),
            "window_end": format_instant(one.window.end, zone),
            "volume": _number(one.window.metrics.volume, k),
            "change": _growth(one.before, k),
            "year_on_year": _growth(one.year_before, k),
            "backlog": _number(one.window.metrics.backlog, k),
            "backlog_age_hours": one.window.metrics.backlog_age_hours if one.window.metrics.backlog >= k else None,
            **{name: _share(one.window.metrics, name, k) for name in _RATES},
            "repeats": _number(one.window.metrics.repeats, k),
            "distinct_callers": _number(one.window.metrics.distinct_callers, k),
            "distinct_matters": _number(one.window.metrics.distinct_matters, k),
        }
        for one in figures
    ]


def count(value: int, k: int) -> str:
    """A count, or that it is too small to show.

    >>> count(0, 10), count(3, 10), count(1200, 10)
    ('0', '<10', '1,200')
    """
    return f"<{k}" if 0 < value < k else f"{value:,}"


def change(moved: Change, k: int) -> str:
    """How a volume changed, in per cent.

    >>> change(Change(15, 0), 10), change(Change(30, 20), 10), change(Change(30, None), 10), change(Change(30, 2), 10)
    ('新 new', '+50%', '—', '<10')
    """
    growth = _growth(moved, k)
    if growth is None:
        return NO_DATA
    if isinstance(growth, float):
        return f"{round(growth * 100):+d}%" if round(growth * 100) else "0%"
    return "新 new" if growth == "new" else growth


def rate(metrics: CountyMetrics, name: str, k: int) -> str:
    """A rate in per cent; no data for 0/0."""
    share = _share(metrics, name, k)
    return NO_DATA if share is None else f"{share:.0%}" if isinstance(share, float) else share


def _share(metrics: CountyMetrics, name: str, k: int) -> float | str | None:
    value: float | None = getattr(metrics, name)
    if value is None:
        return None
    return value if getattr(metrics, _OVER.get(name, "valid_callbacks")) >= k else f"<{k}"


def _growth(moved: Change, k: int) -> float | str | None:
    if moved.before is None:
        return None
    if any(0 < value < k for value in (moved.now, moved.before)):
        return f"<{k}"
    return moved.growth


def _number(value: int, k: int) -> int | str:
    return f"<{k}" if 0 < value < k else value


def _title(reading: Reading, shown: list[CountyFigures]) -> str:
    title = "各县区指标 running metrics"
    if not shown:
        return title
    window, zone = shown[0].window, reading.profile.city.zone
    start, end = (f"{to_datetime(at, zone):%Y-%m-%d %H:%M}" for at in (window.start, window.end))
    return f"{title}  {start} – {end}"
