"""Closed windows through score and judge, for several budgets at once: the scores are the same for all of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from detectors.observation import ScoreReason
from detectors.registry import DETECTORS
from detectors.scan import Scan
from streams.core import judge
from streams.core.alert import Raised, Transition
from streams.core.city import City, Direction, Size
from streams.core.guards import verdicts
from streams.core.instant import WEEK, Instant
from streams.core.judge import JudgePlan
from streams.core.judge_state import JudgeState
from streams.core.levels import levels_of
from streams.core.outputs import ClosedWindow, ScoredWindow
from streams.core.score import Score
from streams.core.spending import UNIT
from streams.replay.evaluate import Evaluation, evaluate
from streams.replay.labels import Label


class Kind(NamedTuple):
    """Tests that are alike: of one window size, by one detector, on one side."""

    size: Size
    detector: str
    side: Direction


@dataclass(slots=True)
class Judged:
    """What one budget came to."""

    plan: JudgePlan
    state: JudgeState = field(default_factory=JudgeState)
    transitions: list[Transition] = field(default_factory=list)
    warm_up_end: Instant | None = None
    """The first window end at which a test was paid for: from here on pages count."""
    most: int = 0
    """The most that was spent in any 7 days, in units."""
    end: Instant = 0
    fired: list[Instant] = field(default_factory=list)
    """Window end of every test of a series that fired. A page is raised by the first of an incident, the others join
    it: so there are more of these, and it is of these that the budget is the sum of the levels."""
    allowed: dict[Kind, float] = field(default_factory=dict)
    """The levels of all tests of series, by kind: so many were to fire by chance, were every p spread evenly."""
    fired_by: Counter[Kind] = field(default_factory=Counter)

    @property
    def most_spent(self) -> float:
        """The most that was spent in any 7 days, in false pages."""
        return self.most * UNIT

    def until(self, weeks: float | None) -> Instant:
        """The end, or so many weeks after the warm-up if that is sooner."""
        assert self.warm_up_end is not None
        return self.end if weeks is None else min(self.end, self.warm_up_end + round(weeks * WEEK))

    def verdicts(self, weeks: float | None = None) -> int:
        """How many tests fired until then."""
        end = self.until(weeks)
        return sum(at <= end for at in self.fired)

    def take(self, scored: ScoredWindow) -> None:
        """Judge one more window end and size."""
        self.state, transitions = judge.step(self.plan, self.state, scored)
        self.transitions += transitions
        self.end = scored.end
        total = self.state.account.total
        self.most = max(self.most, total)
        if total and self.warm_up_end is None:
            self.warm_up_end = self.state.judged_to
        for one in verdicts(scored, self.plan.tables[scored.size], self.plan.minimum):
            self.fired.append(scored.end)
            self.fired_by[Kind(scored.size, one.detector, one.side)] += 1
        for table in self.plan.tables[scored.size]:
            if (scores := scored.scores.get(table.detector)) is None:
                continue
            tested = scores.reason == ScoreReason.SCORED
            for side in (Direction.HIGH, Direction.LOW):
                kind = Kind(scored.size, table.detector, side)
                self.allowed[kind] = self.allowed.get(kind, 0.0) + float(table.levels(side)[tested].sum())

    def by_kind(self) -> Mapping[str, tuple[float, float, float]]:
        """What tests were allowed, how often they fired, and pages that they raised, a week, by kind; the clusters of
        the scan have no tests of series, and so no verdicts here."""
        assert self.warm_up_end is not None
        weeks = (self.end - self.warm_up_end) / WEEK
        pages = Counter(
            Kind(Size(one.evidence.size), one.evidence.detector, Direction(one.evidence.direction))
            for one in self.transitions
            if isinstance(one, Raised) and one.evidence.size in tuple(Size)
        )
        scans = Kind(Size.DAY, Scan.name, Direction.HIGH)
        allowed = {**self.allowed, scans: self.plan.scans.cost * UNIT * 7 * weeks}
        return {
            f"{kind.size} {kind.detector} {kind.side}": (
                round(level / weeks, 4),
                round(self.fired_by[kind] / weeks, 4),
                round(pages[kind] / weeks, 4),
            )
            for kind, level in sorted(allowed.items(), key=lambda item: -item[1])
            if level > 0.0
        }

    def evaluated(self, labels: Sequence[Label] = (), weeks: float | None = None) -> Evaluation:
        """Held against labels; `weeks`: of so many after the warm-up only."""
        assert self.warm_up_end is not None
        end = self.until(weeks)
        known = [made for made in self.transitions if made.at <= end]
        return evaluate(known, labels, self.plan.city, self.warm_up_end, end)


def judged(
    city: City, windows: Iterable[ClosedWindow], budgets: Sequence[float], levels_times: float = 1.0
) -> Mapping[float, Judged]:
    """Score all windows once, and judge them under each budget. Rules are no pages of a budget, and are left out.

    `levels_times` makes every level so much larger than the budget allows, and the account with it: for the proof that
    the benchmark would notice.
    """
    versions = {name: made.version for name, made in DETECTORS.items()}
    made: dict[float, Judged] = {}
    largest = 0.0
    for budget in budgets:
        of_budget = replace(city, budget_per_week=budget * levels_times)
        levels = levels_of(of_budget)
        largest = max(largest, *levels.values())
        made[budget] = Judged(JudgePlan.of(of_budget, levels, versions))
    score = Score(city, detail_p=largest)
    for window in windows:
        scored = score.step(window)
        if scored is None:
            continue
        for one in made.values():
            one.take(scored)
    return made
