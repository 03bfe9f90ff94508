"""A ledger as an exporter has it: read in one transaction, and what never changes of it only once."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path

from streams.core.city import City, Size
from streams.core.instant import DAY, SECOND, WEEK, Instant, from_datetime
from streams.core.judge import JudgePlan
from streams.core.levels import levels_of
from streams.core.outputs import Accounting, ScoredWindow
from streams.core.spending import UNIT, Account
from streams.exporter.alerts import AlertFigures, AlertLedger
from streams.exporter.figures import FigureMaker, Figures
from streams.ledger.glance import Glance, Look
from streams.ledger.place import Where
from streams.ledger.reader import Progress
from streams.profile.model import Profile

_LOOK_BACK = 35 * DAY
"""How far back a point's last event is looked for at first."""


@dataclass(frozen=True, slots=True)
class State:
    """All that a scrape tells of a ledger."""

    progress: Progress | None
    replayed: bool
    alerts: AlertFigures
    rejected: Mapping[str, int]
    """Reason -> records."""
    figures: tuple[Figures, ...]
    """The last window of each size that there is."""
    last_events: Mapping[str, Instant]
    """Point -> end of the last day with events of it."""
    spent: float | None
    """Of the page budget in the 7 days up to the last window end; None: nothing was judged."""
    stopped: bool
    """Whether something has stopped for good, and waits for somebody to look."""
    covered_until: Instant | None
    """End of the last day whose holidays are known; None: they follow a rule."""


class LedgerState:
    """Reads the state of one city's ledger, again and again. One thread at a time."""

    def __init__(self, profile: Profile, *, replayed: bool | None = None) -> None:
        """`replayed`: whether the data are, where somebody knows better than the ledger."""
        self._replayed = replayed
        self.profile = profile
        self.city: City = profile.city
        self._figures = FigureMaker(self.city)
        self.alerts = AlertLedger(self.city)
        self._plan = plan_of(self.city)
        self._signals = tuple(signal.name for signal in self.city.signals)
        self._series = (*(county.code for county in self.city.counties), self.city.code)
        self._costs: dict[tuple[Instant, Size], int] = {}
        self._last_events: dict[str, Instant] = {}
        self._metrics_until: Instant | None = None
        self._of: tuple[object, ...] | None = None

    def read(self, where: Where) -> State:
        """The state now. Raises LedgerError."""
        with Glance(where) as glance:
            return glance.look(lambda look: self.read_in(look, where))

    def read_in(self, look: Look, where: Where) -> State:
        """The state, in a transaction of the caller's."""
        progress = look.progress()
        self._same_ledger(progress, where)
        replayed = self.is_replayed(look, progress)
        watermark = None if progress is None else progress.watermark

        def read(size: Size, end: Instant) -> ScoredWindow | None:
            return look.scored_window(size, end, self._signals, self._series)

        ends = {size: look.last_scored(size) for size in Size}
        made = [self._figures.figures(read, size, end) for size, end in ends.items() if end is not None]
        last = max((end for end in ends.values() if end is not None), default=None)
        return State(
            progress=progress,
            replayed=replayed,
            alerts=self.alerts.read(look, watermark, replayed=replayed),
            rejected={reason.value: total for reason, total in look.rejection_totals().items()},
            figures=tuple(one for one in made if one is not None),
            last_events=self._points(look),
            spent=None if last is None else self._spent(look, last),
            stopped=bool(look.stopped()),
            covered_until=self.covered_until(),
        )

    def _same_ledger(self, progress: Progress | None, where: Where) -> None:
        """Forget what was remembered where another ledger lies there now."""
        found: tuple[object, ...] = ("" if progress is None else progress.source,)
        if isinstance(where, Path):
            from streams.ledger.connection import FILE

            status = (where / FILE).stat()
            found = (*found, status.st_dev, status.st_ino)
        if self._of is not None and self._of != found:
            self._figures.forget()
            self.alerts.forget()
            self._costs.clear()
            self._last_events.clear()
            self._metrics_until = None
        self._of = found

    def is_replayed(self, look: Look, progress: Progress | None) -> bool:
        """Whether the data were replayed: no source of live data says so of itself, and nobody else does."""
        from streams.sources.inbox import is_live

        if self._replayed is not None:
            return self._replayed
        return progress is not None and not is_live(progress.source) and not look.from_topics()

    def _points(self, look: Look) -> Mapping[str, Instant]:
        last = look.last_metrics()
        if last is None:
            return {}
        after = last - _LOOK_BACK if self._metrics_until is None else self._metrics_until
        for end, metrics in look.day_metrics(after) if after < last else []:
            self._last_events |= {point: end for point, events in metrics.by_point.items() if events > 0}
        self._metrics_until = last
        return {point: self._last_events[point] for point in self.city.points if point in self._last_events}

    def _spent(self, look: Look, last: Instant) -> float:
        """What the tests of the 7 days up to the last window end spent, in false pages."""
        order = list(Size)
        ends = sorted((end, order.index(size)) for size in Size for end in look.scored_ends(size, last - WEEK, last))
        planned: dict[Instant, int] = {}
        for end, place in ends:
            planned[end] = planned.get(end, 0) + self._cost(look, order[place], end)
        self._costs = {key: cost for key, cost in self._costs.items() if key[0] > last - WEEK}
        account = Account()
        for end, cost in planned.items():
            if cost:
                _, account = account.pay(end, cost, self._plan.budget)
        return account.total * UNIT

    def _cost(self, look: Look, size: Size, end: Instant) -> int:
        known = self._costs.get((end, size))
        if known is None:
            window = look.scored_window(size, end, self._signals, self._series)
            known = self._costs[end, size] = 0 if window is None else self._plan.cost(window)
        return known

    def covered_until(self) -> Instant | None:
        """End of the last day whose holidays are known; None: they follow a rule."""
        day = self.profile.calendar.sure_until()
        if day is None:
            return None
        return from_datetime(datetime.combine(day + timedelta(days=1), self.city.day_start, tzinfo=self.city.zone))


def verdicts_of(accounting: Accounting) -> dict[str, int]:
    """counted, duplicate, late, rejected -> records."""
    known = {total.name: getattr(accounting, total.name) for total in fields(Accounting)}
    return {name: known[name] for name in ("counted", "duplicate", "late", "rejected")}


def seconds(at: Instant) -> float:
    """An instant as Prometheus has it."""
    return at / SECOND


def plan_of(city: City) -> JudgePlan:
    """What the judge knows of a city, for what its tests cost."""
    from detectors.registry import DETECTORS

    return JudgePlan.of(city, levels_of(city), {name: made.version for name, made in DETECTORS.items()})
