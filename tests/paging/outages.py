"""What outages on the way of a page cost: measured by test_acceptance, and reported by its soak.

The soak (`make soak ARGS=tests/paging`, 35 minutes) writes SOAK.md for people and soak.json for machines into
$JIANTU_SOAK_DIR (or .soak in the working directory). One that breaks a promise writes nothing: it fails.
"""

import json
import os
import platform
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.faults.soak_report import commit
from tests.paging.chain import CONSOLE
from tests.paging.receiver import Heard

_LINK = re.compile(rf"{CONSOLE}/alerts/([0-9a-f]{{20}})$", re.MULTILINE)


def alerts_in(heard: Heard) -> list[str]:
    """Ids of the alerts that a message is about."""
    return _LINK.findall(heard.text)


def told(taken: Sequence[Heard]) -> Counter[str]:
    """Alert -> messages that were about it."""
    return Counter(name for heard in taken for name in alerts_in(heard))


def first_told(taken: Sequence[Heard]) -> dict[str, float]:
    """Alert -> when a message was about it for the first time."""
    at: dict[str, float] = {}
    for heard in taken:
        for name in alerts_in(heard):
            at.setdefault(name, heard.at)
    return at


@dataclass
class Outage:
    """One part away, and the alerts that were raised meanwhile."""

    name: str
    alerts: tuple[str, ...]
    ended: int
    """How many of them ended in it."""
    began: float
    """Unix time at which they were raised."""
    over: float = 0.0
    acknowledged: dict[str, float] = field(default_factory=dict)
    """Alert -> when somebody took it up, after it was told."""


@dataclass(frozen=True)
class Row:
    """What one outage came to."""

    outage: str
    seconds: float
    raised: int
    ended: int
    told: int
    repeats: int
    """Messages about an alert beyond its first."""
    most_repeats: int
    """Of one alert."""
    median_seconds: float
    """From an alert to its page."""
    longest_seconds: float
    after_it_seconds: float
    """From the end of the outage to the last page."""
    acknowledged: int
    after_acknowledgement: int
    """Messages about an alert that somebody had taken up."""


@dataclass(frozen=True)
class Figures:
    """What a run came to."""

    calm_seconds: float
    """From an alert to its page, with everything there."""
    rows: tuple[Row, ...]
    messages: int
    """Taken by the robot."""
    refused: int
    """Answered 500 by it."""

    @staticmethod
    def of(outages: Sequence[Outage], calm_seconds: float, heard: Sequence[Heard]) -> "Figures":
        """From everything that the robot heard."""
        taken = [one for one in heard if one.status == 200]
        rows = tuple(_row(outage, taken) for outage in outages)
        return Figures(round(calm_seconds, 1), rows, len(taken), len(heard) - len(taken))

    def total(self, what: str) -> int:
        """Sum of one column."""
        return sum(getattr(row, what) for row in self.rows)

    def write(self, folder: Path) -> None:
        """SOAK.md and soak.json."""
        about = {
            "command": "make soak ARGS=tests/paging",
            "commit": commit(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "load_average": [round(one, 1) for one in os.getloadavg()],
        }
        document = about | asdict(self)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "soak.json").write_text(json.dumps(document, indent=1) + "\n")
        (folder / "SOAK.md").write_text(text(document))


def text(document: dict[str, Any]) -> str:
    """soak.json for people."""
    rows = document["rows"]

    def total(name: str) -> int:
        return sum(row[name] for row in rows)

    load = ", ".join(map(str, document["load_average"]))
    told_of = f"{total('told')} of {total('raised')} alerts told, {total('ended')} of which had ended meanwhile"
    repeats = f"{total('repeats')} repeats (allowed: one an alert and outage)"
    silent = (
        f"{total('after_acknowledgement')} messages about the {total('acknowledged')} alerts that were acknowledged"
    )
    columns = ("outage", "seconds", "raised", "ended", "told", "repeats", "median_seconds", "longest_seconds")
    lines = [
        "# The soak of paging",
        "",
        f"`{document['command']}` at commit `{document['commit']}`, on {document['machine']}, load {load}.",
        "Written by the soak itself; `soak.json` has the same for machines.",
        "",
        "The real exporter, Prometheus, Alertmanager and pager with the settings of `deploy/`, a web server in place",
        "of the robot, at the pace of production: an outage takes five minutes, 20 alerts are raised in it. At the",
        "end Alertmanager is killed once more: it forgets what it has sent, and offers everything again.",
        "",
        f"* {told_of}; {repeats}.",
        f"* {silent}.",
        f"* With everything there an alert was told {document['calm_seconds']} s after it was raised (promised: 60 s).",
        f"* {document['messages']} messages taken by the robot, {document['refused']} answered 500.",
        "",
        "| away | for s | raised | ended | told | repeats | alert to page: median s | longest s | last after it s |",
        "|---|---|---|---|---|---|---|---|---|",
        *(f"| {' | '.join(str(row[name]) for name in columns)} | {row['after_it_seconds']} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _row(outage: Outage, taken: Sequence[Heard]) -> Row:
    counts, at = told(taken), first_told(taken)
    found = [name for name in outage.alerts if name in at]
    waited = [at[name] - outage.began for name in found]
    late = [heard for heard in taken for name in alerts_in(heard) if heard.at > outage.acknowledged.get(name, heard.at)]
    return Row(
        outage=outage.name,
        seconds=round(outage.over - outage.began, 1),
        raised=len(outage.alerts),
        ended=outage.ended,
        told=len(found),
        repeats=sum(counts[name] - 1 for name in found),
        most_repeats=max(counts[name] - 1 for name in found),
        median_seconds=round(median(waited), 1),
        longest_seconds=round(max(waited), 1),
        after_it_seconds=round(max(0.0, max(at[name] for name in found) - outage.over), 1),
        acknowledged=len(outage.acknowledged),
        after_acknowledgement=len(late),
    )
