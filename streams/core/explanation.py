"""What an answer of `explain` says: what became of a window, and of every test of it."""

from enum import StrEnum

from msgspec import Struct

from streams.core.city import Direction, Size
from streams.core.instant import Instant


class Why(StrEnum):
    """What became of a window of a series, or of one test of it. Closed."""

    RAISED = "raised"
    """It raised an alert."""
    JOINED = "joined"
    """Its evidence joined an alert that was open."""
    CONTINUED = "continued"
    """A verdict, or near one, that said nothing new: it kept an open alert open."""
    EXPLAINED = "explained"
    """A verdict that another alert accounts for: the same incident seen again, elsewhere or in a longer window."""
    NOT_CORROBORATED = "not_corroborated"
    """Too few, but nothing else was low with it."""
    PAST = "past"
    """A verdict on the last windows together, but this one is no higher than expected: they were asked before."""
    CALENDAR = "calendar"
    """Too few, but on a day that the calendar says something of: a holiday is no drought."""
    VERDICT = "verdict"
    """Of a test alone: p is at or below its level and no guard stands against it."""
    BREAK = "break"
    """A verdict, but what the signal counts was filed anew shortly before: old and new do not compare."""
    NEWCOMER = "newcomer"
    """Too many in the whole city, but half of them or more from a county that has only begun to send."""
    BELOW_LIMIT = "below_limit"
    """A rule's signal, below the limit that the profile sets."""
    MINIMUM_COUNT = "minimum_count"
    """Improbable enough, but below the signal's minimum count (on the low side: too few were expected)."""
    DIRECTION = "direction"
    """Improbable, but on the side that the signal does not look at."""
    OTHER_CLUSTER = "other_cluster"
    """Neighbours that are improbable enough together, but some of them more so with others: that cluster is told."""
    ABOVE_LEVEL = "above_level"
    """Not improbable enough for what this test may spend of the budget."""
    WARMING_UP = "warming_up"
    SILENT_FEED = "silent_feed"
    """Nothing came while an alert said that the feed behind it is dead: nothing more is known of this window."""
    NOT_HEARD = "not_heard"
    """Nothing has ever come from the county, of any kind: its zeros are none, and warming up has not begun."""
    MISSING = "missing"
    """No count: the window was not observed, or there was no whole to have a share of."""
    NO_EXPOSURE = "no_exposure"
    """There was nothing for it to be counted out of, or how much is not known: nothing is expected."""
    NOT_TESTED = "not_tested"
    """The signal is not tested at this window size, or not for the city as a whole."""
    NOT_CLOSED = "not_closed"
    """No such window is stored: not closed yet, before the stream began, or gone by retention."""


class Test(Struct, frozen=True):
    """One detector on one side."""

    __test__ = False  # not pytest's

    detector: str
    side: Direction
    why: Why
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    level: float | None = None
    """0: this side is not tested, then the level that it would have had is not known either."""
    turning_count: int | None = None
    """The smallest count that would have paged; on the low side the largest. None: no count would have, or
    the detector has no count distribution to tell from."""
    tells_counts: bool = False
    """Whether the detector has one."""
    cluster: "Together | None" = None
    """Of the scan's test: what all figures are about. None where no neighbours are above what was expected."""


class Together(Struct, frozen=True):
    """A cluster that a county is part of, as a day ended."""

    counties: tuple[str, ...]
    days: int
    """That it has lasted, the last one the window asked about."""
    count: int
    """Of all of them; a county that has an alert of its own with no more than was expected there."""
    instead: tuple[str, ...] = ()
    """The counties of the more unlikely cluster that was told instead of this one, as they overlap."""


class Explanation(Struct, frozen=True):
    """The answer for one series in one window."""

    county: str
    signal: str
    size: Size
    window_start: Instant
    window_end: Instant
    known_at: Instant
    why: Why
    count: int | None
    minimum_count: int
    direction: Direction
    tests: tuple[Test, ...]
    """The test that decided first."""
    calendar: tuple[str, ...]
    alert: str | None
    """The alert that it raised, joined, kept open, or that explains it."""
    budget_per_week: float
    spent: float | None
    """What all tests spent in the 7 days up to this window's end; None where that is not known any more."""
    whole: int | None = None
    """What `count` is a part of, where the signal is a share."""
    kept: tuple[Instant, Instant] | None = None
    """From when to when windows of this size are stored; None: not known, or none are."""
    exposure: float | None = None
    """What `count` is out of, where the signal has an offset."""

    @property
    def left(self) -> float | None:
        """What was left of the budget."""
        return None if self.spent is None else max(0.0, self.budget_per_week - self.spent)


PAGED = (Why.RAISED, Why.JOINED, Why.CONTINUED, Why.EXPLAINED, Why.SILENT_FEED)
"""What became of windows that are part of an alert."""
