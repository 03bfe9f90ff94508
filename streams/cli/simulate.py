"""`jiantu simulate`: a recording of a city's life, with incidents that are known."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from streams.cli.options import JsonOption, examples
from streams.cli.screen import out, print_json

DAYS, SEED, INCIDENTS = 365, 7, 12


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "simulate",
        epilog=examples(
            "jiantu simulate --profile leshan --days 365 --seed 7 -o rec.jsonl.zst --labels labels.jsonl",
            "jiantu simulate --days 60 --scale 0.1 --incidents 0 -o quiet.jsonl.zst",
            "jiantu simulate --incidents 4 --shape satisfaction --shape drought -o rec.jsonl.zst --labels labels.jsonl",
        ),
    )(simulate)


def simulate(  # noqa: PLR0913 - one parameter an option
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="写到哪里 · recording to write (.zst: compressed)")],
    profile: Annotated[str, typer.Option("--profile", "-p", metavar="NAME|DIR", help="城市配置 · profile")] = "leshan",
    days: Annotated[int, typer.Option("--days", help="多少天 · how many days")] = DAYS,
    seed: Annotated[int, typer.Option("--seed", help="种子；同一种子同一记录 · same seed, same recording")] = SEED,
    incidents: Annotated[
        int, typer.Option("--incidents", help="事件个数 · how many incidents to hide in it")
    ] = INCIDENTS,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            "--shape", metavar="SHAPE", help="只要这类事件，可重复 · incidents of this shape only; repeatable"
        ),
    ] = None,
    scale: Annotated[float, typer.Option("--scale", help="量的倍数 · multiplies the volume")] = 1.0,
    start: Annotated[
        datetime | None,
        typer.Option("--start", formats=["%Y-%m-%d"], help="第一天 · first day", show_default="2025-01-01"),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="标签写到哪里 · file for what really happened")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """模拟 · Write a recording of a simulated city, with labels."""
    from streams.cli.evaluation import SHAPES
    from streams.cli.naming import one_of
    from streams.cli.progress import day_bar
    from streams.clock import Stopwatch
    from streams.replay.labels import Shape, write_labels
    from streams.wiring.inputs import open_profile
    from streams.wiring.simulating import record_simulation, simulated

    made = open_profile(profile)
    words = {SHAPES[one]: one.value for one in Shape} | {one.value: one.value for one in Shape}
    shapes = tuple(Shape(one_of("shape", "类型", given, words)) for given in shape or ())
    first = None if start is None else start.date()
    simulation = simulated(made, days, seed, incidents=incidents, scale=scale, start=first, shapes=shapes)
    clock = Stopwatch()
    with day_bar("模拟 simulating", days, quiet=as_json) as progress:
        written = record_simulation(simulation, output, progress)
    if labels is not None:
        write_labels(labels, simulation.labels, made.city.zone)
    seconds = clock.seconds()
    if as_json:
        print_json(
            {
                "recording": str(output),
                "labels": None if labels is None else str(labels),
                "profile": made.name,
                "seed": seed,
                "span": list(simulation.span_text),
                "events": written.events,
                "ticks": written.ticks,
                "incidents": len(simulation.labels),
                "bytes": output.stat().st_size,
                "seconds": round(seconds, 3),
            }
        )
        return
    size = output.stat().st_size / 1e6
    out.print(
        f"[bold]{escape(str(output))}[/bold]  "
        f"{written.events:,} 件 events, {days} 天 days, {size:.1f} MB, {seconds:.1f} s"
    )
    if labels is not None:
        out.print(f"[bold]{escape(str(labels))}[/bold]  {len(simulation.labels)} 起 incidents")
    out.print("接着 next:")
    out.print(f"  jiantu replay {output} --profile {profile} --data-dir data", soft_wrap=True, markup=False)
