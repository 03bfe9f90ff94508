"""Who stands behind a count: one person many times, many people about one matter, or many who have nothing in common.

A day's calls are looked at by who made them and about what. Only numbers leave the county's tally, never a name's hash.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PEOPLE = "people:"
"""A note begins with it: people:few_callers:50/1/50/1, the numbers those of `People`."""
MOST_OF = 0.5
"""Share of an excess that repeated callers, or matters, must account for to explain it."""

Call = tuple[str | None, str | None]
"""(caller, matter) of one intake event, each a keyed hash or nothing."""


class Crowd(StrEnum):
    """What kind of crowd an excess is. Closed."""

    FEW_CALLERS = "few_callers"
    """At least half of it are calls of people who had called that day already."""
    ONE_MATTER = "one_matter"
    """Different people; at least half of it are calls about matters that had been raised that day already."""
    UNRELATED = "unrelated"
    """Different people, each with a matter of their own."""


class People(NamedTuple):
    """What is known of the people behind some calls."""

    named: int
    """Calls that say who called."""
    callers: int
    """Different callers among them."""
    filed: int
    """Calls that say what about."""
    matters: int
    """Different matters among them."""


def people_by_signal(calls: Mapping[int, list[Call]], counted_by: NDArray[np.int64]) -> NDArray[np.int64]:
    """Shape (4, signals): People of each signal, of a day's calls by cell code; `counted_by`, shape (codes, signals),
    is 1 where a signal counts a cell."""
    codes = sorted(calls)
    listed = [call for code in codes for call in calls[code]]
    counted = counted_by[np.repeat(codes, [len(calls[code]) for code in codes])] if listed else counted_by[:0]
    return np.array(
        (*_named(counted, [caller for caller, _ in listed]), *_named(counted, [matter for _, matter in listed]))
    )


def _named(counted: NDArray[np.int64], names: Sequence[str | None]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many calls have a name, and how many different names they have: both of shape (signals,).

    `counted`, shape (calls, signals), is 1 where a signal counts a call. A day has many calls of many cells, most of
    which count in many signals: so all at once.
    """
    numbers: dict[str, int] = {}
    persons = np.array(
        [-1 if name is None else numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64
    )
    order = np.argsort(persons, kind="stable")[np.count_nonzero(persons < 0) :]
    counted = counted[order]
    if not len(order):
        return counted.sum(axis=0), counted.sum(axis=0)
    firsts = np.flatnonzero(np.diff(persons[order], prepend=-1))
    return counted.sum(axis=0), np.bitwise_or.reduceat(counted, firsts).sum(axis=0)


def together(parts: Iterable[People]) -> People:
    """Several counties' people as one: the sum, as of distinct callers."""
    totals = [sum(numbers) for numbers in zip(*parts, strict=True)]
    return People(*totals) if totals else People(0, 0, 0, 0)


def crowd_of(people: People, count: int, expected: float) -> Crowd | None:
    """What kind of crowd makes up what a count is above the expected; None where too few calls say who, or what about.

    >>> crowd_of(People(70, 21, 70, 20), 70, 20.0), crowd_of(People(50, 49, 50, 21), 50, 20.0)
    (<Crowd.FEW_CALLERS: 'few_callers'>, <Crowd.ONE_MATTER: 'one_matter'>)
    >>> crowd_of(People(70, 70, 70, 68), 70, 20.0), crowd_of(People(3, 3, 3, 3), 70, 20.0)
    (<Crowd.UNRELATED: 'unrelated'>, None)
    """
    needed = MOST_OF * (count - expected)
    if needed <= 0:
        return None
    if people.named - people.callers >= needed:
        return Crowd.FEW_CALLERS
    if people.filed - people.matters >= needed:
        return Crowd.ONE_MATTER
    # What nobody said could be anything: it must not be enough to turn the answer.
    unsaid = 2 * count - people.named - people.filed
    return Crowd.UNRELATED if unsaid < needed else None


def people_note(people: People, count: int, expected: float) -> tuple[str, ...]:
    """The note that an alert carries, or none."""
    crowd = crowd_of(people, count, expected)
    return () if crowd is None else (f"{PEOPLE}{crowd}:{'/'.join(map(str, people))}",)


def people_in(notes: Iterable[str]) -> tuple[Crowd, People] | None:
    """What a note says."""
    for note in notes:
        if note.startswith(PEOPLE):
            crowd, numbers = note.removeprefix(PEOPLE).split(":")
            return Crowd(crowd), People(*map(int, numbers.split("/")))
    return None
