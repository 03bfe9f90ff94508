"""What Prometheus gets: the ledger's state as metrics, read anew at every scrape.

The ledger is the source of every number, counters included: an exporter that is restarted goes on where the ledger is.
Where the ledger cannot be read the exporter stays up and says so; it never tells what it remembers, as that would
call an alert open that somebody took up, or the reverse.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from math import isfinite
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from streams import metrics
from streams.clock import Clock, Stopwatch, WallClock
from streams.core.instant import DAY, Instant
from streams.exporter.alerts import Histogram, ShownAlert
from streams.exporter.figures import Figures
from streams.exporter.state import LedgerState, State, seconds, verdicts_of
from streams.ledger.connection import FILE
from streams.ledger.errors import LedgerBusyError, LedgerError, LedgerLostError, LedgerTooNewError, NotALedgerError
from streams.ledger.place import Where
from streams.ledger.reader import Progress
from streams.metrics.metric import Kind, Metric
from streams.profile.model import Profile

Family = GaugeMetricFamily | CounterMetricFamily | HistogramMetricFamily
Labels = Sequence[str]
_REASONS = ("busy", "missing", "newer", "lost", "unreadable")


def family(metric: Metric, samples: Iterable[tuple[Labels, float | Histogram]]) -> Family:
    """One metric with its samples, as prometheus-client writes it out."""
    if metric.kind is Kind.HISTOGRAM:
        made = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, found in samples:
            assert isinstance(found, Histogram)
            made.add_metric(labels, buckets=found.cumulative(), sum_value=found.total)
        return made
    counts = metric.kind is Kind.COUNTER
    plain = (CounterMetricFamily if counts else GaugeMetricFamily)(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples:
        assert not isinstance(value, Histogram)
        plain.add_metric(list(labels), value)
    return plain


class LedgerCollector(Collector):
    """Collects from one ledger, whoever writes it: give it a registry of its own.

    >>> registry = CollectorRegistry()  # doctest: +SKIP
    >>> registry.register(LedgerCollector(data_dir, open_profile))  # doctest: +SKIP
    """

    def __init__(
        self,
        where: Where,
        profile: Callable[[], Profile],
        *,
        replayed: bool | None = None,
        addresses: tuple[str, str] = ("", ""),
        clock: Clock | None = None,
    ) -> None:
        """`profile` is asked for until it gives one, as the ledger may not be there yet; it raises LedgerError,
        ValueError or OSError where there is none. `replayed`: whether the data are, where somebody knows better than
        the ledger. `addresses`: of the console and of the runbook."""
        self._where = where
        self._profile = profile
        self._replayed = replayed
        self._addresses = addresses
        self._clock = clock or WallClock()
        self._progress: Progress | None = None
        self._checkpointed: Instant | None = None
        self._state: LedgerState | None = None
        self._errors = dict.fromkeys(_REASONS, 0)
        self._lock = threading.Lock()
        self.trouble = ""
        """Why the last scrape could not read the ledger; "" where it could."""

    def describe(self) -> Iterable[Family]:
        """Nothing: a registry need not scrape to know the names."""
        return ()

    def collect(self) -> Iterator[Family]:
        """One scrape."""
        with self._lock:
            yield from self._collected()

    def _collected(self) -> Iterator[Family]:
        watch = Stopwatch()
        state, made = self._read(), []
        if state is not None and self._state is not None:
            made = [*ledger_families(self._state.profile, state), *self._checkpoint()]
        yield from made
        yield family(metrics.SERVICE_INFO, [(self._addresses, 1)])
        yield family(metrics.WATCHDOG, [((), 1)])
        yield family(metrics.EXPORTER_UP, [((), float(state is not None))])
        yield family(metrics.SCRAPE_ERRORS, [((reason,), count) for reason, count in self._errors.items()])
        yield family(metrics.SCRAPE_SECONDS, [((), watch.seconds())])

    def _read(self) -> State | None:
        try:
            if self._state is None:
                self._state = LedgerState(self._profile(), replayed=self._replayed)
            state = self._state.read(self._where)
            self._note_progress(state)
            if state.progress is not None and state.progress.profile_version != self._state.profile.version:
                self._state = LedgerState(self._profile(), replayed=self._replayed)
                state = self._state.read(self._where)
        except (LedgerError, ValueError, OSError) as error:
            self._errors[reason_of(error)] += 1
            self.trouble = str(error)
            return None
        self.trouble = ""
        return state

    def _note_progress(self, state: State) -> None:
        if state.progress == self._progress:
            return
        if self._progress is not None:
            self._checkpointed = self._clock.now()
        elif isinstance(self._where, Path):
            self._checkpointed = (self._where / FILE).stat().st_mtime_ns // 1000
        self._progress = state.progress

    def _checkpoint(self) -> Iterator[Family]:
        """When the run had last come further, as far as this process saw; before it saw that, the age of the file."""
        if self._checkpointed is not None:
            yield family(metrics.CHECKPOINT, [((), seconds(self._checkpointed))])


def reason_of(error: Exception) -> str:
    """What kept a ledger from being read, as a label."""
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (LedgerBusyError, "busy"),
        (LedgerTooNewError, "newer"),
        (NotALedgerError, "missing"),
        (LedgerLostError, "lost"),
    )
    return next((reason for kind, reason in reasons if isinstance(error, kind)), "unreadable")


# ---- a state as metrics ----------------------------------------------------------------------------------------------


def ledger_families(profile: Profile, state: State) -> Iterator[Family]:
    """Everything that is told of a ledger, in the order of the names' file."""
    yield from alert_families(state)
    yield from window_families(profile, state.figures)
    yield from budget_families(profile, state)
    yield from pipeline_families(state)
    yield from name_families(profile, replayed=state.replayed)


