"""Recordings that campaigns play: Leshan as it is simulated, and in between what nobody can make an event of."""

from dataclasses import dataclass
from pathlib import Path

from streams.sources.recorder import RecordingWriter, record_line
from streams.sources.recording import RecordingReader
from streams.wiring.inputs import open_profile
from streams.wiring.simulating import record_simulation, simulated
from tests.faults.proof import Truth, truth_of

_WRONG = (
    b"no JSON at all",
    b'{"id":"1","at":"2025-01-01T00:00:00+08:00"}',
    b'{"id":"1","at":"2025-01-01T00:00:00+08:00","county":"999999","point":"hotline","kind":"accepted"}',
)
_EVERY = 1009
"""Lines from one wrong record to the next."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A recording, and the profile of its city."""

    recording: Path
    profile: str

    @property
    def truth(self) -> Truth:
        """What the embedded runtime makes of it."""
        return truth_of(self.recording, self.profile)


def leshan(folder: Path, *, days: int, events: int, seed: int) -> Stream:
    """Leshan of so many days and about so many events: late ones, doubles and wrong ones among them. Kept in a folder,
    whole or not at all, for whoever asks for the same."""
    path = folder / f"leshan-{days}-{events}-{seed}.jsonl.zst"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        clean = path.with_suffix(".clean")
        profile = open_profile("leshan")
        # at scale 1 a day has some 8,200
        simulation = simulated(profile, days, seed, incidents=12, scale=events / days / 8_200)
        record_simulation(simulation, clean)
        _spoil(clean, path)
        clean.unlink()
    return Stream(path, "leshan")


def _spoil(clean: Path, path: Path) -> None:
    """The same recording with a wrong record behind every so many lines."""
    reader = RecordingReader(clean)
    with RecordingWriter(path, reader.header) as writer:
        for number, chunk in enumerate(reader.chunks(max_records=_EVERY)):
            writer.write_lines(chunk.lines)
            writer.write_lines(record_line(_WRONG[number % len(_WRONG)], None))
