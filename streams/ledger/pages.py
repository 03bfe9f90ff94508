"""Pages: what staff are to be told, durable before anybody is told, with a receipt for every attempt.

An alert has one page a level (0 first, then each escalation), and that is the key of a row: whoever asks again,
Alertmanager after a restart or a second pager, adds nothing. A page goes to each of its channels until that has
taken it, or until people have taken up every alert that it is about.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Select, and_, case, exists, func, insert, select, update

from streams.core.instant import SECOND, Duration, Instant
from streams.ledger import rows, service_pages, tables
from streams.ledger.alerts import AlertLife, life_of
from streams.ledger.connection import Opened, open_people
from streams.ledger.errors import UnknownAlertError
from streams.ledger.lifecycle import Step, StepKind, check_said
from streams.ledger.place import Where
from streams.ledger.service_pages import TakenUp, Trouble

FIRING, RESOLVED = "firing", "resolved"
ALERT, SERVICE = "alert", "service"
"""Kinds of pages: of alerts in this ledger, and of what else Prometheus watches: feeds, budget, exporter."""
LEASE = 60 * SECOND
"""How long whoever took a delivery up may try before somebody else may: longer than any attempt takes."""
ONE_EVENT = "event"
"""Size of what an always-page alert is about: one event, not a window."""
_ID_DIGITS = 32

_page, _of_alert = tables.page, tables.page_alert
_delivery, _receipt = tables.page_delivery, tables.page_receipt
_alert = tables.alert


class DeliveryState(StrEnum):
    """Where a page is on its way to one channel."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    WITHDRAWN = "withdrawn"
    """People had taken up all that it is about, or the channel is no more."""


class Outcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell."""

    id: str
    group_key: str
    """Alertmanager's name of the group that it came with."""
    status: str
    kind: str
    county: str
    """Empty where it is about none, or about one that must not be named."""
    severity: str
    document: str = "{}"
    """Canonical JSON: a service page's labels and annotations."""
    level: int = 0
    made_at: Instant
    """Wall time, from a Clock."""


@dataclass(frozen=True, slots=True)
class Due:
    """A page that one channel is to be told now."""

    page: Page
    channel: str
    attempt: int
    """From 1."""
    alerts: tuple[AlertLife, ...]
    """Those of it that nobody has taken up, in the order in which they were raised."""
    about: str = ""
    """Of a service page: the trouble, which somebody is to take up."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one attempt to tell one channel."""

    page: str
    channel: str
    attempt: int
    at: Instant
    outcome: Outcome
    detail: str
    """The channel's answer in a few words, without anything secret."""
    digest: str
    """SHA-256 of what was said."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Pages that some channel has not been told yet."""

    pages: int
    oldest: Instant | None
    """When the first of them was made."""


