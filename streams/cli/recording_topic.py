"""The topic `events` recorded, as the command line runs it, and what it reports."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.markup import escape
from rich.progress import Progress, TaskID

from streams.broker.names import Topics
from streams.broker.partitioner import partition_of
from streams.broker.settings import BrokerSettings
from streams.cli.ending import WrongInputError
from streams.cli.figures import rows_text
from streams.cli.interruption import Interruption
from streams.cli.progress import stream_bar
from streams.cli.screen import out, show
from streams.clock import Stopwatch
from streams.core.instant import SECOND, Instant, format_instant, to_datetime
from streams.core.topic_line import Carried, carried_of, write_line
from streams.profile import Profile
from streams.sources.recording import Header
from streams.sources.topic_merge import TopicRecord
from streams.sources.topic_recording import TopicPosition, TopicRecording, next_position
from streams.sources.topic_stream import TopicStream
from streams.wiring.inputs import open_profile


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one call did."""

    topic: str
    path: Path
    header: Header | None
    records: int
    added: int
    resumed: bool
    finished: bool
    held: int
    behind: Sequence[int]
    seconds: float

    def document(self) -> dict[str, object]:
        """As JSON-ready data."""
        return {
            "topic": self.topic,
            "recording": str(self.path),
            "profile": None if self.header is None else self.header.profile,
            "span": None if self.header is None else list(self.header.span),
            "records": self.records,
            "added": self.added,
            "resumed": self.resumed,
            "finished": self.finished,
            "held_back": self.held,
            "seconds": round(self.seconds, 3),
        }

    def report(self) -> None:
        """For a person."""
        rate = f", {self.added / self.seconds:,.0f} 条 records/s" if self.seconds and self.added else ""
        out.print(f"[bold]{escape(self.topic)}[/bold] → [bold]{escape(str(self.path))}[/bold]", soft_wrap=True)
        show(
            rows_text(
                [
                    ("记录 records", f"{self.records:,}"),
                    ("时段 span", "" if self.header is None else " – ".join(self.header.span)),
                    ("本次 this run", f"{self.added:,} 条, {self.seconds:.1f} s{rate}"),
                ]
            )
        )


def record_topic(
    brokers: BrokerSettings,
    output: Path,
    profile: str | None,
    interruption: Interruption,
    *,
    once: bool,
    quiet: bool,
) -> Recorded:
    """Record until the end (`once`) or until asked to stop; from where an earlier call stopped."""
    topic = Topics(brokers.topic_prefix).events
    with TopicStream(brokers.for_kafka_python(), topic) as stream:
        start, told = stream.starts()
        made = open_profile(_profile_name(profile, told))
        counties = frozenset(county.code for county in made.city.counties)
        fresh = TopicPosition(f"{topic} {format_instant(start)}", (1,) * stream.partitions)
        until = stream.ends() if once else None
        clock = Stopwatch()
        with TopicRecording(output, fresh) as recording, stream_bar(quiet=quiet) as shown:
            begun = recording.records
            goal = None if until is None else sum(until)
            task = shown.add_task("", total=goal, reached="", rate=None)
            for records in stream.stream(recording.position.offsets, until):
                for record, taken in records:
                    position = next_position(recording.position, taken, record.tick)
                    recording.write(_line(record, counties, stream.partitions), position)
                _show(shown, task, recording, made, (recording.records - begun) / max(clock.seconds(), 1e-9))
                if interruption.asked:
                    break
            finished = not (once and interruption.asked)
            header = _header(made, told, start, recording.position.last_tick) if finished else None
            if header is not None:
                recording.finish(header)
            return Recorded(
                topic,
                output,
                header,
                recording.records,
                recording.records - begun,
                recording.resumed,
                finished,
                stream.held,
                stream.behind,
                clock.seconds(),
            )


def _profile_name(given: str | None, told: bytes | None) -> str:
    if given is not None:
        return given
    if told is not None:
        return msgspec.json.decode(told, type=Header).profile
    raise WrongInputError(
        "主题不说是哪座城市的，请加 --profile", "the topic does not say whose it is; add --profile NAME|DIR"
    )


def _header(made: Profile, told: bytes | None, start: Instant, last_tick: Instant | None) -> Header:
    """The header: that of the recording that was replayed into the topic; else the profile's, up to the last tick."""
    if told is not None:
        return msgspec.json.decode(told, type=Header)
    zone = made.city.zone
    end = max(start + SECOND, last_tick or 0)
    return Header(made.name, (format_instant(start, zone), format_instant(end, zone)), created_by="jiantu record")


def _line(record: TopicRecord, counties: Collection[str], partitions: int) -> bytes:
    if record.tick is not None and record.value is not None:
        return record.value + b"\n"
    carried: Carried | None = carried_of(
        record.value,
        record.key,
        record.partition,
        record.headers,
        counties,
        lambda county: partition_of(county, partitions),
    )
    return write_line(record.value, record.timestamp, carried)


def _show(shown: Progress, task: TaskID, recording: TopicRecording, made: Profile, rate: float) -> None:
    at = recording.position.last_tick
    shown.update(
        task,
        completed=sum(recording.position.offsets),
        reached="" if at is None else f"{to_datetime(at, made.city.zone):%Y-%m-%d %H:%M}",
        rate=rate,
    )
