"""All commands of `jiantu` in one place, and the one handler of everything that can go wrong in them."""

from collections.abc import Sequence
from importlib.metadata import version as of_package
from typing import Annotated

import typer

from streams.cli import (
    alert_log,
    alerts,
    backfill,
    boards,
    budget,
    deadman,
    demo,
    detectors,
    dlq,
    doctor,
    ending,
    evaluate,
    explain,
    exporter,
    ledger,
    metrics,
    paging,
    power,
    profile,
    record,
    recording,
    replay,
    retention,
    scenario,
    send,
    simulate,
    tail,
    ticker,
    token,
    topics,
    version,
    worker,
)
from streams.cli import (
    run as live,
)
from streams.cli.screen import forgive_encodings, out

app = typer.Typer(
    name="jiantu",
    epilog="从这里开始 start here:\n\n  jiantu demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
# As --help shows them: from a first look to the details.
_COMMANDS = {
    "先看 · A first look": (demo, simulate, replay, alerts, explain, metrics, budget, evaluate, power),
    "实时 · Live": (live, send, token, exporter, paging, deadman, boards, backfill, retention),
    "Kafka 上 · On Kafka": (topics, worker, ticker, ledger, tail, record, dlq),
    "城市与方法 · Cities and detectors": (profile, detectors, scenario),
    "核对 · Checks": (doctor, recording, alert_log, version),
}
for panel, modules in _COMMANDS.items():
    commands, groups = len(app.registered_commands), len(app.registered_groups)
    for module in modules:
        module.add_to(app)
    for command in app.registered_commands[commands:]:
        command.rich_help_panel = panel
    for group in app.registered_groups[groups:]:
        group.rich_help_panel = panel


def _say_version(asked: bool) -> None:
    if asked:
        out.print(f"jiantu {of_package('jiantu')}")
        raise typer.Exit


@app.callback()
def jiantu(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="版本 · its version; those of its formats: `jiantu version`",
            metavar="",
            is_eager=True,
            callback=_say_version,
        ),
    ] = False,
) -> None:
    """监土：盯住城市的诉求事件流，及早预警，说明理由。

    Watches the complaint, petition and inspection streams of a city, and warns early, with reasons.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    forgive_encodings()
    try:
        code = app(args=list(arguments), prog_name="jiantu", standalone_mode=False, obj=tuple(arguments))
    except KeyboardInterrupt:
        return ending.STOPPED_BY_CTRL_C
    except Exception as error:  # noqa: BLE001 - the last line before the user, who is owed words and no traceback
        return ending.told(error, arguments)
    return code if isinstance(code, int) else 0
