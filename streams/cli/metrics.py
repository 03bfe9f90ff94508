"""`jiantu metrics`: the running metrics of every county."""

from typing import Annotated

import typer

from streams.cli.options import DataDirOption, JsonOption, LedgerOption, ProfileOption, examples, where_of
from streams.cli.screen import print_json, show


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "metrics", epilog=examples("jiantu metrics --data-dir data", "jiantu metrics -d data --size day --json")
    )(metrics)


def metrics(
    *,
    size: Annotated[str, typer.Option("--size", metavar="day|week", help="窗口 · window size")] = "week",
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """指标 · How the counties stand: volume, backlog, rates, changes.

    Of each county's last closed day or week. Counts below the profile's k are not shown.
    """
    from streams.cli import county_table
    from streams.cli.naming import one_of
    from streams.core.city import Size
    from streams.wiring.reading import open_reading

    chosen = Size(one_of("size", "窗口", size, {"day": "day", "week": "week"}))
    with open_reading(where_of(data_dir, ledger), profile) as reading:
        figures = county_table.latest(reading, chosen)
        if as_json:
            print_json(county_table.document(reading, figures))
        else:
            show(county_table.county_table(reading, figures))
