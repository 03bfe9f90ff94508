"""The source of a campaign: a process that plays a recording into the topic, only so far as it is let.

    python -m tests.faults.producer RECORDING RECORDS PROFILE BROKERS PREFIX     (on its stdin: how far, how fast)

Faults are due by progress, not by time: until those that are due have happened the stream goes on at a trickle, so
that there is always work, and a slow machine only takes longer. It resumes where the topic ends.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

from streams.broker.errors import BrokerError
from streams.broker.names import Topics
from streams.broker.partitioner import partition_of
from streams.broker.settings import BrokerSettings
from streams.profile.load import load
from streams.sinks.event_topic import EventTopicWriter, Posting
from streams.sources.recording import RecordingReader
from tests.cli.commands import environment
from tests.faults.recordings import Stream

TRICKLE = 0.0005
"""Of what is left of the recording, each second, beyond what it was let: it is never over."""
_PIECE = 10
"""Records between two looks at how far and how fast."""
_REST = 1.0


class Producer:
    """The process; started again, as whoever runs it would, where it gives up because no broker answers."""

    def __init__(self, folder: Path, stream: Stream, bootstrap: str, prefix: str) -> None:
        self.out = folder / "producer.out"
        self.restarts = 0
        given = [str(stream.recording), str(stream.truth.records), stream.profile, bootstrap, prefix]
        self._command = [sys.executable, "-m", "tests.faults.producer", *given]
        self._process: subprocess.Popen[bytes] | None = None
        self._order = b""
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        """Whether there is more to come: after that faults prove little."""
        return self._process is not None and self._process.poll() != 0

    def let(self, records: int, rate: int) -> None:
        """Let it go up to a record, at so many a second (0: as fast as it can)."""
        with self._lock:
            self._order = f"{records} {rate}\n".encode()
            if self._process is None:
                self._start()
            else:
                self._tell()

    def supervise(self) -> None:
        """Start it again where it gave up."""
        with self._lock:
            if self._process is not None and self._process.poll() not in (None, 0):
                self.restarts += 1
                time.sleep(_REST)
                self._start()

    def wait(self, limit: float) -> None:
        """Until all of the recording is in the topic; seconds."""
        deadline = time.monotonic() + limit
        while self.running:
            assert time.monotonic() < deadline, f"the producer does not end:\n{self.out.read_text()[-2000:]}"
            time.sleep(0.05)

    def end(self) -> None:
        """Kill what is left."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            self._close()

    def _start(self) -> None:
        if self._process is not None:
            self._close()
        with self.out.open("ab") as out:
            self._process = subprocess.Popen(
                self._command, env=environment(), stdin=subprocess.PIPE, stdout=out, stderr=out
            )
        self._tell()

    def _close(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _tell(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended; the next one is told when it is started
            os.write(self._process.stdin.fileno(), self._order)


class _Orders:
    """How far and how fast, as stdin says; the process ends with whoever gives them."""

    def __init__(self, whole: int) -> None:
        """`whole`: records of the recording."""
        self._whole = whole
        self.records = 0
        self.rate = 0
        self.given = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            records, rate = line.split()
            self.records, self.rate = int(records), int(rate)
            self.given.set()
        os._exit(1)

    def seconds(self, reached: int, records: int) -> float:
        """How long to wait before so many records, where so many were reached."""
        if reached < self.records:
            return records / self.rate if self.rate else 0.0
        return records / (TRICKLE * max(1, self._whole - reached))


def main(recording: str, records: str, profile: str, bootstrap: str, prefix: str) -> int:
    """Play it to its end."""
    orders = _Orders(int(records))
    reader = RecordingReader(recording)
    counties = frozenset(county.code for county in load(profile).city.counties)
    settings = BrokerSettings(brokers=bootstrap, topic_prefix=prefix)
    orders.given.wait()
    posting = partial(_posting, counties)
    try:
        with EventTopicWriter(settings.for_kafka_python(), Topics(prefix).events, posting) as writer:
            writer.start(reader.header.line(), reader.header.span[0])
            due = time.monotonic()
            for chunk in reader.chunks(max_records=_PIECE):
                first = chunk.after.record - chunk.records
                if writer.caught_up:
                    # orders may change while it waits
                    while (left := due + orders.seconds(first, chunk.records) - time.monotonic()) > 0:
                        time.sleep(min(0.05, left))
                    due = max(due + orders.seconds(first, chunk.records), time.monotonic() - 1.0)
                writer.write(chunk.lines, first)
            writer.finish()
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _posting(counties: frozenset[str], partitions: int) -> Posting:
    return Posting(counties, partitions, partition_of)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
