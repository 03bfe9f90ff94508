"""An evaluation for a person: incidents one by one, then per kind and county, then the sum of it."""

from collections.abc import Iterator, Sequence

from rich import console
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from streams.cli.alert_view import SHORT_ID
from streams.cli.profile_view import table
from streams.core.instant import Instant, to_datetime
from streams.profile import Profile
from streams.replay.evaluate import Evaluation, Group
from streams.replay.labels import EVERY
from streams.wording.catalog import Speech
from streams.wording.names import Names

SHAPES = {
    "burst": "突发",
    "slow_rise": "缓升",
    "shift": "水平变化",
    "drought": "骤减",
    "cluster": "邻县同发",
    "caller_flood": "一人多次",
    "satisfaction": "满意下降",
}
_OUTCOMES = {
    "found": ("✓ 发现", "green"),
    "missed": ("✗ 漏报", "red"),
    "warming_up": ("· 预热", "dim"),
    "not_reached": ("· 未到", "dim"),
}


def parts(found: Evaluation, profile: Profile) -> Iterator[RenderableType]:
    """All of it, one part below the other."""
    yield incidents(found, profile)
    yield _groups("按类型 by shape", [(_shape(group.name), group) for group in found.by_shape], false_pages=False)
    names = Names(profile, Speech("zh"))
    counties = [(escape(names.county(group.name)), group) for group in found.by_county]
    yield _groups("按县区 by county", counties, false_pages=True)
    yield from summary(found)


def incidents(found: Evaluation, profile: Profile) -> RenderableType:
    """What became of every incident."""
    names = Names(profile, Speech("zh"))
    made = table(
        "事件 incidents",
        "开始\nstart",
        "县区\ncounties",
        "类别\ncategory",
        "类型\nshape",
        ">件\nsize",
        "结果\noutcome",
        ">延迟\ndelay",
        "预警\nalert",
        tight=True,
    )
    for column in (0, 4, 5, 6, 7):
        made.columns[column].no_wrap = True
    made.columns[3].min_width = len("caller_flood")
    for verdict in found.verdicts:
        label = verdict.label
        words, style = _OUTCOMES[verdict.outcome]
        made.add_row(
            _day(label.start, profile),
            escape(_counties(label.counties, names)),
            "各类 every" if label.category == EVERY else escape(names.category(label.category)),
            _shape(label.shape),
            f"{label.size:,}",
            Text(words, style=style),
            delay(verdict.delay_hours),
            (verdict.alert or "")[:SHORT_ID],
        )
    legend = "✓ 发现 found  ✗ 漏报 missed  · 预热 still warming up  · 未到 not reached"
    return console.Group(made, Text(legend, style="dim"))


def summary(found: Evaluation) -> Iterator[Text]:
    """The figures that count."""
    yield Text.assemble(
        "发现 found ",
        (f"{found.found} / {found.incidents}", "bold"),
        " 起事件 incidents；延迟中位数 median delay ",
        (delay(found.median_delay_hours), "bold"),
    )
    rate = found.false_pages_per_week
    if rate is None:
        yield Text("误报 false pages：还在预热，没有可计的周 still warming up, no weeks to count")
        return
    within = rate <= found.budget_per_week
    yield Text.assemble(
        "误报 false pages ",
        (f"{rate:.2f}", "bold green" if within else "bold red"),
        f" / 周 week（预算 budget {found.budget_per_week:g}；{found.weeks:.1f} 周 weeks）",
    )
    yield Text(f"预警 pages {found.pages}；另有必报 always-page {found.always_page}，不占预算 outside the budget")


def delay(hours: float | None) -> str:
    """A delay in the unit that people would use."""
    if hours is None:
        return "—"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.1f} d"


def _groups(title: str, groups: Sequence[tuple[str, Group]], *, false_pages: bool) -> Table:
    columns = ["", ">事件\nincidents", ">发现\nfound", ">延迟中位数\nmedian delay"]
    made = table(title, *columns, *([">误报\nfalse pages"] if false_pages else []))
    for name, group in groups:
        row = [name, str(group.incidents), str(group.found), delay(group.median_delay_hours)]
        made.add_row(*row, *([str(group.false_pages or 0)] if false_pages else []))
    return made


def _counties(codes: Sequence[str], names: Names) -> str:
    shown = names.county(codes[0])
    return shown if len(codes) == 1 else f"{shown}等{len(codes)}县"


def _shape(shape: str) -> str:
    return f"{SHAPES[shape]} [dim]{shape}[/dim]" if shape in SHAPES else escape(shape)


def _day(at: Instant, profile: Profile) -> str:
    return f"{to_datetime(at, profile.city.zone):%Y-%m-%d}"