class PageBook(Opened):
    """The pages of one ledger, for a pager. One thread at a time."""

    def __init__(self, where: Where) -> None:
        """Raises LedgerError where there is no ledger, or not one of this version."""
        super().__init__(open_people(where))

    # ---- making pages ----

    def unknown(self, alerts: Iterable[str]) -> list[str]:
        """Those of the alerts that this ledger does not hold."""
        names = sorted(set(alerts))
        known = select(_alert.c.id).where(_alert.c.id.in_(names))
        held = self._database.run(lambda db: set(db.execute(known).scalars()))
        return [name for name in names if name not in held]

    def page_alerts(self, asked: Page, alerts: Iterable[str], channels: Sequence[str], most: int) -> list[Page]:
        """Make pages of those alerts that nobody has taken up and that had no page of this level; none is none.

        `asked`: what the pages have in common, its id aside; `most`: alerts a page. Durable when this returns.
        """
        names = sorted(set(alerts))

        def work(db: Connection) -> list[Page]:
            self._database.hold_steps(db)
            paged = exists().where(_of_alert.c.alert == _alert.c.id, _of_alert.c.level == asked.level)
            open_still = select(_alert.c.id).where(_alert.c.id.in_(names), _alert.c.step.is_(None), ~paged)
            found = list(db.execute(open_still.order_by(_alert.c.raised_at, _alert.c.id)).scalars())
            made = []
            for start in range(0, len(found), most):
                of_it = found[start : start + most]
                page = msgspec.structs.replace(asked, id=page_id(asked, of_it))
                _put(db, page, channels)
                taken = [{"alert": name, "level": page.level, "page": page.id} for name in of_it]
                rows.append(db, _of_alert, taken)
                made.append(page)
            return made

        return self._database.run(work)

    def unpaged_events(self) -> list[tuple[str, str, str]]:
        """(alert, county, signal) of always-page alerts that nobody has taken up and that had no page yet."""
        paged = exists().where(_of_alert.c.alert == _alert.c.id, _of_alert.c.level == 0)
        wanted = (
            select(_alert.c.id, _alert.c.county, _alert.c.signal)
            .where(_alert.c.size == ONE_EVENT, _alert.c.step.is_(None), ~paged)
            .order_by(_alert.c.raised_at, _alert.c.id)
        )
        return self._database.run(lambda db: [(name, county, signal) for name, county, signal in db.execute(wanted)])

    def page_service(self, asked: Page, about: str, channels: Sequence[str]) -> bool:
        """Make a page about a trouble; whether it is new. `asked`: all but its id. Durable when this returns."""
        page = msgspec.structs.replace(asked, id=page_id(msgspec.structs.replace(asked, group_key=""), [about]))

        def work(db: Connection) -> bool:
            self._database.hold_steps(db)
            if db.execute(select(_page.c.id).where(_page.c.id == page.id)).first():
                return False
            _put(db, page, channels)
            service_pages.put(db, page.id, about)
            return True

        return self._database.run(work)

    def service_levels(self, about: str) -> list[int]:
        """The levels that were told that a trouble began."""
        return self._database.run(lambda db: service_pages.levels(db, about))

    def unanswered_service(self, level: int, until: Instant) -> list[tuple[str, Page]]:
        """(trouble, page) of what a level was told by an instant, the next was not, nobody took up, and goes on."""

        def work(db: Connection) -> list[tuple[str, Page]]:
            found = service_pages.unanswered(db, level, until)
            return [(about, _read(db, page)) for about, page in found]

        return self._database.run(work)

    def unanswered(self, level: int, severity: str, until: Instant) -> dict[str, list[str]]:
        """County -> alerts that were paged at a level by an instant, not at the next, and that nobody has taken up."""
        later = _of_alert.alias()
        next_level = exists().where(later.c.alert == _of_alert.c.alert, later.c.level == level + 1)
        wanted = (
            select(_page.c.county, _alert.c.id)
            .select_from(_of_alert.join(_page, _page.c.id == _of_alert.c.page).join(_alert))
            .where(_of_alert.c.level == level, _page.c.made_at <= until, _alert.c.severity == severity)
            .where(_alert.c.step.is_(None), ~next_level)
            .order_by(_page.c.county, _alert.c.raised_at, _alert.c.id)
        )
        found: dict[str, list[str]] = {}
        for county, alert in self._database.run(lambda db: db.execute(wanted).all()):
            found.setdefault(county, []).append(alert)
        return found

    # ---- telling ----

    def take_due(self, channel: str, now: Instant) -> Due | None:
        """The next page that a channel is to be told, the urgent ones first; it is this pager's for as long as LEASE.

        What people have taken up meanwhile is withdrawn.
        """
        urgent = case((_page.c.severity == "critical", 0), else_=1)
        waiting = (
            select(_page, _delivery.c.attempts, _delivery.c.due_at)
            .select_from(_delivery.join(_page))
            .where(_delivery.c.channel == channel, _delivery.c.state == DeliveryState.WAITING.value)
            .where(_delivery.c.due_at <= now)
            .order_by(urgent, _page.c.made_at, _page.c.id)
            .limit(1)
        )

        def work(db: Connection) -> tuple[bool, Due | None]:
            """(whether there was one, what of it is to be told)"""
            row = db.execute(waiting).mappings().first()
            if row is None:
                return False, None
            page = Page(**{name: row[name] for name in Page.__struct_fields__})
            alerts = tuple(life_of(db, name) for name in db.execute(_not_taken_up(page.id)).scalars())
            about = service_pages.about_of(db, page.id) if page.kind == SERVICE else ""
            answered = page.status == FIRING and service_pages.taken_up(db, about) is not None
            if answered or (page.kind == ALERT and not alerts):
                _move(db, page.id, channel, {"state": DeliveryState.WITHDRAWN.value})
                return True, None
            leased = update(_delivery).where(
                _delivery.c.page == page.id, _delivery.c.channel == channel, _delivery.c.due_at == row["due_at"]
            )
            attempt = row["attempts"] + 1
            if db.execute(leased.values(attempts=attempt, due_at=now + LEASE)).rowcount != 1:
                return True, None  # another pager was quicker
            return True, Due(page, channel, attempt, alerts, about)

        while True:
            more, due = self._database.run(work)
            if due is not None or not more:
                return due

    def note(self, receipt: Receipt, again_at: Instant | None) -> None:
        """Write down what became of an attempt; `again_at`: when to try again, None where it was delivered."""

        def work(db: Connection) -> None:
            rows.append(
                db,
                _receipt,
                [
                    {
                        "page": receipt.page,
                        "channel": receipt.channel,
                        "attempt": receipt.attempt,
                        "at": receipt.at,
                        "outcome": receipt.outcome.value,
                        "detail": receipt.detail,
                        "digest": receipt.digest,
                    }
                ],
            )
            if again_at is None:
                _move(db, receipt.page, receipt.channel, {"state": DeliveryState.DELIVERED.value})
            else:
                _move(db, receipt.page, receipt.channel, {"due_at": again_at})

        self._database.run(work)

    def said_since(self, channel: str, since: Instant) -> list[Instant]:
        """When a channel was spoken to after an instant, oldest first: robots count every attempt."""
        wanted = select(_receipt.c.at).where(_receipt.c.channel == channel, _receipt.c.at > since)
        return self._database.run(lambda db: list(db.execute(wanted.order_by(_receipt.c.at)).scalars()))

    def withdraw_all_but(self, channels: Iterable[str]) -> dict[str, int]:
        """Withdraw what waits for channels that are no more; how much of each."""
        kept = sorted(set(channels))
        gone = and_(_delivery.c.state == DeliveryState.WAITING.value, _delivery.c.channel.not_in(kept))

        def work(db: Connection) -> dict[str, int]:
            counted = select(_delivery.c.channel, func.count()).where(gone).group_by(_delivery.c.channel)
            found: dict[str, int] = dict(db.execute(counted.order_by(_delivery.c.channel)).all())
            db.execute(update(_delivery).where(gone).values(state=DeliveryState.WITHDRAWN.value))
            return found

        return self._database.run(work)

    # ---- looking ----

    def backlog(self) -> Backlog:
        """Pages that wait."""
        return self._database.run(backlog)

    def receipt_totals(self) -> dict[tuple[str, Outcome], int]:
        """(channel, outcome) -> attempts."""
        return self._database.run(receipt_totals)

    def life(self, alert: str) -> AlertLife:
        """One alert, by its whole id. Raises UnknownAlertError."""
        return self._database.run(lambda db: life_of(db, alert))

    def trouble(self, about: str) -> Trouble:
        """Something about jiantu itself that staff were told of. Raises UnknownAlertError."""
        found = self._database.run(lambda db: service_pages.trouble(db, about))
        if found is None:
            raise UnknownAlertError("没有这件事的寻呼  there is no such page")
        return found

    def take_up(self, about: str, who: str, now: Instant) -> TakenUp:
        """Somebody takes care of a trouble: nobody else is told of it. Who has it: whoever was first.

        Raises UnknownAlertError; StepRefusedError where `who` is no name.
        """
        check_said(Step(StepKind.ACKNOWLEDGE, who), now)
        self.trouble(about)

        def work(db: Connection) -> TakenUp:
            self._database.hold_steps(db)
            return service_pages.take_up(db, about, who, now)

        return self._database.run(work)


