"""The figures of `make bench-kafka` for people: lines with their targets, and the page."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from tests.benchmarks.embedded import Line

Figures = dict[str, Any]

PLAIN = "jiantu, plain count"
TALLY = "jiantu worker --steps tally"
WORKER = "jiantu worker, all steps"
LIMIT = "librdkafka + msgspec"
EMBEDDED = "embedded runtime"
_AGAINST_PLAIN = (
    ("faust", 28.0),
    ("bytewax", 1.7),
    ("bytewax, its windows", 1.7),
    ("Kafka Streams", 1.0),
    ("Flink SQL", 1.0),
)
_AGAINST_FULL = (("faust", 15.0), ("bytewax", 1.0), ("bytewax, its windows", 1.0))
_COLUMNS = (
    "version", "events/s, second half", "first half", "CPU s per million", "peak MB", "to first window, s", "exact"
)  # fmt: skip
_MET = {True: "yes", False: "no", None: ""}


def rate(outcomes: Sequence[Figures]) -> float:
    """Events a second of the second half, the median of the rounds that were exact; 0 where none was."""
    rates = [outcome["warm"] for outcome in outcomes if outcome["exact"]]
    return median(rates) if rates else 0.0


def ratio(ours: Sequence[Figures], theirs: Sequence[Figures], key: str = "warm") -> float | None:
    """Ours to theirs, round by round, the median; None where no round has both exact.

    By "cpu", a cost, it is the other way round: how many times dearer they are.
    """
    ratios = []
    for one, other in zip(ours, theirs, strict=False):
        if one["exact"] and other["exact"]:
            above, below = (one[key], other[key]) if key == "warm" else (other[key], one[key])
            ratios.append(above / below if below else 0.0)
    return median(ratios) if ratios else None


def lines(figures: Figures) -> list[Line]:
    """The figures as lines with their targets."""
    jobs = figures["pinned"]
    return [
        *_rates(jobs, ""),
        *_comparisons(jobs),
        *_rates(figures["free"], ", not pinned"),
        *_rest(figures),
    ]


def _rates(jobs: Figures, remark: str) -> Iterator[Line]:
    for name, outcomes in jobs.items():
        faults = [outcome["fault"] for outcome in outcomes if not outcome["exact"]]
        if outcomes:
            said = f"{rate(outcomes):,.0f}" if len(faults) < len(outcomes) else "wrong"
            yield Line(f"{name}{remark}, events a second", said, "", None)


def _comparisons(jobs: Figures) -> Iterator[Line]:
    for ours, targets in ((PLAIN, _AGAINST_PLAIN), (TALLY, _AGAINST_FULL), (WORKER, _AGAINST_FULL)):
        for peer, target in targets if jobs.get(ours) else ():
            found = ratio(jobs[ours], jobs.get(peer, []))
            if found is not None:
                asked = f"> {target:g}" if target == 1 and ours == PLAIN else f">= {target:g}"
                yield Line(f"{ours} / {peer}", f"{found:.2f}", asked, found >= target)
            cost = ratio(jobs[ours], jobs.get(peer, []), "cpu")
            if cost is not None:
                yield Line("  the same in CPU time", f"{cost:.2f}", "", None)
    for ours, other, target in ((PLAIN, LIMIT, 0.0), (TALLY, EMBEDDED, 0.6), (WORKER, EMBEDDED, 0.6)):
        found = ratio(jobs.get(ours, []), jobs.get(other, []))
        if found is not None:
            met = found >= target if target else None
            yield Line(f"{ours} / {other}", f"{found:.2f}", f">= {target:g}" if target else "", met)
        cost = ratio(jobs.get(ours, []), jobs.get(other, []), "cpu")
        if cost is not None:
            yield Line("  the same in CPU time", f"{cost:.2f}", "", None)


def _rest(figures: Figures) -> Iterator[Line]:
    if "two_workers" in figures:
        two = figures["two_workers"]
        where = "" if two["cores_free"] else ", the broker on the same two cores"
        met = two["ratio"] >= 1.7 if two["cores_free"] and two["ratio"] else None
        yield Line(f"two workers / one{where}", _said(two["ratio"], ".2f"), ">= 1.7", met)
        yield Line("  share of the busier one, of all events", f"{two['busier']:.2f}", "", None)
    if "checkpoints" in figures:
        cost = figures["checkpoints"]
        name = f"checkpoints at the default interval, {cost['ids'] / 1e6:.2g} M ids remembered, cost of the speed"
        met = None if cost["cost"] is None else cost["cost"] < 0.05
        yield Line(name, _said(cost["cost"], "+.1%"), "< 5 %", met)
        yield Line("  of CPU time", _said(cost["cost_of_cpu"], "+.1%"), "", None)
    if "recovery" in figures:
        back = figures["recovery"]
        name = f"recovery: start to the next window, {back['megabytes']:.0f} MB of state, seconds"
        met = None if back["seconds"] is None else back["seconds"] < 10
        yield Line(name, _said(back["seconds"], ".1f"), "< 10", met)


def _said(figure: float | None, form: str) -> str:
    return "failed" if figure is None else format(figure, form)


def markdown(report: Figures) -> str:
    """The report for people."""
    figures, where = report["figures"], report["machine"]
    stream = figures["stream"]
    taken = (
        f"`{report['command']}`, commit {report['commit']}, {where['cores']} cores ({where['processor']}), "
        f"Python {where['python']}, load {report['load'][1]:.1f} in the last five minutes. All figures: kafka.json."
    )
    what = (
        f"One stream of {stream['events']:,} simulated events of {stream['bytes_an_event']:.0f} bytes, "
        f"{stream['times_leshan']:g} times Leshan's volume, uncompressed in {stream['partitions']} partitions of one "
        f"broker (Apache Kafka 4.1.1); {stream['windows']:,} windows of county, category and hour. Slow jobs count the "
        f"first {stream['events_of_slow_jobs']:,}. Every job writes every closed window to a topic, and the broker's "
        "clock there says how fast it was; the second half counts. Every count was held against the truth. Pinned: a "
        "job has one core, the broker the others."
    )
    table = [f"| {line.name.strip()} | {line.value} | {line.target} | {_MET[line.met]} |" for line in lines(figures)]
    page = ["# Speed of the distributed runtime, beside its peers", "", taken, "", what, ""]
    for pinned, title in (("pinned", "job, pinned"), ("free", "job, not pinned")):
        if details := list(_details(figures[pinned], figures["versions"])):
            page += [f"| {title} | {' | '.join(_COLUMNS)} |", "| --- | --- |" + " ---: |" * 5 + " --- |", *details, ""]
    page += ["| figure | measured | target | met |", "| --- | ---: | --- | --- |", *table, ""]
    page += [f"{name} is left out, for it cannot be had here: {why}\n" for name, why in figures["left_out"].items()]
    return "\n".join(page).rstrip() + "\n"


def _details(jobs: Figures, versions: Figures) -> Iterator[str]:
    for name, outcomes in jobs.items():
        if outcomes:
            middle = {
                key: median(outcome[key] for outcome in outcomes)
                for key in ("warm", "cold", "cpu", "megabytes", "started")
            }
            spread = f"{min(o['warm'] for o in outcomes):,.0f}-{max(o['warm'] for o in outcomes):,.0f}"
            exact = "yes" if all(outcome["exact"] for outcome in outcomes) else "no"
            yield (
                f"| {name} | {versions.get(name, '')} | {middle['warm']:,.0f} ({spread}) | {middle['cold']:,.0f} | "
                f"{middle['cpu']:.2f} | {middle['megabytes']:,.0f} | {middle['started']:.1f} | {exact} |"
            )
