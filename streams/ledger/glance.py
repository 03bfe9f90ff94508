"""A ledger looked at from outside, again and again, while others write it: one look is one transaction.

What never changes once it is written (windows, what raised an alert, people's steps) is asked for once by whoever
looks; a look itself reads a few rows.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, func, select

from streams.core.alert import Evidence, Raised
from streams.core.city import Size
from streams.core.instant import SECOND, Duration, Instant
from streams.core.outputs import CountyMetrics, ScoredWindow
from streams.core.record import Reason
from streams.ledger import rejects, tables
from streams.ledger.alerts import KIND_ORDER
from streams.ledger.audit import StepTaken
from streams.ledger.connection import Opened, open_reading
from streams.ledger.lifecycle import AlertState
from streams.ledger.place import Where
from streams.ledger.reader import Progress, progress_of
from streams.ledger.scores import ScoreHistory

PATIENCE: Duration = 2 * SECOND
"""How long a look waits for a lock: whoever asks comes again soon."""
_ids_at_once = 500

T = TypeVar("T")
_alert, _transition, _audit, _metrics = tables.alert, tables.transition, tables.audit, tables.metrics
_raised = msgspec.json.Decoder(Raised).decode
_step = msgspec.json.Decoder(StepTaken).decode
_county_metrics = msgspec.json.Decoder(CountyMetrics).decode


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as it stands now; its evidence is asked for by its id."""

    id: str
    county: str
    family: str
    signal: str
    size: str
    severity: str
    raised_at: Instant
    ended_at: Instant | None
    step: AlertState | None
    """Where people's last step took it; None: nobody has taken it up."""


class Look:
    """What can be asked in one transaction."""

    def __init__(self, db: Connection, scores: ScoreHistory) -> None:
        self._db = db
        self._scores = scores

    def progress(self) -> Progress | None:
        """Position, watermark and totals; None before the first checkpoint."""
        return progress_of(self._db)

    def from_topics(self) -> bool:
        """Whether it is filled from topics."""
        return self._db.execute(select(tables.topic.c.name).limit(1)).first() is not None

    def stopped(self) -> list[tuple[str, int, str]]:
        """What has stopped for good, and waits for somebody to look: step, partition, why."""
        columns = tables.stopped.c
        found = self._db.execute(select(*columns).order_by(columns.step, columns.partition))
        return [(step, partition, why) for step, partition, why in found]

    def rejection_totals(self) -> dict[Reason, int]:
        """Reason -> records rejected since the beginning, in the order of the enum."""
        return rejects.rejection_totals(self._db)

    def alerts(self) -> list[AlertRow]:
        """All alerts, in the order in which they were raised, then by id."""
        columns = _alert.c
        wanted = (
            columns.id, columns.county, columns.family, columns.signal, columns.size, columns.severity,
            columns.raised_at, columns.ended_at, columns.step,
        )  # fmt: skip
        found = self._db.execute(select(*wanted).order_by(columns.raised_at, columns.id))
        return [AlertRow(*row[:8], None if row[8] is None else AlertState(row[8])) for row in found]

    def evidence(self, alerts: Iterable[str]) -> Iterator[tuple[str, Evidence]]:
        """What raised some alerts: (id, evidence), in no order."""
        names = list(alerts)
        columns = _transition.c
        for at in range(0, len(names), _ids_at_once):
            some = columns.alert.in_(names[at : at + _ids_at_once])
            documents = select(columns.document).where(some, columns.kind == KIND_ORDER[Raised])
            for (document,) in self._db.execute(documents):
                one = _raised(document)
                yield one.alert, one.evidence

    def steps(self, after: int) -> list[StepTaken]:
        """What people did with alerts, in the order in which they did it: the steps behind a number of the chain."""
        wanted = select(_audit.c.document).where(_audit.c.number > after, _audit.c.alert.is_not(None))
        found = wanted.order_by(_audit.c.number)
        return [_step(document) for (document,) in self._db.execute(found)]

    def last_scored(self, size: Size) -> Instant | None:
        """End of the last scored window of a size."""
        return self._scores.latest(self._db, size)

    def first_scored(self, size: Size) -> Instant | None:
        """End of the first scored window of a size that is kept."""
        end = tables.scored.c.window_end
        found: Instant | None = self._db.execute(
            select(func.min(end)).where(tables.scored.c.size == size.value)
        ).scalar()
        return found

    def scored_ends(self, size: Size, after: Instant, until: Instant) -> list[Instant]:
        """Ends of the scored windows of a size that end in (after, until], oldest first."""
        end = tables.scored.c.window_end
        found = select(end).where(tables.scored.c.size == size.value, end > after, end <= until).order_by(end)
        return [row[0] for row in self._db.execute(found)]

    def scored_window(
        self, size: Size, end: Instant, signals: tuple[str, ...], series: tuple[str, ...]
    ) -> ScoredWindow | None:
        """All series of one window, as they were scored; None where it is not there, or about others than these."""
        return self._scores.laid_out(self._db, size, end, signals, series)

    def last_metrics(self) -> Instant | None:
        """End of the last day that has county metrics."""
        found: Instant | None = self._db.execute(
            select(func.max(_metrics.c.window_end)).where(_metrics.c.size == Size.DAY.value)
        ).scalar()
        return found

    def day_metrics(self, after: Instant) -> list[tuple[Instant, CountyMetrics]]:
        """(end, metrics) of all counties' days that end after an instant, oldest first."""
        end = _metrics.c.window_end
        found = select(end, _metrics.c.document).where(_metrics.c.size == Size.DAY.value, end > after)
        return [(row[0], _county_metrics(row[1])) for row in self._db.execute(found.order_by(end, _metrics.c.county))]


class Glance(Opened):
    """A ledger to look at; closed after a few looks, or opened anew for each."""

    def __init__(self, where: Where, patience: Duration = PATIENCE) -> None:
        """Raises LedgerError where there is no ledger, or not one of this version."""
        super().__init__(open_reading(where, patience))
        self._scores = ScoreHistory()

    def look(self, work: Callable[[Look], T]) -> T:
        """Ask in one transaction: all that is told is of one moment."""
        return self._database.run(lambda db: work(Look(db, self._scores)))
