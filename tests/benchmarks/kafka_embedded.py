"""The embedded runtime on the benchmark's stream: everything on, as `jiantu replay` has it.

    python -m tests.benchmarks.kafka_embedded RECORDING FOLDER HALF

prints, as JSON, how fast the events after the first HALF were taken in, and what became of all of them.
"""

import json
import resource
import sys
import time
from pathlib import Path

import msgspec

from streams.core.decode import Batch
from streams.core.pipeline import PipelineOutputs
from streams.ledger.store import LedgerStore
from streams.ports import SeriesLayout
from streams.profile.load import load
from streams.runtime.embedded import EmbeddedRuntime, Progress
from streams.sources.recorder import RecordingWriter
from streams.sources.recording import Header, RecordingReader
from tests.benchmarks.kafka_events import PROFILE, SEED, Stream, Tick
from tests.benchmarks.kafka_topics import HOURS_AFTER


def write_recording(stream: Stream, path: Path) -> None:
    """The stream as a recording: the same values, in the same order, with the same ticks."""
    parts = [
        sent.value if isinstance(sent, Tick) else b'{"received":%d,"event":%b}' % (sent.received, sent.value)
        for sent in stream
    ]
    last = stream.tick(HOURS_AFTER)
    parts.append(last.value)
    until: str = msgspec.json.decode(last.value)["tick"]
    with RecordingWriter(path, Header(profile=PROFILE, span=(stream.started, until), seed=SEED)) as writer:
        for first in range(0, len(parts), 10_000):
            writer.write_lines(b"\n".join([*parts[first : first + 10_000], b""]))


class _Halfway:
    """Notes the moment at which half was taken in."""

    def __init__(self, half: int) -> None:
        self._half = half
        self.wall = self.cpu = 0.0
        self.received = 0

    def before(self, _batch: Batch, /) -> bool:
        return True

    def after(self, progress: Progress, _outputs: PipelineOutputs, /) -> bool:
        if not self.received and progress.accounting.received >= self._half:
            self.received = progress.accounting.received
            self.wall, self.cpu = time.perf_counter(), time.process_time()
        return True


def main() -> None:
    """Run, measure, print."""
    recording, folder, half = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    profile = load(PROFILE)
    halfway = _Halfway(half)
    began = time.perf_counter()
    with LedgerStore(folder, SeriesLayout.of(profile.city), profile.retention) as store:
        done = EmbeddedRuntime(profile, RecordingReader(recording), store).run(halfway)
    wall, cpu = time.perf_counter(), time.process_time()
    rest = done.accounting.received - halfway.received
    figures = {
        "events": done.accounting.received,
        "counted": done.accounting.counted,
        "duplicate": done.accounting.duplicate,
        "cold": halfway.received / (halfway.wall - began),
        "warm": rest / (wall - halfway.wall),
        "cpu": (cpu - halfway.cpu) / rest * 1e6,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "started": 0.0,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
