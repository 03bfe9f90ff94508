"""What a worker is told to do, and what it says while it does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from streams.broker.settings import BrokerSettings
from streams.core.city import City
from streams.core.instant import SECOND, Duration

STEPS = ("tally", "score", "judge")
FAILED, REFUSED = 1, 2
"""Exit codes: may be tried again; must not be before somebody has looked."""
STOP_AT = "JIANTU_WORKER_STOP_AT"
"""Environment variable of the fault harness: `checkpoint:3` freezes the process (SIGSTOP) in its third checkpoint,
between the packs and the manifest; `recovery:1` in its first recovery."""


class Say(Protocol):
    """Where a worker says what it does: a name of what happened, and facts."""

    def __call__(self, event: str, /, **facts: Any) -> None:
        """Say it at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSetup:
    """What a worker is to do."""

    city: City
    settings: BrokerSettings
    steps: Sequence[str] = STEPS
    interval: Duration = 5 * SECOND
    """Between two checkpoints of a partition."""
