"""`jiantu replay`: run a recording or a CSV through the service, into a data directory."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import ending
from streams.cli.options import (
    DataDirOption,
    JsonOption,
    LangOption,
    ProfileOption,
    data_dir_of,
    examples,
    flag,
    lang_of,
)
from streams.cli.screen import print_json, say, show, warn
from streams.cli.topic_options import BrokersOption, PrefixOption
from streams.core.record import BATCH

if TYPE_CHECKING:
    from streams.cli.replaying import Result
    from streams.core.explanation import Explanation

_LARGEST_NON_ALERTS = 10


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "replay",
        epilog=examples(
            "jiantu replay rec.jsonl.zst --profile leshan --data-dir data",
            "jiantu replay calls.csv.gz --profile boston311 --data-dir b --json",
            "jiantu replay rec.jsonl.zst -d data --speed 60x      # a minute a second",
            "jiantu replay rec.jsonl.zst -d new --expect kept.log   # exit 1: differs",
            "jiantu replay rec.jsonl.zst -d data --explain-quiet   # what nearly paged, and why it did not",
            "jiantu replay rec.jsonl.zst --to-kafka --brokers k1:9092   # into the topic events",
        ),
    )(replay)


def replay(  # noqa: PLR0913 - one parameter an option
    *,
    context: typer.Context,
    recording: Annotated[
        Path, typer.Argument(metavar="RECORDING", help="记录，或 CSV(.gz) · a recording, or a CSV(.gz)")
    ],
    profile: ProfileOption = None,
    data_dir: DataDirOption = None,
    speed: Annotated[str, typer.Option("--speed", metavar="max|60x|1x", help="速度 · how fast")] = "max",
    start: Annotated[str | None, typer.Option("--from", metavar="T", help="从何时起 · what came in from T on")] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="T", help="到何时止 · up to T; a later run may go on")
    ] = None,
    batch: Annotated[
        int, typer.Option("--batch", min=1, help="一批多少条 · records a batch; never changes results")
    ] = BATCH,
    expect: Annotated[
        Path | None,
        typer.Option("--expect", metavar="LOG", help="与存下的预警日志比较 · compare with a stored alert log"),
    ] = None,
    explain_quiet: Annotated[
        bool,
        flag("--explain-quiet", help="再列出最接近预警的十个 · then the ten largest non-alerts, and why"),
    ] = False,
    lang: LangOption = None,
    to_kafka: Annotated[
        bool, flag("--to-kafka", help="写进主题 events · into the topic events, for `jiantu worker`")
    ] = False,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """回放 · Run a recording through the service into a directory, or with --to-kafka into a topic.

    Goes on where an earlier run into the directory stopped; figures are totals over all of them.

    Ctrl-C stops at a checkpoint (exit code 130; SIGTERM: 143), and the same command goes on from there.
    """
    from streams.cli.instants import instant
    from streams.cli.instants import speed as factor_of
    from streams.cli.interruption import Interruption
    from streams.cli.replaying import Request, run
    from streams.wiring.inputs import open_profile, open_source

    language, factor = lang_of(lang), factor_of(speed)
    if to_kafka:
        if data_dir is not None or expect is not None:
            raise ending.WrongInputError(
                "--to-kafka 不写数据目录：去掉 --data-dir 和 --expect",
                "--to-kafka writes no data directory: leave --data-dir and --expect out",
            )
        from streams.cli.producing import play

        made = open_profile(_which(profile, None, recording))
        source = open_source(
            recording, made, instant(start, made.city.zone, "--from"), instant(end, made.city.zone, "--to")
        )
        _warn_of_another_profile(recording, made.name)
        play(made, source, recording, brokers, prefix, factor, again=context.obj, as_json=as_json)
        return
    directory = data_dir_of(data_dir)
    kept = None if expect is None else _kept_log(expect)
    made = open_profile(_which(profile, directory, recording))
    zone = made.city.zone
    source = open_source(recording, made, instant(start, zone, "--from"), instant(end, zone, "--to"))
    _warn_of_another_profile(recording, made.name)
    with Interruption() as interruption:
        request = Request(directory, batch, factor, None if as_json else language)
        try:
            result = run(made, source, request, interruption, quiet=as_json)
        except KeyboardInterrupt:
            say("已立即停止；同一条命令从上一个检查点接着运行", "stopped at once; the same command goes on")
            raise
    document = result.document()
    differing = None if kept is None else result.compared(kept)
    if differing is not None:
        document["expect"] = {"log": str(expect), "same": not differing, "differences": [asdict(d) for d in differing]}
    quiet = result.quiet(_LARGEST_NON_ALERTS) if explain_quiet else []
    if as_json:
        print_json(document | _non_alerts(result, quiet, language, wanted=explain_quiet))
    else:
        result.report(recording)
        _show_non_alerts(result, quiet, language)
    if result.run.stopped:
        say(f"已停在检查点，事件时间 {result.reached_text}；接着：", "stopped at a checkpoint; to go on:")
        say(f"  {shlex.join(['jiantu', *context.obj])}", "")
        raise typer.Exit(interruption.exit_code)
    problem = result.trouble()
    if problem is not None:
        warn(*problem)
    if differing:
        if not as_json:
            from streams.cli.differing import show as show_differences

            show_differences(differing, made)
        raise typer.Exit(ending.FAILED)
    if result.altered:
        raise typer.Exit(ending.FAILED)


def _non_alerts(result: "Result", quiet: Sequence["Explanation"], lang: str, *, wanted: bool) -> dict[str, object]:
    from streams.cli.explanation import quiet_document

    return {"quiet": quiet_document(result.profile, quiet, lang)} if wanted else {}


def _show_non_alerts(result: "Result", quiet: Sequence["Explanation"], lang: str) -> None:
    from streams.cli.explanation import quiet_parts

    if quiet:
        show(*quiet_parts(result.profile, quiet, lang))


def _which(profile: str | None, directory: Path | None, recording: Path) -> str | Path:
    """The profile to use: the one named, the data directory's, or the one that the recording was made with."""
    from streams.profile.kept import kept_profile
    from streams.wiring.inputs import recorded_profile

    kept = None if directory is None else kept_profile(directory)
    found = profile or kept or recorded_profile(recording)
    if found is None:
        raise ending.WrongInputError(
            "CSV 不说是哪座城市的，请加 --profile", "a CSV does not say whose it is; add --profile NAME|DIR"
        )
    return found


def _warn_of_another_profile(recording: Path, name: str) -> None:
    from streams.wiring.inputs import recorded_profile

    recorded = recorded_profile(recording)
    if recorded not in (None, name):
        warn(
            f"{recording} 是用配置 {recorded} 录的，现在用 {name} 回放",
            f"{recording} was made with the profile {recorded}, and is replayed with {name}",
        )


def _kept_log(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ending.WrongInputError(
            f"{path} 读不了（{error.strerror}）；用 jiantu alert-log --data-dir DIR > LOG 存一份",
            f"{path} cannot be read; store one with `jiantu alert-log --data-dir DIR > LOG`",
        ) from None
