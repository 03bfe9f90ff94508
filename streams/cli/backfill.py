"""`jiantu backfill`: a ledger's past into a Prometheus, to be looked at in Grafana."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.ending import FailedError, WrongInputError
from streams.cli.options import DataDirOption, LedgerOption, ProfileOption, examples, where_of
from streams.cli.screen import say


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "backfill",
        epilog=examples(
            "jiantu backfill --data-dir data --to-prometheus /var/lib/prometheus/metrics2",
            "prometheus --storage.tsdb.path=DIR --storage.tsdb.retention.time=100y --query.lookback-delta=65m",
        ),
    )(backfill)


def backfill(
    *,
    to_prometheus: Annotated[
        Path,
        typer.Option("--to-prometheus", metavar="DIR", help="Prometheus 的数据目录 · data directory of a Prometheus"),
    ],
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    step: Annotated[
        int, typer.Option("--step", metavar="MINUTES", min=1, max=60, help="采样间隔，分钟 · minutes between samples")
    ] = 60,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="从何时起 · from when on")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="到何时止 · until when")] = None,
    tool: Annotated[
        Path | None, typer.Option("--promtool", metavar="FILE", help="promtool 的位置 · where promtool is")
    ] = None,
) -> None:
    """回填 · What an exporter would have shown, had it been scraped all along: blocks of Prometheus' database.

    Small cells are as little shown as at /metrics. Prometheus finds the blocks in its folder by itself; start it with
    a --query.lookback-delta longer than the step, and a retention that reaches back.
    """
    from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn

    from streams.cli.exporter import profile_of
    from streams.cli.instants import instant
    from streams.cli.progress import ReachedColumn, bar
    from streams.core.instant import MINUTE, format_instant
    from streams.exporter.blocks import BlocksError, promtool, write_block
    from streams.exporter.history import BLOCK, History

    where = where_of(data_dir, ledger)
    made = profile_of(where, profile)
    zone = made.city.zone
    first, last = instant(since, zone, "--since"), instant(until, zone, "--until")
    try:
        program = promtool(tool)
        history = History(where, made, step=step * MINUTE)
        span = history.span()
        if span is None:
            raise WrongInputError("台账里还没有评过分的窗口", "the ledger holds no scored window yet")
        blocks = samples = 0
        columns = (ReachedColumn(), BarColumn(bar_width=None), TaskProgressColumn(), TimeRemainingColumn(compact=True))
        with bar(*columns, quiet=False) as shown:
            begin, end = max(span[0], first or span[0]), min(span[1], last or span[1])
            task = shown.add_task("", total=max(1, end // BLOCK - begin // BLOCK + 1))
            for block in history.blocks(first, last):
                write_block(program, block, to_prometheus)
                blocks, samples = blocks + 1, samples + block.samples
                shown.update(task, advance=1, reached=format_instant(min(block.end, end), zone)[:10])
    except BlocksError as error:
        raise FailedError("", str(error)) from None
    if not blocks:
        raise WrongInputError("这段时间里没有数据", "there is nothing in that time")
    say(
        f"已写入 {to_prometheus}：{blocks} 块，{samples:,} 个样本",
        f"written: start Prometheus with --query.lookback-delta={step + 5}m and a retention that reaches back",
    )