def page_id(page: Page, about: Iterable[str]) -> str:
    """Deterministic: the same group, status, level and alerts make the same page."""
    said = msgspec.json.encode((page.group_key, page.status, page.level, sorted(about)))
    return hashlib.sha256(said).hexdigest()[:_ID_DIGITS]


def backlog(db: Connection) -> Backlog:
    """Pages that some channel has not been told yet."""
    waiting = _delivery.join(_page)
    found = (
        select(func.count(func.distinct(_page.c.id)), func.min(_page.c.made_at))
        .select_from(waiting)
        .where(_delivery.c.state == DeliveryState.WAITING.value)
    )
    pages, oldest = db.execute(found).one()
    return Backlog(pages, oldest)


def receipt_totals(db: Connection) -> dict[tuple[str, Outcome], int]:
    """(channel, outcome) -> attempts."""
    columns = (_receipt.c.channel, _receipt.c.outcome)
    found = db.execute(select(*columns, func.count()).group_by(*columns).order_by(*columns))
    return {(channel, Outcome(outcome)): count for channel, outcome, count in found}


def receipts(db: Connection, alert: str | None = None) -> list[Receipt]:
    """Attempts in the order in which they were made, of pages about one alert or of all."""
    wanted = select(_receipt).order_by(_receipt.c.at, _receipt.c.page, _receipt.c.channel, _receipt.c.attempt)
    if alert is not None:
        wanted = wanted.where(_receipt.c.page.in_(select(_of_alert.c.page).where(_of_alert.c.alert == alert)))
    return [Receipt(**{**row, "outcome": Outcome(row["outcome"])}) for row in db.execute(wanted).mappings()]


def _read(db: Connection, page: str) -> Page:
    row = db.execute(select(_page).where(_page.c.id == page)).mappings().one()
    return Page(**{name: row[name] for name in Page.__struct_fields__})


def _put(db: Connection, page: Page, channels: Sequence[str]) -> None:
    db.execute(insert(_page).values(**msgspec.structs.asdict(page)))
    waiting = {"page": page.id, "state": DeliveryState.WAITING.value, "attempts": 0, "due_at": page.made_at}
    rows.append(db, _delivery, [{"channel": channel, **waiting} for channel in channels])


def _move(db: Connection, page: str, channel: str, values: dict[str, str | Instant]) -> None:
    one = update(_delivery).where(_delivery.c.page == page, _delivery.c.channel == channel)
    db.execute(one.where(_delivery.c.state == DeliveryState.WAITING.value).values(**values))


def _not_taken_up(page: str) -> Select[str]:
    of_it = select(_alert.c.id).select_from(_of_alert.join(_alert)).where(_of_alert.c.page == page)
    return of_it.where(_alert.c.step.is_(None)).order_by(_alert.c.raised_at, _alert.c.id)


def after_failures(attempts: int, first: Duration = 5 * SECOND, longest: Duration = 60 * SECOND) -> Duration:
    """How long to rest after so many failed attempts: twice as long each time.

    >>> [after_failures(n) // SECOND for n in (1, 2, 3, 7, 100)]
    [5, 10, 20, 60, 60]
    """
    return min(first << min(attempts - 1, 20), longest)