def alert_families(state: State) -> Iterator[Family]:
    """Alerts: the open ones one by one, and totals."""
    alerts, replayed = state.alerts, str(state.replayed).lower()

    def labels(one: ShownAlert) -> Labels:
        return one.id, one.county, one.category, one.signal, one.size, one.severity, replayed

    yield family(metrics.ALERT_OPEN, [(labels(one), 1) for one in alerts.shown if not one.taken_up])
    yield family(metrics.ALERT_RAISED, [(labels(one), seconds(one.raised_at)) for one in alerts.shown])
    yield family(metrics.ALERTS_UNACKNOWLEDGED, alerts.unacknowledged.items())
    yield family(metrics.ALERTS_UNDISPOSED, alerts.undisposed.items())
    yield family(metrics.COMPARTMENTED_UNACKNOWLEDGED, [((replayed,), alerts.compartmented)])
    yield family(metrics.ALERTS_RAISED, [((severity,), count) for severity, count in alerts.raised.items()])
    yield family(metrics.STEPS, alerts.steps.items())
    yield family(metrics.ACKNOWLEDGE_SECONDS, [((one,), found) for one, found in alerts.acknowledge.items()])
    yield family(metrics.DISPOSE_SECONDS, [((one,), found) for one, found in alerts.dispose.items()])


def window_families(profile: Profile, figures: Sequence[Figures]) -> Iterator[Family]:
    """The last windows: numbers that may be shown, and a flag for each series."""
    city = profile.city
    series = (*(county.code for county in city.counties), city.code)
    names = [signal.name for signal in city.signals]
    numbers: list[tuple[Metric, str]] = [
        (metrics.WINDOW_COUNT, "count"),
        (metrics.WINDOW_EXPECTED, "expected"),
        (metrics.WINDOW_LOW, "low"),
        (metrics.WINDOW_HIGH, "high"),
        (metrics.WINDOW_P, "p"),
        (metrics.WINDOW_RATIO, "ratio"),
    ]
    for metric, field in numbers:
        yield family(
            metric,
            [
                ((series[j], names[i], one.size.value), value)
                for one in figures
                for i, row in enumerate(getattr(one, field).tolist())
                for j, value in enumerate(row)
                if isfinite(value)
            ],
        )
    yield family(
        metrics.WINDOW_SUPPRESSED,
        [
            ((series[j], names[i], one.size.value), float(not one.shown[i, j]))
            for one in figures
            for i, row in enumerate(one.asked.tolist())
            for j, asked in enumerate(row)
            if asked
        ],
    )
    yield family(metrics.WINDOW_END, [((one.size.value,), seconds(one.end)) for one in figures])
    yield family(metrics.PRIVACY_K, [((), city.privacy_k)])


