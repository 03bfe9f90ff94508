"""What the three steps know of a city: plain frozen data, compiled from a profile.

The core never reads a profile; `streams.profile` validates the YAML and builds a `City`. Order matters:
the order of `counties` and `signals` here is the order of every vector and of the alert log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, tzinfo
from enum import StrEnum
from typing import Protocol

from streams.core.instant import DAY, Duration


class Size(StrEnum):
    """Window sizes, shortest first: the order in which one window end is judged."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Direction(StrEnum):
    """Which departures from the expected a signal alerts on."""

    HIGH = "high"
    LOW = "low"
    BOTH = "both"


class Measure(StrEnum):
    """What a signal measures of the events that its filter matches, per window."""

    EVENTS = "events"
    """Number of events: additive over cells, hours and (for the city as a whole) counties."""
    DISTINCT_CALLERS = "distinct_callers"
    """Number of different callers: a union of sets; the city's value is the sum of its counties'."""
    DISTINCT_MATTERS = "distinct_matters"
    """Number of different matters, likewise."""
    REPEATS = "repeats"
    """Events whose caller had raised the same matter before, within the profile's repeat span."""
    DUE = "due"
    """Tickets closed that had a due date."""
    ON_TIME = "on_time"
    """Of these, the ones closed by then."""
    BACKLOG = "backlog"
    """Tickets open as the window closes; none before the county's first closing: a source may tell of none."""
    OVERDUE = "overdue"
    """Of these, the ones past their due date."""
    BACKLOG_AGE = "backlog_age"
    """Median age of the open tickets as the window closes, whole hours, rounded down."""


STANDING = frozenset({Measure.BACKLOG, Measure.OVERDUE, Measure.BACKLOG_AGE})
"""Measures of how a county stands as a day or a week closes, whatever came in meanwhile."""
BREAK: Duration = 28 * DAY
"""How long after a break the old level says nothing and the new one is learned."""
FILTER_FIELDS = ("point", "category", "kind", "channel", "sector", "outcome")
"""The event fields that a signal's filter may name; with the county they make up a cell."""


@dataclass(frozen=True, slots=True)
class County:
    code: str
    name: str
    """As staff write it, for example 市中区."""
    name_en: str
    population: int | None = None
    neighbours: tuple[str, ...] = ()
    residents_by_year: tuple[tuple[int, int], ...] = ()
    """(first year, residents from then on), ascending: what an offset goes by; none: by `population`."""


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    name: str
    name_en: str
    family: str
    """Alerts are keyed by county and category family."""
    always_page: bool = False
    """An accepted event of it is a page of its own at once, outside the budget (threats to life)."""
    compartmented: bool = False
    """Accusation material: the county it is about must not learn that it exists (law 6)."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A named measure of events: filter + measure + window sizes + direction + minimum count."""

    name: str
    title: str
    title_en: str
    family: str
    """The category family that its alerts are keyed by, with the county."""
    measure: Measure
    where: Mapping[str, frozenset[str]]
    """Field of FILTER_FIELDS -> values that match; a field left out matches everything."""
    sizes: tuple[Size, ...]
    direction: Direction
    minimum_count: int
    """Fewer than this never pages on the high side; expecting fewer never pages on the low side."""
    weight: float = 1.0
    """Share of the page budget, relative to the other signals."""
    detectors: tuple[str, ...] = ("counts",)
    """Names in detectors.registry, of all its window sizes together; each is a test of its own in the budget."""
    citywide: bool = False
    """Also judged as one more series for the whole city (the sum over its counties)."""
    compartmented: bool = False
    of: str | None = None
    """The signal that counts what this one is a part of: then its share is judged, not its count (`rates`)."""
    threshold: int | None = None
    """From this count on a rule holds (`rules`)."""
    breaks: tuple[date, ...] = ()
    """Days on which what it counts was filed anew (a category split in two): for `BREAK` after them nothing is news."""
    per_residents: int | None = None
    """The threshold is for so many residents; None: for a county, whatever its size."""
    by_size: Mapping[Size, tuple[str, ...]] = field(default_factory=dict)
    """Which of its detectors look at windows of a size; at a size that is not in it all do."""
    offset: str | None = None
    """What it is counted out of, `population` or another signal: as many times as much is expected."""

    def detectors_at(self, size: Size) -> tuple[str, ...]:
        """The detectors of one window size; () where the signal has no such windows."""
        if size not in self.sizes:
            return ()
        return tuple(name for name in self.by_size.get(size, self.detectors) if name in self.detectors)


class Calendar(Protocol):
    """The profile's calendar, as pure look-ups. A class is a small integer, 0 = an ordinary workday."""

    def day_class(self, county: str, day: date) -> int:
        """Calendar class of a reporting day in a county; equal classes are expected to behave alike."""

    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by number: for evidence and explanations."""

    def facts(self, county: str, day: date) -> tuple[str, ...]:
        """What the calendar says of the day, in words (国庆节, 调休上班, ...); () for nothing."""


@dataclass(frozen=True)
class City:
    """Everything that tally, score and judge know of a city."""

    name: str
    """The profile's name, for example leshan."""
    code: str
    """The pseudo-county of whole-city series, for example 511100."""
    title: str
    title_en: str
    profile_version: str
    """Digest of the profile's data: frozen into evidence."""
    zone: tzinfo
    day_start: time
    """Local clock time at which the reporting day starts; weeks start with a Monday's reporting day."""
    allowed_lateness: Duration
    dedup_horizon: Duration
    ticket_retention: Duration
    """A ticket still open after this long leaves the backlog; a closed one is forgotten after the horizon."""
    repeat_span: Duration
    """A caller who raises a matter again within it is a repeat."""
    budget_per_week: float
    """False pages that the city accepts per 7 days."""
    privacy_k: int
    counties: tuple[County, ...]
    points: Mapping[str, str]
    """Code -> name, likewise sectors and channels; English names are the profile's."""
    sectors: Mapping[str, str]
    channels: Mapping[str, str]
    categories: tuple[Category, ...]
    signals: tuple[Signal, ...]
    calendar: Calendar
    drought_witnesses: tuple[str, ...] = ()
    """Signals that corroborate a drought of their county by being high: people who no longer reach one point turn up
    at another."""
    size_weights: Mapping[Size, float] = field(default_factory=lambda: {Size.HOUR: 1.0, Size.DAY: 1.0, Size.WEEK: 1.0})
