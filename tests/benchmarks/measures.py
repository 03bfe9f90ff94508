"""What is measured, one function a figure: plain arguments in, plain figures out.

Each runs in a process of its own (`embedded.apart`), so that none has another's memory, caches or garbage.
"""

import resource
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import msgspec
import numpy as np

from detectors.observation import Slot
from detectors.registry import COMPILED
from streams.core.decode import Batch
from streams.core.pipeline import PipelineOutputs
from streams.core.record import BATCH
from streams.ledger.store import LedgerStore
from streams.ports import SeriesLayout
from streams.profile.load import load
from streams.runtime.embedded import EmbeddedRuntime, Progress, Run
from streams.sources.contract import START, Chunk, Ending, Position, Source
from streams.sources.recording import RecordingReader
from tests.benchmarks.recordings import PROFILE, record

Figures = dict[str, float]


class PlainEvent(msgspec.Struct):
    """An event as the decoder reads it at its fastest: every field a text, nothing looked at."""

    id: str
    at: str
    county: str
    point: str
    category: str
    kind: str
    ticket: str | None = None
    caller: str | None = None
    matter: str | None = None
    channel: str | None = None
    sector: str | None = None
    due: str | None = None
    outcome: str | None = None


class PlainLine(msgspec.Struct):
    """A recording's line around it."""

    received: int | None = None
    event: PlainEvent | None = None
    tick: str | None = None


class _Alternating:
    """A source that decodes every slice it hands out into plain texts first, and keeps the time apart.

    What else the machine does then hits both alike. Each slice is decoded twice and the second time counts: alone, the
    decoder would find its memory in the processor's caches, not what the service left there.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._decode = msgspec.json.Decoder(PlainLine).decode_lines
        self.identity, self.span = source.identity, source.span
        self.decoding = self.decoding_cpu = 0.0
        self.apart = self.apart_cpu = 0.0
        """Of both times, which is to be taken off the service's."""

    @property
    def ending(self) -> Ending | None:
        return self._source.ending

    def continues(self, identity: str) -> bool:
        return self._source.continues(identity)

    def chunks(self, position: Position = START, max_records: int = BATCH) -> Iterator[Chunk]:
        for chunk in self._source.chunks(position, max_records):
            began, began_cpu = time.perf_counter(), time.process_time()
            self._decode(chunk.lines)  # what it made is freed at once: that is part of it
            wall, cpu = time.perf_counter(), time.process_time()
            self._decode(chunk.lines)
            ended, ended_cpu = time.perf_counter(), time.process_time()
            self.decoding += ended - wall
            self.decoding_cpu += ended_cpu - cpu
            self.apart += ended - began
            self.apart_cpu += ended_cpu - began_cpu
            yield chunk


class _Until:
    """Stops a run after so many events; calls `at_part` at every tenth of them, or other part."""

    def __init__(self, events: float, at_part: Callable[[int], None] | None = None, parts: int = 10) -> None:
        self._events = events
        self._at_part = at_part
        self._parts = parts
        self._part = 1

    def before(self, _batch: Batch, /) -> bool:
        return True

    def after(self, progress: Progress, _outputs: PipelineOutputs, /) -> bool:
        received = progress.accounting.received
        if self._at_part is not None and received >= self._events * self._part / self._parts:
            self._part += 1
            self._at_part(received)
        return received < self._events


def _run(source: Source, data_dir: str, watcher: _Until, batch: int = BATCH) -> Run:
    """Everything on: validation, de-duplication, all signals, scoring, judging, a ledger with retention."""
    profile = load(PROFILE)
    layout = SeriesLayout.of(profile.city)
    with LedgerStore(Path(data_dir), layout, profile.retention) as store:
        return EmbeddedRuntime(profile, source, store, batch=batch).run(watcher)


