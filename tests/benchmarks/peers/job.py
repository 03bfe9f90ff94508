"""What every peer is told and what it writes: shared by the jobs in this folder, known to none of the frameworks.

python PEER.py BOOTSTRAP SOURCE RESULTS PARTITIONS NAME FOLDER
"""

import json
import sys
from dataclasses import dataclass

HOUR_MS = 3_600_000
DISORDER_MS = 15 * 60_000
"""How far an event may trail the newest one of its partition."""


@dataclass(frozen=True)
class Job:
    """Where to read, where to write."""

    bootstrap: str
    source: str
    """Topic of events: values are JSON with `county` and `category`, timestamps are event time in milliseconds."""
    results: str
    """Topic of closed windows."""
    partitions: int
    """Of the source."""
    name: str
    """Of the consumer group; new for every run."""
    folder: str
    """Empty, for state."""


def asked() -> Job:
    """What the command line says."""
    bootstrap, source, results, partitions, name, folder = sys.argv[1:7]
    return Job(bootstrap, source, results, int(partitions), name, folder)


def closed_window(county: str, category: str, start: int, count: int) -> bytes:
    """One result: an hour that is over, its beginning in milliseconds."""
    return json.dumps({"county": county, "category": category, "start": start, "count": count}).encode()
