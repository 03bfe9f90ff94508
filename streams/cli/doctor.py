"""`jiantu doctor`: is everything here that jiantu needs, and is a data directory sound? One line each."""

import typer
from rich.markup import escape

from streams.cli import ending
from streams.cli.options import DataDirOption, JsonOption, LedgerOption, ProfileOption, examples, where_if_any
from streams.cli.screen import out, print_json
from streams.cli.topic_options import BrokersOption, PrefixOption

_STYLES = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red")}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "doctor",
        epilog=examples(
            "jiantu doctor",
            "jiantu doctor --data-dir data",
            "jiantu doctor --brokers kafka1:9092",
            "jiantu doctor -p ./my-city --json",
        ),
    )(doctor)


def doctor(
    *,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """体检 · Is this installation sound, and a ledger, and what a worker needs of Kafka?

    One line a check: ok, warn or fail, and what to do. Exit code 1 where something fails.
    """
    from streams.broker.settings import BrokerSettings
    from streams.cli.checks import all_checks
    from streams.clock import WallClock

    found = all_checks(profile, where_if_any(data_dir, ledger), WallClock())
    kafka = BrokerSettings(brokers=brokers, topic_prefix=prefix)
    if kafka.brokers:
        from streams.cli.broker_checks import broker_checks

        found += broker_checks(kafka, WallClock())
    failed = any(check.status == "fail" for check in found)
    if as_json:
        print_json(
            {
                "ok": not failed,
                "checks": [{"name": c.name, "status": c.status, "found": c.found, "todo": c.todo} for c in found],
            }
        )
    else:
        for check in found:
            mark, style = _STYLES[check.status]
            words = f"[bold]{escape(check.name)}[/bold]  {escape(check.found)}"
            out.print(f"[{style}]{mark} {check.status:<4}[/{style}] {words}", soft_wrap=True)
            if check.todo:
                out.print(f"       → {check.todo}", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(ending.FAILED)
