"""The life of tickets and the repeats of callers as dicts of records: the rules that streams/core/tickets.py follows
in flat arrays, said once more as plainly as they can be, to be held against it. Benchmarks that need no speed use it.
"""

from statistics import median

from msgspec import Struct

from streams.core.instant import HOUR, Duration, Instant
from streams.core.tickets import Backlog, Role


class Ticket(Struct, array_like=True, gc=False):
    """One ticket."""

    opened: Instant
    """The earliest opening, closing or reopening heard of."""
    due: Instant | None
    due_at: Instant
    due_id: str
    """(at, id) of the extension or reopening that set the due time last; id "": it is the earliest opening's."""
    status_at: Instant
    status_id: str
    """(at, id) of the last closing or reopening; id "": there was none, only an opening."""


class Tickets:
    """Open and recently closed tickets of one county."""

    def __init__(self) -> None:
        self.open: dict[str, Ticket] = {}
        self.done: dict[str, Ticket] = {}
        """Closed within the horizon, in the order in which their closing was taken."""

    def take(self, at: Instant, role: Role, name: str | None, step: str, due: Instant | None) -> bool | None:
        """Take one step of the ticket `name`; `step` is the event's id, `due` its due time.

        True: closed on time; False: closed past its due time; None: anything else.
        """
        if name is None:
            return None
        if role is Role.OPENING:
            if name in self.open or name in self.done:
                self._opened_again(name, at, due)
            else:
                self.open[name] = Ticket(at, due, at, "", at, "")
        elif role is Role.CLOSING:
            return self._closed(name, at, step)
        elif role is Role.REOPENING:
            self._reopened(name, at, step, due)
        elif role is Role.EXTENSION:
            ticket = self.open.get(name) or self.done.get(name)
            if ticket is not None:
                _extend(ticket, at, step, due)
        return None

    def _opened_again(self, name: str, at: Instant, due: Instant | None) -> None:
        ticket = self.open.get(name) or self.done[name]
        ticket.opened = min(ticket.opened, at)
        if due is not None and (ticket.due is None or (not ticket.due_id and (at, due) < (ticket.due_at, ticket.due))):
            ticket.due, ticket.due_at, ticket.due_id = due, at, ""

    def _closed(self, name: str, at: Instant, step: str) -> bool | None:
        ticket = self.open.get(name)
        was_open = ticket is not None
        if ticket is None:  # closed before, or its opening is late or was before the stream began
            ticket = self.done.get(name) or Ticket(at, None, at, "", at, "")
        ticket.opened = min(ticket.opened, at)
        if ticket.status_id and (at, step) < (ticket.status_at, ticket.status_id):
            return None
        ticket.status_at, ticket.status_id = at, step
        if was_open:
            del self.open[name]
        else:
            self.done.pop(name, None)
        self.done[name] = ticket
        return None if ticket.due is None or not was_open else at <= ticket.due

    def _reopened(self, name: str, at: Instant, step: str, due: Instant | None) -> None:
        ticket = self.open.get(name) or self.done.get(name) or Ticket(at, None, at, "", at, "")
        ticket.opened = min(ticket.opened, at)
        _extend(ticket, at, step, due)
        if ticket.status_id and (at, step) < (ticket.status_at, ticket.status_id):
            return
        ticket.status_at, ticket.status_id = at, step
        self.open.pop(name, None)
        self.done.pop(name, None)
        self.open[name] = ticket

    def backlog(self, now: Instant) -> Backlog:
        """What is open at an instant."""
        tickets = self.open.values()
        opened = sorted([ticket.opened for ticket in tickets])
        overdue = len([due for ticket in tickets if (due := ticket.due) is not None and due < now])
        age = round((now - median(opened)) / HOUR, 3) if opened else None
        return Backlog(len(opened), overdue, age)

    def forget(self, closed_before: Instant, opened_before: Instant) -> None:
        """Drop tickets closed before one instant, and open ones not touched since another: bounded memory.

        Both are kept in the order in which their last steps were taken: a look at the oldest is enough. What a late
        step put behind newer ones goes with them.
        """
        for tickets, before in ((self.done, closed_before), (self.open, opened_before)):
            old = []
            for name, ticket in tickets.items():
                if ticket.status_at >= before:
                    break
                old.append(name)
            for name in old:
                del tickets[name]


def _extend(ticket: Ticket, at: Instant, step: str, due: Instant | None) -> None:
    if due is not None and (ticket.due is None or (at, step) >= (ticket.due_at, ticket.due_id) or not ticket.due_id):
        ticket.due, ticket.due_at, ticket.due_id = due, at, step


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
        old = []
        for key, at in self.last.items():
            if at >= before:
                break
            old.append(key)
        for key in old:
            del self.last[key]
