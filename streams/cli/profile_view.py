"""A profile as tables for a person."""

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from streams.core.city import Signal
from streams.profile import Profile, describe


def tables(profile: Profile) -> Iterator[RenderableType]:
    """All that a person asks of a profile, one table after another."""
    yield _head(profile)
    yield _counties(profile)
    yield _categories(profile)
    yield _signals(profile)
    yield _calendar(profile)


def table(title: str, *columns: str, tight: bool = False) -> Table:
    """An empty table of this command line's one look; a column whose name starts with > is aligned right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    if tight:
        made.padding = (0, 0)
    for column in columns:
        made.add_column(
            column.removeprefix(">"), justify="right" if column.startswith(">") else "left", overflow="fold"
        )
    return made


def _head(profile: Profile) -> Table:
    city, said = profile.city, describe(profile)
    made = Table(
        title=escape(f"{city.title} {city.title_en}"),
        title_justify="left",
        title_style="bold",
        box=None,
        show_header=False,
    )
    made.add_column(style="dim")
    made.add_column()
    for label, value in (
        ("名称 name", city.name),
        ("版本 version", profile.version[:16]),
        ("来自 from", profile.origin),
        ("时区 zone", said["zone"]),
        ("日界 day starts", said["day_start"]),
        ("允许迟到 lateness", said["allowed_lateness"]),
        ("误报预算 budget", f"{city.budget_per_week:g} / 周 week"),
        ("隐私下限 privacy k", city.privacy_k),
    ):
        made.add_row(label, escape(str(value)))
    return made


def _counties(profile: Profile) -> Table:
    names = {county.code: county.name for county in profile.city.counties}
    made = table("县区 counties", "代码\ncode", "名称\nname", ">人口\npopulation", "相邻\nneighbours")
    for county in profile.city.counties:
        population = "" if county.population is None else f"{county.population:,}"
        near = escape("、".join(names.get(code, code) for code in county.neighbours))
        made.add_row(county.code, _both(county.name, county.name_en), population, near)
    return made


def _categories(profile: Profile) -> Table:
    made = table("类别 categories", "代码\ncode", "名称\nname", "大类\nfamily", "")
    for category in profile.city.categories:
        marks = [
            *(["[red]必报 always pages[/red]"] if category.always_page else []),
            *(["[yellow]保密 compartmented[/yellow]"] if category.compartmented else []),
        ]
        family = _both(profile.families.get(category.family, category.family), "")
        made.add_row(category.code, _both(category.name, category.name_en), family, " ".join(marks))
    return made


def _signals(profile: Profile) -> Table:
    made = table(
        "信号 signals", "名称\nname", "标题\ntitle", "窗口\nwindows", "方向\nside", ">最少\nminimum", "检测\ndetectors"
    )
    for signal in profile.city.signals:
        made.add_row(
            signal.name,
            _both(signal.title, signal.title_en),
            " ".join(size.value for size in signal.sizes),
            signal.direction.value,
            str(signal.minimum_count),
            _detectors(signal) + (" · 全市 city" if signal.citywide else ""),
        )
    return made


def _detectors(signal: Signal) -> str:
    """One list where all sizes have the same, else one a size."""
    by_size = {size.value: " ".join(signal.detectors_at(size)) for size in signal.sizes}
    if len(set(by_size.values())) <= 1:
        return next(iter(by_size.values()), "")
    return "\n".join(f"{size}: {names}" for size, names in by_size.items() if names)


def _calendar(profile: Profile) -> Table:
    made = table("日历 calendar", "类\nclass", "名称\nname", "日子\ndays")
    for found in profile.calendar.classes:
        made.add_row(found.code, _both(found.title, found.title_en), " ".join(found.days))
    until = profile.calendar.sure_until()
    made.caption = "" if until is None else f"节假日安排已知到 holidays are known until {until}"
    made.caption_justify = "left"
    return made


def _both(zh: str, en: str) -> str:
    return escape(zh) if not en or zh == en else f"{escape(zh)} [dim]{escape(en)}[/dim]"
