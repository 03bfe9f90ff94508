"""The books of one county as the tests of tickets and repeats ask for them: with texts, and by themselves."""

from collections.abc import Sequence
from datetime import time
from zoneinfo import ZoneInfo

import numpy as np

from streams.core import keyed, tickets
from streams.core.books import Books
from streams.core.cells import Cell, CellRegistry
from streams.core.columns import NONE
from streams.core.counting import OpenHours
from streams.core.instant import Duration, Instant
from streams.core.tickets import DONE, OPEN, Backlog, Role
from streams.core.window import WindowGrid
from tests.core.plain_tickets import Ticket

COUNTY, COUNTIES = 1, 3
REGISTRY = CellRegistry((), [Cell("hotline", "noise", "accepted", None, None, None)])


def fresh(span: Duration = 0) -> Books:
    """Empty books."""
    return Books(COUNTIES, OpenHours(COUNTIES, WindowGrid(ZoneInfo("UTC"), time(0))), span)


class Tickets:
    """Tickets of one county."""

    def __init__(self, books: Books | None = None, county: int = COUNTY) -> None:
        self.books = books or fresh()
        self.county = county

    def take(self, at: Instant, role: Role, name: str | None, step: str, due: Instant | None) -> bool | None:
        return self.books.take_late(self.county, at, role, name, step, due)

    @property
    def open(self) -> dict[str, Ticket]:
        return self._listed(OPEN)

    @property
    def done(self) -> dict[str, Ticket]:
        return self._listed(DONE)

    def _listed(self, which: int) -> dict[str, Ticket]:
        text = self.books.names.text
        return {
            text(row[keyed.KEY]): Ticket(
                row[tickets.OPENED],
                None if row[tickets.DUE] == NONE else row[tickets.DUE],
                row[tickets.DUE_AT],
                text(row[tickets.DUE_ID]),
                row[tickets.STATUS_AT],
                text(row[tickets.STATUS_ID]),
            )
            for row in self.books.tickets.listed(2 * self.county + which).tolist()
        }

    def backlog(self, now: Instant) -> Backlog:
        return self.books.backlog(self.county, now)

    def forget(self, closed_before: Instant, opened_before: Instant) -> None:
        self.books.forget(self.county, closed_before, opened_before, 0)


class Repeats:
    """Repeats of one county."""

    def __init__(self, span: Duration) -> None:
        self.books = fresh(span)
        self._taken = 0

    def take(self, at: Instant, caller: str, matter: str) -> bool:
        return self.take_all([(at, caller, matter)]) == 1

    def take_all(self, calls: Sequence[tuple[Instant, str | None, str | None]]) -> int:
        """How many of the calls of one hour are repeats; in whatever order they are given."""
        for at, caller, matter in calls:
            self._taken += 1
            texts = f"{self._taken:032}", None, caller, matter
            self.books.add_step(COUNTY, 0, at, None, 0, texts)
        _, _, repeats = self.books.take_hour(COUNTY, 0, REGISTRY, np.zeros(0, dtype=np.int64))
        return repeats

    def forget(self, before: Instant) -> None:
        self.books.forget(COUNTY, 0, 0, before)

    @property
    def last(self) -> dict[tuple[str, str], Instant]:
        text = self.books.names.text
        rows = self.books.repeats.listed(COUNTY).tolist()
        return {(text(row[keyed.KEY]), text(row[keyed.OTHER_KEY])): row[tickets.AT] for row in rows}
