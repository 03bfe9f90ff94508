"""`jiantu recording`: what is in a recorded file."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli import ending
from streams.cli.options import JsonOption, examples
from streams.cli.screen import print_json, show


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="记录 · Recordings: what is in one, and is it whole?",
        epilog=examples("jiantu recording info rec.jsonl.zst"),
    )
    group.callback()(_group)
    group.command(
        "info", epilog=examples("jiantu recording info rec.jsonl.zst", "jiantu recording info rec.jsonl --json")
    )(info)
    app.add_typer(group, name="recording")


def _group() -> None:
    """记录 · Recordings: what is in one, and is it whole?"""


def info(
    *,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="记录 · a recording")],
    as_json: JsonOption = False,
) -> None:
    """查看 · Header, span and counts of a recording; reads all of it and verifies its digest.

    Exit code 1 where it is not what was written.
    """
    from streams.cli.figures import rows_text
    from streams.sources.recording import RecordingReader

    reader = RecordingReader(path)
    ticks = sum(chunk.lines.count(b'{"tick":') for chunk in reader.chunks())
    end = reader.ending
    assert end is not None
    header = reader.header
    if as_json:
        print_json(
            {
                "recording": str(path),
                "profile": header.profile,
                "span": list(header.span),
                "seed": header.seed,
                "created_by": header.created_by,
                "records": end.records,
                "events": end.records - ticks,
                "ticks": ticks,
                "bytes": path.stat().st_size,
                "state": end.state,
                "verified": end.verified,
                "message": end.message,
            }
        )
    else:
        show(
            rows_text(
                [
                    ("配置 profile", header.profile),
                    ("时段 span", " – ".join(header.span)),
                    ("来自 made by", " ".join(str(w) for w in (header.created_by, header.seed) if w is not None)),
                    ("事件 events", f"{end.records - ticks:,} + {ticks:,} ticks"),
                    ("大小 size", f"{path.stat().st_size / 1e6:.1f} MB"),
                    (
                        "状态 state",
                        end.message or ("完好 complete" + ("，摘要相符 digest verified" if end.verified else "")),
                    ),
                ]
            )
        )
    if end.state == "altered":
        raise typer.Exit(ending.FAILED)
