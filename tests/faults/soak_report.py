"""The soak's report, from what its campaigns wrote down: SOAK.md for people, soak.json for machines.

python -m tests.faults.soak_report .soak/faults.jsonl tests/faults       (the soak calls it after each campaign)
"""

import json
import os
import platform
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults.campaign import quantile
from tests.faults.soak_plan import FULL, Part

TARGET = 20.0
"""Seconds from a kill to the first new record: DESIGN's for the 99th of a hundred."""
_ROWS = (
    ("SIGKILL of workers", ("kill",), "kills"),
    ("SIGSTOP for 20 s, then SIGCONT (zombies)", ("zombie",), "zombies"),
    ("rolling restarts, joining and leaving", ("restart", "guest"), "restarts"),
    ("SIGKILL of one broker of three", ("broker",), "brokers"),
    ("killed while checkpointing", ("checkpoint",), "worst"),
    ("killed while recovering", ("recovery",), "worst"),
    ("slow, cut, half-open connections", ("slow connection", "cut connection", "half-open connection"), "connections"),
)

_WHAT = """\
Three brokers (KRaft, three copies of every topic, two before a record is acknowledged), 6 partitions of events, 2 or 3
workers with the product's own session timeout, everything at once: a campaign is a storm of all rows over one recording
of simulated Leshan. Each ended with the proof: alert log byte for byte the embedded runtime's on the same recording,
every window, score and dead letter there once, the accounting exact. A campaign that breaks a promise writes nothing
here: it fails."""


def write_report(progress: Path, full: Part, folder: Path) -> None:
    """Both files, into a folder."""
    campaigns = [json.loads(line) for line in progress.read_text().splitlines()]
    document = summary(campaigns, full)
    (folder / "soak.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / "SOAK.md").write_text(text(document))


def summary(campaigns: list[dict[str, Any]], full: Part) -> dict[str, Any]:
    """What all campaigns together come to."""
    happened: Counter[str] = Counter()
    accounting: Counter[str] = Counter()
    for one in campaigns:
        happened.update(one["faults"])
        accounting.update(one["accounting"])
    back = sorted(seconds for one in campaigns for seconds in one["back_after"])
    rows = [
        {
            "fault": what,
            "happened": sum(happened[name] for name in names),
            "each": [happened[name] for name in names],
            "full": getattr(full, field),
        }
        for what, names, field in _ROWS
    ]
    return {
        "command": "make soak ARGS=tests/faults",
        "share": campaigns[-1]["share"],
        "commits": sorted({one["commit"] for one in campaigns}),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "events": {"happened": accounting["received"], "full": full.events},
        "faults": rows,
        "broker_away": happened["broker away"],
        "accounting": dict(accounting),
        "load_average_5min": [round(one["load_average"][1], 1) for one in campaigns],
        "nice": max(one.get("nice", 0) for one in campaigns),
        "balanced": accounting["received"]
        == sum(accounting[name] for name in ("counted", "duplicate", "late", "rejected")),
        "kill_to_first_new_record": {
            "kills": len(back),
            **{f"p{share * 100:g}": quantile(back, share) for share in (0.5, 0.9, 0.99, 1.0) if back},
        },
        "longest_stall": max((one["longest_stall"] for one in campaigns), default=0.0),
        "seconds": round(sum(one["seconds"] for one in campaigns)),
        "campaigns": campaigns,
    }


def text(document: dict[str, Any]) -> str:
    """For people."""
    events, back, counted = document["events"], document["kill_to_first_new_record"], document["accounting"]
    away = min(600.0, 6000.0 * document["share"])  # as parts() has it
    gone, full_campaigns = document["broker_away"], FULL.of
    commits = ", ".join(f"`{one}`" for one in document["commits"])
    lines = [
        "# The soak of the distributed runtime",
        "",
        f"`JIANTU_SOAK_SHARE={document['share']} {document['command']}` at commit {commits}, on {document['machine']}.",
        "Written by `python -m tests.faults.soak_report`; `soak.json` has every campaign with its seeds.",
        "",
        *_WHAT.splitlines(),
        "",
        f"{len(document['campaigns'])} of {full_campaigns} campaigns. Brokers away for {away:.0f} s: {gone}.",
        "",
        "| | happened | the full soak has |",
        "|---|---|---|",
        f"| events | {events['happened']:,} | {events['full']:,} |",
        *(f"| {row['fault']} | {' + '.join(map(str, row['each']))} | {row['full']:,} |" for row in document["faults"]),
        "",
        (
            f"received {counted['received']:,} = counted {counted['counted']:,} + duplicate {counted['duplicate']:,} + "
            f"late {counted['late']:,} + rejected {counted['rejected']:,}: lost 0, double 0. "
            f"Longest stall {document['longest_stall']} s (the watchdog's bound is 60 s). Load of the machine "
            f"(average of 5 min at each campaign's end): {', '.join(map(str, document['load_average_5min']))}; "
            f"all of it at nice {document['nice']}."
        ),
        "",
    ]
    if back["kills"]:
        figures = ", ".join(f"{name} {back[name]:.1f} s" for name in ("p50", "p90", "p99", "p100"))
        verdict = "kept" if back["p99"] < TARGET else "missed"
        lines += [
            (
                f"Kill to first new record in a checkpoint, of all that the killed worker had ({back['kills']} kills): "
                f"{figures}; p99 below {TARGET:.0f} s is {verdict}. Recoveries overlap: where another fault falls into "
                "one, the first goes on counting."
            ),
            "",
        ]
    lines += [
        "| campaign | seed | workers | faults | s | longest stall s | alert log (equal to embedded) | transitions |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in document["campaigns"]:
        lines.append(
            f"| {one['part']} | {one['seed']} | {one['workers']} | "
            f"{', '.join(f'{name} {number}' for name, number in one['faults'].items())} | {one['seconds']:.0f} | "
            f"{one['longest_stall']} | `{one['alert_log'][:16]}` | {one['transitions']} |"
        )
    return "\n".join(lines) + "\n"


def commit() -> str:
    """What was run."""
    here = Path(__file__).parent
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=here, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


if __name__ == "__main__":
    write_report(Path(sys.argv[1]), FULL, Path(sys.argv[2]))
