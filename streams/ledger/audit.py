"""What people did, as a chain: every row's digest covers the row before it, so that no row changes unseen.

A chain cannot tell that its last rows were cut off. Two things do: an alert knows its state, so the chain
must lead there; and whoever keeps a head (count and digest) from before can ask whether it is still in it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

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
_audit, _alert = tables.audit, tables.alert


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
    document = rfc8785.dumps(msgspec.to_builtins(taken)).decode()
    db.execute(
        insert(_audit).values(
            number=taken.number,
            alert=alert,
            at=at,
            document=document,
            previous=last.digest,
            digest=_digest(last.digest, document),
        )
    )
    db.execute(update(_alert).where(_alert.c.id == alert).values(step=LEADS_TO[step.kind].value))
    return taken


def steps(db: Connection, alert: str | None = None) -> Iterator[StepTaken]:
    """Steps in the order in which they were taken, of one alert or of all."""
    taken = select(_audit.c.document).order_by(_audit.c.number)
    for (document,) in db.execute(taken if alert is None else taken.where(_audit.c.alert == alert)):
        yield _decode(document)


def verify_audit(db: Connection, known: AuditHead | None = None) -> AuditVerdict:
    """Walk the whole chain; `known`: a head that was written down before and must still be in it."""
    last, reached = AuditHead(0, GENESIS), dict[str, str]()
    if known is not None and known.count == 0:
        known = None
    columns = (_audit.c.number, _audit.c.alert, _audit.c.at, _audit.c.document, _audit.c.previous, _audit.c.digest)
    rows = db.execute(select(*columns).order_by(_audit.c.number))
    for number, alert, at, document, previous, digest in rows:
        if number != last.count + 1:
            return AuditVerdict(last, f"row {last.count + 1} is missing")
        if previous != last.digest or digest != _digest(previous, document):
            return AuditVerdict(last, f"row {number} is not what was written, or follows another row")
        try:
            taken = _decode(document)
        except msgspec.MsgspecError:
            return AuditVerdict(last, f"row {number} holds no step")
        if (taken.number, taken.alert, taken.at) != (number, alert, at):
            return AuditVerdict(last, f"row {number} says something else in its columns than in its document")
        if known is not None and known.count == number and known.digest != digest:
            return AuditVerdict(last, f"row {number} is not the one that was there when its digest was noted")
        last, reached[alert] = AuditHead(number, digest), LEADS_TO[taken.step.kind].value
    if known is not None and known.count > last.count:
        return AuditVerdict(last, f"rows {last.count + 1} to {known.count} are missing")
    dealt_with = select(_alert.c.id, _alert.c.step).where(_alert.c.step.is_not(None)).order_by(_alert.c.id)
    for alert, state in db.execute(dealt_with):
        if reached.pop(alert, None) != state:
            return AuditVerdict(last, f"alert {alert} is {state}, which its steps do not lead to")
    for alert in sorted(reached):
        return AuditVerdict(last, f"alert {alert} does not know of its steps")
    return AuditVerdict(last)
