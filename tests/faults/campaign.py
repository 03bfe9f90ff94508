"""One recording through real worker processes on a real broker, while things go wrong; then the proof.

    with Campaign(broker, prefix, folder, LAKE_CITY, workers=2, seed=7) as campaign:
        campaign.produce(rate=3000)
        Faults(campaign).kill()             # what can go wrong: faults.py; many at once, by progress: storm.py
        campaign.finish()                   # raises where a promise is broken, or nothing moves any more

A thread of its own plays the supervisor and looks at the lag: where nothing moves for as long as the watchdog allows
while there is lag, the campaign fails.
"""

import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from confluent_kafka import KafkaException
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from streams.broker.names import Topics
from tests.faults.fleet import FAILED, PATIENCE, Fleet, Said, WorkerProcess
from tests.faults.producer import Producer
from tests.faults.proof import Found, Lag, Progress, check, found_in, group_of
from tests.faults.recordings import Stream
from tests.sinks.topics import REPLAYED

BROKERS = "JIANTU_KAFKA_BROKERS"
"""Where a worker finds the broker; one that is to go through a proxy is given another."""
WATCHDOG = 60.0
"""Seconds without progress while there is lag, after which a worker is to end itself: no stall may be longer."""
_LOOK = 0.2
"""Seconds between two looks at the group."""
_WHOLE = 2**62


class StalledError(AssertionError):
    """Nothing moves any more, though there is lag."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker that was taken from its partitions."""

    at: float
    partitions: frozenset[str]
    """`topic-partition`, as it had said."""


@dataclass(slots=True)
class Report:
    """What happened, for whoever reads the test's output."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    back_after: list[float] = field(default_factory=list)
    """Seconds from each kill until all that the worker had moved again."""
    longest_stall: float = 0.0
    seconds: float = 0.0
    restarts: int = 0
    """Workers that ended by themselves, and were started again."""
    found: Found = field(default_factory=Found)

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        own = self.found.accounting
        return {
            "seed": self.seed,
            "faults": dict(sorted(self.faults.items())),
            "seconds": round(self.seconds, 1),
            "back_after": [round(one, 2) for one in sorted(self.back_after)],
            "longest_stall": round(self.longest_stall, 1),
            "ended_by_themselves": self.restarts,
            "alert_log": self.found.log_sha256,
            "transitions": self.found.alerts,
            "scored_windows": self.found.scored,
            "written_again": self.found.repeated,
            "accounting": {
                name: getattr(own, name)
                for name in ("received", "counted", "duplicate", "late", "rejected", "windows_closed")
            },
        }

    def __str__(self) -> str:
        back = sorted(self.back_after)
        return (
            f"seed {self.seed}; faults {dict(sorted(self.faults.items()))}; {self.seconds:.0f} s; "
            f"longest stall {self.longest_stall:.1f} s; kill to first new record: n={len(back)} "
            + (f"median {quantile(back, 0.5):.1f} p99 {quantile(back, 0.99):.1f} s" if back else "")
            + f"; ended by themselves {self.restarts}; written again under the same id {self.found.repeated}; "
            f"alert log {self.found.log_sha256[:16]} of {self.found.alerts} transitions; {self.found.accounting}"
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not pass."""
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


