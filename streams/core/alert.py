"""Alerts as the judge makes them: raised with frozen evidence, joined by more of it, ended. Plain data.

People's part of an alert's life (acknowledged, disposed, discarded, resolved) is the ledger's, not here.
"""

from enum import StrEnum

from msgspec import Struct

from streams.core.instant import Instant


class Severity(StrEnum):
    """How loudly staff are paged."""

    CRITICAL = "critical"
    """Threats to life, and counts whose p is at or below a hundredth of the level."""
    WARNING = "warning"


class Shape(StrEnum):
    """What kind of incident the evidence speaks for."""

    BURST = "burst"
    SHIFT = "shift"
    """A level change that lasts."""
    DROUGHT = "drought"
    SILENT_FEED = "silent_feed"
    """Nothing at all came in, from anywhere: the feed itself is suspected."""
    CLUSTER = "cluster"
    """Neighbouring counties that are high together."""
    RULE = "rule"
    """At or above a limit that the profile sets: no statistics, outside the budget."""
    RATE = "rate"
    """A share of a whole that fell or rose: fewer satisfied of those called back."""
    ALWAYS_PAGE = "always_page"


class Evidence(Struct, frozen=True):
    """One series' case for an alert, frozen as known at `known_at`."""

    signal: str
    size: str
    detector: str
    detector_version: str
    profile_version: str
    window_start: Instant
    window_end: Instant
    known_at: Instant
    """Window end + allowed lateness, event time."""
    shape: Shape
    direction: str
    """high or low: the side that the count fell on."""
    count: int
    expected: float | None
    low: float | None
    high: float | None
    p: float | None
    level: float | None
    """What this test was allowed to spend of the budget; None for an always-page event."""
    history: tuple[int, ...]
    """The windows of the series before this one, oldest first."""
    calendar: tuple[str, ...]
    """What the calendar said of the day."""
    by_category: tuple[tuple[str, int], ...]
    by_point: tuple[tuple[str, int], ...]
    notes: tuple[str, ...] = ()
    """Message ids that the sentence takes up, for example possible_reclassification:other."""
    ticket: str | None = None
    """An always-page event's ticket (keyed hash)."""
    county: str = ""
    """Whose series it is, where that is not the alert's own county: the city's, joining a county's alert."""
    whole: int | None = None
    """What `count` is a part of, where the signal is a share: so many call-backs."""
    exposure: float | None = None
    """What `count` is out of, where the signal has an offset: so many residents, or requests."""


class Raised(Struct, frozen=True, tag="raised"):
    """An alert begins. `evidence` never changes."""

    alert: str
    """Alert id: deterministic, from city, county, family and what raised it."""
    at: Instant
    """raised_at: window end + allowed lateness; an always-page event's own time. Event time."""
    county: str
    family: str
    severity: Severity
    evidence: Evidence


class Joined(Struct, frozen=True, tag="joined"):
    """Another series' evidence joins an open alert: appended, the first evidence stands."""

    alert: str
    at: Instant
    evidence: Evidence


class Ended(Struct, frozen=True, tag="ended"):
    """What raised the alert is over (hysteresis passed)."""

    alert: str
    at: Instant
    joined: tuple[tuple[str, str, str], ...]
    """(signal, size, shape) of the evidence that joined while it was open, sorted."""


Transition = Raised | Joined | Ended
