"""A guard band before the present: a window is learned only once it is some windows old.

What builds up slowly would else teach the baseline to expect it, and what a window was part of is better known once
what came after it has been seen. Until then it is held back: its count and calendar class beside the series' row, its
slot of the calendar, which all series share, in the bank's ring. The row stands before the oldest window held back, so
it forecasts as far ahead as there are, with the variance that the level gains on the way.

A young series is learned at once, since it needs every window; its guard fills afterwards, and until it is full nothing
is learned. Once what leaves the guard says that the level has moved, all that is held back is of the new level: it is
learned at once, and the guard fills again.

Guard bands in surveillance of counts: Farrington, Andrews, Beale and Catchpole, "A statistical algorithm for the early
detection of outbreaks of infectious disease", JRSS A 159 (1996); Noufaily et al., Stat Med 32 (2013), with 26 weeks.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.baseline import learn_window, step_time
from detectors.compiled import inlined
from detectors.observation import Counts, Floats, Slot
from detectors.row import (
    GUARD,
    PARTS,
    SEEN,
    WARM_UP,
    WINDOWS_PER_WEEK,
    Rows,
    Settings,
    annual_waves,
    fresh_rows,
    row_length,
    slot_place,
)
from detectors.slots import centre_slots
from detectors.special_days import classes_of

PLACE, LENGTH, WEEK_ENDS, WAVES = 0, 1, 2, 3
"""In a row of the ring, shape (guard, SLOT): where the slot's pair lies, the window's length, whether its week ends
with it, and the waves of its season."""
SLOT = WAVES + PARTS
BEHIND, HELD = 0, 1
"""Beside each series' row: how many windows are held back, and from HELD on their counts, their classes and their
exposures; count and class of hours and days, which lie on two dates at most, are one number, with the class in its last
CLASS_BITS."""
CLASS_BITS = 9
OPENS = 2.5
"""How many warm-ups a series must have been observed for before windows of it are held back."""
MOST = 10**10
"""No count is taken for more."""


@inlined
def kept(held: Floats, place: int, settings: Floats) -> tuple[int, int]:
    """(count, class) of the window that lies at a place."""
    if settings[WINDOWS_PER_WEEK] == 1.0:
        return int(held[HELD + place]), int(held[HELD + int(settings[GUARD]) + 1 + place])
    both = int(held[HELD + place])
    return both >> CLASS_BITS, both & ((1 << CLASS_BITS) - 1)


@inlined
def _exposures(settings: Floats) -> int:
    """Where the exposures of the windows held back begin."""
    places = int(settings[GUARD]) + 1
    return HELD + (2 * places if settings[WINDOWS_PER_WEEK] == 1.0 else places)


@inlined
def _keep(held: Floats, place: int, count: int, day_class: int, exposure: float, settings: Floats) -> None:
    held[_exposures(settings) + place] = exposure
    if settings[WINDOWS_PER_WEEK] == 1.0:
        held[HELD + place], held[HELD + int(settings[GUARD]) + 1 + place] = float(count), float(day_class)
    else:
        held[HELD + place] = float((min(count, MOST) << CLASS_BITS) + day_class)


@inlined
def pass_window(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    row: Floats,
    held: Floats,
    ring: Rows,
    at: int,
    count: int,
    day_class: int,
    exposure: float,
    settings: Floats,
    work: Rows,
) -> None:
    """One window of one series is over: hold it back at the place `at`, where the ring has its slot, and learn the one
    whose turn it is, if any. A count out of an exposure of 0 teaches nothing but time. `work`, shape (2, PARTS), is
    nobody's."""
    places, per_week = ring.shape[0], int(settings[WINDOWS_PER_WEEK])
    _keep(held, at, count, day_class, exposure, settings)
    place, left = at, 1
    if row[SEEN] >= OPENS * settings[WARM_UP]:
        if held[BEHIND] < places - 1:
            held[BEHIND] += 1.0
            return
        place = (at + 1) % places
    while left > 0:  # one call of what learns: it is large, and becomes part of the loop where there is but one
        count, day_class = kept(held, place, settings)
        then, moved, exposure = ring[place], False, held[_exposures(settings) + place]
        if count >= 0 and exposure > 0.0:
            x, where, length = min(count, MOST), int(then[PLACE]), then[LENGTH]
            moved = learn_window(row, x, then[WAVES:], where, day_class, length, exposure, settings, work)
        if then[WEEK_ENDS] > 0.0 and per_week > 1:
            centre_slots(row, per_week)
        step_time(row, per_week, settings)
        left -= 1
        if moved and held[BEHIND] > 0.0:
            held[BEHIND] = 0.0
            left = places - 1
        place = (place + 1) % places


@dataclass(slots=True)
class GuardedRows:
    """Rows of a bank with what is held back of them."""

    rows: Rows
    held: Rows
    """Shape (series, 1 + 2 (guard + 1)), of weeks (series, 1 + 3 (guard + 1))."""
    ring: Rows
    """Shape (guard + 1, SLOT)."""
    turn: Floats
    """Shape (1,): the place in the ring whose turn is next."""

    @classmethod
    def fresh(cls, series: int, settings: Settings) -> Self:
        """Of series that have seen nothing."""
        shapes = cls.shapes(settings, series)
        rows = fresh_rows(series, settings.windows_per_week)
        return cls(rows, *(np.zeros(shape) for shape in shapes[1:]))

    @staticmethod
    def shapes(settings: Settings, series: int) -> list[tuple[int, ...]]:
        """Of its arrays."""
        guard, size = settings.guard, settings.windows_per_week
        held = HELD + (3 if size == 1 else 2) * (guard + 1)
        return [(series, row_length(size)), (series, held), (guard + 1, SLOT), (1,)]

    def arrays(self) -> tuple[Floats, ...]:
        """All of it."""
        return self.rows, self.held, self.ring, self.turn

    def opened(self, now: Floats) -> int:
        """The place that the window of a slot, which is over, takes in the ring."""
        at = int(self.turn[0])
        self.ring[at] = now
        self.turn[0] = (at + 1) % len(self.ring)
        return at

    def copy(self) -> Self:
        """The same, apart."""
        return type(self)(*(part.copy() for part in self.arrays()))


def slot_parts(now: Floats) -> tuple[Floats, int, float]:
    """(waves, where the slot's pair lies, length) of a row of the ring; the waves are the caller's, who says in the
    second of them how many windows a forecast looks over."""
    return now[WAVES:].copy(), int(now[PLACE]), float(now[LENGTH])


def slot_numbers(slot: Slot, windows_per_week: int) -> tuple[Floats, Counts]:
    """(the window's row of the ring, calendar classes of the series), for compiled functions."""
    week_ends = slot.index % windows_per_week == windows_per_week - 1
    place = slot_place(slot.hour_of_week, windows_per_week)
    return np.array([place, slot.length, week_ends, *annual_waves(slot.year_phase)]), classes_of(slot)
