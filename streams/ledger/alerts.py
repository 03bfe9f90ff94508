"""What the judge did: transitions, appended once each, and the alerts that they make up."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec
import rfc8785

from streams.core.alert import Ended, Joined, Raised, Transition
from streams.core.instant import Instant
from streams.ledger import audit
from streams.ledger.audit import StepTaken
from streams.ledger.errors import LedgerError, UnknownAlertError
from streams.ledger.lifecycle import AlertState, state_of

KIND_ORDER: dict[type, int] = {Raised: 0, Joined: 1, Ended: 2}
"""Order of one alert's transitions at one instant."""

SHORTEST_ID = 4
"""The shortest beginning of an alert's id that names it."""

_decode = msgspec.json.Decoder(Transition).decode


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


def append_transitions(db: sqlite3.Connection, transitions: Iterable[Transition]) -> None:
    """Append what is new; a transition that is there already, or says otherwise now, changes nothing.

    Raises LedgerError for one of an alert that was never raised.
    """
    for transition in sorted(transitions, key=lambda one: (KIND_ORDER[type(one)], one.at, one.alert)):
        if isinstance(transition, Raised):
            db.execute(
                "INSERT INTO alert (id, county, family, signal, size, severity, raised_at) "
                "VALUES (:id, :county, :family, :signal, :size, :severity, :raised_at) ON CONFLICT (id) DO NOTHING",
                {
                    "id": transition.alert,
                    "county": transition.county,
                    "family": transition.family,
                    "signal": transition.evidence.signal,
                    "size": transition.evidence.size,
                    "severity": transition.severity.value,
                    "raised_at": transition.at,
                },
            )
        elif not db.execute("SELECT 1 FROM alert WHERE id = :id", {"id": transition.alert}).fetchone():
            raise LedgerError(f"alert {transition.alert} goes on, and was never raised; nothing was written")
        elif isinstance(transition, Ended):
            db.execute(
                "UPDATE alert SET ended_at = :at WHERE id = :alert AND ended_at IS NULL",
                {"at": transition.at, "alert": transition.alert},
            )
        db.execute(
            "INSERT INTO transition (id, alert, at, kind, document) "
            "VALUES (:id, :alert, :at, :kind, :document) ON CONFLICT (id) DO NOTHING",
            {
                "id": transition_id(transition),
                "alert": transition.alert,
                "at": transition.at,
                "kind": KIND_ORDER[type(transition)],
                "document": document_of(transition),
            },
        )


def transitions(db: sqlite3.Connection) -> Iterator[Transition]:
    """Everything the judge did, in the alert log's order: event time, alert id, transition."""
    for row in db.execute("SELECT document FROM transition ORDER BY at, alert, kind, id"):
        yield _decode(row[0])


_SELECT = """
    SELECT alert.id, alert.ended_at, alert.step, transition.document
    FROM alert JOIN transition ON transition.alert = alert.id AND transition.kind = 0
"""


def _alert(row: tuple[str, int | None, str | None, str]) -> Alert:
    name, ended_at, step_text, document = row
    raised = _decode(document)
    assert isinstance(raised, Raised)
    step = None if step_text is None else AlertState(step_text)
    return Alert(name, state_of(step, ended_at is not None), raised, ended_at, step)


def find_alert(db: sqlite3.Connection, name: str) -> Alert:
    """The alert of an id, or of an unambiguous beginning of one. Raises UnknownAlertError for none, or several."""
    found = db.execute(_SELECT + "WHERE alert.id = :name", {"name": name}).fetchall()
    if not found and len(name) >= SHORTEST_ID:
        found = db.execute(
            _SELECT + "WHERE substr(alert.id, 1, :length) = :name ORDER BY alert.id LIMIT 2",
            {"name": name, "length": len(name)},
        ).fetchall()
    if len(found) > 1:
        raise UnknownAlertError(
            f"预警编号 {name} 不唯一，请多写几位  {name} begins several alerts' ids; give more of it"
        )
    if not found:
        raise UnknownAlertError(
            f"没有编号为 {name} 的预警；`jiantu alerts list` 列出全部  "
            f"no alert has the id {name}; `jiantu alerts list` shows them all"
        )
    return _alert(found[0])


def life_of(db: sqlite3.Connection, name: str) -> AlertLife:
    """An alert with all of its evidence and people's steps; as find_alert."""
    alert = find_alert(db, name)
    documents = db.execute(
        "SELECT document FROM transition WHERE alert = :alert ORDER BY at, kind, id", {"alert": alert.id}
    )
    happened = [_decode(row[0]) for row in documents]
    ends = [one for one in happened if isinstance(one, Ended)]
    return AlertLife(
        alert,
        tuple(one for one in happened if isinstance(one, Joined)),
        ends[0] if ends else None,
        tuple(audit.steps(db, alert.id)),
    )


def list_alerts(db: sqlite3.Connection, which: AlertFilter) -> list[Alert]:
    """Alerts in the order in which they were raised, then by id."""
    people = which.state not in (None, AlertState.OPEN, AlertState.ENDED)
    rows = db.execute(
        _SELECT
        + """
        WHERE (:county IS NULL OR alert.county = :county)
          AND (:family IS NULL OR alert.family = :family)
          AND (:signal IS NULL OR alert.signal = :signal)
          AND (:severity IS NULL OR alert.severity = :severity)
          AND (:since IS NULL OR alert.raised_at >= :since)
          AND (:until IS NULL OR alert.raised_at < :until)
          AND (:state IS NULL OR (:people AND alert.step = :state)
               OR (NOT :people AND alert.step IS NULL AND (alert.ended_at IS NOT NULL) = :ended))
        ORDER BY alert.raised_at, alert.id
        """,
        {
            "county": which.county,
            "family": which.family,
            "signal": which.signal,
            "severity": which.severity,
            "since": which.since,
            "until": which.until,
            "state": None if which.state is None else which.state.value,
            "people": people,
            "ended": which.state is AlertState.ENDED,
        },
    )
    return [_alert(row) for row in rows]
