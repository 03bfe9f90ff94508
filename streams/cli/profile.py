"""`jiantu profile`: check a city's YAML, and show what it says."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from streams.cli.options import JsonOption, examples
from streams.cli.screen import err, out, print_json

Which = Annotated[
    str, typer.Argument(metavar="NAME|DIR", help="名称或文件夹 · a name that comes with jiantu, or a folder")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="城市配置 · Check and show the profile of a city.",
        epilog=examples("jiantu profile check my-city", "jiantu profile show leshan"),
    )
    group.command("check", epilog=examples("jiantu profile check leshan", "jiantu profile check ./my-city --json"))(
        check
    )
    group.command("show", epilog=examples("jiantu profile show leshan", "jiantu profile show boston311 --json"))(show)
    app.add_typer(group, name="profile")


def check(which: Which, as_json: JsonOption = False) -> None:
    """检查 · Every mistake in a profile, with file, line and column."""
    from streams.profile import ProfileError
    from streams.wiring.inputs import open_profile

    try:
        profile = open_profile(which)
    except ProfileError as error:
        if as_json:
            problems = [
                {"file": p.file, "line": p.line, "column": p.column, "text": p.text, "text_en": p.text_en}
                for p in error.problems
            ]
            print_json({"profile": which, "ok": False, "problems": problems})
        else:
            for problem in error.problems:
                place = f"{problem.file}:{problem.line}:{problem.column}:"
                out.print(f"[bold]{escape(place)}[/bold] {escape(problem.text)}", soft_wrap=True)
                out.print(f"  [dim]{escape(problem.text_en)}[/dim]", soft_wrap=True)
            count = len(error.problems)
            err.print(f"[red]{count} 处错误[/red]  [dim]{count} problem{'s' * (count != 1)}[/dim]")
        raise typer.Exit(2) from None
    city = profile.city
    if as_json:
        print_json({"profile": profile.name, "ok": True, "version": profile.version, "problems": []})
        return
    counts = f"{len(city.counties)} counties, {len(city.categories)} categories, {len(city.signals)} signals"
    out.print(f"[green]没有错误 ok[/green]  {escape(city.title)} {escape(city.title_en)} ({profile.name}): {counts}")


def show(which: Which, as_json: JsonOption = False) -> None:
    """查看 · What a profile says: counties, signals, calendar, budget."""
    from streams.profile import describe
    from streams.wiring.inputs import open_profile

    profile = open_profile(which)
    if as_json:
        print_json(describe(profile))
        return
    from streams.cli.profile_view import tables

    for table in tables(profile):
        out.print(table)
        if isinstance(table, Table):
            out.print()
