"""How fast the distributed runtime is beside its peers: `make bench-kafka`, or python -m tests.benchmarks.kafka.

A real broker on this machine, one stream of events with the truth about it (`kafka_events`), and jobs that count it:
the plainest event-time windowed count on other frameworks (`peers/`), the same on jiantu's transport, and jiantu's
full job. Each has one core, the broker and everything else the others; rounds are interleaved, so that what else the
machine does hits all alike; ratios are taken within a round. Every count is held against the truth: a job that
counts wrong has no speed. Prints a table and one JSON document; writes KAFKA.md and kafka.json beside this file.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.embedded import commit, machine
from tests.benchmarks.kafka_embedded import write_recording
from tests.benchmarks.kafka_events import SCALE, Stream
from tests.benchmarks.kafka_full import NEVER, FullJob
from tests.benchmarks.kafka_peers import LIMIT, PEERS, Command, NotHadError, plain_jiantu
from tests.benchmarks.kafka_report import EMBEDDED, PLAIN, TALLY, WORKER, Figures, lines, markdown, ratio
from tests.benchmarks.kafka_runs import Cores, cores_here, free, pinned, run_embedded, run_plain, two_cores
from tests.benchmarks.kafka_topics import PARTITIONS, Topics, Written
from tests.benchmarks.kafka_watch import Outcome
from tests.kafka.server import Server

HERE = Path(__file__).resolve().parent
JVM = ("-Xms1g", "-Xmx1g")


class Plan(NamedTuple):
    """How much is measured."""

    events: int
    slow_events: int
    """For jobs whose speed does not change with the length, for it would take them an hour."""
    rounds: int
    free_rounds: int
    """Without pinning."""
    remembered: int
    """Ids that are remembered, on average, when the cost of checkpoints is taken."""
    recovered: int
    """Events behind a worker that starts again: some eighty bytes of state each."""
    patience: float
    """Seconds that one run may take."""


FULL = Plan(3_200_000, 300_000, 3, 1, 1_000_000, 700_000, 600)
QUICK = Plan(200_000, 50_000, 1, 0, 100_000, 100_000, 120)

Say = Callable[[str], None]


class Job(NamedTuple):
    """One thing that is measured in rounds, beside the others."""

    name: str
    version: str
    run: Callable[[Cores], Outcome]


class Bench:
    """One broker, and what is measured on it."""

    def __init__(self, bootstrap: str, broker: int, plan: Plan, folder: Path, cores: frozenset[int], say: Say) -> None:
        """Writes the streams. `broker` is its process, `cores` are those of this machine."""
        self._topics = Topics(bootstrap)
        self._plan = plan
        self._folder = folder
        self._say = say
        self._broker = broker
        self._cores = cores
        say(f"simulating and writing {plan.events:,} events")
        self.whole = self._topics.write_plain("whole", Stream(plan.events))
        self.short = self._topics.write_plain("short", Stream(plan.slow_events))
        self.missing: Figures = {}
        """Peers that this machine cannot have, and why."""

    def stream(self) -> Figures:
        """What the stream is."""
        whole = self.whole
        return {
            "events": whole.events,
            "events_of_slow_jobs": self.short.events,
            "bytes_an_event": whole.value_bytes / whole.events,
            "windows": len(whole.truth),
            "resent": whole.resent,
            "partitions": PARTITIONS,
            "times_leshan": SCALE,
        }

    def plain_jobs(self, wanted: Sequence[str]) -> list[Job]:
        """The plain counts that can be had here; of the peers only those wanted, where some are."""
        jobs = [self._plain(PLAIN, "", plain_jiantu(), self.whole)]
        for peer in (LIMIT, *PEERS):
            if wanted and not any(name.casefold() in peer.name.casefold() for name in wanted):
                continue
            self._say(f"getting {peer.name}")
            try:
                command = peer.get()
            except NotHadError as error:
                self.missing[peer.name] = str(error)
                self._say(f"{peer.name} is left out: {error}")
            else:
                jobs.append(self._plain(peer.name, peer.version, command, self.short if peer.slow else self.whole))
        return jobs

    def _plain(self, name: str, version: str, command: Command, stream: Written) -> Job:
        return Job(name, version, lambda cores: run_plain(command, self._topics, stream, cores, self._plan.patience))

    def full_jobs(self) -> list[Job]:
        """jiantu's full job, distributed and embedded."""
        stream = Stream(self._plan.events)
        job = FullJob(self._topics, "full", stream)
        recording = self._folder / "stream.jsonl.zst"
        write_recording(stream, recording)

        def worker(steps: str) -> Callable[[Cores], Outcome]:
            return lambda cores: job.run([cores], self._plan.patience, steps)[0]

        return [
            Job(TALLY, "", worker("tally")),
            Job(WORKER, "", worker("tally,score,judge")),
            Job(EMBEDDED, "", lambda cores: run_embedded(recording, stream, cores)),
        ]

    def rounds(self, jobs: Sequence[Job], rounds: int, cores: Cores) -> Figures:
        """Rounds of all jobs, one after the other: job -> its outcomes."""
        outcomes: Figures = {job.name: [] for job in jobs}
        for number in range(rounds):
            for job in jobs:
                outcome = job.run(cores)
                outcomes[job.name].append(outcome._asdict())
                said = f"{outcome.warm:,.0f}/s, {outcome.cpu:.2f} CPU s per million {outcome.fault}"
                self._say(f"round {number + 1}: {job.name}: {said}")
        return outcomes

    def rest(self, cores: Cores) -> Figures:
        """Two workers, checkpoints, recovery, on a stream whose second half has so many ids to remember."""
        plan = self._plan
        job = FullJob(self._topics, "remembering", Stream(plan.remembered * 4 // 3))
        pair, apart = two_cores(self._cores)
        outcomes: dict[str, list[Figures]] = {"with checkpoints": [], "without": [], "two workers": []}
        busiest = 1.0
        for number in range(plan.rounds):
            for name, done in outcomes.items():
                every = NEVER if name == "without" else None
                workers = pair if name == "two workers" else [cores]
                keep_to(workers[0].others, self._broker)
                outcome, share = job.run(workers, plan.patience, every=every)
                done.append(outcome._asdict())
                busiest = share if name == "two workers" else busiest
                self._say(f"round {number + 1}: {name}: {outcome.warm:,.0f}/s {outcome.fault}")
        kept, none, both = outcomes.values()
        self._say("recovery")
        keep_to(cores.others, self._broker)
        again = FullJob(self._topics, "recovering", Stream(plan.recovered))
        return {
            "checkpoints": {
                "ids": plan.remembered,
                "with": kept,
                "without": none,
                "cost": _lost(kept, none, "warm"),
                "cost_of_cpu": _lost(kept, none, "cpu"),
            },
            "two_workers": {"cores_free": apart, "ratio": ratio(both, kept), "busier": busiest, "outcomes": both},
            "recovery": again.recover(cores, plan.patience)[1],
        }


def _lost(ours: Sequence[Figures], theirs: Sequence[Figures], key: str) -> float | None:
    found = ratio(ours, theirs, key)
    return None if found is None else 1 - found


def measure(plan: Plan, say: Say, wanted: Sequence[str] = (), *, full: bool = True) -> Figures:
    """All figures."""
    everyone = cores_here()
    cores = pinned(everyone)
    with (
        tempfile.TemporaryDirectory(prefix="jiantu-bench-kafka-") as folder,
        Server(Path(folder) / "broker", jvm=JVM) as server,
    ):
        assert server.pid is not None
        keep_to(cores.others, server.pid)
        keep_to(cores.others, os.getpid())
        bench = Bench(server.bootstrap, server.pid, plan, Path(folder), everyone, say)
        jobs = [*bench.plain_jobs(wanted), *(bench.full_jobs() if full else ())]
        figures: Figures = {
            "stream": bench.stream(),
            "versions": {job.name: job.version for job in jobs},
            "left_out": bench.missing,
            "pinned": bench.rounds(jobs, plan.rounds, cores),
        }
        if full:
            figures |= bench.rest(cores)
        keep_to(everyone, server.pid)
        keep_to(everyone, os.getpid())
        figures["free"] = bench.rounds(jobs, plan.free_rounds, free(everyone))
    return figures


def keep_to(cores: Iterable[int], process: int) -> None:
    """Have every thread of a process run on these cores."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def asked(arguments: Sequence[str] | None = None) -> tuple[argparse.Namespace, Plan]:
    """What the command line says, and the plan that follows from it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.kafka", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small version in some minutes; writes no report")
    parser.add_argument("--rounds", type=int, help="interleaved rounds instead of the usual")
    parser.add_argument("--events", type=int, help="so many in the long stream; writes no report")
    parser.add_argument("--pinned", action="store_true", help="without the rounds that are not; writes no report")
    parser.add_argument("--plain", action="store_true", help="the plain counts alone; writes no report")
    parser.add_argument(
        "--only", action="append", default=[], metavar="PEER", help="of the peers, this one; repeatable; no report"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON document there as well")
    given = parser.parse_args(arguments)
    plan = QUICK if given.quick else FULL
    if given.rounds is not None:
        plan = plan._replace(rounds=given.rounds)
    if given.events is not None:
        plan = plan._replace(
            events=given.events,
            slow_events=min(plan.slow_events, given.events),
            remembered=min(plan.remembered, given.events),
            recovered=min(plan.recovered, given.events),
        )
    if given.pinned:
        plan = plan._replace(free_rounds=0)
    return given, plan


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write the report."""
    given, plan = asked(arguments)
    figures = measure(plan, lambda text: print(text, file=sys.stderr), given.only, full=not given.plain)
    report: Figures = {
        "command": "make bench-kafka" + (f' ARGS="{" ".join(arguments or sys.argv[1:])}"' if sys.argv[1:] else ""),
        "commit": commit(),
        "machine": machine(),
        "load": os.getloadavg(),
        "quick": given.quick,
        "figures": figures,
    }
    document = json.dumps(report, indent=2) + "\n"
    for line in lines(figures):
        print(f"{line.name:<78}{line.value:>14}  {line.target}")
    print(document)
    if given.json is not None:
        given.json.write_text(document, encoding="utf-8")
    if not (given.quick or given.only or given.plain or given.events or given.pinned):
        (HERE / "KAFKA.md").write_text(markdown(report), encoding="utf-8")
        (HERE / "kafka.json").write_text(document, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
