"""Where people deal with alerts: one step, one short transaction, beside a running writer or without one."""

from dataclasses import dataclass

from msgspec import structs
from sqlalchemy import Connection

from streams.clock import Clock
from streams.core.instant import Instant
from streams.ledger import audit
from streams.ledger.alerts import find_alert
from streams.ledger.audit import StepTaken
from streams.ledger.connection import Opened, open_people
from streams.ledger.lifecycle import LEADS_TO, AlertState, Step, check_possible, check_said, state_of
from streams.ledger.place import Where


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step."""

    taken: StepTaken
    state: AlertState
    repeated: bool
    """The same person had said exactly this already: nothing was added."""


class AlertDesk(Opened):
    """Takes people's steps on the alerts of one ledger."""

    def __init__(self, where: Where, clock: Clock) -> None:
        """Raises LedgerError where there is no ledger, or not one of this version."""
        self._clock = clock
        super().__init__(open_people(where))

    def take(self, alert: str, step: Step) -> StepResult:
        """Take one step on an alert, named by its id or an unambiguous beginning of it.

        The same step by the same person as the last one changes nothing and says so. Raises
        StepRefusedError where the step is not possible now or not said properly, with what is possible.
        """
        now = self._clock.now()
        return self._database.run(lambda db: self._take(db, alert, step, now))

    def _take(self, db: Connection, alert: str, step: Step, now: Instant) -> StepResult:
        self._database.hold_steps(db)
        found = find_alert(db, alert)
        last = max(audit.steps(db, found.id), key=lambda taken: taken.number, default=None)
        if last is not None and step in (last.step, structs.replace(last.step, note="")):
            return StepResult(last, LEADS_TO[step.kind], repeated=True)
        check_said(step, now)
        check_possible(step.kind, state_of(found.step, found.ended_at is not None), found.id)
        return StepResult(audit.append(db, found.id, now, step), LEADS_TO[step.kind], repeated=False)
