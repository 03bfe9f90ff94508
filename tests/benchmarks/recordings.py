"""The recordings that are measured: simulated years of Leshan, the same bytes every time."""

from datetime import date
from pathlib import Path

from streams.profile.load import load
from streams.replay.simulate import simulate
from streams.sources.recorder import RecordingWriter
from streams.sources.recording import Header

PROFILE = "leshan"
FIRST_DAY = date(2016, 1, 1)
"""Early enough for the longest recording to lie in years whose calendar is known."""
SEED = 7
EVENTS_A_DAY = 8_000
"""At scale 1, a little less than there are."""


def record(path: str, *, scale: float, days: int = 0, events: int = 0) -> dict[str, float]:
    """Simulate `days` into a recording, or as many days as hold `events` (then it ends with the block they are in)."""
    if not days:
        days = 30 + int(events / scale / EVENTS_A_DAY * 1.1)
    simulation = simulate(load(PROFILE), days, SEED, incidents=12, scale=scale, start=FIRST_DAY)
    written = 0
    header = Header(profile=PROFILE, span=simulation.span_text, seed=SEED)
    with RecordingWriter(Path(path), header) as writer:
        for block in simulation.blocks():
            writer.write_lines(block.lines)
            written += block.events
            if events and written >= events:
                break
    return {"events": written, "bytes": Path(path).stat().st_size}