def budget_families(profile: Profile, state: State) -> Iterator[Family]:
    """The page budget, and what people made of the pages."""
    budget, pages = profile.city.budget_per_week, state.alerts.pages
    yield family(metrics.BUDGET_PER_WEEK, [((), budget)])
    if state.spent is not None:
        spent = round(state.spent, 9)
        yield family(metrics.BUDGET_SPENT, [((), spent)])
        yield family(metrics.BUDGET_REMAINING, [((), max(0.0, round(budget - spent, 9)))])
    if state.alerts.last_week is not None:
        yield family(metrics.PAGES_LAST_WEEK, [((), state.alerts.last_week)])
    yield family(metrics.PAGES, [((outcome,), count) for outcome, count in pages.items()])
    judged = pages["right"] + pages["false"]
    if judged:
        yield family(metrics.FALSE_PAGE_RATIO, [((), pages["false"] / judged)])
    if state.alerts.false_per_week is not None:
        yield family(metrics.FALSE_PAGES_PER_WEEK, [((), state.alerts.false_per_week)])


def pipeline_families(state: State) -> Iterator[Family]:
    """How far the run has come, and what became of every record."""
    progress = state.progress
    watermark: Instant | None = None
    if progress is not None:
        watermark = progress.watermark
        verdicts = verdicts_of(progress.accounting)
        yield family(metrics.RECORDS_RECEIVED, [((), progress.accounting.received)])
        yield family(metrics.RECORDS, [((verdict,), count) for verdict, count in verdicts.items()])
        yield family(metrics.WINDOWS_CLOSED, [((), progress.accounting.windows_closed)])
    if watermark is not None:
        yield family(metrics.WATERMARK, [((), seconds(watermark))])
    yield family(metrics.STOPPED, [((), float(state.stopped))])
    yield family(metrics.RECORDS_REJECTED, [((reason,), count) for reason, count in state.rejected.items()])
    yield family(metrics.POINT_LAST_EVENT, [((point,), seconds(at)) for point, at in state.last_events.items()])
    if state.covered_until is not None:
        yield family(metrics.CALENDAR_UNTIL, [((), seconds(state.covered_until))])
        if watermark is not None:
            yield family(metrics.CALENDAR_COVERAGE, [((), (state.covered_until - watermark) // DAY)])


def name_families(profile: Profile, *, replayed: bool) -> Iterator[Family]:
    """What codes are called."""
    city, english = profile.city, profile.english
    points = english.get("points", {})
    yield family(metrics.BUILD, [((version("jiantu"), profile.name, profile.version), 1)])
    yield family(metrics.REPLAYED, [((), float(replayed))])
    yield family(metrics.CITY_INFO, [((city.code, city.title, city.title_en), 1)])
    yield family(
        metrics.COUNTY_INFO,
        [
            ((c.code, c.name, c.name_en, f"{place:02d}", *(f"{n:02d}" for n in profile.tiles[c.code])), 1)
            for place, c in enumerate(city.counties, 1)
        ],
    )
    hidden = {category.code for category in city.categories if category.compartmented}
    shown = [s for s in city.signals if not s.compartmented and not s.where.get("category", {""}) <= hidden]
    yield family(
        metrics.SIGNAL_INFO,
        [((s.name, s.title, s.title_en, s.family, s.measure.value, s.of or ""), 1) for s in shown],
    )
    yield family(metrics.POINT_INFO, [((code, name, points.get(code, name)), 1) for code, name in city.points.items()])
    families = english.get("families", {})
    yield family(
        metrics.CATEGORY_INFO, [((code, name, families.get(code, name)), 1) for code, name in profile.families.items()]
    )
