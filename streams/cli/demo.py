"""`jiantu demo`: a year of Leshan with known incidents, through the whole service, and a report on it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.options import JsonOption, LangOption, examples, flag, lang_of
from streams.cli.screen import print_json, say, show
from streams.cli.simulate import DAYS, INCIDENTS, SEED
from streams.core.record import BATCH

if TYPE_CHECKING:
    from streams.cli.interruption import Interruption
    from streams.profile import Profile
    from streams.replay.labels import Label

SCALE = 0.3
RECORDING, LABELS = "recording.jsonl.zst", "labels.jsonl"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "demo",
        epilog=examples(
            "jiantu demo", "jiantu demo --keep --data-dir my-demo", "jiantu demo --days 120 --seed 42 --scale 1"
        ),
    )(demo)


def demo(
    *,
    days: Annotated[int, typer.Option("--days", help="多少天 · how many days")] = DAYS,
    scale: Annotated[float, typer.Option("--scale", help="量的倍数 · multiplies the volume")] = SCALE,
    seed: Annotated[int, typer.Option("--seed", help="种子 · seed")] = SEED,
    incidents: Annotated[int, typer.Option("--incidents", help="事件个数 · how many incidents")] = INCIDENTS,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", "-d", metavar="DIR", help="用这个目录，并保留 · use this folder, and keep it"),
    ] = None,
    keep: Annotated[bool, flag("--keep", help="保留临时目录 · keep the temporary folder")] = False,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """演示 · A year of Leshan through the service, with a report.

    Incidents of several kinds are hidden in it; the report says which were found, how fast, and why.
    """
    from streams.cli import demo_report
    from streams.cli.interruption import Interruption
    from streams.cli.replaying import Request, run
    from streams.wiring.evaluating import evaluated
    from streams.wiring.inputs import open_profile, open_source
    from streams.wiring.reading import open_reading

    language = lang_of(lang)
    made = open_profile("leshan")
    with _folder(data_dir, keep=keep) as folder:
        with _compiling(quiet=as_json):
            labels = _simulate(made, folder, days, seed, incidents, scale, quiet=as_json)
        with Interruption() as interruption:
            source = open_source(folder / RECORDING, made)
            request = Request(folder, BATCH, None, None if as_json else language)
            result = run(made, source, request, interruption, quiet=as_json)
        if result.run.stopped:
            _stopped(interruption, kept=keep or data_dir is not None)
        with open_reading(folder) as reading:
            found = evaluated(reading, labels)
            if as_json:
                print_json({**result.document(), "evaluation": found.document(made.city)})
                return
            again = f"--days {days} --scale {scale:g} --seed {seed} --incidents {incidents}"
            kept_at = folder if keep or data_dir is not None else None
            show(*demo_report.parts(reading, result, found, language, kept_at, again))


def _simulate(
    profile: "Profile", folder: Path, days: int, seed: int, incidents: int, scale: float, *, quiet: bool
) -> "tuple[Label, ...]":
    from streams.cli.progress import day_bar
    from streams.replay.labels import write_labels
    from streams.wiring.simulating import record_simulation, simulated

    simulation = simulated(profile, days, seed, incidents=incidents, scale=scale)
    with day_bar("模拟乐山 simulating Leshan", days, quiet=quiet) as progress:
        record_simulation(simulation, folder / RECORDING, progress)
    write_labels(folder / LABELS, simulation.labels, profile.city.zone)
    return simulation.labels


@contextmanager
def _compiling(*, quiet: bool) -> Iterator[None]:
    """Meanwhile, compile the detectors in a process of its own, where that was not done before."""
    from streams.cli.progress import preparing
    from streams.wiring.warming import warm_up

    process = get_context("spawn").Process(target=warm_up, daemon=True)
    process.start()
    try:
        yield
        with preparing(quiet=quiet):
            process.join()
    finally:
        process.terminate()


@contextmanager
def _folder(data_dir: Path | None, *, keep: bool) -> Iterator[Path]:
    """Where the demo's files are: a folder that was named stays, a temporary one only where that is asked for."""
    if data_dir is not None:
        data_dir.mkdir(parents=True, exist_ok=True)
        yield data_dir
        return
    folder = Path(tempfile.mkdtemp(prefix="jiantu-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _stopped(interruption: "Interruption", *, kept: bool) -> None:
    if kept:
        say("已停在检查点；同一条命令接着运行", "stopped at a checkpoint; the same command goes on from there")
    else:
        say("已停止，临时文件已删除", "stopped; the temporary files are gone")
    raise typer.Exit(interruption.exit_code)
