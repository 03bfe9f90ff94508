"""The alert log: what the judge did, raised and ended, as canonical JSON Lines; its SHA-256 stands for a run.

One line a transition, RFC 8785, sorted by (event time, alert id, transition). Times are RFC 3339 in UTC, so
that no time zone database has a part in the hash; likewise no sentence, no title and no version of a
detector, a profile or a package. Evidence that joined is named where its alert ends.
"""

import hashlib
from collections.abc import Iterable

import rfc8785
from msgspec import structs

from streams.core.alert import Ended, Evidence, Raised, Shape, Transition
from streams.core.instant import Instant, format_instant

Line = dict[str, str | int | float | list[list[str]] | None]


def log_lines(transitions: Iterable[Transition]) -> list[Line]:
    """The log's lines as plain data, in the log's order. Repeated transitions count once.

    Events of one ticket may come in any order: an always-page alert stands in the log with the earliest of
    them, which joined it if it came later.
    """
    raised: dict[str, Raised] = {}
    ended: dict[str, Ended] = {}
    earlier: dict[str, Evidence] = {}
    for transition in transitions:
        if isinstance(transition, Raised):
            raised.setdefault(transition.alert, transition)
        elif isinstance(transition, Ended):
            ended.setdefault(transition.alert, transition)
        elif transition.evidence.shape == Shape.ALWAYS_PAGE:
            known = earlier.get(transition.alert)
            if known is None or _order(transition.evidence) < _order(known):
                earlier[transition.alert] = transition.evidence
    keyed: list[tuple[tuple[Instant, str, str], Line]] = []
    firsts = [_as_of_earliest(one, earlier.get(one.alert)) for one in raised.values()]
    keyed.extend(((one.at, one.alert, "raised"), _raised(one)) for one in firsts)
    keyed.extend(((last.at, last.alert, "ended"), _ended(last)) for last in ended.values())
    return [line for _, line in sorted(keyed, key=lambda item: item[0])]


def alert_log(transitions: Iterable[Transition]) -> bytes:
    """The log's text: UTF-8, every line ends with a newline; empty where nothing was raised."""
    return b"".join(rfc8785.dumps(line) + b"\n" for line in log_lines(transitions))


def alert_log_sha256(log: bytes) -> str:
    """SHA-256 of the log's text, hex."""
    return hashlib.sha256(log).hexdigest()


def _as_of_earliest(one: Raised, first: Evidence | None) -> Raised:
    if first is None or _order(first) >= _order(one.evidence):
        return one
    return structs.replace(one, at=first.window_end, evidence=first)


def _order(evidence: Evidence) -> tuple[Instant, str]:
    return evidence.window_end, evidence.signal


def _raised(one: Raised) -> Line:
    case = one.evidence
    line: Line = {
        "transition": "raised",
        "at": format_instant(one.at),
        "alert": one.alert,
        "county": one.county,
        "family": one.family,
        "severity": str(one.severity),
        "shape": str(case.shape),
        "signal": case.signal,
        "size": str(case.size),
        "detector": case.detector,
        "direction": str(case.direction),
        "window_start": format_instant(case.window_start),
        "window_end": format_instant(case.window_end),
        "count": case.count,
        "expected": case.expected,
        "low": case.low,
        "high": case.high,
        "p": case.p,
        "level": case.level,
    }
    if case.whole is not None:
        line["whole"] = case.whole
    if case.exposure is not None:
        line["exposure"] = case.exposure
    return line


def _ended(last: Ended) -> Line:
    return {
        "transition": "ended",
        "at": format_instant(last.at),
        "alert": last.alert,
        "joined": [list(case) for case in last.joined],
    }
