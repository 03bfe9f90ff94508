"""What a worker is told to do, and what it says while it does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from streams.broker.settings import BrokerSettings, BrokerSettingsError
from streams.core.city import City
from streams.core.instant import SECOND, Duration

STEPS = ("tally", "score", "judge")
FAILED, REFUSED, STOPPED_FOR_GOOD = 1, 2, 3
"""Exit codes. Failed: may be tried again. Refused, and stopped after the third failure at the same records: not before
somebody has looked (systemd: RestartPreventExitStatus=2 3)."""
INSTANCE = "JIANTU_WORKER_INSTANCE"
"""Environment variable: the member of the group that a worker is in all its lives. Two workers must not have one name;
without it, every life is a member of its own, whose partitions wait until the last one's session is over."""
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


def steps_named(text: str) -> tuple[str, ...]:
    """The steps that a list with commas names. Raises BrokerSettingsError for a word that is none."""
    named = tuple(word.strip() for word in text.split(",") if word.strip())
    wrong = sorted(set(named) - set(STEPS))
    if wrong or not named:
        raise BrokerSettingsError(
            f"--steps: {', '.join(wrong) or 'nothing'} is no step; the steps are tally,score,judge"
        )
    return named
