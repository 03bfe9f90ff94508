"""The life of tickets: what is open, since when, due when. Backlog and on-time come from here; repeats too.

Steps are taken in (at, id) order when their hour closes; a late step corrects the ticket from then on.
So every part of a ticket remembers which step set it last, and an older step never undoes a newer one: once
a ticket is known, its late steps lead where they would have led in order. An extension of a ticket that
nobody has heard of is dropped; a closing or reopening of one is not.

Tickets of all counties lie in flat arrays (keyed.py), texts in them are numbers (names.py), and compiled code takes
their steps; tests/core/plain_tickets.py says the same in dicts, and is held against it.
"""

from enum import IntEnum

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from streams.core import names
from streams.core.columns import NONE
from streams.core.event import INTAKE_KINDS
from streams.core.instant import HOUR, Instant
from streams.core.keyed import FIELDS, FIRST, LENGTH, LIST, NEXT, Keyed, Table, add, find, touch
from streams.core.names import NOTHING, comes_before

CLOSING_KINDS = frozenset(
    {"closed", "petition_answered", "inspection_rectified", "supervision_finished", "discipline_closed"}
)
REOPENING_KINDS = frozenset({"reopened", "petition_reviewed", "petition_rereviewed"})
OPENING_KINDS = INTAKE_KINDS - {"opinion_post"}
"""A post is heard, not filed: it opens no ticket."""
STEP_KINDS = OPENING_KINDS | CLOSING_KINDS | REOPENING_KINDS | {"extended", "opinion_post"}
"""The kinds that tickets, repeats or distinct counts depend on; all others are counted in cells alone."""


class Role(IntEnum):
    """What a kind of event does to its ticket."""

    NONE = 0
    OPENING = 1
    CLOSING = 2
    REOPENING = 3
    EXTENSION = 4


_OPENING, _CLOSING, _REOPENING, _EXTENSION = (int(role) for role in Role if role)


def role_of(kind: str) -> Role:
    """What events of a kind do to their tickets."""
    if kind in OPENING_KINDS:
        return Role.OPENING
    if kind in CLOSING_KINDS:
        return Role.CLOSING
    if kind in REOPENING_KINDS:
        return Role.REOPENING
    return Role.EXTENSION if kind == "extended" else Role.NONE


OPENED, DUE, DUE_AT, DUE_ID, STATUS_AT, STATUS_ID = range(FIELDS, FIELDS + 6)
"""Columns of a ticket. OPENED: the earliest opening, closing or reopening heard of. DUE_AT, DUE_ID: (at, id) of the
extension or reopening that set the due time last; id NOTHING: it is the earliest opening's. STATUS_AT, STATUS_ID: those
of the last closing or reopening; id NOTHING: there was none, only an opening."""
OPEN, DONE = range(2)
"""A county's lists of tickets: what is open, in the order in which it was opened or reopened; what was closed within
the horizon, in the order in which its closing was taken."""
AT = FIELDS
"""The column of a repeat: when it was last raised. Its key is (matter, caller)."""

LATE, ON_TIME, NEITHER = range(3)
"""What a step says: closed past its due time; by it; anything else."""


class Backlog(Struct, frozen=True):
    """What is open in a county as a window closes."""

    open: int
    overdue: int
    median_age_hours: float | None
    """None: nothing is open."""


def tickets_of(counties: int) -> Keyed:
    """The tickets of some counties."""
    return Keyed(counties, 2, 6)


def repeats_of(counties: int) -> Keyed:
    """Who raised which matter when in some counties: a caller who raises a matter again within a span is a repeat."""
    return Keyed(counties, 1, 1)


