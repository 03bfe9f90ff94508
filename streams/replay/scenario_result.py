"""What a scenario led to: the alerts that were found, and everything that is not as expected."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from streams.core.alert import Ended, Joined, Raised, Transition
from streams.core.alert_log import alert_log_sha256
from streams.core.instant import Instant
from streams.core.outputs import Accounting
from streams.core.record import Reason
from streams.profile.document import Place
from streams.profile.problems import Words
from streams.replay.expected import DiffLine
from streams.replay.scenario_model import Scenario


@dataclass(frozen=True, slots=True)
class AlertFound:
    """An alert with all that happened to it."""

    raised: Raised
    joined: tuple[Joined, ...]
    ended: Ended | None


def alerts_of(transitions: Iterable[Transition]) -> tuple[AlertFound, ...]:
    """The alerts that transitions tell of, in the order of (time raised, id), what joined each by (time, signal, size):
    the same in whatever order the transitions come."""
    raised: dict[str, Raised] = {}
    joined: dict[str, list[Joined]] = {}
    ended: dict[str, Ended] = {}
    for one in transitions:
        if isinstance(one, Raised):
            raised.setdefault(one.alert, one)
        elif isinstance(one, Joined):
            joined.setdefault(one.alert, []).append(one)
        else:
            ended.setdefault(one.alert, one)
    ordered = sorted(raised.values(), key=lambda one: (one.at, one.alert))
    return tuple(
        AlertFound(one, tuple(sorted(joined.get(one.alert, ()), key=_place)), ended.get(one.alert)) for one in ordered
    )


def _place(one: Joined) -> tuple[Instant, str, str, str, str]:
    case = one.evidence
    return one.at, case.signal, str(case.size), case.detector, case.county


KINDS: dict[str, Words] = {
    "missing": ("缺少预警", "missing alert"),
    "unexpected": ("意外预警", "unexpected alert"),
    "changed": ("预警不符", "alert differs"),
    "not_silent": ("不该有的预警", "not silent"),
    "count": ("计数不符", "count differs"),
    "accounting": ("总账不符", "accounting differs"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as expected."""

    kind: Literal["missing", "unexpected", "changed", "not_silent", "count", "accounting"]
    place: Place
    """Where the expectation is written."""
    expected: Words
    found: Words
    why: tuple[Words, ...] = ()
    """Of an alert that is missing: why it was not raised."""

    @property
    def where(self) -> str:
        """file:line:column of the expectation."""
        return f"{self.place.file}:{self.place.line}:{self.place.column}"

    def lines(self) -> list[DiffLine]:
        """Expected, found, and why, each in Chinese with the English below."""
        said: list[tuple[Literal["-", "+", "?"], Words]] = [("-", self.expected), ("+", self.found)]
        made: list[DiffLine] = []
        for mark, (zh, en) in [*said, *(("?", words) for words in self.why)]:
            made.append(DiffLine(mark, "", zh))
            made += [DiffLine(" ", "", en)] if en != zh else []
        return made

    def __str__(self) -> str:
        return "\n".join([f"{self.where}: {' '.join(KINDS[self.kind])}", *(f"  {line}" for line in self.lines())])


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What a scenario led to."""

    scenario: Scenario
    accounting: Accounting
    reasons: Mapping[Reason, int]
    """Rejections by reason."""
    alerts: tuple[AlertFound, ...]
    alert_log: bytes
    findings: tuple[Finding, ...]
    """What is not as expected, in the order of the file."""

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.findings

    @property
    def alert_log_sha256(self) -> str:
        """SHA-256 of the alert log, hex."""
        return alert_log_sha256(self.alert_log)
