"""How the page budget was kept: what was spent of it, what people made of the pages, and what procedures that control
the false discovery rate would have said of the same tests. Reported; nothing here decides anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from detectors.fdr import RATE, procedures
from detectors.observation import Floats, ScoreReason
from streams.core.city import Direction
from streams.core.guards import side_p
from streams.core.instant import WEEK, Instant
from streams.core.judge import JudgePlan
from streams.core.outputs import ScoredWindow
from streams.core.spending import UNIT

_Z = 1.959964
"""Of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What people made of the pages (always-page alerts and rules aside)."""

    pages: int
    right: int
    """Disposed of or resolved."""
    false: int
    """Discarded as false: not those with a known cause, from a fault of the data, doubled or exercised."""

    @property
    def false_share(self) -> tuple[float, float, float] | None:
        """(share, low, high) of those judged, Wilson's 95 % interval; None where none is."""
        n = self.right + self.false
        if n == 0:
            return None
        share, z2 = self.false / n, _Z * _Z
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return round(share, 6), round(max(0.0, middle - half), 6), round(min(1.0, middle + half), 6)


@dataclass(frozen=True, slots=True)
class Realised:
    """A budget's account over all windows that are stored."""

    budget_per_week: float
    weeks: float
    """That windows were judged for."""
    tests: int
    spent_per_week: float
    """False pages that the tests' levels allow, on average."""
    most_in_a_week: float
    """The most that ended in any 7 days: never more than the budget."""
    verdicts: int
    """Tests with p at or below their level: far more than pages, as an incident is seen by many."""
    false_verdicts_at_most: float
    """Of these, expected by chance: the sum of all levels."""
    discoveries: dict[str, int]
    """What each procedure, aiming at fdr.RATE, would call one."""
    rate: float
    judged: Judged

    @property
    def pages_per_week(self) -> float:
        """Pages of all kinds but always-page ones and rules, true ones included."""
        return self.judged.pages / self.weeks if self.weeks else 0.0

    @property
    def false_pages_per_week(self) -> float:
        """Those that people discarded."""
        return self.judged.false / self.weeks if self.weeks else 0.0


def tests_of(plan: JudgePlan, window: ScoredWindow) -> tuple[Floats, Floats]:
    """(p, level) of every test of one scored window, by detector, side, signal and county."""
    p: list[Floats] = [np.zeros(0)]
    levels: list[Floats] = [np.zeros(0)]
    for table in plan.tables[window.size]:
        scores = window.scores.get(table.detector)
        if scores is None:
            continue
        for side in (Direction.HIGH, Direction.LOW):
            own = table.levels(side)
            tested = (own > 0) & (scores.reason == ScoreReason.SCORED)
            p.append(side_p(scores, side)[tested])
            levels.append(own[tested])
    return np.concatenate(p), np.concatenate(levels)


def realised(plan: JudgePlan, windows: Iterable[ScoredWindow], judged: Judged) -> Realised:
    """The account of scored windows in order of their ends; sizes that end together are one batch of tests."""
    running = procedures(RATE)
    spent: dict[Instant, int] = {}
    tests, verdicts, allowed = 0, 0, 0.0
    batch: list[Floats] = []
    last: Instant | None = None

    def take() -> None:
        if batch:
            together = np.concatenate(batch)
            for procedure in running.values():
                procedure.take(together)
        batch.clear()

    for window in windows:
        if window.end != last:
            take()
            last = window.end
        p, levels = tests_of(plan, window)
        batch.append(p)
        tests += p.size
        verdicts += int((p <= levels).sum())
        allowed += float(levels.sum())
        if p.size:
            spent[window.end] = spent.get(window.end, 0) + plan.cost(window)
    take()
    ends = sorted(spent)
    weeks = (ends[-1] - ends[0]) / WEEK if len(ends) > 1 else 0.0
    return Realised(
        budget_per_week=plan.city.budget_per_week,
        weeks=round(weeks, 3),
        tests=tests,
        spent_per_week=round(UNIT * sum(spent.values()) / weeks, 6) if weeks else 0.0,
        most_in_a_week=round(UNIT * _most_in_a_week(ends, spent), 6),
        verdicts=verdicts,
        false_verdicts_at_most=round(allowed, 3),
        discoveries={name: procedure.discoveries for name, procedure in running.items()},
        rate=RATE,
        judged=judged,
    )


def _most_in_a_week(ends: list[Instant], spent: dict[Instant, int]) -> int:
    most, total, first = 0, 0, 0
    for end in ends:
        total += spent[end]
        while ends[first] <= end - WEEK:
            total -= spent[ends[first]]
            first += 1
        most = max(most, total)
    return most
