"""`jiantu record`: the topic `events` into a recording."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import JsonOption, ProfileOption, examples
from streams.cli.topic_options import BrokersOption, OnceOption, PrefixOption


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "record",
        epilog=examples(
            "jiantu record --brokers k1:9092 today.jsonl.zst          # until Ctrl-C, then it is a whole recording",
            "jiantu record --brokers k1:9092 --once so_far.jsonl.zst  # what there is now",
            "jiantu replay so_far.jsonl.zst --data-dir data           # gives the alert log of the workers",
        ),
    )(record)


def record(
    *,
    context: typer.Context,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="写到哪里 · recording to write (.zst: compressed)")],
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    profile: ProfileOption = None,
    once: OnceOption = False,
    as_json: JsonOption = False,
) -> None:
    """录制 · Record the topic events: exact bytes, keys, times; partitions as one stream, ticks once.

    Killed, the same command goes on. The profile is that of the recording that was replayed into the topic, or give it.
    """
    from streams.cli.interruption import Interruption
    from streams.cli.recording_topic import record_topic
    from streams.cli.screen import print_json, say, warn
    from streams.cli.topic_options import reached

    settings = reached(brokers, prefix)
    with Interruption() as interruption:
        done = record_topic(settings, output, profile, interruption, once=once, quiet=as_json)
    if as_json:
        print_json(done.document())
    else:
        done.report()
    if done.held:
        warn(
            f"{done.held:,} 条在末尾等各分区都有的下一个时标，未录",
            f"{done.held:,} records at the end wait for a tick that partitions {list(done.behind)} lack: left out",
        )
    if not done.finished:
        say("已停下；接着：", "stopped; to go on:")
        say(f"  {shlex.join(['jiantu', *context.obj])}", "")
        raise typer.Exit(interruption.exit_code)
