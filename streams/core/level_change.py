"""Since when a level has changed, and what else changed with it: read off the last windows of a county's series.

What one category gains for good, another may have lost: then matters may only have been filed elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from streams.core.city import City, Direction, Size
from streams.core.instant import Instant

LEAST_BEFORE = 4
"""Windows of the old level that a change is told from."""
LEAST_AFTER = {Size.HOUR: 24, Size.DAY: 7, Size.WEEK: 2}
"""Windows that a new level has lasted at least: one that lasts is not a window's own."""
COMPARABLE = 3.0
"""Another category's change is comparable from a third to three times the size."""
PLAIN = 2.0
"""And plain when it is at least so many standard errors."""

SINCE = "since:"
"""Note of evidence: `since:<instant>`, the start of the first window of the new level."""
RECLASSIFICATION = "possible_reclassification:"
"""Note of evidence: `possible_reclassification:<category>`, or the signal's name where it has several."""


class Change(NamedTuple):
    """Mean counts per window before and from the change on, which began `windows` windows ago, this one included."""

    windows: int
    before: float
    after: float

    @property
    def size(self) -> float:
        """Counts per window gained (or, below 0, lost)."""
        return self.after - self.before


def change_at(counts: Sequence[int], windows: int) -> Change:
    """The change between the last `windows` counts and those before them."""
    old, new = counts[:-windows], counts[-windows:]
    return Change(windows, sum(old) / len(old), sum(new) / len(new))


def change_point(counts: Sequence[int], side: Direction, least: int) -> Change | None:
    """The split of a series into an old and a new level on a side that fits best by least squares, the new one
    of at least `least` windows; None where it is too short, or nowhere on that side. Of equal ones the
    shortest new level.

    >>> change_point([5, 4, 6, 5, 5, 11, 9, 10], Direction.HIGH, 2)
    Change(windows=3, before=5.0, after=10.0)
    """
    sign = 1 if side is Direction.HIGH else -1
    best: tuple[float, Change] | None = None
    for windows in range(least, len(counts) - LEAST_BEFORE + 1):
        change = change_at(counts, windows)
        explained = change.size * change.size * windows * (len(counts) - windows)
        if sign * change.size > 0 and (best is None or explained > best[0]):
            best = (explained, change)
    return None if best is None else best[1]


def is_plain(counts: Sequence[int], change: Change) -> bool:
    """Whether the change is at least PLAIN standard errors, by the spread within both levels."""
    old, new = counts[: -change.windows], counts[-change.windows :]
    squares = sum((x - change.before) ** 2 for x in old) + sum((x - change.after) ** 2 for x in new)
    variance = squares / max(1, len(counts) - 2)
    return change.size * change.size >= PLAIN * PLAIN * variance * (1 / len(old) + 1 / len(new))


def since(start: Instant) -> str:
    """The note of when the new level began."""
    return f"{SINCE}{start}"


def reclassification(city: City, signal: int, change: Change, series: Mapping[int, Sequence[int]]) -> tuple[str, ...]:
    """The note that names the category that plainly changed the opposite way at the same time, by a comparable
    number; () for none. Of several the one that fits best.

    `series`: signal -> its counts in the same windows and the same county, this one last. Signals that count
    some of the same categories are left out, and compartmented ones: the note is for everyone.
    """
    own = city.signals[signal]
    mine = own.where.get("category", frozenset())
    fits: list[tuple[float, int]] = []
    for i, counts in sorted(series.items()):
        other = city.signals[i]
        theirs = other.where.get("category", frozenset())
        if not mine or not theirs or theirs & mine or other.measure is not own.measure or other.compartmented:
            continue
        if len(counts) - change.windows < LEAST_BEFORE:
            continue
        opposite = change_at(counts, change.windows)
        if opposite.size * change.size >= 0 or not is_plain(counts, opposite):
            continue
        ratio = max(abs(opposite.size / change.size), abs(change.size / opposite.size))
        if ratio <= COMPARABLE:
            fits.append((ratio, i))
    if not fits:
        return ()
    best = city.signals[min(fits)[1]]
    categories = sorted(best.where["category"])
    return (f"{RECLASSIFICATION}{categories[0] if len(categories) == 1 else best.name}",)
