"""`jiantu detectors`: what a profile's signals may be watched by."""

import typer
from rich.text import Text

from streams.cli.options import JsonOption, examples
from streams.cli.screen import out, print_json, show


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


_SIZES = {168: "hour", 7: "day", 1: "week"}
_WRITTEN = """在档案的信号里写 in a signal of the profile:
  detectors: [counts, shift]                       各种窗口都用 at every window size
  detectors: {day: [counts, scan], week: outbreak} 按窗口分写 by window size
  detectors: rates                                 占比，还要写 a share also needs  of: valid_callbacks
  detectors: []                                    只计数；或加限额 counted only; or with a limit  threshold: 120"""


def list_(*, as_json: JsonOption = False) -> None:
    """列出检测方法 · List the detectors: name, version, windows, what each does, and how a profile names them."""
    from detectors.registry import described, judging
    from streams.cli.profile_view import table

    sizes = {name: [_SIZES[one] for one in judged if one in _SIZES] for name, judged in judging().items()}
    if as_json:
        print_json(
            [
                {"name": name, "version": version, "windows": sizes[name], "summary": said}
                for name, version, said in described()
            ]
        )
        return
    made = table("检测方法 detectors", "名称\nname", "版本\nversion", "窗口\nwindows", "做什么\nwhat it does")
    for name, version, said in described():
        made.add_row(name, version, " ".join(sizes[name]), said)
    out.print(made)
    show(Text(_WRITTEN))