class Campaign:
    """See above."""

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        folder: Path,
        stream: Stream,
        *,
        workers: int = 2,
        partitions: int = 3,
        copies: int = 1,
        seed: int,
        session_ms: int | None = None,
        rule: str | None = None,
        checkpoint_seconds: float = 1.0,
        machines: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """`copies` of each topic; `machines`: variables of the environment of one worker each, in turn."""
        print(f"seed {seed}")
        self.chance = random.Random(seed)
        self.report = Report(seed)
        self.stream = stream
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.supervised = threading.Lock()
        """Held while a worker is chosen and something is done to it."""
        self.kills: list[Kill] = []
        self.progress = Progress()
        self._looks = 0
        self._partitions = partitions
        self._machines = machines
        self._residents = [f"w{number + 1}" for number in range(workers)]
        changed = [] if session_ms is None else ["--session-ms", str(session_ms)]
        changed += [] if rule is None else ["--rule", rule]
        where = ["--prefix", prefix, "--group", group_of(prefix), "--checkpoint-seconds", str(checkpoint_seconds)]
        worker = ["worker", "--profile", stream.profile, *where]
        self.fleet = Fleet(folder, [*changed, *worker], {BROKERS: bootstrap})
        self.producer = Producer(folder, stream, bootstrap, prefix)
        self._over = threading.Event()
        self._trouble: BaseException | None = None
        _ = stream.truth  # compiles the detectors, too: workers then find them compiled
        self._started = time.monotonic()
        self._make_topics(copies)
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    # ---- life ----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            for number, name in enumerate(self._residents):
                variables = self._machines[number % len(self._machines)] if self._machines else {}
                self.fleet.start_supervised(name, **variables)
            for worker in list(self.fleet.workers.values()):
                self.fleet.wait_for(worker, "assigned")
        except BaseException:
            self.fleet.end()
            raise
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join(60)
        self.producer.end()
        self.fleet.end()

    def produce(self, rate: int = 0, until: float = 1.0) -> None:
        """Have the stream come: so many records a second (0: as fast as it can), up to this share of the recording,
        a trickle beyond it."""
        self.producer.let(round(self.stream.truth.records * until), rate)

    @property
    def posted(self) -> int:
        """Records that the topic of events holds in the end: a tick is one in every partition, and so is the start."""
        truth = self.stream.truth
        return truth.accounting.received + (truth.ticks + 1) * self._partitions

    def finish(self, limit: float = 1200.0) -> Report:
        """Wait until everything is in checkpoints, then compare. Raises where a promise is broken."""
        self.producer.let(_WHOLE, 0)
        self._wait_until_done(limit)
        self.report.found = found_in(self.bootstrap, self.prefix)
        self.report.back_after = self._back_after()
        self.report.restarts = self.fleet.restarts + sum(
            line.event == "restarting" and line.facts["code"] == FAILED for line in self.fleet.said()
        )
        self.report.seconds = time.monotonic() - self._started
        print(self.report)
        check(self.report.found, self.stream.truth)
        return self.report

    def check_again(self) -> None:
        """Compare once more: after zombies have woken."""
        check(found_in(self.bootstrap, self.prefix), self.stream.truth)

    # ---- for faults ----------------------------------------------------------------------------------------------

    def happened(self, what: str) -> None:
        """Note a fault."""
        with self.supervised:
            self.report.faults[what] += 1
        self.raise_trouble()

    def partitions_of(self, worker: WorkerProcess) -> frozenset[str]:
        """What a worker was assigned last."""
        assigned = worker.last("assigned")
        return frozenset() if assigned is None else frozenset(filter(None, assigned.facts["partitions"].split(",")))

    @contextmanager
    def one_at_work(self) -> Iterator[WorkerProcess]:
        """One of the fleet's own workers that has partitions; nobody else does anything to a worker meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with self.supervised:
                if found := [worker for worker in map(self.fleet.workers.get, self._residents) if self._works(worker)]:
                    assert self.producer.running, "the stream was over before the fault"
                    yield self.chance.choice([one for one in found if one is not None])
                    return
            assert time.monotonic() < deadline, "no worker has partitions"
            self.raise_trouble()
            time.sleep(0.1)

    def _works(self, worker: WorkerProcess | None) -> bool:
        return (
            worker is not None
            and worker.alive
            and not worker.frozen
            and not worker.stopped_by_us
            and bool(self.partitions_of(worker))
        )

    def wait_until(self, true: Callable[[Progress], bool], limit: float = 1200.0) -> None:
        """Wait for progress. Raises what went wrong meanwhile."""
        deadline = time.monotonic() + limit
        while not true(self.progress):
            self.raise_trouble()
            assert time.monotonic() < deadline, f"nothing like it: {self.progress} of {self.posted}"
            time.sleep(0.05)
        self.raise_trouble()

    def wait_until_taken_over(self, worker: WorkerProcess, since: float) -> None:
        """Wait until others have resumed all that a worker had."""
        had = self.partitions_of(worker)
        deadline = time.monotonic() + PATIENCE
        while not had <= self._resumed_by_others(worker, since):
            assert time.monotonic() < deadline, f"nobody took over what {worker.name} had"
            self.raise_trouble()
            time.sleep(0.2)

    def _resumed_by_others(self, worker: WorkerProcess, since: float) -> set[str]:
        return {
            self._place(line)
            for line in self.fleet.said()
            if line.event == "resumed" and line.pid != worker.pid and line.at >= since
        }

    # ---- watching ------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Start again what failed; measure how long nothing moves while there is lag."""
        lag: Lag | None = None
        moved, before = time.monotonic(), -1
        while not self._over.wait(_LOOK):
            try:
                with self.supervised:
                    self.fleet.supervise()
                self.producer.supervise()
                lag = lag or Lag(self.bootstrap, self.prefix)
                self.progress = seen = lag.look()
                self._looks += 1
                if seen.committed != before or seen.behind == 0:
                    moved, before = time.monotonic(), seen.committed
            except KafkaException:  # a broker is away: that is the campaign's business, not an error
                moved, lag = (
                    time.monotonic(),
                    None,
                )  # one that knew who leads a partition goes on asking it, dead or not
                continue
            except Exception as error:  # noqa: BLE001 - a campaign without its supervisor proves nothing
                self.trouble(error)
                return
            self.report.longest_stall = max(self.report.longest_stall, time.monotonic() - moved)

    def trouble(self, error: BaseException) -> None:
        """Have the campaign fail."""
        self._trouble = self._trouble or error

    def raise_trouble(self) -> None:
        """Raise what went wrong in another thread."""
        if self._trouble is not None:
            raise self._trouble
        if self.report.longest_stall > WATCHDOG:
            raise StalledError(f"nothing moved for {self.report.longest_stall:.0f} s: {self.progress}")

    def _wait_until_done(self, limit: float) -> None:
        deadline = time.monotonic() + limit
        quiet, seen = 0, self._looks
        while quiet < 8:  # what one step has yet to emit is no lag of the next
            self.raise_trouble()
            if time.monotonic() > deadline:
                raise StalledError(f"not done: {self.progress} of {self.posted}")
            if self._looks > seen:
                over = not self.producer.running and self.progress.behind == 0
                quiet, seen = quiet + 1 if over else 0, self._looks
            time.sleep(0.05)

    def _back_after(self) -> list[float]:
        """For each kill, how long until the last of the worker's partitions was at work again: one of events, whose
        records come all the time, when a checkpoint held new ones; another when it was resumed."""
        events = Topics(self.prefix).events
        said: dict[str, list[Said]] = {}
        for line in self.fleet.said():
            if line.event in ("checkpoint", "resumed"):
                said.setdefault(self._place(line), []).append(line)
        seconds = []
        for kill in self.kills:
            last = []
            for place in kill.partitions:
                own = said.get(place, [])
                reached = max((line.facts["position"] for line in own if line.at <= kill.at), default=0)
                later = (
                    line.at
                    for line in own
                    if line.at > kill.at
                    and (
                        line.event == "checkpoint" and line.facts["position"] > reached
                        if place.startswith(events)
                        else line.event == "resumed"
                    )
                )
                last += [at - kill.at for at in [next(later, None)] if at is not None]
            seconds += [max(last)] if last else []
        return seconds

    def _place(self, line: Said) -> str:
        """The partition that a worker speaks of."""
        topics = Topics(self.prefix)
        source = {"tally": topics.events, "score": topics.windows, "judge": topics.scores}
        return f"{source[line.facts['step']]}-{line.facts['partition']}"

    def _make_topics(self, copies: int) -> None:
        topics = Topics(self.prefix)
        compacted = {"cleanup.policy": "compact", "segment.bytes": "1048576", "min.cleanable.dirty.ratio": "0.05"}
        made = {
            topics.events: (self._partitions, REPLAYED),
            topics.windows: (3, {}),
            topics.scores: (1, {}),
            topics.alerts: (1, {}),
            topics.dlq: (1, {}),
            topics.checkpoints: (max(self._partitions, 3), compacted),
        }
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.create_topics(
                [NewTopic(name, partitions, copies, topic_configs=of) for name, (partitions, of) in made.items()]
            )
        finally:
            admin.close()
