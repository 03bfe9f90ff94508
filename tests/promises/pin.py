"""Pin the alert log of Lake City's recording again, when a detector, the judge or the log changed on purpose.

    python -m tests.promises.pin            # replay the recording, write alert_log.jsonl and alert_log.sha256
    python -m tests.promises.pin --record   # make the recording anew first: after a change of the profile

Then read `git diff` of alert_log.jsonl: every line that changed is an alert that changed.
"""

import re
import sys
import tempfile
from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from streams.replay.simulate import simulate
from streams.sources.recorder import RecordingWriter
from streams.sources.recording import Header
from tests.promises.lake import PINNED_LOG, PINNED_SHA256, RECORDING, city_profile, is_tick, replay

SEED = 9
FIRST_DAY = date(2025, 2, 3)
DAYS = 42
"""With the night of 9 March, when the clock is put forward."""
LATE, RESENT, SPOILED = 150, 120, 48
TICKS_MISSING = 0.5


def spoiled(line: bytes, way: int) -> bytes:
    """A record that cannot become an event: half of them for what the decoder sees, half for what the tally does."""
    ways = (
        line[: len(line) // 2] + b"\n",
        line.replace(b'"county"', b'"where"'),
        b"\n",
        re.sub(rb'"at":"[^"]*"', b'"at":"2025-02-30T00:00:00Z"', line),
        re.sub(rb'"received":(\d+)\d', rb'"received":\1', line),  # received long before it happened
        re.sub(rb'"ticket":"[^"]*"', b'"ticket":"13800138000"', line),
    )
    return ways[way % len(ways)]


def troubled(lines: list[bytes]) -> list[bytes]:
    """The lines with some events hours or a day late, some sent again, spoiled copies among them, and ticks missing."""
    random = np.random.default_rng(SEED)
    events = np.array([i for i, line in enumerate(lines) if not is_tick(line)])
    moved = random.choice(events[500:-1000], LATE, replace=False).tolist()
    behind = dict(zip(moved, random.integers(5, 200, LATE).tolist(), strict=True))
    placed = [(float(i + behind.get(i, 0)), line) for i, line in enumerate(lines)]
    placed += [(i + 150.5, lines[i]) for i in random.choice(events[:-500], RESENT, replace=False).tolist()]
    at = enumerate(random.choice(events, SPOILED, replace=False).tolist())
    placed += [(i + 0.5, spoiled(lines[i], way)) for way, i in at]
    in_order = [line for _, line in sorted(placed, key=lambda item: item[0])]
    # Where ticks are missing, every county has only its own events to tell the time by.
    heard = random.random(len(in_order)) >= TICKS_MISSING
    return [line for line, is_heard in zip(in_order, heard, strict=True) if is_heard or not is_tick(line)] + lines[-1:]


def record() -> None:
    """Six weeks with three incidents, and some of what goes wrong on the way to a service."""
    profile = city_profile()
    simulation = simulate(profile, DAYS, SEED, incidents=3, start=FIRST_DAY)
    lines = b"".join(block.lines for block in simulation.blocks()).splitlines(keepends=True)
    header = Header(profile=profile.name, span=simulation.span_text, seed=SEED, created_by="tests.promises.pin")
    with RecordingWriter(RECORDING, header, level=19) as writer:
        for number, line in enumerate(troubled(lines), 1):
            writer.write_lines(line)
            if number % 1500 == 0:
                writer.end_frame()
    labels = msgspec.json.encode(simulation.labels).decode()
    print(f"{RECORDING.name}: {writer.count} records, {RECORDING.stat().st_size} bytes; incidents: {labels}")


def pin() -> None:
    """Write what a replay gives now."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = replay(Path(folder))
    PINNED_LOG.write_bytes(outcome.log)
    PINNED_SHA256.write_text(f"{outcome.log_sha256}  {PINNED_LOG.name}\n", encoding="ascii")
    print(f"{outcome.log_sha256}: {len(outcome.log.splitlines())} lines, {outcome.accounting}")


if __name__ == "__main__":
    if "--record" in sys.argv[1:]:
        record()
    pin()
