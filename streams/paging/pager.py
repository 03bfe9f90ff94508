"""The pager of one ledger: takes notifications, tells channels, escalates, and tells the dead man that it lives."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hmac import compare_digest
from types import TracebackType
from typing import Self

import httpx
from pydantic import SecretStr

from streams.clock import Clock
from streams.core.instant import HOUR, SECOND, Duration
from streams.ledger.alerts import AlertLife
from streams.ledger.desk import AlertDesk, StepResult
from streams.ledger.errors import LedgerError
from streams.ledger.lifecycle import Step, StepKind
from streams.ledger.pages import PageBook
from streams.ledger.place import Where
from streams.ledger.service_pages import TakenUp, Trouble
from streams.paging.card import CardMaker
from streams.paging.channels import Channel
from streams.paging.delivery import Limits, Retry, Say, Teller
from streams.paging.exposition import Figures
from streams.paging.intake import Taken
from streams.paging.links import Links
from streams.paging.open_ledger import OpenLedger
from streams.paging.settings import Lang, PagingSettings
from streams.paging.webhook import Notification
from streams.wording.names import Naming

_LOOK_EVERY = 2 * SECOND
_LINK_NOTE = "经寻呼链接确认"
"""What the audit chain says of a step that was taken by a page's link: who it was is what they wrote."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is never written down."""

    webhook_token: SecretStr
    channels: Mapping[str, SecretStr]
    link_key: SecretStr
    heartbeat: SecretStr | None = None

    @classmethod
    def read(cls, settings: PagingSettings) -> Self:
        """From where the settings say. Raises PagingSettingsError."""
        return cls(
            settings.webhook_token.read_key("webhook_token"),
            {name: one.url.read(f"channels.{name}.url") for name, one in settings.channels.items()},
            settings.link_key.read_key("link_key"),
            None if settings.heartbeat is None else settings.heartbeat.token.read_key("heartbeat.token"),
        )