def replay(recording: str, data_dir: str, events: float) -> Figures:
    """The service against the decoder alone, slice by slice in one process; ratios of rates."""
    _compile(recording, data_dir + "-warm")
    source = _Alternating(RecordingReader(recording))
    marks = [(time.perf_counter(), 0.0, 0.0)]
    cpu = time.process_time()
    done = _run(
        source,
        data_dir,
        _Until(events, lambda _: marks.append((time.perf_counter(), source.decoding, source.apart))),
    )
    cpu = time.process_time() - cpu - source.apart_cpu
    parts = []
    for (began, decoded, apart), (ended, decoded_then, apart_then) in pairwise(marks):
        parts.append((decoded_then - decoded) / (ended - began - (apart_then - apart)))
    seconds = done.seconds - source.apart
    return {
        "events": done.processed,
        "seconds": seconds,
        "events_per_second": done.processed / seconds,
        "decode_events_per_second": done.processed / source.decoding,
        "cpu_microseconds_an_event": cpu / done.processed * 1e6,
        "ratio": median(parts) if parts else source.decoding / seconds,
        "ratio_of_totals": source.decoding / seconds,
        "ratio_of_cpu": source.decoding_cpu / cpu,
        "ledger_megabytes": (Path(data_dir) / "jiantu.db").stat().st_size / 1e6,
    }


def _compile(recording: str, data_dir: str) -> None:
    """Everything that is compiled or loaded at its first use, outside the time that is taken."""
    _run(RecordingReader(recording), data_dir, _Until(20_000))


def single(recording: str, data_dir: str, events: float, rounds: int) -> Figures:
    """Batches of one record against the usual ones, in turns."""
    _compile(recording, data_dir + "-warm")
    seconds: dict[int, list[float]] = {1: [], BATCH: []}
    for turn in range(rounds):
        for batch, taken in seconds.items():
            done = _run(RecordingReader(recording), f"{data_dir}-{turn}-{batch}", _Until(events), batch)
            taken.append(done.seconds / done.processed)
    one, many = median(seconds[1]), median(seconds[BATCH])
    return {"events": events, "events_per_second": 1 / one, "usual_events_per_second": 1 / many, "ratio": many / one}


def memory(recording: str, data_dir: str, events: float) -> Figures:
    """The most memory that the process ever had, after so many events. The process that starts this one must be
    small: a child begins with its parent's peak."""
    done = _run(RecordingReader(recording), data_dir, _Until(events))
    return {"events": done.processed, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def restart(recording: str, data_dir: str) -> Figures:
    """From nothing but imported modules to the first new event counted, with the events of a replay behind it."""
    taken = []
    behind = 0
    for _ in range(3):
        began = time.perf_counter()
        profile = load(PROFILE)
        source = RecordingReader(recording)
        with LedgerStore(Path(data_dir), SeriesLayout.of(profile.city), profile.retention) as store:
            runtime = EmbeddedRuntime(profile, source, store, batch=1)
            behind = runtime.progress.accounting.received
            until = _Until(behind + 1, lambda _: taken.append(time.perf_counter() - began), parts=1)  # noqa: B023
            runtime.run(until)
    return {"events_behind": behind, "seconds": median(taken), "seconds_first": taken[0]}


def year(recording: str, data_dir: str) -> Figures:
    """A whole recording, as `jiantu replay` reads it."""
    began = time.perf_counter()
    done = _run(RecordingReader(recording), data_dir, _Until(float("inf")))
    assert done.ending is not None
    assert done.ending.state == "complete"
    seconds = time.perf_counter() - began
    return {"events": done.processed, "seconds": seconds, "events_per_second": done.processed / seconds}


def scoring(series: int, windows: int) -> Figures:
    """Score, then learn, every series of every window with all detectors that judge its size; past the warm-up, in
    process time. Half of the parts are warm-up, and the median of the others counts."""
    rates = {}
    for per_week, size in ((168, "hour"), (7, "day"), (1, "week")):
        banks = [made.fresh(series, per_week) for made in COMPILED if per_week in made.judges]
        generator = np.random.default_rng(SEED)
        means = np.geomspace(0.2, 200.0, series)
        counts = generator.negative_binomial(8.0, 8.0 / (8.0 + means), (10 * windows, series))
        classes = np.zeros(series, dtype=np.int64)
        slots = [
            Slot(i, i % per_week * 168 // per_week, i / (52 * per_week) % 1.0, 1.0, classes)
            for i in range(10 * windows)
        ]
        taken = []
        for part in range(10):
            began = time.process_time()
            for i in range(part * windows, (part + 1) * windows):
                for bank in banks:
                    bank.score(counts[i], slots[i])
                    bank.learn(counts[i], slots[i])
            taken.append(time.process_time() - began)
        rates[f"{size}_series_windows_per_second"] = series * windows / median(taken[5:])
    return {"series": series, **rates, "series_windows_per_second": min(rates.values())}


SEED = 7
MEASURES: dict[str, Callable[..., Figures]] = {
    made.__name__: made for made in (record, replay, single, memory, restart, year, scoring)
}
