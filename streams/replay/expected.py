"""Comparing the alert log of a run with one that was kept: what is missing, what is new, what changed.

`differences` gives it as data, `lines` says it in words; `jiantu replay --expect`, `streams.replay.replay` and the
pytest fixture all show these lines.

>>> compare_logs(b"", b"")
''
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Line = Mapping[str, Any]


class ExpectedLogError(Exception):
    """A stored alert log that cannot be used: `line: what; what to do`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the log that is not as expected."""

    kind: Literal["missing", "unexpected", "changed"]
    expected: Line | None
    """As it was stored; None for one that is new."""
    found: Line | None
    """As this run has it; None for one that is missing."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that changed, in the order of the log."""
        if self.expected is None or self.found is None:
            return ()
        names = dict.fromkeys((*self.found, *self.expected))
        return tuple(name for name in names if self.expected.get(name) != self.found.get(name))


def differences(expected: bytes, found: bytes) -> list[Difference]:
    """How the alert log `found` differs from `expected`, in the order of event time; [] where it does not.

    Lines are matched by alert and transition. Raises ExpectedLogError where `expected` is no alert log.
    """
    if expected == found:
        return []
    old, new = _by_identity(expected), _by_identity(found)
    made = [
        Difference("missing" if key not in new else "changed", line, new.get(key))
        for key, line in old.items()
        if new.get(key) != line
    ]
    made += [Difference("unexpected", None, line) for key, line in new.items() if key not in old]
    return sorted(made, key=_place)


MOST_SHOWN = 50
_SAID: Mapping[str, tuple[Literal["-", "+", "~"], str]] = {
    "missing": ("-", "少了 missing"),
    "unexpected": ("+", "多了 unexpected"),
    "changed": ("~", "变了 changed"),
}
_RAISED = ("county", "signal", "size", "shape")


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a readable diff."""

    mark: Literal["-", "+", "~", "?", " "]
    """Expected and missing, found and unexpected, changed, why; a blank for what belongs to the line before."""
    said: str
    """The mark in words, where it needs any."""
    text: str

    def __str__(self) -> str:
        return "  ".join(part for part in (self.mark, self.said, self.text) if part)


def lines(differing: Sequence[Difference], names: Mapping[str, str] | None = None) -> list[DiffLine]:
    """The differences for a person: one line each, and for what changed one more for each field.

    `names`: county code -> what people call it.
    """
    made: list[DiffLine] = []
    for one in differing[:MOST_SHOWN]:
        mark, said = _SAID[one.kind]
        made.append(DiffLine(mark, said, _words(one.found or one.expected or {}, names or {})))
        if one.expected is not None and one.found is not None:
            changed = ((name, one.expected.get(name), one.found.get(name)) for name in one.fields)
            made += [DiffLine(" ", "", f"  {name}: {_json(old)} → {_json(new)}") for name, old, new in changed]
    if len(differing) > MOST_SHOWN:
        made.append(DiffLine(" ", "", f"… 另有 {len(differing) - MOST_SHOWN} 处 more"))
    return made


def compare_logs(expected: bytes, found: bytes, names: Mapping[str, str] | None = None) -> str:
    """How the alert log `found` differs from `expected`, as text for a person; "" where it does not.

    Raises ExpectedLogError where `expected` is no alert log.
    """
    differing = differences(expected, found)
    if not differing:
        return ""
    total = f"与存下的日志有 {len(differing)} 处不同 differences from the stored log"
    return "\n".join([*(str(line) for line in lines(differing, names)), total])


def _words(line: Line, names: Mapping[str, str]) -> str:
    shown = [str(line.get("at")), str(line.get("transition")), str(line.get("alert"))]
    if line.get("transition") == "raised":
        county, *rest = (str(line.get(name)) for name in _RAISED)
        shown += [f"{county} {names[county]}" if county in names else county, *rest, f"count {line.get('count')}"]
    return "  ".join(shown)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _place(one: Difference) -> tuple[str, str, str]:
    line = one.found or one.expected or {}
    return str(line.get("at")), str(line.get("alert")), str(line.get("transition"))


def _by_identity(log: bytes) -> dict[tuple[str, str], Line]:
    lines: dict[tuple[str, str], Line] = {}
    for number, text in enumerate(log.split(b"\n"), 1):
        if not text.strip():
            continue
        try:
            line = msgspec.json.decode(text, type=dict[str, Any])
            key = (str(line["alert"]), str(line["transition"]))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            raise ExpectedLogError(
                f"line {number}: no line of an alert log; store one with `jiantu alert-log --data-dir DIR > LOG`"
            ) from None
        lines[key] = line
    return lines
