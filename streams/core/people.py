"""Who stands behind a count: one person many times, many people about one matter, or many who have nothing in common.

A day's calls are looked at by who made them and about what. Only numbers leave the county's tally, never a name's hash.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

PEOPLE = "people:"
"""A note begins with it: people:few_callers:50/1/50/1, the numbers those of `People`."""
MOST_OF = 0.5
"""Share of an excess that repeated callers, or matters, must account for to explain it."""

Counted = NDArray[np.int64]
"""Shape (2, signals): calls that have a name, different names."""


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


def people_by_signal(calls: NDArray[np.int64], counted_as: NDArray[np.uint8]) -> tuple[NDArray[np.int64], int, int]:
    """(shape (4, signals): People of each signal, different callers, different matters) of some calls.

    `calls`, shape (calls, 3): caller and matter by number, 0 for none; cell code. `counted_as`, shape (codes, signals),
    is not 0 where a signal counts a cell.
    """
    people = np.zeros((4, counted_as.shape[1]), dtype=np.int64)
    callers, matters = (
        _name(calls, np.argsort(calls[:, column]), column, counted_as, people[2 * column : 2 * column + 2])
        for column in range(2)
    )
    return people, callers, matters


@compiled
def _name(
    calls: NDArray[np.int64], order: NDArray[np.int64], column: int, counted_as: NDArray[np.uint8], out: Counted
) -> int:
    """How many calls of each signal have a name, and how many different names they have; how many there are of all.
    `order`: that of the names."""
    seen = np.zeros(out.shape[1], dtype=np.int64)
    last, names = np.int64(0), 0
    for i in order:
        name, code = calls[i, column], calls[i, 2]
        if name == 0:
            continue
        names += name != last
        last = name
        for signal in range(out.shape[1]):
            if counted_as[code, signal]:
                out[0, signal] += 1
                if seen[signal] != name:
                    seen[signal] = name
                    out[1, signal] += 1
    return names


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
