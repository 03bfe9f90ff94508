"""A simulation into a recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from streams.profile import Profile
from streams.replay.labels import Shape
from streams.replay.simulate import Progress, Simulation, simulate
from streams.sources.recorder import RecordingWriter
from streams.sources.recording import Header


@dataclass(frozen=True, slots=True)
class Written:
    """What a simulation wrote."""

    simulation: Simulation
    events: int
    ticks: int


def simulated(
    profile: Profile,
    days: int,
    seed: int,
    *,
    incidents: int,
    scale: float,
    start: date | None = None,
    shapes: Sequence[Shape] = (),
) -> Simulation:
    """A simulation, not run yet. Raises SimulationError."""
    return simulate(profile, days, seed, incidents=incidents, scale=scale, start=start, shapes=shapes)


def record_simulation(simulation: Simulation, path: Path, progress: Progress | None = None) -> Written:
    """Run a simulation into a recording, whole or not at all. Raises SourceError where it cannot be written."""
    header = Header(
        profile=simulation.profile.name, span=simulation.span_text, seed=simulation.seed, created_by="jiantu simulate"
    )
    events = ticks = 0
    with RecordingWriter(path, header) as writer:
        for block in simulation.blocks(progress):
            writer.write_lines(block.lines)
            events += block.events
            ticks += block.ticks
    return Written(simulation, events, ticks)
