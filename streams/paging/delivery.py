"""Telling: one thread a channel takes what is due from the ledger, says it, and writes down what became of it.

A page is told at least once: a pager that is killed between the robot's answer and the receipt tells it again. A
channel is never spoken to faster than it allows, restarts included, since what it was told stands in the receipts.
A channel that fails is left alone for longer and longer, up to a minute; a page waits until it is told or taken up.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.clock import Clock
from streams.core.instant import MINUTE, SECOND, Duration, Instant
from streams.ledger.errors import LedgerError
from streams.ledger.pages import Due, Outcome, PageBook, Receipt, after_failures
from streams.paging.card import CardMaker
from streams.paging.channels import Answer, Channel

_IDLE = SECOND
"""How often a channel without work looks for some."""
_AFTER_LEDGER_ERROR = 5 * SECOND


class Say(Protocol):
    """Says what happens, to whoever runs the process."""

    def __call__(self, event: str, /, **facts: object) -> None:
        """One event with its facts; nothing secret among them."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How long a channel that fails is left alone: twice as long each time."""

    first: Duration = 5 * SECOND
    longest: Duration = 60 * SECOND

    def after(self, failures: int) -> Duration:
        """The rest after so many failures one after another."""
        return after_failures(failures, self.first, self.longest)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many messages a robot takes: in any 60 seconds, and in any second."""

    a_minute: int
    a_second: int

    def rest(self, spoken: Sequence[Instant], now: Instant) -> Duration:
        """How long to rest after messages of the last minute, oldest first; 0: not at all.

        >>> Limits(3, 2).rest([0, 10 * SECOND, 20 * SECOND], 30 * SECOND) // SECOND
        30
        >>> Limits(9, 2).rest([0, 20 * SECOND, 20 * SECOND], 20 * SECOND + SECOND // 4) / SECOND
        0.75
        """
        asked = ((self.a_minute, MINUTE), (self.a_second, SECOND))
        return max((spoken[-most] + per - now for most, per in asked if len(spoken) >= most), default=0)


class Teller:
    """Tells one channel. `run` until `stop` is set; `wake` it when there is something new."""

    def __init__(
        self,
        open_book: Callable[[], PageBook],
        channel: Channel,
        cards: Callable[[], CardMaker],
        limits: Limits,
        clock: Clock,
        say: Say,
        retry: Retry | None = None,
    ) -> None:
        """`cards`: who makes them now; another one where the ledger was opened anew. Both raise LedgerError."""
        self._open_book = open_book
        self._channel = channel
        self._cards = cards
        self._limits = limits
        self._clock = clock
        self._say = say
        self._retry = retry or Retry()
        self._failures = 0
        self._trouble = ""
        self.wake = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Tell what is due, again and again."""
        while not stop.is_set():
            try:
                cards = self._cards()
                with self._open_book() as book:
                    while not stop.is_set() and self._cards() is cards:
                        self._rest(self.step(book), stop)
                        self._trouble = ""
            except LedgerError as error:  # busy, away, full: everything is still where it was
                if str(error) != self._trouble:
                    self._say("ledger", channel=self._channel.name, error=str(error))
                self._trouble = str(error)
                self._rest(_AFTER_LEDGER_ERROR, stop)

    def step(self, book: PageBook) -> Duration:
        """Tell one page where one is due and the channel allows it; how long to rest then. Raises LedgerError."""
        cards, now = self._cards(), self._clock.now()
        if (rest := self._limits.rest(book.said_since(self._channel.name, now - MINUTE), now)) > 0:
            return rest
        due = book.take_due(self._channel.name, now)
        if due is None:
            return _IDLE
        answer = self._told(book, due, cards, now)
        if answer.delivered:
            self._failures = 0
            return 0
        self._failures += 1
        return max(self._retry.after(self._failures), round(answer.wait_seconds * SECOND))

    def _told(self, book: PageBook, due: Due, cards: CardMaker, now: Instant) -> Answer:
        card = cards.card(due.page, due.alerts, now, self._channel.most_bytes, due.about)
        answer = self._channel.tell(card)
        at = self._clock.now()
        rest = max(self._retry.after(due.attempt), round(answer.wait_seconds * SECOND))
        receipt = Receipt(
            page=due.page.id,
            channel=due.channel,
            attempt=due.attempt,
            at=at,
            outcome=Outcome.DELIVERED if answer.delivered else Outcome.FAILED,
            detail=answer.detail,
            digest=hashlib.sha256(f"{card.title}\n{card.body}".encode()).hexdigest(),
        )
        book.note(receipt, None if answer.delivered else at + rest)
        facts = {"page": due.page.id, "channel": due.channel, "attempt": due.attempt, "detail": answer.detail}
        self._say("told" if answer.delivered else "not told", **facts)
        return answer

    def _rest(self, duration: Duration, stop: threading.Event) -> None:
        if duration > 0 and not stop.is_set():
            # Woken early only where nothing was to do: a limit, or a channel that fails, is not for waking.
            if duration == _IDLE:
                self.wake.wait(duration / SECOND)
                self.wake.clear()
            else:
                stop.wait(duration / SECOND)
