"""Everything a ledger can be asked, by whoever may only read: commands, reports, boards. Start reading here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.core.alert import Transition
from streams.core.city import Size
from streams.core.instant import Instant
from streams.core.outputs import Accounting, ScoredWindow
from streams.core.record import Reason, Rejection
from streams.ledger import alerts, audit, measures, rejects, retention
from streams.ledger.alerts import Alert, AlertFilter, AlertLife
from streams.ledger.audit import AuditHead, AuditVerdict, StepTaken
from streams.ledger.connection import FILE, open_reading, translated
from streams.ledger.measures import CountyWindow, VolumeChange
from streams.ledger.scores import ScoreHistory, SeriesScore
from streams.ledger.store import state_sha256

ANY = AlertFilter()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run has come that this ledger holds."""

    source: str
    profile_version: str
    record: int
    watermark: Instant | None
    accounting: Accounting


class LedgerReader:
    """A ledger that cannot be written through this; others may write it meanwhile.

    >>> with LedgerReader(data_dir) as ledger:  # doctest: +SKIP
    ...     for alert in ledger.alerts(AlertFilter(state=AlertState.OPEN)):
    ...         print(alert.raised.county, alert.raised.evidence.count)
    """

    def __init__(self, directory: Path) -> None:
        """Raises LedgerError where there is no ledger, or not one of this version."""
        self.path = directory / FILE
        self._db = open_reading(directory)
        self._scores = ScoreHistory(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    # ---- the run ----

    def progress(self) -> Progress | None:
        """Position, watermark and totals; None before the first checkpoint."""
        with translated(self.path):
            row = self._db.execute(
                "SELECT source, profile_version, record, watermark, "
                "received, counted, duplicate, late, rejected, windows_closed FROM checkpoint"
            ).fetchone()
        if row is None:
            return None
        source, profile_version, record, watermark, *totals = row
        return Progress(source, profile_version, record, watermark, Accounting(*totals))

    def state_sha256(self) -> str:
        """Digest of the state in the last checkpoint."""
        with translated(self.path):
            return state_sha256(dict(self._db.execute("SELECT name, content FROM state_chunk")))

    def retained(self) -> Mapping[str, tuple[Instant, int]]:
        """scores, corrections, rejections -> (kept since, rows let go so far)."""
        with translated(self.path):
            return retention.retained(self._db)

    # ---- alerts ----

    def alerts(self, which: AlertFilter = ANY) -> list[Alert]:
        """Alerts in the order in which they were raised, then by id."""
        with translated(self.path):
            return alerts.list_alerts(self._db, which)

    def alert(self, name: str) -> AlertLife:
        """One alert with all of its evidence and people's steps, by its id or an unambiguous beginning of it.

        Raises LedgerError where there is none, or more than one.
        """
        with translated(self.path):
            return alerts.life_of(self._db, name)

    def transitions(self) -> list[Transition]:
        """Everything the judge did, in the order of event time, alert id, transition: the makings of the alert log."""
        with translated(self.path):
            return list(alerts.transitions(self._db))

    # ---- people ----

    def steps(self) -> list[StepTaken]:
        """Everything people did, in the order in which they did it."""
        with translated(self.path):
            return list(audit.steps(self._db))

    def audit_head(self) -> AuditHead:
        """The end of the audit chain: worth writing down elsewhere."""
        with translated(self.path):
            return audit.head(self._db)

    def verify_audit(self, known: AuditHead | None = None) -> AuditVerdict:
        """Whether the audit chain is as it was written; `known`: a head written down before."""
        with translated(self.path):
            return audit.verify_audit(self._db, known)

    # ---- scores and metrics ----

    def score(self, county: str, signal: str, size: Size, at: Instant) -> SeriesScore | None:
        """The window of a series that holds an instant, as it was scored; None where there is none."""
        with translated(self.path):
            return self._scores.at(county, signal, size, at)

    def series(
        self, county: str, signal: str, size: Size, since: Instant | None = None, until: Instant | None = None
    ) -> list[SeriesScore]:
        """The windows of a series that end in (since, until], oldest first."""
        with translated(self.path):
            return list(self._scores.series(county, signal, size, since, until))

    def scored_window(self, size: Size, end: Instant) -> ScoredWindow | None:
        """All series of one window, as they were scored; without the details that only evidence has."""
        with translated(self.path):
            return self._scores.window(size, end)

    def last_scored(self, size: Size) -> Instant | None:
        """End of the last scored window of a size."""
        with translated(self.path):
            return self._scores.latest(size)

    def latest_metrics(self, size: Size) -> dict[str, CountyWindow]:
        """County -> metrics of its last window of a size (day, week)."""
        with translated(self.path):
            return measures.latest_metrics(self._db, size)

    def metrics(
        self, county: str, size: Size, since: Instant | None = None, until: Instant | None = None
    ) -> list[CountyWindow]:
        """A county's metrics over the windows that end in (since, until], oldest first."""
        with translated(self.path):
            return measures.metrics_history(self._db, county, size, since, until)

    def window_on_window(self, window: CountyWindow) -> VolumeChange:
        """Volumes against the window before (环比)."""
        with translated(self.path):
            return measures.window_on_window(self._db, window)

    def year_on_year(self, window: CountyWindow, zone: tzinfo) -> VolumeChange:
        """Volumes against the same day of the last year by the city's calendar (同比)."""
        with translated(self.path):
            return measures.year_on_year(self._db, window, zone)

    # ---- what did not count ----

    def corrections(
        self, county: str | None = None, signal: str | None = None, at: Instant | None = None
    ) -> dict[tuple[str, str], int]:
        """(county, signal) -> late events that are kept, in that order.

        Of one county, of one signal, of the hour that holds an instant; None: of all.
        """
        with translated(self.path):
            return rejects.corrections(self._db, county, signal, at)

    def rejection_totals(self) -> dict[Reason, int]:
        """Reason -> records rejected since the beginning, retention or not; in the order of the enum."""
        with translated(self.path):
            return rejects.rejection_totals(self._db)

    def rejections(self, last: int = 100) -> list[tuple[Instant, Rejection]]:
        """The last rejections that are kept, newest first: (event time that the stream had reached, rejection)."""
        with translated(self.path):
            return rejects.rejections(self._db, last)

    def damage(self) -> list[str]:
        """What is wrong with the ledger, in words; [] where nothing is.

        Looks at the file's pages and references, at the accounting and at the audit chain.
        """
        with translated(self.path):
            found = [text for (text,) in self._db.execute("PRAGMA integrity_check") if text != "ok"]
            found += [
                f"{row[0]}: row {row[1]} refers to nothing" for row in self._db.execute("PRAGMA foreign_key_check")
            ]
        progress = self.progress()
        rejected = sum(self.rejection_totals().values())
        if progress is not None and progress.accounting.rejected != rejected:
            found.append(f"rejections by reason sum to {rejected}, the accounting says {progress.accounting.rejected}")
        verdict = self.verify_audit()
        return found if verdict.intact else [*found, f"audit: {verdict.problem}"]
