"""All commands of `jiantu` in one place, and the one handler of everything that can go wrong in them."""

from collections.abc import Sequence

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
from streams.cli.screen import forgive_encodings

app = typer.Typer(
    name="jiantu",
    help="监土：盯住城市的诉求事件流，及早预警，说明理由。\n\n"
    "Watches the complaint, petition and inspection streams of a city, and warns early, with reasons.",
    epilog="从这里开始 start here:\n\n  jiantu demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
# In the order in which --help shows them: from a first look to the details.
_COMMANDS = (
    demo,
    simulate,
    replay,
    scenario,
    alerts,
    explain,
    metrics,
    evaluate,
    budget,
    power,
    alert_log,
    recording,
    record,
    tail,
    dlq,
    topics,
    profile,
    detectors,
    worker,
    ticker,
    ledger,
    paging,
    deadman,
    live,
    exporter,
    backfill,
    send,
    token,
    boards,
    retention,
    doctor,
    version,
)
for module in _COMMANDS:
    module.add_to(app)


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
