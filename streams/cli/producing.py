"""A recording or a CSV played into the topic `events`, as the command line runs it, and what it reports."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer
from rich.markup import escape

from streams.broker.names import Topics
from streams.broker.partitioner import partition_of
from streams.broker.settings import BrokerSettings
from streams.cli import ending
from streams.cli.figures import rows_text
from streams.cli.interruption import Interruption
from streams.cli.pacing import Pace
from streams.cli.progress import stream_bar
from streams.cli.screen import out, print_json, say, show, warn
from streams.cli.topic_options import reached
from streams.clock import Stopwatch
from streams.core.instant import SECOND, format_instant, to_datetime
from streams.core.topic_line import Line, read_line
from streams.profile import Profile
from streams.sinks.event_topic import EventTopicWriter, Posting
from streams.sources.contract import Source
from streams.sources.recording import Header

_CHUNK = 1024
_MILLISECOND = SECOND // 1000


@dataclass(frozen=True, slots=True)
class Produced:
    """What one call did."""

    topic: str
    partitions: int
    records: int
    """Lines of the recording so far, ticks included."""
    added: int
    """Of them, those that this call added."""
    resumed: bool
    stopped: bool
    seconds: float
    trouble: str
    """What is wrong with the source; empty where nothing is."""

    def document(self) -> dict[str, object]:
        """As JSON-ready data."""
        return {
            "topic": self.topic,
            "partitions": self.partitions,
            "records": self.records,
            "added": self.added,
            "resumed": self.resumed,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 3),
            "records_per_second": round(self.added / self.seconds) if self.seconds else None,
            "trouble": self.trouble,
        }

    def report(self, recording: Path) -> None:
        """For a person."""
        rate = f", {self.added / self.seconds:,.0f} 条 records/s" if self.seconds and self.added else ""
        out.print(f"[bold]{escape(str(recording))}[/bold] → [bold]{escape(self.topic)}[/bold]", soft_wrap=True)
        show(
            rows_text(
                [
                    ("分区 partitions", f"{self.partitions}"),
                    ("记录 records", f"{self.records:,}"),
                    ("本次 this run", f"{self.added:,} 条 added, {self.seconds:.1f} s{rate}"),
                ]
            )
        )


def play(
    profile: Profile,
    source: Source,
    recording: Path,
    brokers: str | None,
    prefix: str | None,
    factor: float | None,
    *,
    again: Sequence[str],
    as_json: bool,
) -> None:
    """`jiantu replay --to-kafka`, once its source is open. `again`: the arguments of this call."""
    with Interruption() as interruption:
        settings = reached(brokers, prefix)
        done = produce(profile, source, settings, factor, interruption, quiet=as_json)
    if as_json:
        print_json(done.document())
    else:
        done.report(recording)
    if done.stopped:
        say(f"已停下，写到第 {done.records:,} 条；接着：", "stopped; to go on:")
        say(f"  {shlex.join(['jiantu', *again])}", "")
        raise typer.Exit(interruption.exit_code)
    if done.trouble:
        warn("记录不完整或被改动过", done.trouble)
        if source.ending is not None and source.ending.state == "altered":
            raise typer.Exit(ending.FAILED)


def header_of(source: Source, profile: Profile) -> Header:
    """The header of the recording that a source is, or would be: what the topic says of where it came from."""
    kept = getattr(source, "header", None)
    if isinstance(kept, Header):
        return kept
    start, end = (format_instant(at, profile.city.zone) for at in source.span)
    return Header(profile=profile.name, span=(start, end), created_by="jiantu replay")


def produce(
    profile: Profile,
    source: Source,
    brokers: BrokerSettings,
    factor: float | None,
    interruption: Interruption,
    *,
    quiet: bool,
) -> Produced:
    """Play a source into the topic, from where an earlier run stopped, to its end or until asked to stop."""
    counties = frozenset(county.code for county in profile.city.counties)
    posting = partial(_posting, counties)
    header = header_of(source, profile)
    topic = Topics(brokers.topic_prefix).events
    pace = None if factor is None else Pace(factor, interruption)
    clock = Stopwatch()
    with EventTopicWriter(brokers.for_kafka_python(), topic, posting) as writer, stream_bar(quiet=quiet) as shown:
        resumed = writer.resumes
        task = shown.add_task("", total=source.span[1] - source.span[0], reached="", rate=None)
        writer.start(header.line(), header.span[0])
        records = 0
        for chunk in source.chunks(max_records=_CHUNK if pace is None else 1):
            if pace is not None and writer.caught_up:
                _wait(pace, read_line(chunk.lines.rstrip(b"\n")))
            if interruption.asked:
                break
            tick = writer.write(chunk.lines, chunk.after.record - chunk.records)
            records = chunk.after.record
            if tick is not None:
                shown.update(
                    task,
                    completed=min(tick, source.span[1]) - source.span[0],
                    reached=f"{to_datetime(tick, profile.city.zone):%Y-%m-%d %H:%M}",
                    rate=writer.added / max(clock.seconds(), 1e-9),
                )
        stopped = interruption.asked
        if stopped:
            writer.flush()
        else:
            writer.finish()
            shown.update(task, completed=source.span[1] - source.span[0])
        ending = source.ending
        return Produced(
            topic,
            writer.partitions,
            records,
            writer.added,
            resumed,
            stopped,
            clock.seconds(),
            "" if ending is None or ending.state == "complete" else f"{ending.state}: {ending.message}",
        )


def _posting(counties: frozenset[str], partitions: int) -> Posting:
    return Posting(counties, partitions, partition_of)


def _wait(pace: Pace, line: Line) -> None:
    if line.tick is not None:
        pace.until(line.tick)
    elif line.timestamp >= 0:
        pace.until(line.timestamp * _MILLISECOND)
