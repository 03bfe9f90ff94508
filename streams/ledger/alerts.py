"""What the judge did: transitions, appended once each, and the alerts that they make up."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec
import rfc8785
from sqlalchemy import Connection, Row, Select, and_, func, select, update

from streams.core.alert import Ended, Joined, Raised, Transition
from streams.core.instant import Instant
from streams.ledger import audit, rows, tables
from streams.ledger.audit import StepTaken
from streams.ledger.errors import LedgerError, UnknownAlertError
from streams.ledger.lifecycle import AlertState, state_of

KIND_ORDER: dict[type, int] = {Raised: 0, Joined: 1, Ended: 2}
"""Order of one alert's transitions at one instant."""

SHORTEST_ID = 4
"""The shortest beginning of an alert's id that names it."""

_decode = msgspec.json.Decoder(Transition).decode
_alert, _transition = tables.alert, tables.transition


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as a list shows it; `AlertLife` has the rest."""

    id: str
    state: AlertState
    raised: Raised
    """With the evidence that raised it, frozen."""
    ended_at: Instant | None
    """Event time."""
    step: AlertState | None
    """Where people's last step took it; None: nobody has taken it up, and it is to be paged."""


@dataclass(frozen=True, slots=True)
class AlertLife:
    """One alert with everything that happened to it."""

    alert: Alert
    joined: tuple[Joined, ...]
    """More evidence, in the order of event time."""
    ended: Ended | None
    steps: tuple[StepTaken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts; None: any."""

    county: str | None = None
    family: str | None = None
    signal: str | None = None
    severity: str | None = None
    state: AlertState | None = None
    since: Instant | None = None
    """Raised in [since, until), event time."""
    until: Instant | None = None


def document_of(transition: Transition) -> str:
    """Canonical JSON (RFC 8785): one transition, one text."""
    return rfc8785.dumps(msgspec.to_builtins(transition)).decode()


def transition_id(transition: Transition) -> str:
    """Deterministic: an alert is raised once and ended once, and each piece of evidence joins it once."""
    kind = "raised" if isinstance(transition, Raised) else "ended"
    said = document_of(transition) if isinstance(transition, Joined) else f"{kind} {transition.alert}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def append_transitions(db: Connection, transitions: Iterable[Transition]) -> None:
    """Append what is new; a transition that is there already, or says otherwise now, changes nothing.

    Raises LedgerError for one of an alert that was never raised.
    """
    for transition in sorted(transitions, key=lambda one: (KIND_ORDER[type(one)], one.at, one.alert)):
        if isinstance(transition, Raised):
            raised = {
                "id": transition.alert,
                "county": transition.county,
                "family": transition.family,
                "signal": transition.evidence.signal,
                "size": transition.evidence.size,
                "severity": transition.severity.value,
                "raised_at": transition.at,
            }
            rows.append(db, tables.alert, [raised])
        elif not db.execute(select(_alert.c.id).where(_alert.c.id == transition.alert)).first():
            raise LedgerError(f"alert {transition.alert} goes on, and was never raised; nothing was written")
        elif isinstance(transition, Ended):
            open_still = and_(_alert.c.id == transition.alert, _alert.c.ended_at.is_(None))
            db.execute(update(_alert).where(open_still).values(ended_at=transition.at))
        happened = {
            "id": transition_id(transition),
            "alert": transition.alert,
            "at": transition.at,
            "kind": KIND_ORDER[type(transition)],
            "document": document_of(transition),
        }
        rows.append(db, tables.transition, [happened])


def transitions(db: Connection) -> Iterator[Transition]:
    """Everything the judge did, in the alert log's order: event time, alert id, transition."""
    order = (_transition.c.at, _transition.c.alert, _transition.c.kind, _transition.c.id)
    for (document,) in db.execute(select(_transition.c.document).order_by(*order)):
        yield _decode(document)


AlertRow = Row[str, int | None, str | None, str]


def _select() -> Select[str, int | None, str | None, str]:
    """Alerts with what raised them."""
    raised = and_(_transition.c.alert == _alert.c.id, _transition.c.kind == KIND_ORDER[Raised])
    columns = (_alert.c.id, _alert.c.ended_at, _alert.c.step, _transition.c.document)
    return select(*columns).select_from(_alert.join(_transition, raised))


def _alert_of(row: AlertRow) -> Alert:
    name, ended_at, step_text, document = row
    raised = _decode(document)
    assert isinstance(raised, Raised)
    step = None if step_text is None else AlertState(step_text)
    return Alert(name, state_of(step, ended_at is not None), raised, ended_at, step)


def find_alert(db: Connection, name: str) -> Alert:
    """The alert of an id, or of an unambiguous beginning of one. Raises UnknownAlertError for none, or several."""
    found = db.execute(_select().where(_alert.c.id == name)).all()
    if not found and len(name) >= SHORTEST_ID:
        begins = func.substr(_alert.c.id, 1, len(name)) == name
        found = db.execute(_select().where(begins).order_by(_alert.c.id).limit(2)).all()
    if len(found) > 1:
        raise UnknownAlertError(
            f"预警编号 {name} 不唯一，请多写几位  {name} begins several alerts' ids; give more of it"
        )
    if not found:
        raise UnknownAlertError(
            f"没有编号为 {name} 的预警；`jiantu alerts list` 列出全部  "
            f"no alert has the id {name}; `jiantu alerts list` shows them all"
        )
    return _alert_of(found[0])


def life_of(db: Connection, name: str) -> AlertLife:
    """An alert with all of its evidence and people's steps; as find_alert."""
    alert = find_alert(db, name)
    of_it = select(_transition.c.document).where(_transition.c.alert == alert.id)
    documents = db.execute(of_it.order_by(_transition.c.at, _transition.c.kind, _transition.c.id)).scalars()
    happened = [_decode(document) for document in documents]
    ends = [one for one in happened if isinstance(one, Ended)]
    return AlertLife(
        alert,
        tuple(one for one in happened if isinstance(one, Joined)),
        ends[0] if ends else None,
        tuple(audit.steps(db, alert.id)),
    )


def list_alerts(db: Connection, which: AlertFilter) -> list[Alert]:
    """Alerts in the order in which they were raised, then by id."""
    found = _select().order_by(_alert.c.raised_at, _alert.c.id)
    for column in ("county", "family", "signal", "severity"):
        if (wanted := getattr(which, column)) is not None:
            found = found.where(_alert.c[column] == wanted)
    if which.since is not None:
        found = found.where(_alert.c.raised_at >= which.since)
    if which.until is not None:
        found = found.where(_alert.c.raised_at < which.until)
    if which.state is AlertState.OPEN:
        found = found.where(_alert.c.step.is_(None), _alert.c.ended_at.is_(None))
    elif which.state is AlertState.ENDED:
        found = found.where(_alert.c.step.is_(None), _alert.c.ended_at.is_not(None))
    elif which.state is not None:
        found = found.where(_alert.c.step == which.state.value)
    return [_alert_of(row) for row in db.execute(found)]