@inlined
def take_step(
    tickets: Table, texts: names.Table, county: int, at: int, role: int, name: int, step: int, due: int
) -> int:
    """Take one step of the ticket `name`; `step` is the event's id, `due` its due time. There must be room for it."""
    if name == NOTHING or role == 0:
        return NEITHER
    row = find(tickets, name, 0, county)
    if row < 0 and role == _EXTENSION:
        return NEITHER
    is_new = row < 0
    if is_new:
        row = add(tickets, name, 0, 2 * county + (DONE if role == _CLOSING else OPEN))
        known = tickets.rows[row]
        known[OPENED], known[DUE_AT], known[STATUS_AT] = at, at, at
        known[DUE] = due if role == _OPENING else NONE
        if role == _OPENING:
            return NEITHER
    known = tickets.rows[row]
    if role == _OPENING:
        known[OPENED] = min(known[OPENED], at)
        sooner = at < known[DUE_AT] or (at == known[DUE_AT] and due < known[DUE])
        if due != NONE and (known[DUE] == NONE or (known[DUE_ID] == NOTHING and sooner)):
            known[DUE], known[DUE_AT], known[DUE_ID] = due, at, NOTHING
        return NEITHER
    if role != _CLOSING and due != NONE:
        newer = not _is_before(texts, at, step, known[DUE_AT], known[DUE_ID])
        if known[DUE] == NONE or newer or known[DUE_ID] == NOTHING:
            known[DUE], known[DUE_AT], known[DUE_ID] = due, at, step
    if role == _EXTENSION:
        return NEITHER
    known[OPENED] = min(known[OPENED], at)
    if known[STATUS_ID] != NOTHING and _is_before(texts, at, step, known[STATUS_AT], known[STATUS_ID]):
        return NEITHER
    was_open = not is_new and known[LIST] & 1 == OPEN
    known[STATUS_AT], known[STATUS_ID] = at, step
    touch(tickets, row, 2 * county + (DONE if role == _CLOSING else OPEN))
    if role == _REOPENING or not was_open or known[DUE] == NONE:
        return NEITHER
    return ON_TIME if at <= known[DUE] else LATE


@inlined
def _is_before(texts: names.Table, at: int, step: int, other_at: int, other: int) -> bool:
    return at < other_at or (at == other_at and comes_before(texts, step, other))


@inlined
def is_repeat(repeats: Table, county: int, at: int, caller: int, matter: int, span: int) -> bool:
    """Whether a caller raised a matter within the span before; steps come in (at, id) order."""
    row = find(repeats, matter, caller, county)
    if row < 0:
        row = add(repeats, matter, caller, county)
        repeats.rows[row, AT] = at
        return False
    before = repeats.rows[row, AT]
    repeats.rows[row, AT] = at
    touch(repeats, row, county)
    return bool(at - before <= span)


@compiled
def _backlog(tickets: Table, county: int, now: int, opened: NDArray[np.int64]) -> int:
    """When each open ticket was opened; returns how many are overdue."""
    row, overdue = tickets.lists[2 * county + OPEN, FIRST], 0
    for i in range(opened.size):
        opened[i] = tickets.rows[row, OPENED]
        due = tickets.rows[row, DUE]
        overdue += due != NONE and due < now
        row = tickets.rows[row, NEXT]
    return overdue


def backlog_of(tickets: Keyed, county: int, now: Instant) -> Backlog:
    """What a county has open at an instant."""
    opened = np.empty(int(tickets.table.lists[2 * county + OPEN, LENGTH]), dtype=np.int64)
    overdue = _backlog(tickets.table, county, now, opened)
    if not len(opened):
        return Backlog(0, 0, None)
    lower, upper = (len(opened) - 1) // 2, len(opened) // 2
    middle = np.partition(opened, (lower, upper))
    median = (int(middle[lower]) + int(middle[upper])) / 2
    return Backlog(len(opened), overdue, round((now - median) / HOUR, 3))


def forget(tickets: Keyed, county: int, closed_before: Instant, opened_before: Instant) -> None:
    """Drop tickets closed before one instant, and open ones not touched since another: bounded memory.

    Both are kept in the order in which their last steps were taken: a look at the oldest is enough. What a late
    step put behind newer ones goes with them.
    """
    tickets.forget(2 * county + DONE, STATUS_AT, closed_before)
    tickets.forget(2 * county + OPEN, STATUS_AT, opened_before)
