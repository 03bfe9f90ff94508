"""`jiantu ledger`: what the distributed runtime wrote into topics, into a ledger."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from datetime import tzinfo
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, TextColumn

from streams.cli.options import DataDirOption, JsonOption, LedgerOption, ProfileOption, examples, where_of
from streams.cli.screen import say
from streams.cli.topic_options import BrokersOption, OnceOption, PrefixOption
from streams.core.instant import format_instant

if TYPE_CHECKING:
    from streams.ledger.reader import Progress


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "ledger",
        epilog=examples(
            "jiantu ledger --profile leshan --brokers k1:9092 --data-dir data",
            "JIANTU_LEDGER_URL_FILE=/run/secrets/ledger jiantu ledger -p leshan -b k1:9092",
            "jiantu ledger -p leshan -b k1:9092 -d data --once       # what there is now, then stop",
            "jiantu alerts list --data-dir data",
        ),
    )(ledger)


def ledger(
    *,
    context: typer.Context,
    profile: ProfileOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    once: OnceOption = False,
    as_json: JsonOption = False,
) -> None:
    """入账 · Fill a ledger from the topics: alerts, scores, metrics, rejections, accounting; every record once.

    Killed, the same command goes on. Where it is stands in the ledger itself, with the rows: no consumer group.
    """
    from streams.cli.interruption import Interruption
    from streams.cli.notify import under_systemd
    from streams.cli.progress import bar
    from streams.cli.screen import print_json
    from streams.cli.topic_options import reached
    from streams.ledger.connection import named
    from streams.runtime.topic_ledger import Progress as Taking
    from streams.wiring.inputs import open_profile
    from streams.wiring.reading import open_ledger
    from streams.wiring.topics import open_topic_ledger

    where = where_of(data_dir, ledger)
    settings = reached(brokers, prefix)
    made = open_profile(profile or "leshan")
    with (
        Interruption() as interruption,
        open_topic_ledger(made, settings, where) as runtime,
        bar(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"), quiet=as_json) as shown,
        under_systemd() as told,
    ):
        told.ready()
        task = shown.add_task("入账 records", total=None, words="")

        def watch(taking: Taking) -> bool:
            told.alive()
            words = f"{taking.taken:,} 条 records"
            shown.update(task, completed=taking.taken, total=taking.taken + taking.behind, words=words)
            return not interruption.asked

        taken = runtime.run(watch, once=once)
    with open_ledger(where) as reader:
        progress, alerts = reader.progress(), len(reader.alerts())
    if as_json:
        print_json(_document(named(where), taken, alerts, progress))
    else:
        _report(named(where), taken, alerts, progress, made.city.zone)
    if interruption.asked:
        if not as_json:
            say("已停下；接着：", "stopped; to go on:")
            say(f"  {shlex.join(['jiantu', *_without_secrets(context.obj)])}", "")
        raise typer.Exit(interruption.exit_code)


def _document(name: str, taken: int, alerts: int, progress: "Progress | None") -> dict[str, object]:
    return {
        "ledger": name,
        "taken": taken,
        "alerts": alerts,
        "accounting": None if progress is None else asdict(progress.accounting),
        "watermark": None if progress is None or progress.watermark is None else format_instant(progress.watermark),
    }


def _report(name: str, taken: int, alerts: int, progress: "Progress | None", zone: tzinfo) -> None:
    from rich.markup import escape

    from streams.cli.figures import balance, rows_text
    from streams.cli.screen import out, show

    rows = [("本次 this run", f"{taken:,} 条 records"), ("预警 alerts", f"{alerts:,}")]
    if progress is not None:
        rows += balance(progress.accounting)
        if progress.watermark is not None:
            rows.append(("到 up to", format_instant(progress.watermark, zone)))
    out.print(f"[bold]{escape(name)}[/bold]", soft_wrap=True)
    show(rows_text(rows))


def _without_secrets(arguments: Sequence[str]) -> list[str]:
    """The command again, its url as it may be shown."""
    from streams.ledger.place import LedgerUrl

    return [str(LedgerUrl.of(one)) if one.startswith(("postgresql://", "postgres://")) else one for one in arguments]
