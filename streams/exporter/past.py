"""What totals were at some time of the past, from what a ledger keeps by window: records, windows, the page budget.

Totals are counted back from what they are now, so that retention, which lets the oldest windows go, moves none. When a
duplicate came, and when a record was rejected, nothing says by window: those have no past.
"""

from bisect import bisect_right
from collections.abc import Iterator

from streams import metrics
from streams.core.city import City, Size
from streams.core.instant import WEEK, Instant
from streams.core.judge import JudgePlan
from streams.core.outputs import ScoredWindow
from streams.core.spending import UNIT, Account
from streams.exporter.collector import Family, family
from streams.ledger.glance import Look

Told = tuple[Instant, Instant, list[Family]]
"""Since when, until before when, what."""


class Totals:
    """The totals of one ledger, asked for one time after another, oldest first."""

    def __init__(self, city: City, plan: JudgePlan) -> None:
        self._city = city
        self._plan = plan
        self._signals = tuple(signal.name for signal in city.signals)
        self._series = (*(county.code for county in city.counties), city.code)
        self._costs: dict[tuple[Size, Instant], int] = {}
        self._account = Account()
        self._paid_to: Instant | None = None
        self._days: list[tuple[Instant, int, int]] | None = None
        """(when a day was known, records counted, late ones), oldest first."""

    def note(self, window: ScoredWindow) -> None:
        """Take up what the tests of a window cost, where somebody has read it already."""
        self._costs[window.size, window.end] = self._plan.cost(window)

    def told(self, look: Look, first: Instant, end: Instant) -> Iterator[Told]:
        """All totals in [first, end), each as long as it stood."""
        yield from self._spent(look, first, end)
        yield from self._records(look, first, end)
        yield from self._windows(look, first, end)

    def _spent(self, look: Look, first: Instant, end: Instant) -> Iterator[Told]:
        lateness = self._city.allowed_lateness
        after = first - lateness - WEEK if self._paid_to is None else self._paid_to
        planned: dict[Instant, int] = {}
        for size in Size:
            for at in look.scored_ends(size, after, end - 1 - lateness):
                planned[at] = planned.get(at, 0) + self._cost(look, size, at)
        ends = sorted(planned)
        since, spent = first, self._account.total
        for at in ends:
            if at + lateness > first and self._paid_to is not None:
                yield since, at + lateness, self._budget(spent)
            _, self._account = self._account.pay(at, planned[at], self._plan.budget)
            self._paid_to = at
            since, spent = max(first, at + lateness), self._account.total
        if self._paid_to is not None:
            yield since, end, self._budget(spent)
        self._costs = {(size, at): cost for (size, at), cost in self._costs.items() if at > (self._paid_to or at - 1)}

    def _budget(self, units: int) -> list[Family]:
        spent = round(units * UNIT, 9)
        left = max(0.0, round(self._city.budget_per_week - spent, 9))
        return [family(metrics.BUDGET_SPENT, [((), spent)]), family(metrics.BUDGET_REMAINING, [((), left)])]

    def _cost(self, look: Look, size: Size, end: Instant) -> int:
        known = self._costs.pop((size, end), None)
        if known is not None:
            return known
        window = look.scored_window(size, end, self._signals, self._series)
        return 0 if window is None else self._plan.cost(window)

    def _records(self, look: Look, first: Instant, end: Instant) -> Iterator[Told]:
        progress = look.progress()
        if progress is None:
            return
        if self._days is None:
            self._days = self._known_days(look)
        moments = [known for known, _, _ in self._days]
        changes = [first, *(at for at in moments if first < at < end)]
        for since, until in zip(changes, [*changes[1:], end], strict=True):
            later = self._days[bisect_right(moments, since) :]
            counted = progress.accounting.counted - sum(events for _, events, _ in later)
            late = progress.accounting.late - sum(late for _, _, late in later)
            samples = [(("counted",), max(0, counted)), (("late",), max(0, late))]
            yield since, until, [family(metrics.RECORDS, samples)]

    def _known_days(self, look: Look) -> list[tuple[Instant, int, int]]:
        days: dict[Instant, tuple[int, int]] = {}
        for end, told in look.day_metrics(0):
            events, late = days.get(end, (0, 0))
            days[end] = events + sum(told.by_kind.values()), late + told.late
        return [(end + self._city.allowed_lateness, *days[end]) for end in sorted(days)]

    def _windows(self, look: Look, first: Instant, end: Instant) -> Iterator[Told]:
        """Every county has closed a window that is scored."""
        progress, lateness = look.progress(), self._city.allowed_lateness
        if progress is None:
            return
        known = sorted(
            at + lateness
            for size in Size
            for at in look.scored_ends(size, first - lateness, max(progress.watermark or 0, end))
        )
        changes = [first, *dict.fromkeys(at for at in known if first < at < end)]
        for since, until in zip(changes, [*changes[1:], end], strict=True):
            later = (len(known) - bisect_right(known, since)) * len(self._city.counties)
            yield since, until, [family(metrics.WINDOWS_CLOSED, [((), progress.accounting.windows_closed - later)])]
