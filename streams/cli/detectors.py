"""`jiantu detectors`: what a profile's signals may be watched by."""

import typer

from streams.cli.options import JsonOption, examples
from streams.cli.screen import out, print_json


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="检测方法 · Detectors: what a profile's signals may be watched by.",
        epilog=examples("jiantu detectors list"),
    )
    group.callback()(_group)
    group.command("list", epilog=examples("jiantu detectors list", "jiantu detectors list --json"))(list_)
    app.add_typer(group, name="detectors")


def _group() -> None:
    """检测方法 · Detectors: what a profile's signals may be watched by."""


def list_(*, as_json: JsonOption = False) -> None:
    """列出检测方法 · List the detectors: name, version, what it does."""
    from detectors.registry import described
    from streams.cli.profile_view import table

    if as_json:
        print_json([{"name": name, "version": version, "summary": said} for name, version, said in described()])
        return
    made = table("检测方法 detectors", "名称\nname", "版本\nversion", "做什么\nwhat it does")
    for one in described():
        made.add_row(*one)
    out.print(made)
