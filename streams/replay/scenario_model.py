"""A scenario as it is run: every time an instant, every word a code of its profile, every default filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from streams.core.city import Size
from streams.core.instant import Duration, Instant
from streams.core.record import Reason
from streams.profile.document import Place
from streams.profile.model import Profile

Stretch = tuple[Instant, Instant]
"""First and last instant, both in it."""
Range = tuple[int, int]
"""Smallest and largest number, both in it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of events: everything of an event that has a vocabulary."""

    point: str
    category: str
    kind: str
    channel: str | None = None
    sector: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Background:
    """Steady days of one kind in one county."""

    key: tuple[int, int]
    """Tells its random numbers from others': (number in the file, number among its counties and categories)."""
    county: str
    what: Kind
    per_day: float
    spread: float
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Group:
    """Some events of one kind."""

    number: int
    """In the file, from 0."""
    name: str | None
    county: str
    what: Kind
    at: Instant
    count: int
    over: Duration
    due: Duration | None
    ticket: str | None
    caller: str | None
    matter: str | None
    delay: Duration
    """From the event to its reception; below 0 where the sender's clock runs ahead."""
    sent: int


@dataclass(frozen=True, slots=True)
class Resend:
    """Events of a group once more."""

    group: int
    at: Instant
    times: int


@dataclass(frozen=True, slots=True)
class Raw:
    """Records that may be no events."""

    at: Instant
    value: bytes
    count: int


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """An alert that must be raised; None is anything."""

    place: Place
    county: str
    family: str
    raised: Stretch
    ended: Stretch | Literal["open"] | None
    signal: str | None
    size: str | None
    shape: str | None
    """Of the evidence that raised it."""
    shows: str | None
    """Of any of its evidence."""
    direction: str | None
    severity: str | None
    count: Range | None
    joined: tuple[str, ...]
    times: int


@dataclass(frozen=True, slots=True)
class ExpectedSilence:
    """Nothing of this may be raised; None is anything."""

    place: Place
    county: str | None
    family: str | None
    signal: str | None
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class ExpectedCount:
    """What a series must have counted in the window that holds an instant."""

    place: Place
    county: str
    signal: str
    size: Size
    at: Instant
    count: Range


@dataclass(frozen=True, slots=True)
class ExpectedAccounting:
    """What must have become of the records."""

    totals: Mapping[str, tuple[Place, Range]]
    """received, counted, duplicate, late, rejected, as far as they are given."""
    reasons: Mapping[Reason, Range] | None
    """Every reason that there may be."""
    reasons_place: Place


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, ready to run."""

    file: str
    title: str
    title_en: str
    profile: Profile
    span: Stretch
    """[start, end) of event time."""
    seed: int
    tick_every: Duration
    """0: no regular ticks."""
    ticks: tuple[Instant, ...]
    background: tuple[Background, ...]
    groups: tuple[Group, ...]
    resends: tuple[Resend, ...]
    raws: tuple[Raw, ...]
    alerts: tuple[ExpectedAlert, ...]
    others_allowed: bool
    silences: tuple[ExpectedSilence, ...]
    counts: tuple[ExpectedCount, ...]
    accounting: ExpectedAccounting
    alerts_place: Place
    """Where the alerts are written, or would be."""
