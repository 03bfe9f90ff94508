"""What the topics are called."""

import re
from dataclasses import dataclass

_LEGAL = re.compile(r"[A-Za-z0-9._-]*\Z")
LONGEST = 200
"""Characters of a prefix; a topic's whole name may have 249."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one installation; several share brokers where each has a prefix of its own.

    >>> Topics("leshan.").events
    'leshan.events'
    """

    prefix: str = ""

    def __post_init__(self) -> None:
        problem = problem_with_prefix(self.prefix)
        if problem:
            raise ValueError(problem)

    @property
    def events(self) -> str:
        """Events and ticks, key county."""
        return f"{self.prefix}events"

    @property
    def windows(self) -> str:
        """Closed windows, key signal x size."""
        return f"{self.prefix}windows"

    @property
    def scores(self) -> str:
        """Scored windows, key city; one partition."""
        return f"{self.prefix}scores"

    @property
    def alerts(self) -> str:
        """What the judge did."""
        return f"{self.prefix}alerts"

    @property
    def dlq(self) -> str:
        """Records that could not become events: reason and position, never the payload."""
        return f"{self.prefix}events.dlq"

    @property
    def checkpoints(self) -> str:
        """Checkpoints of the steps, partition for partition of their source topics; compacted."""
        return f"{self.prefix}checkpoints"

    def all(self) -> tuple[str, ...]:
        """Every one, in the order of the path of an event."""
        return (self.events, self.windows, self.scores, self.alerts, self.dlq, self.checkpoints)


def problem_with_prefix(prefix: str) -> str:
    """What is wrong with a prefix of names, or nothing."""
    if len(prefix) > LONGEST:
        return f"longer than {LONGEST} characters"
    if not _LEGAL.match(prefix):
        return f"{prefix!r}: only letters of ASCII, digits, and . _ - may be in the name of a topic"
    return ""
