"""Comparing the alert log of a run with one that was kept: what is missing, what is new, what changed.

>>> differences(b"", b"")
[]
"""

from collections.abc import Mapping
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
