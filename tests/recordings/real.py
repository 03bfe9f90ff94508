"""Real recordings: where they lie, and one replay of each through the whole path."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from streams.core.alert import Ended, Evidence, Joined, Raised, Transition
from streams.core.instant import Instant, parse_instant
from streams.core.outputs import Accounting
from streams.core.pipeline import Pipeline
from streams.profile import load
from streams.sources.csv_export import CsvSource

FOREVER: Instant = 2**62


def recording(name: str) -> Path:
    """A recording's path. Where it is absent the test is skipped, but never in CI."""
    path = Path(os.environ.get("JIANTU_DATA", "../shared/data")) / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{path} is missing; set JIANTU_DATA to the folder with the real recordings")
        pytest.skip(f"{path} is missing; set JIANTU_DATA to the folder with the real recordings")
    return path


@dataclass
class Incident:
    """An alert and all that became of it."""

    raised: Raised
    joined: list[Evidence]
    ended: Instant

    @property
    def signals(self) -> set[str]:
        """Signals of all its evidence."""
        return {self.raised.evidence.signal, *(evidence.signal for evidence in self.joined)}

    @property
    def evidence(self) -> list[Evidence]:
        """All of it, the raising one first."""
        return [self.raised.evidence, *self.joined]

    def open_between(self, start: str, end: str) -> bool:
        """Raised, or still open, at some time in [start, end]."""
        return self.raised.at <= parse_instant(end) and self.ended >= parse_instant(start)


@dataclass
class Replayed:
    """What a replay came to."""

    accounting: Accounting
    incidents: list[Incident]

    def open_between(self, start: str, end: str, signals: set[str]) -> list[Incident]:
        """Incidents on some of the signals that were raised or open at some time in [start, end]."""
        return [i for i in self.incidents if i.open_between(start, end) and i.signals & signals]


@cache
def replayed(name: str, profile_name: str) -> Replayed:
    """One CSV through tally, score and judge."""
    path = recording(name)
    profile = load(profile_name)
    source = CsvSource(path, profile)
    pipeline = Pipeline(profile.city, source.span[0])
    transitions: list[Transition] = []
    for chunk in source.chunks():
        batch = pipeline.decoder.lines(chunk.lines, chunk.after.record - chunk.records, chunk.records)
        transitions += pipeline.step(batch).transitions
    assert pipeline.accounting.balanced()
    incidents: dict[str, Incident] = {}
    for transition in transitions:
        match transition:
            case Raised():
                incidents[transition.alert] = Incident(transition, [], FOREVER)
            case Joined():
                incidents[transition.alert].joined.append(transition.evidence)
            case Ended():
                incidents[transition.alert].ended = transition.at
    return Replayed(pipeline.accounting, list(incidents.values()))
