"""`jiantu alert-log`: what the judge did, as canonical JSON Lines."""

from typing import Annotated

import msgspec
import typer

from streams.cli.options import DataDirOption, JsonOption, LedgerOption, ProfileOption, examples, flag, where_of
from streams.cli.screen import print_bytes, print_json


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "alert-log",
        epilog=examples(
            "jiantu alert-log --data-dir data > kept.log",
            "jiantu alert-log --data-dir data --digest",
        ),
    )(alert_log)


def alert_log(
    *,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    digest: Annotated[bool, flag("--digest", help="只输出 SHA-256 · its SHA-256 only")] = False,
    as_json: JsonOption = False,
) -> None:
    """预警日志 · What the judge did, in canonical JSON Lines.

    One line a transition (RFC 8785), by event time, alert and transition. Its SHA-256 is the alert_log_sha256 of
    `jiantu replay --json`: same input, same log.
    """
    from streams.core.alert_log import alert_log_sha256
    from streams.wiring.reading import open_reading

    with open_reading(where_of(data_dir, ledger), profile) as reading:
        log = reading.alert_log()
    if as_json:
        lines = [msgspec.Raw(line) for line in log.splitlines()]
        print_json({"alert_log_sha256": alert_log_sha256(log), "transitions": lines})
    else:
        print_bytes(alert_log_sha256(log).encode() + b"\n" if digest else log)
