"""What the steps hand on: closed windows, scored windows, alerts. Plain data, serialisable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detectors.observation import Scores
from streams.core.city import Size
from streams.core.instant import Instant

if TYPE_CHECKING:  # its tables are compiled; who only reads a ledger does not wait for the compiler
    from streams.core.cells import CellCounts


@dataclass(frozen=True, slots=True)
class ClosedWindow:
    """tally -> score: what one county counted in one closed window, all signals at once."""

    county: str
    size: Size
    start: Instant
    end: Instant
    counts: NDArray[np.int64]
    """Shape (signals,), in the order of City.signals; -1 where the signal has no such window size."""
    cells: "CellCounts"
    """The cells behind the counts: for evidence."""
    metrics: "CountyMetrics | None" = None
    """Running metrics as this window closed (day and week windows; None for hours)."""
    people: NDArray[np.int64] | None = None
    """Shape (4, signals): `people.People` of every signal that counts what comes in (day windows; None for others)."""


@dataclass(frozen=True, slots=True)
class CountyMetrics:
    """Running metrics of one county over one closed window. A rate of 0/0 is None: no data."""

    volume: int
    by_point: Mapping[str, int]
    by_category: Mapping[str, int]
    by_sector: Mapping[str, int]
    by_kind: Mapping[str, int]
    backlog: int
    """Tickets open as the window closed."""
    backlog_age_hours: float | None
    """Median age of the open tickets, hours."""
    overdue: int
    closed: int
    on_time: int
    on_time_rate: float | None
    valid_callbacks: int
    response_rate: float | None
    solution_rate: float | None
    satisfaction_rate: float | None
    repeats: int
    distinct_callers: int
    distinct_matters: int
    late: int


@dataclass(frozen=True, slots=True)
class SeriesDetail:
    """What only a series near an alert carries along: the makings of its evidence."""

    history: tuple[int, ...]
    """The last windows of the series before this one, oldest first, as known now."""
    by_category: tuple[tuple[str, int], ...]
    """Top contributing categories, largest first, then by code."""
    by_point: tuple[tuple[str, int], ...]
    people: tuple[int, int, int, int] | None = None
    """`people.People` behind the count; None where nobody looked (hours, weeks)."""
    heartbeat: int | None = None
    """Events of every kind that the signal's points sent in this window, of these counties; None: not known."""
    silent: tuple[str, ...] = ()
    """Points that sent nothing of any kind in this window, of these counties, though they are never silent so long."""


@dataclass(frozen=True, slots=True)
class AlwaysPage:
    """tally -> judge: an event of an always-page category, passed on at once, late or not."""

    event: str
    """Event id."""
    ticket: str | None
    at: Instant
    county: str
    category: str
    point: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A late event: what it would have added to a closed window, appended; the window stands."""

    event: str
    """Event id: the correction's own identity."""
    county: str
    at: Instant
    window_start: Instant
    window_end: Instant
    """The hour that it belonged to."""
    signals: tuple[str, ...]
    """The series of the county that it is missing from."""


@dataclass(frozen=True, slots=True)
class Accounting:
    """received = counted + duplicate + late + rejected, always (ticks aside)."""

    received: int = 0
    counted: int = 0
    duplicate: int = 0
    late: int = 0
    rejected: int = 0
    windows_closed: int = 0

    def plus(
        self, received: int, counted: int, duplicate: int, late: int, rejected: int, windows_closed: int
    ) -> "Accounting":
        """These totals with more records accounted for."""
        return Accounting(
            self.received + received,
            self.counted + counted,
            self.duplicate + duplicate,
            self.late + late,
            self.rejected + rejected,
            self.windows_closed + windows_closed,
        )

    def balanced(self) -> bool:
        """Whether every record received has exactly one verdict."""
        return self.received == self.counted + self.duplicate + self.late + self.rejected


@dataclass(frozen=True, slots=True)
class ScoredWindow:
    """score -> judge: one window end and size, all signals, all counties (and the city as a whole).

    Vectors are laid out signal-major over `signals` x `series`, where series are City.counties in their
    order followed by the city as a whole; a combination that is not judged has reason NOT_JUDGED.
    """

    size: Size
    start: Instant
    end: Instant
    counts: NDArray[np.int64]
    """Shape (signals, counties + 1); -1 where the signal has no such window size."""
    scores: Mapping[str, Scores]
    """Detector name -> scores, arrays of shape (signals, counties + 1)."""
    details: Mapping[tuple[int, int], SeriesDetail]
    """(signal, series) -> detail, for every series whose p is at or below the largest level."""
