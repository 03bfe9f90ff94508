"""What people did, as a chain: every row's digest covers the row before it, so that no row changes unseen.

A row is a step on an alert, or that somebody took up a trouble of jiantu itself (service_pages).

A chain cannot tell that its last rows were cut off. Two things do: an alert knows its state, so the chain must lead
there, and who took a trouble up stands beside it too; and whoever keeps a head (count and digest) from before can ask
whether it is still in it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import rfc8785
from sqlalchemy import Connection, insert, select, update

from streams.core.instant import Instant
from streams.ledger import tables
from streams.ledger.lifecycle import LEADS_TO, Step

GENESIS = "0" * 64
"""What the first row has for the digest of a row before it."""


class StepTaken(msgspec.Struct, frozen=True):
    """A step as it stands in the chain."""

    number: int
    """From 1, without gaps."""
    alert: str
    at: Instant
    """Wall time, from a Clock."""
    step: Step


class TroubleTaken(msgspec.Struct, frozen=True):
    """That somebody took up a trouble of jiantu itself, as it stands in the chain."""

    number: int
    """As a step's: one count for both."""
    about: str
    at: Instant
    who: str


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of a chain: worth writing down elsewhere."""

    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What verifying a chain found."""

    head: AuditHead
    """As far as the chain holds."""
    problem: str = ""
    """The first thing that is wrong, and where; empty where nothing is."""

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem


_decode = msgspec.json.Decoder(StepTaken).decode
_decode_trouble = msgspec.json.Decoder(TroubleTaken).decode
_audit, _alert, _taken_up = tables.audit, tables.alert, tables.page_taken_up


def _digest(previous: str, document: str) -> str:
    return hashlib.sha256(f"{previous}\n{document}".encode()).hexdigest()


def head(db: Connection) -> AuditHead:
    """The end of the chain as it is."""
    last = select(_audit.c.number, _audit.c.digest).order_by(_audit.c.number.desc()).limit(1)
    row = db.execute(last).first()
    return AuditHead(*row) if row else AuditHead(0, GENESIS)


def append(db: Connection, alert: str, at: Instant, step: Step) -> StepTaken:
    """Put a step at the end of the chain, and the alert where it leads. In the caller's transaction."""
    last = head(db)
    taken = StepTaken(last.count + 1, alert, at, step)
    _put(db, last, taken, alert=alert)
    db.execute(update(_alert).where(_alert.c.id == alert).values(step=LEADS_TO[step.kind].value))
    return taken


def append_trouble(db: Connection, about: str, at: Instant, who: str) -> None:
    """Put at the end of the chain who took a trouble up. In the caller's transaction."""
    last = head(db)
    _put(db, last, TroubleTaken(last.count + 1, about, at, who), about=about)


def _put(db: Connection, last: AuditHead, taken: StepTaken | TroubleTaken, **named: str) -> None:
    document = rfc8785.dumps(msgspec.to_builtins(taken)).decode()
    digest = _digest(last.digest, document)
    row = {"number": taken.number, "at": taken.at, "document": document, "previous": last.digest, "digest": digest}
    db.execute(insert(_audit).values(row | named))


def steps(db: Connection, alert: str | None = None) -> Iterator[StepTaken]:
    """Steps in the order in which they were taken, of one alert or of all."""
    taken = select(_audit.c.document).where(_audit.c.alert.is_not(None)).order_by(_audit.c.number)
    for (document,) in db.execute(taken if alert is None else taken.where(_audit.c.alert == alert)):
        yield _decode(document)


def verify_audit(db: Connection, known: AuditHead | None = None) -> AuditVerdict:
    """Walk the whole chain; `known`: a head that was written down before and must still be in it."""
    walk = _Walk(known if known is not None and known.count else None)
    subject = (_audit.c.number, _audit.c.alert, _audit.c.about, _audit.c.at)
    columns = (*subject, _audit.c.document, _audit.c.previous, _audit.c.digest)
    for row in db.execute(select(*columns).order_by(_audit.c.number)):
        problem = walk.take(*row)
        if problem:
            return AuditVerdict(walk.head, problem)
    return AuditVerdict(walk.head, walk.missing() or _elsewhere(db, walk))


@dataclass(slots=True)
class _Walk:
    """A chain as far as it was walked, and where it leads."""

    known: AuditHead | None
    head: AuditHead = field(default_factory=lambda: AuditHead(0, GENESIS))
    alerts: dict[str, str] = field(default_factory=dict)
    """Alert -> the state that its steps lead to."""
    troubles: dict[str, tuple[Instant, str]] = field(default_factory=dict)
    """Trouble -> when and by whom it was taken up."""

    def take(
        self, number: int, alert: str | None, about: str | None, at: Instant, document: str, previous: str, digest: str
    ) -> str:
        """Take the next row; what is wrong with it."""
        if number != self.head.count + 1:
            return f"row {self.head.count + 1} is missing"
        if previous != self.head.digest or digest != _digest(previous, document):
            return f"row {number} is not what was written, or follows another row"
        try:
            taken = _decode(document) if about is None else _decode_trouble(document)
        except msgspec.MsgspecError:
            return f"row {number} holds no step"
        said = (taken.alert, None) if isinstance(taken, StepTaken) else (None, taken.about)
        if (taken.number, taken.at, said) != (number, at, (alert, about)):
            return f"row {number} says something else in its columns than in its document"
        if self.known is not None and self.known.count == number and self.known.digest != digest:
            return f"row {number} is not the one that was there when its digest was noted"
        self.head = AuditHead(number, digest)
        if isinstance(taken, StepTaken):
            self.alerts[taken.alert] = LEADS_TO[taken.step.kind].value
        else:
            self.troubles[taken.about] = (taken.at, taken.who)
        return ""

    def missing(self) -> str:
        """What the end lacks of a head that was known."""
        if self.known is None or self.known.count <= self.head.count:
            return ""
        return f"rows {self.head.count + 1} to {self.known.count} are missing"


def _elsewhere(db: Connection, walk: _Walk) -> str:
    """What alerts and troubles know that the chain does not lead to, or the other way round."""
    reached = dict(walk.alerts)
    dealt_with = select(_alert.c.id, _alert.c.step).where(_alert.c.step.is_not(None)).order_by(_alert.c.id)
    for alert, state in db.execute(dealt_with):
        if reached.pop(alert, None) != state:
            return f"alert {alert} is {state}, which its steps do not lead to"
    for alert in sorted(reached):
        return f"alert {alert} does not know of its steps"
    taken_up = select(_taken_up.c.about, _taken_up.c.at, _taken_up.c.who).order_by(_taken_up.c.about)
    for about, at, who in db.execute(taken_up):  # retention lets go of these, never of the chain
        if walk.troubles.get(about) != (at, who):
            return f"trouble {about} is taken up otherwise than the chain says"
    return ""
