"""The pager of one ledger: takes notifications, tells channels, escalates, and tells the dead man that it lives."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from streams.ledger.reader import LedgerReader
from streams.paging.card import CardMaker
from streams.paging.channels import Channel
from streams.paging.delivery import Retry, Say, Teller
from streams.paging.exposition import Figures
from streams.paging.intake import Intake, Taken
from streams.paging.links import Links
from streams.paging.settings import PagingSettings
from streams.paging.webhook import Notification
from streams.wording.names import Naming

_ESCALATE_EVERY = 2 * SECOND
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
    """Everything between a notification and a receipt. Entered, it tells; left, it has stopped."""

    def __init__(
        self, where: Where, naming: Naming, settings: PagingSettings, secrets: Secrets, clock: Clock, say: Say
    ) -> None:
        """Raises LedgerError, ChannelError."""
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
        self._tellers = [
            Teller(
                lambda: PageBook(where),
                Channel(name, secrets.channels[name]),
                CardMaker(naming, self.links, one.lang or settings.lang, settings.runbook_url),
                one.a_minute,
                clock,
                say,
                Retry(round(settings.retry.first * SECOND), round(settings.retry.longest * SECOND)),
            )
            for name, one in settings.channels.items()
        ]
        self._book = PageBook(where)
        self._ledger = LedgerReader(where)
        self._intake = Intake(self._book, self._ledger, naming, settings.routes, clock)
        for name, pages in self._book.withdraw_all_but(settings.channels).items():
            say("withdrawn", channel=name, pages=pages)
        self._threads: Sequence[threading.Thread] = ()
        self.failed: BaseException | None = None
        """What ended a thread of it that should not have ended."""
        self.on_failure: Callable[[], None] = self._stop.set
        """Called then, by that thread."""

    def __enter__(self) -> Self:
        work: list[tuple[str, Callable[[], None]]] = [
            (f"tell-{number}", lambda teller=one: teller.run(self._stop))  # type: ignore[misc]  # bound at once
            for number, one in enumerate(self._tellers)
        ]
        work.append(("escalate", lambda: self._every(_ESCALATE_EVERY, self._escalate)))
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
        self._ledger.close()
        self._book.close()

    # ---- asked over HTTP ----

    def is_alertmanager(self, token: str) -> bool:
        """Whether a bearer token is the one that Alertmanager has."""
        return compare_digest(token.encode(), self._token.get_secret_value().encode())

    def take(self, notification: Notification) -> Taken:
        """Make a notification's pages durable. Raises LedgerError."""
        with self._lock:
            taken = self._intake.take(notification)
        if taken.pages:
            self._wake()
        return taken

    def look(self, alert: str) -> AlertLife:
        """One alert. Raises LedgerError."""
        with self._lock:
            return self._book.life(alert)

    def acknowledge(self, alert: str, who: str) -> StepResult:
        """Take the step on the audit chain. Raises StepRefusedError, LedgerError."""
        with AlertDesk(self._where, self._clock) as desk:
            return desk.take(alert, Step(StepKind.ACKNOWLEDGE, who, note=_LINK_NOTE))

    def now(self) -> int:
        """Wall time, from the pager's clock."""
        return self._clock.now()

    def figures(self) -> Figures:
        """What waits and what was told, for Prometheus. Raises LedgerError."""
        with self._lock:
            return Figures(self._book.backlog(), self._book.receipt_totals())

    def ready(self) -> str | None:
        """Why it is not ready; None where it is."""
        if self.failed is not None:
            return f"a thread ended: {type(self.failed).__name__}"
        try:
            with self._lock:
                self._book.backlog()
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
        while not self._stop.wait(interval / SECOND):
            try:
                work()
            except LedgerError as error:
                self._say("ledger", error=str(error))

    def _escalate(self) -> None:
        with self._lock:
            pages = self._intake.escalate()
        if pages:
            self._say("escalated", pages=pages)
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