class Pager:
    """Everything between a notification and a receipt. Entered, it tells; left, it has stopped.

    Where there is no ledger yet, or it cannot be read, it waits: Alertmanager is answered 503 and offers again.
    """

    def __init__(
        self,
        where: Where,
        naming: Callable[[], Naming],
        settings: PagingSettings,
        secrets: Secrets,
        clock: Clock,
        say: Say,
    ) -> None:
        """`naming` reads the profile that names what is in the ledger: at once, and again where it changed.

        Raises ChannelError.
        """
        assert settings.console_url is not None
        self.links = Links(settings.console_url, secrets.link_key, round(settings.link_hours * HOUR))
        self._where = where
        self._clock = clock
        self._say = say
        self._token = secrets.webhook_token
        self._heartbeat = settings.heartbeat
        self._heartbeat_token = secrets.heartbeat
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._channels = list(settings.channels)
        self._tellers = [
            Teller(
                lambda: PageBook(where),
                Channel(name, secrets.channels[name]),
                partial(self._cards, one.lang or settings.lang),
                Limits(one.a_minute, one.a_second),
                clock,
                say,
                Retry(round(settings.retry.first * SECOND), round(settings.retry.longest * SECOND)),
            )
            for name, one in settings.channels.items()
        ]
        self._open_now = partial(OpenLedger, where, naming, settings, self.links, clock)
        self._ledger: OpenLedger | None = None
        self._threads: Sequence[threading.Thread] = ()
        self.failed: BaseException | None = None
        """What ended a thread of it that should not have ended."""
        self.on_failure: Callable[[], None] = self._stop.set
        """Called then, by that thread."""

    def __enter__(self) -> Self:
        work: list[tuple[str, Callable[[], None]]] = [
            (f"tell-{number}", partial(one.run, self._stop)) for number, one in enumerate(self._tellers)
        ]
        work.append(("ledger", lambda: self._every(_LOOK_EVERY, self._look_after)))
        if self._heartbeat is not None:
            beating = round(self._heartbeat.every * SECOND)
            work.append(("heartbeat", lambda: self._every(beating, self._beat)))
        self._threads = [threading.Thread(target=self._guarded, args=(one,), name=name) for name, one in work]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for one in self._tellers:
            one.wake.set()
        for thread in self._threads:
            thread.join()
        self.close()

    def close(self) -> None:
        """Give the ledger back, where it was opened."""
        with self._lock:
            if self._ledger is not None:
                self._ledger.close()
                self._ledger = None

    # ---- the ledger ----

    @contextmanager
    def _reading(self) -> Iterator[OpenLedger]:
        """The ledger as it is now, for one thread at a time. Raises LedgerError."""
        with self._lock:
            yield self._opened()

    def _opened(self) -> OpenLedger:
        if self._ledger is not None and not self._ledger.is_current():
            self._ledger.close()
            self._ledger = None
            self._say("opened anew", reason="the ledger or its profile changed")
        if self._ledger is None:
            made = self._open_now()
            try:
                for name, pages in made.book.withdraw_all_but(self._channels).items():
                    self._say("withdrawn", channel=name, pages=pages)
            except BaseException:
                made.close()
                raise
            self._ledger = made
        return self._ledger

    def _cards(self, lang: Lang) -> CardMaker:
        ledger = self._ledger
        if ledger is None:
            raise LedgerError("台账还没有打开  the ledger is not open yet")
        return ledger.cards[lang]

    # ---- asked over HTTP ----

    def is_alertmanager(self, token: str) -> bool:
        """Whether a bearer token is the one that Alertmanager has."""
        return compare_digest(token.encode(), self._token.get_secret_value().encode())

    def take(self, notification: Notification) -> Taken:
        """Make a notification's pages durable. Raises LedgerError."""
        with self._reading() as ledger:
            taken = ledger.take(notification)
        if taken.pages:
            self._wake()
        return taken

    def look(self, alert: str) -> AlertLife:
        """One alert. Raises LedgerError."""
        with self._reading() as ledger:
            return ledger.book.life(alert)

    def trouble_of(self, about: str) -> Trouble:
        """Something about jiantu itself that staff were told of. Raises LedgerError."""
        with self._reading() as ledger:
            return ledger.book.trouble(about)

    def take_up(self, about: str, who: str) -> TakenUp:
        """Somebody takes care of it. Raises StepRefusedError, LedgerError."""
        with self._reading() as ledger:
            return ledger.book.take_up(about, who, self.now())

    def acknowledge(self, alert: str, who: str) -> StepResult:
        """Take the step on the audit chain. Raises StepRefusedError, LedgerError."""
        with AlertDesk(self._where, self._clock) as desk:
            return desk.take(alert, Step(StepKind.ACKNOWLEDGE, who, note=_LINK_NOTE))

    def now(self) -> int:
        """Wall time, from the pager's clock."""
        return self._clock.now()

    def figures(self) -> Figures:
        """What waits and what was told, for Prometheus. Raises LedgerError."""
        with self._reading() as ledger:
            return Figures(ledger.book.backlog(), ledger.book.receipt_totals())

    def ready(self) -> str | None:
        """Why it is not ready; None where it is."""
        if self.failed is not None:
            return f"a thread ended: {type(self.failed).__name__}"
        try:
            with self._reading() as ledger:
                ledger.book.backlog()
        except LedgerError as error:
            return str(error)
        return None

    # ---- threads ----

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the process ends where a part of it cannot go on: whoever runs it looks
            self.failed = error
            self._say("failed", error=f"{type(error).__name__}: {error}")
            self.on_failure()

    def _every(self, interval: Duration, work: Callable[[], None]) -> None:
        trouble = ""
        while not self._stop.wait(interval / SECOND):
            try:
                work()
            except LedgerError as error:
                if str(error) != trouble:  # said once, not every two seconds
                    self._say("ledger", error=str(error))
                trouble = str(error)
            else:
                trouble = ""

    def _look_after(self) -> None:
        with self._reading() as ledger:
            always, escalated = ledger.look_after()
        if always or escalated:
            self._say("paged", always=always, escalated=escalated)
            self._wake()

    def _wake(self) -> None:
        for one in self._tellers:
            one.wake.set()

    def _beat(self) -> None:
        """Tell the dead man, while the ledger answers and all threads run."""
        if self._heartbeat is None or self._heartbeat_token is None or self.ready() is not None:
            return
        shown = {"Authorization": f"Bearer {self._heartbeat_token.get_secret_value()}"}
        try:
            answer = httpx.post(self._heartbeat.url, headers=shown, timeout=10)
        except httpx.HTTPError as error:
            self._say("heartbeat", error=type(error).__name__)
            return
        if not answer.is_success:
            self._say("heartbeat", status=answer.status_code)
