"""Everything a ledger can be asked, by whoever may only read: commands, reports, boards. Start reading here."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import tzinfo

from sqlalchemy import Connection, select

from streams.core.alert import Transition
from streams.core.city import Size
from streams.core.instant import Instant
from streams.core.outputs import Accounting, ScoredWindow
from streams.core.record import Reason, Rejection
from streams.core.snapshot import state_sha256
from streams.ledger import alerts, audit, measures, rejects, retention, tables
from streams.ledger.alerts import Alert, AlertFilter, AlertLife
from streams.ledger.audit import AuditHead, AuditVerdict, StepTaken
from streams.ledger.connection import Opened, open_reading
from streams.ledger.measures import CountyWindow, VolumeChange
from streams.ledger.place import Where
from streams.ledger.scores import ScoreHistory, SeriesScore

ANY = AlertFilter()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run has come that this ledger holds."""

    source: str
    profile_version: str
    record: int
    watermark: Instant | None
    accounting: Accounting


class LedgerReader(Opened):
    """A ledger that cannot be written through this; others may write it meanwhile.

    >>> with LedgerReader(data_dir) as ledger:  # doctest: +SKIP
    ...     for alert in ledger.alerts(AlertFilter(state=AlertState.OPEN)):
    ...         print(alert.raised.county, alert.raised.evidence.count)
    """

    def __init__(self, where: Where) -> None:
        """Raises LedgerError where there is no ledger, or not one of this version."""
        super().__init__(open_reading(where))
        self._ask = self._database.run
        self._scores = ScoreHistory()

    # ---- the run ----

    def progress(self) -> Progress | None:
        """Position, watermark and totals; None before the first checkpoint."""
        return self._ask(progress_of)

    def state_sha256(self) -> str:
        """Digest of the state in the last checkpoint."""
        return state_sha256(self._ask(_chunks))

    def retained(self) -> Mapping[str, tuple[Instant, int]]:
        """scores, corrections, rejections -> (kept since, rows let go so far)."""
        return self._ask(retention.retained)

    def profile_files(self) -> dict[str, bytes]:
        """The files of the profile that it was filled with, by name, where there is no folder that keeps them."""
        return self._ask(_profile_files)

    # ---- alerts ----

    def alerts(self, which: AlertFilter = ANY) -> list[Alert]:
        """Alerts in the order in which they were raised, then by id."""
        return self._ask(lambda db: alerts.list_alerts(db, which))

    def alert(self, name: str) -> AlertLife:
        """One alert with all of its evidence and people's steps, by its id or an unambiguous beginning of it.

        Raises LedgerError where there is none, or more than one.
        """
        return self._ask(lambda db: alerts.life_of(db, name))

    def transitions(self) -> list[Transition]:
        """Everything the judge did, in the order of event time, alert id, transition: the makings of the alert log."""
        return self._ask(lambda db: list(alerts.transitions(db)))

    # ---- people ----

    def steps(self) -> list[StepTaken]:
        """Everything people did, in the order in which they did it."""
        return self._ask(lambda db: list(audit.steps(db)))

    def audit_head(self) -> AuditHead:
        """The end of the audit chain: worth writing down elsewhere."""
        return self._ask(audit.head)

    def verify_audit(self, known: AuditHead | None = None) -> AuditVerdict:
        """Whether the audit chain is as it was written; `known`: a head written down before."""
        return self._ask(lambda db: audit.verify_audit(db, known))

    # ---- scores and metrics ----

    def score(self, county: str, signal: str, size: Size, at: Instant) -> SeriesScore | None:
        """The window of a series that holds an instant, as it was scored; None where there is none."""
        return self._ask(lambda db: self._scores.at(db, county, signal, size, at))

    def series(
        self, county: str, signal: str, size: Size, since: Instant | None = None, until: Instant | None = None
    ) -> list[SeriesScore]:
        """The windows of a series that end in (since, until], oldest first."""
        return self._ask(lambda db: self._scores.series(db, county, signal, size, since, until))

    def scored_window(self, size: Size, end: Instant) -> ScoredWindow | None:
        """All series of one window, as they were scored; without the details that only evidence has."""
        return self._ask(lambda db: self._scores.window(db, size, end))

    def scored_ends(self, size: Size) -> list[Instant]:
        """Ends of all scored windows of a size, oldest first."""
        return self._ask(lambda db: self._scores.ends(db, size))

    def last_scored(self, size: Size) -> Instant | None:
        """End of the last scored window of a size."""
        return self._ask(lambda db: self._scores.latest(db, size))

    def latest_metrics(self, size: Size) -> dict[str, CountyWindow]:
        """County -> metrics of its last window of a size (day, week)."""
        return self._ask(lambda db: measures.latest_metrics(db, size))

    def metrics(
        self, county: str, size: Size, since: Instant | None = None, until: Instant | None = None
    ) -> list[CountyWindow]:
        """A county's metrics over the windows that end in (since, until], oldest first."""
        return self._ask(lambda db: measures.metrics_history(db, county, size, since, until))

    def window_on_window(self, window: CountyWindow) -> VolumeChange:
        """Volumes against the window before (环比)."""
        return self._ask(lambda db: measures.window_on_window(db, window))

    def year_on_year(self, window: CountyWindow, zone: tzinfo) -> VolumeChange:
        """Volumes against the same day of the last year by the city's calendar (同比)."""
        return self._ask(lambda db: measures.year_on_year(db, window, zone))

    # ---- what did not count ----

    def corrections(
        self, county: str | None = None, signal: str | None = None, at: Instant | None = None
    ) -> dict[tuple[str, str], int]:
        """(county, signal) -> late events that are kept, in that order.

        Of one county, of one signal, of the hour that holds an instant; None: of all.
        """
        return self._ask(lambda db: rejects.corrections(db, county, signal, at))

    def rejection_totals(self) -> dict[Reason, int]:
        """Reason -> records rejected since the beginning, retention or not; in the order of the enum."""
        return self._ask(rejects.rejection_totals)

    def rejections(self, last: int = 100) -> list[tuple[Instant, Rejection]]:
        """The last rejections that are kept, newest first: (event time that the stream had reached, rejection)."""
        return self._ask(lambda db: rejects.rejections(db, last))

    def damage(self) -> list[str]:
        """What is wrong with the ledger, in words; [] where nothing is.

        Looks at the file's pages and references, at the accounting and at the audit chain.
        """
        return self._ask(self._damage)

    def _damage(self, db: Connection) -> list[str]:
        found = self._database.damage(db)
        held = rejects.totals_held_against_accounting(db)
        if held is not None and held[0] != held[1]:
            found.append(f"rejections by reason sum to {held[0]}, the accounting says {held[1]}")
        verdict = audit.verify_audit(db)
        return found if verdict.intact else [*found, f"audit: {verdict.problem}"]


def progress_of(db: Connection) -> Progress | None:
    """What the last checkpoint says of the run."""
    row = db.execute(select(tables.checkpoint)).mappings().first()
    if row is None:
        return None
    accounting = Accounting(**{total.name: row[total.name] for total in fields(Accounting)})
    return Progress(row["source"], row["profile_version"], row["record"], row["watermark"], accounting)


def _profile_files(db: Connection) -> dict[str, bytes]:
    columns = tables.profile_file.c
    return dict(db.execute(select(columns.name, columns.content)).all())


def _chunks(db: Connection) -> dict[str, bytes]:
    columns = tables.state_chunk.c
    return dict(db.execute(select(columns.name, columns.content)).all())
