"""One recording through real worker processes on a real broker, while things go wrong; then the proof.

    with Campaign(broker, prefix, folder, LAKE_CITY, workers=2, seed=7) as campaign:
        campaign.produce("200000x")
        campaign.kill_one()
        campaign.finish()       # raises where a promise is broken, or nothing moves any more

Every fault asserts that it really happened. A thread of its own plays the supervisor and looks at the lag: where
nothing moves for as long as the watchdog allows while there is lag, the campaign fails.
"""

import math
import random
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from streams.broker.names import Topics
from tests.cli.commands import command, environment
from tests.faults.fleet import STOP_AT, Fleet, Said, WorkerProcess, last_words
from tests.faults.proof import Found, Lag, Truth, check, found_in, group_of, truth_of
from tests.faults.proxy import Proxy
from tests.kafka.server import Server
from tests.sinks.topics import REPLAYED

BROKERS = "JIANTU_KAFKA_BROKERS"
"""Where a worker finds the broker; one that is to go through a proxy is given another."""
WATCHDOG = 60.0
"""Seconds without progress while there is lag, after which a worker is to end itself: no stall may be longer."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A recording, and the profile of its city."""

    recording: Path
    profile: str

    @property
    def truth(self) -> Truth:
        """What the embedded runtime makes of it."""
        return truth_of(self.recording, self.profile)


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
    faults: dict[str, int] = field(default_factory=dict)
    back_after: list[float] = field(default_factory=list)
    """Seconds from each kill until all that the worker had moved again."""
    longest_stall: float = 0.0
    seconds: float = 0.0
    found: Found = field(default_factory=Found)

    def __str__(self) -> str:
        back = sorted(self.back_after)
        return (
            f"seed {self.seed}; faults {self.faults}; {self.seconds:.0f} s; longest stall {self.longest_stall:.1f} s; "
            f"kill to first new record: n={len(back)} "
            + (f"median {quantile(back, 0.5):.1f} p99 {quantile(back, 0.99):.1f} s" if back else "")
            + f"; written again under the same id {self.found.repeated}; {self.found.accounting}"
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
        seed: int,
        session_ms: int | None = None,
        rule: str | None = None,
        checkpoint_seconds: float = 1.0,
        machines: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """`machines`: variables of the environment of one worker each, in turn."""
        print(f"seed {seed}")
        self.chance = random.Random(seed)
        self.report = Report(seed)
        self.stream = stream
        self.bootstrap = bootstrap
        self.prefix = prefix
        self._folder = folder
        self._partitions = partitions
        self._machines = machines
        self._count = workers
        changed = [] if session_ms is None else ["--session-ms", str(session_ms)]
        changed += [] if rule is None else ["--rule", rule]
        where = ["--prefix", prefix, "--group", group_of(prefix)]
        worker = [
            "worker",
            "--profile",
            stream.profile,
            *where,
            "--checkpoint-seconds",
            str(checkpoint_seconds),
            "--alone",
        ]
        self.fleet = Fleet(folder, [*changed, *worker], {BROKERS: bootstrap})
        self._producer: subprocess.Popen[bytes] | None = None
        self._kills: list[Kill] = []
        self._supervised = threading.Lock()
        self._speed = "max"
        self._over = threading.Event()
        self._behind: tuple[int, int] = (0, -1)
        """(how often it was looked at, records that no checkpoint holds yet)"""
        self._trouble: BaseException | None = None
        _ = stream.truth  # compiles the detectors, too: workers then find them compiled
        self._started = time.monotonic()
        self._make_topics()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    # ---- life ----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._start_workers()
        except BaseException:
            self.fleet.end()
            raise
        self._watcher.start()
        return self

    def _start_workers(self) -> None:
        for number in range(self._count):
            variables = self._machines[number % len(self._machines)] if self._machines else {}
            self.fleet.start(f"w{number + 1}", **variables)
        for worker in list(self.fleet.workers.values()):
            self.fleet.wait_for(worker, "assigned")

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join(30)
        if self._producer is not None and self._producer.poll() is None:
            self._producer.kill()
            self._producer.wait()
        self.fleet.end()

    def produce(self, speed: str = "max") -> None:
        """Begin to replay the recording into the topic, so many times as fast as it was."""
        self._speed = speed
        where = ("--to-kafka", "--brokers", self.bootstrap, "--prefix", self.prefix, "--json")
        replay = command("replay", self.stream.recording, "-p", self.stream.profile, *where, "--speed", speed)
        with (self._folder / "producer.out").open("ab") as out:
            self._producer = subprocess.Popen(replay, env=environment(), stdout=out, stderr=out)

    @property
    def producing(self) -> bool:
        """Whether records are still being produced: faults after that prove little."""
        return self._producer is not None and self._producer.poll() is None

    def finish(self, limit: float = 240.0) -> Report:
        """Wait until everything is in checkpoints, then compare. Raises where a promise is broken."""
        self._hurry(limit)
        self._wait_until_done(limit)
        self.report.found = found_in(self.bootstrap, self.prefix)
        self.report.back_after = self._back_after()
        self.report.seconds = time.monotonic() - self._started
        print(self.report)
        check(self.report.found, self.stream.truth)
        assert max(self.report.back_after, default=0.0) < WATCHDOG, self.report
        return self.report

    def _produce_again(self) -> None:
        """Where the producer gave up while the broker was away: whoever runs it gives the same command again."""
        if not self.producing:
            self.produce(self._speed)

    def _hurry(self, limit: float) -> None:
        """Have the rest of the recording produced as fast as possible, by another producer that goes on."""
        assert self._producer is not None
        if self._producer.poll() is None:
            self._producer.kill()
            self._producer.wait()
            self.produce("max")
        code = self._producer.wait(limit)
        assert code == 0, last_words(self._folder / "producer.out")

    def check_again(self) -> None:
        """Compare once more: after zombies have woken."""
        check(found_in(self.bootstrap, self.prefix), self.stream.truth)

    # ---- faults --------------------------------------------------------------------------------------------------

    def settle(self, least: float = 0.5, most: float = 3.0) -> None:
        """Let some time pass."""
        time.sleep(self.chance.uniform(least, most))
        self._raise_trouble()

    def working(self) -> list[WorkerProcess]:
        """Workers that have partitions now."""
        return [one for one in self.fleet.workers.values() if one.alive and not one.frozen and self.partitions_of(one)]

    def partitions_of(self, worker: WorkerProcess) -> frozenset[str]:
        """What a worker was assigned last."""
        assigned = [line for line in worker.said() if line.event == "assigned"]
        return frozenset(filter(None, str(assigned[-1].facts["partitions"]).split(","))) if assigned else frozenset()

    def any_worker(self) -> WorkerProcess:
        """One that has partitions; waits for one."""
        deadline = time.monotonic() + WATCHDOG
        while not (found := self.working()):
            assert time.monotonic() < deadline, "no worker has partitions"
            time.sleep(0.2)
        return self.chance.choice(found)

    def kill_one(self) -> None:
        """SIGKILL of a worker that has partitions, while records come; it is started again."""
        with self._supervised:
            worker = self.any_worker()
            assert self.producing, "the stream was over before the fault"
            self._kills.append(Kill(time.time(), self.partitions_of(worker)))
            self.fleet.kill(worker)
            self.fleet.start(worker.name)
        self._happened("kill")

    def kill_while(self, where: str, times: int) -> None:
        """SIGKILL of a worker in the middle of its n-th checkpoint, or of its n-th recovery (`where`)."""
        assert self.producing, "the stream was over before the fault"
        name = f"{where}{self.report.faults.get(where, 0) + 1}"
        worker = self.fleet.start(name, **{STOP_AT: f"{where}:{times}"})
        frozen = self.fleet.wait_for(worker, "frozen")
        assert frozen.facts["where"] == where
        while not worker.frozen:
            time.sleep(0.01)
        with self._supervised:
            self._kills.append(Kill(time.time(), self.partitions_of(worker)))
            self.fleet.kill(worker)
            del self.fleet.workers[name]
        self._happened(where)

    def freeze_one(self, seconds: float) -> None:
        """SIGSTOP of a worker until others have taken over its partitions, and for so long at least; then SIGCONT: a
        zombie wakes."""
        with self._supervised:
            worker = self.any_worker()
            assert self.producing, "the stream was over before the fault"
            frozen_at = time.time()
            self.fleet.freeze(worker)
        self.wait_until_taken_over(worker, frozen_at)
        time.sleep(max(0.0, seconds - (time.time() - frozen_at)))
        assert worker.frozen
        assert time.time() - frozen_at >= seconds
        self.fleet.thaw(worker)
        self._happened("zombie")

    def freeze_in_checkpoint(self, seconds: float) -> None:
        """As `freeze_one`, in the middle of a checkpoint, between its packs and its manifest."""
        name = f"zombie{self.report.faults.get('zombie in checkpoint', 0) + 1}"
        worker = self.fleet.start(name, **{STOP_AT: "checkpoint:2"})
        said = self.fleet.wait_for(worker, "frozen")
        self.wait_until_taken_over(worker, said.at)
        time.sleep(max(0.0, seconds - (time.time() - said.at)))
        assert worker.frozen
        self.fleet.thaw(worker)
        self._happened("zombie in checkpoint")

    def restart_one(self) -> None:
        """SIGTERM of a worker, which leaves with everything safe; it is started again."""
        with self._supervised:
            worker = self.any_worker()
            assert self.producing, "the stream was over before the fault"
            code = self.fleet.leave(worker)
            assert code == 0, f"{worker.name} left with {code}:\n{last_words(worker.log)}"
            again = self.fleet.start(worker.name)
        self.fleet.wait_for(again, "assigned")
        self._happened("restart")

    def join_and_leave(self, seconds: float) -> None:
        """One more worker for some seconds."""
        worker = self.fleet.start(f"guest{self.report.faults.get('guest', 0) + 1}")
        self.fleet.wait_for(worker, "assigned")
        time.sleep(seconds)
        with self._supervised:
            code = self.fleet.leave(worker)
            assert code == 0, f"{worker.name} left with {code}:\n{last_words(worker.log)}"
            del self.fleet.workers[worker.name]
        self._happened("guest")

    def broker_dies(self, server: Server, seconds: float) -> None:
        """SIGKILL of the broker under load; it comes back on the same data after some seconds."""
        assert self.producing, "the stream was over before the fault"
        pid = server.pid
        assert server.running
        server.kill()
        time.sleep(seconds)
        server.start()
        assert server.pid != pid
        self._produce_again()
        self._happened("broker killed")

    def proxied(self, proxy: Proxy) -> WorkerProcess:
        """One more worker, that reaches the broker through a proxy alone; it has partitions when this returns."""
        worker = self.fleet.start(f"proxied{self.report.faults.get('proxied', 0) + 1}", **{BROKERS: proxy.address})
        self.fleet.wait_for(worker, "resumed")
        assert proxy.passed > 0
        self._happened("proxied")
        return worker

    def wait_until_taken_over(self, worker: WorkerProcess, since: float) -> None:
        """Wait until others have resumed all that a worker had."""
        had = self.partitions_of(worker)
        deadline = time.monotonic() + WATCHDOG
        while not had <= self._resumed_by_others(worker, since):
            assert time.monotonic() < deadline, f"nobody took over what {worker.name} had"
            time.sleep(0.2)

    def _happened(self, what: str) -> None:
        self.report.faults[what] = self.report.faults.get(what, 0) + 1
        self._raise_trouble()

    def happened(self, what: str) -> None:
        """Note a fault that the test itself made."""
        self._happened(what)

    def _resumed_by_others(self, worker: WorkerProcess, since: float) -> set[str]:
        return {
            self._place(line)
            for line in self.fleet.said()
            if line.event == "resumed" and line.pid != worker.pid and line.at >= since
        }

    # ---- watching ------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Start again what failed; measure how long nothing moves while there is lag."""
        lag = Lag(self.bootstrap, self.prefix)
        moved, before = time.monotonic(), -1
        while not self._over.wait(0.5):
            try:
                with self._supervised:
                    self.fleet.supervise()
                committed, behind = sum(lag.committed()), lag.total()
                self._behind = (self._behind[0] + 1, behind)
                if committed != before or behind == 0:
                    moved, before = time.monotonic(), committed
            except AssertionError as error:
                self._trouble = self._trouble or error
                return
            except KafkaException:  # the broker is away: that is the campaign's business, not an error
                moved = time.monotonic()
                continue
            self.report.longest_stall = max(self.report.longest_stall, time.monotonic() - moved)
        lag.close()

    def _raise_trouble(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    def _wait_until_done(self, limit: float) -> None:
        deadline = time.monotonic() + limit
        quiet, seen = 0, self._behind[0]
        while quiet < 4:  # what one step has yet to emit is no lag of the next
            self._raise_trouble()
            looked, behind = self._behind
            stalled = self.report.longest_stall
            if stalled > WATCHDOG or time.monotonic() > deadline:
                raise StalledError(f"not done: {behind} records behind, nothing moved for {stalled:.0f} s")
            if looked > seen:
                quiet, seen = quiet + 1 if behind == 0 else 0, looked
            time.sleep(0.1)

    def _back_after(self) -> list[float]:
        """For each kill, how long until the last of the worker's partitions was at work again: one of events, whose
        records come all the time, when a checkpoint held new ones; another when it was resumed."""
        events = Topics(self.prefix).events
        said = [(self._place(line), line) for line in self.fleet.said() if line.event in ("checkpoint", "resumed")]
        seconds = []
        for kill in self._kills:
            last = []
            for place in kill.partitions:
                own = [line for where, line in said if where == place]
                reached = max((line.facts["position"] for line in own if line.at <= kill.at), default=0)
                later = [
                    line.at
                    for line in own
                    if line.at > kill.at
                    and (
                        line.event == "checkpoint" and line.facts["position"] > reached
                        if place.startswith(events)
                        else line.event == "resumed"
                    )
                ]
                last += [min(later) - kill.at] if later else []
            seconds += [max(last)] if last else []
        return seconds

    def _place(self, line: Said) -> str:
        """The partition that a worker speaks of."""
        topics = Topics(self.prefix)
        source = {"tally": topics.events, "score": topics.windows, "judge": topics.scores}
        return f"{source[line.facts['step']]}-{line.facts['partition']}"

    def _make_topics(self) -> None:
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
                [NewTopic(name, partitions, 1, topic_configs=of) for name, (partitions, of) in made.items()]
            )
        finally:
            admin.close()


class StalledError(AssertionError):
    """Nothing moves any more, though there is lag."""
