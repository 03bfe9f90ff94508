"""The life of tickets in one county: what is open, since when, due when. Backlog and on-time come from here.

Steps are taken in (at, id) order when their hour closes; a late step corrects the ticket from then on.
So every part of a ticket remembers when it was last set, and an older step never undoes a newer one.
"""

from itertools import takewhile
from statistics import median

from msgspec import Struct

from streams.core.event import INTAKE_KINDS, Event
from streams.core.instant import HOUR, Duration, Instant

CLOSING_KINDS = frozenset(
    {"closed", "petition_answered", "inspection_rectified", "supervision_finished", "discipline_closed"}
)
REOPENING_KINDS = frozenset({"reopened", "petition_reviewed", "petition_rereviewed"})
OPENING_KINDS = INTAKE_KINDS - {"opinion_post"}
"""A post is heard, not filed: it opens no ticket."""
STEP_KINDS = OPENING_KINDS | CLOSING_KINDS | REOPENING_KINDS | {"extended", "opinion_post"}
"""The kinds that tickets, repeats or distinct counts depend on; all others are counted in cells alone."""


class Ticket(Struct, array_like=True, gc=False):
    """One ticket. Instants; keys are (at, id) of the step that set the field last."""

    opened: Instant
    due: Instant | None
    due_set: Instant
    status_at: Instant
    status_id: str


class Backlog(Struct, frozen=True):
    """What is open in a county as a window closes."""

    open: int
    overdue: int
    median_age_hours: float | None
    """None: nothing is open."""


class Tickets:
    """Open and recently closed tickets of one county."""

    def __init__(self) -> None:
        self.open: dict[str, Ticket] = {}
        self.done: dict[str, Ticket] = {}
        """Closed within the horizon, in the order in which their closing was taken."""

    def take(self, at: Instant, event: Event, due: Instant | None) -> bool | None:
        """Take one step; `due` is the event's own, parsed.

        True: closed on time; False: closed past its due time; None: anything else.
        """
        name = event.ticket
        if name is None:
            return None
        kind = event.kind
        if kind in OPENING_KINDS:
            self._opened(name, at, event.id, due)
        elif kind in CLOSING_KINDS:
            return self._closed(name, at, event.id)
        elif kind in REOPENING_KINDS:
            self._reopened(name, at, event.id, due)
        elif kind == "extended":
            ticket = self.open.get(name) or self.done.get(name)
            if ticket is not None:
                _set_due(ticket, at, due)
        return None

    def _opened(self, name: str, at: Instant, step: str, due: Instant | None) -> None:
        ticket = self.open.get(name) or self.done.get(name)
        if ticket is None:
            self.open[name] = Ticket(at, due, at, at, step)
            return
        ticket.opened = min(ticket.opened, at)
        if ticket.due is None:
            _set_due(ticket, at, due)

    def _closed(self, name: str, at: Instant, step: str) -> bool | None:
        ticket = self.open.get(name)
        if ticket is None:
            if name not in self.done:  # its opening is late or was before the stream began
                self.done[name] = Ticket(at, None, at, at, step)
            return None
        if (at, step) < (ticket.status_at, ticket.status_id):
            return None
        ticket.status_at, ticket.status_id = at, step
        self.done[name] = self.open.pop(name)
        return None if ticket.due is None else at <= ticket.due

    def _reopened(self, name: str, at: Instant, step: str, due: Instant | None) -> None:
        ticket = self.open.get(name)
        if ticket is None:
            ticket = self.done.get(name) or Ticket(at, None, at, at, "")
            if (at, step) < (ticket.status_at, ticket.status_id):
                return
            self.done.pop(name, None)
            self.open[name] = ticket
        ticket.status_at, ticket.status_id = max((ticket.status_at, ticket.status_id), (at, step))
        _set_due(ticket, at, due)

    def backlog(self, now: Instant) -> Backlog:
        """What is open at an instant."""
        tickets = self.open.values()
        opened = sorted([ticket.opened for ticket in tickets])
        overdue = len([due for ticket in tickets if (due := ticket.due) is not None and due < now])
        age = round((now - median(opened)) / HOUR, 3) if opened else None
        return Backlog(len(opened), overdue, age)

    def forget(self, closed_before: Instant, opened_before: Instant) -> None:
        """Drop tickets closed before one instant, and open ones not touched since another: bounded memory.

        Both are kept in the order of their last step, all but: a look at the oldest is enough.
        """
        for tickets, before in ((self.done, closed_before), (self.open, opened_before)):
            old = list(takewhile(lambda name: tickets[name].status_at < before, tickets))  # noqa: B023 - used at once
            for name in old:
                del tickets[name]


def _set_due(ticket: Ticket, at: Instant, due: Instant | None) -> None:
    if due is not None and (ticket.due is None or at >= ticket.due_set):
        ticket.due, ticket.due_set = due, at


class Repeats:
    """Who raised which matter when: a caller who raises a matter again within a span is a repeat."""

    def __init__(self, span: Duration) -> None:
        self.span = span
        self.last: dict[tuple[str, str], Instant] = {}
        """(matter, caller) -> when last, oldest first."""

    def take(self, at: Instant, caller: str, matter: str) -> bool:
        """Whether this is a repeat; steps come in (at, id) order."""
        key = (matter, caller)
        before = self.last.pop(key, None)
        self.last[key] = at
        return before is not None and at - before <= self.span

    def forget(self, before: Instant) -> None:
        """Drop what was last raised before an instant."""
        for key in list(takewhile(lambda key: self.last[key] < before, self.last)):
            del self.last[key]
