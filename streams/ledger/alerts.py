"""What the judge did: transitions, appended once each, and the alerts that they make up."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator

import msgspec
import rfc8785

from streams.core.alert import Ended, Joined, Raised, Transition

KIND_ORDER: dict[type, int] = {Raised: 0, Joined: 1, Ended: 2}
"""Order of one alert's transitions at one instant."""

_decode = msgspec.json.Decoder(Transition).decode


def document_of(transition: Transition) -> str:
    """Canonical JSON (RFC 8785): one transition, one text."""
    return rfc8785.dumps(msgspec.to_builtins(transition)).decode()


def transition_id(transition: Transition) -> str:
    """Deterministic: an alert is raised once, ended once, and joined once by a series' window."""
    identity: tuple[str | int, ...]
    if isinstance(transition, Joined):
        e = transition.evidence
        identity = ("joined", transition.alert, e.signal, e.size, e.window_end, e.detector, e.shape)
    else:
        identity = ("raised" if isinstance(transition, Raised) else "ended", transition.alert)
    return hashlib.sha256(msgspec.json.encode(identity)).hexdigest()[:32]


def append_transitions(db: sqlite3.Connection, transitions: Iterable[Transition]) -> None:
    """Append what is new; a transition that is there already, or says otherwise now, changes nothing."""
    for transition in sorted(transitions, key=lambda one: (one.at, one.alert, KIND_ORDER[type(one)])):
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
