"""How fast the embedded service is, on this machine: `make bench`, or python -m tests.benchmarks.embedded.

Every figure comes from a fresh process on one core; ratios are taken within one run, so that they can be compared
between machines. Prints a table and one JSON document, and writes both to REPORT.md and report.json beside this file.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

Figures = dict[str, Any]


class Call(Protocol):
    """Runs one measure."""

    def __call__(self, name: str, **arguments: object) -> Figures:
        """(name of a measure, its arguments) -> its figures."""


class Plan(NamedTuple):
    """How much is measured."""

    scale: float
    """Volume of the simulated city, times Leshan's."""
    events: int
    """Replayed against the decoder."""
    single_events: int
    rounds: int
    memory_scale: float
    """So that the smallest of the next lasts longer than tickets are kept (150 days): what is remembered is full."""
    memory_events: tuple[int, ...]
    year_scale: float
    year_days: int
    series: int
    windows: int


BEHIND = 20_000
"""Events that a restart after the replay has still before it: more than a batch."""
FULL = Plan(1.5, 5_000_000, 50_000, 5, 0.8, (1_000_000, 5_000_000, 20_000_000), 1.0, 365, 1000, 400)
QUICK = Plan(0.5, 300_000, 20_000, 1, 0.15, (200_000, 300_000, 400_000), 0.1, 365, 1000, 60)


class Line(NamedTuple):
    """One line of the table."""

    name: str
    value: str
    target: str
    met: bool | None


def apart(name: str, **arguments: object) -> Figures:
    """Run one measure in a process of its own, which stays as small as its parent was: see `measures.memory`."""
    command = [sys.executable, "-m", "tests.benchmarks.child", name, json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def measure(plan: Plan, folder: Path, call: Call = apart, say: Callable[[str], None] = lambda _: None) -> Figures:
    """All figures; recordings and ledgers lie in `folder`."""

    def data(name: str) -> str:
        return str(folder / name)

    long, longest, whole_year = data("long.jsonl.zst"), data("longest.jsonl.zst"), data("year.jsonl.zst")
    say("simulating")
    figures: Figures = {"recording": call("record", path=long, scale=plan.scale, events=plan.events + BEHIND)}
    figures["longest_recording"] = call("record", path=longest, scale=plan.memory_scale, events=max(plan.memory_events))
    figures["year_recording"] = call("record", path=whole_year, scale=plan.year_scale, days=plan.year_days)
    say("replay against the decoder")
    figures["replay"] = call("replay", recording=long, data_dir=data("replay"), events=plan.events)
    say("restart")
    figures["restart"] = call("restart", recording=long, data_dir=data("replay"))
    say("batches of one")
    figures["single"] = call(
        "single", recording=long, data_dir=data("single"), events=plan.single_events, rounds=plan.rounds
    )
    say("a year")
    figures["year"] = call("year", recording=whole_year, data_dir=data("year"))
    say("scoring")
    figures["scoring"] = call("scoring", series=plan.series, windows=plan.windows)
    peaks = []
    for events in plan.memory_events:
        say(f"memory of {events:,} events")
        peaks.append(call("memory", recording=longest, data_dir=data(f"memory-{events}"), events=events))
    growth = peaks[-1]["megabytes"] / peaks[0]["megabytes"] - 1
    figures["memory"] = {"runs": peaks, "growth": growth}
    return figures


def machine() -> Figures:
    """Where the figures were taken."""
    info = Path("/proc/cpuinfo")
    models = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit that was measured; "+changes" where files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "streams", "detectors")
    return (git("rev-parse", "--short=12", "HEAD") or "no checkout") + ("+changes" if changed else "")


def table(figures: Figures) -> list[Line]:
    """The figures as lines with their targets."""
    replay, single, restart = figures["replay"], figures["single"], figures["restart"]
    scoring, memory, year = figures["scoring"], figures["memory"], figures["year"]
    sizes = ", ".join(f"{run['events'] / 1e6:.3g} M: {run['megabytes']:.0f} MB" for run in memory["runs"])
    return [
        Line(
            f"everything on, {replay['events'] / 1e6:.3g} M events, against the decoder alone",
            f"{replay['ratio']:.3f}",
            ">= 0.12, proud of 0.20",
            replay["ratio"] >= 0.12,
        ),
        Line("  events a second", f"{replay['events_per_second']:,.0f}", "", None),
        Line("  the decoder's events a second", f"{replay['decode_events_per_second']:,.0f}", "", None),
        Line("  the same ratio in CPU time", f"{replay['ratio_of_cpu']:.3f}", "", None),
        Line(
            f"batches of one record, first {single['events']:,} events, against the usual",
            f"{single['ratio']:.3f}",
            "",
            None,
        ),
        Line("  events a second", f"{single['events_per_second']:,.0f}", "", None),
        Line(f"peak memory ({sizes}), growth", f"{memory['growth']:+.1%}", "< 15 %", memory["growth"] < 0.15),
        Line(
            "score and learn, all detectors, series-windows a CPU second, slowest size",
            f"{scoring['series_windows_per_second']:,.0f}",
            ">= 500,000",
            scoring["series_windows_per_second"] >= 500_000,
        ),
        Line(
            f"restart to first event, {restart['events_behind'] / 1e6:.3g} M events behind it, seconds",
            f"{restart['seconds']:.2f}",
            "< 1",
            restart["seconds"] < 1,
        ),
        Line(f"a year, {year['events'] / 1e6:.3g} M events, seconds", f"{year['seconds']:.1f}", "seconds", None),
    ]


_MET = {True: "yes", False: "no", None: ""}


def markdown(report: Figures) -> str:
    """The report for people."""
    where = report["machine"]
    rows = [
        f"| {line.name.strip()} | {line.value} | {line.target} | {_MET[line.met]} |"
        for line in table(report["figures"])
    ]
    taken = (
        f"`{report['command']}`, commit {report['commit']}, one core of {where['cores']} ({where['processor']}), "
        f"Python {where['python']}. All figures: report.json."
    )
    return "\n".join(
        (
            "# Speed of the embedded service",
            "",
            taken,
            "",
            "| figure | measured | target | met |",
            "| --- | ---: | --- | --- |",
            *rows,
            "",
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.embedded", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small version in about a minute; writes no report")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON document there as well")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="jiantu-bench-") as folder:
        figures = measure(QUICK if given.quick else FULL, Path(folder), say=lambda text: print(text, file=sys.stderr))
    report = {
        "command": "make bench" + (" ARGS=--quick" if given.quick else ""),
        "commit": commit(),
        "machine": machine(),
        "quick": given.quick,
        "figures": figures,
    }
    document = json.dumps(report, indent=2) + "\n"
    for line in table(figures):
        print(f"{line.name:<78}{line.value:>12}  {line.target}")
    print(document)
    if given.json is not None:
        given.json.write_text(document, encoding="utf-8")
    if not given.quick:
        (HERE / "REPORT.md").write_text(markdown(report), encoding="utf-8")
        (HERE / "report.json").write_text(document, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
