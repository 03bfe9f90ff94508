"""The page budget: what each test may spend, so that expected false pages stay within what a city accepts.

A test is one window of one series looked at by one detector; it raises a false page with a probability of at
most its level. If the levels of all tests that end in any 7 x 24 hours sum to at most N, at most N false pages are
expected in them, under any dependence between tests (Boole's inequality), given valid p-values. So the
levels follow from the plan alone, never from data.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context

ENDS_IN_A_WEEK = {168: 168, 7: 7, 1: 1}
"""Window ends in any half-open span of 7 x 24 hours, by windows per week, where the clock is never changed."""
ENDS_IN_A_SHORT_WEEK = {168: 168, 7: 8, 1: 2}
"""The most of them where clocks spring forward: 7 reporting days, and a week, may then last 167 hours."""

_SIX_DOWN = Context(prec=6, rounding=ROUND_DOWN)


@dataclass(frozen=True, slots=True)
class Test:
    """All tests of one signal at one window size by one detector."""

    __test__ = False  # not pytest's

    signal: str
    windows_per_week: int
    """168, 7 or 1."""
    detector: str
    series: int
    """Series that are tested in every window."""
    weight: float = 1.0
    """Its share of the budget, relative to the other tests."""


def levels(tests: Sequence[Test], budget: float, *, short_weeks: bool = False) -> tuple[float, ...]:
    """What one series may spend in one window, for each of `tests`: both sides together, so that a test which
    looks at both tails has half of it for each. Rounded down to 6 digits, so their sum never passes the budget.

    `short_weeks`: also in the week in which clocks spring forward (then 8 reporting days and 2 weeks can end
    in 168 hours) the sum stays within the budget. Raises ValueError for weights or a budget below 0.

    >>> levels([Test("total", 7, "counts", series=12, weight=3), Test("total", 1, "counts", series=12)], 2.0)
    (0.0178571, 0.0416666)
    """
    if budget < 0 or any(not (test.weight >= 0 and math.isfinite(test.weight)) for test in tests):
        raise ValueError("a budget and weights are numbers of at least 0")
    whole = math.fsum(test.weight for test in tests if test.series > 0)
    return tuple(
        rounded_down(budget * test.weight / (whole * ends_in_a_week(test, short_weeks=short_weeks) * test.series))
        if test.series > 0 and test.weight > 0
        else 0.0
        for test in tests
    )


def ends_in_a_week(test: Test, *, short_weeks: bool) -> int:
    """How many of the test's windows can end in one span of 7 x 24 hours."""
    return (ENDS_IN_A_SHORT_WEEK if short_weeks else ENDS_IN_A_WEEK)[test.windows_per_week]


def rounded_down(level: float) -> float:
    """A level to 6 significant digits, never more than it was.

    >>> rounded_down(2.0 / 3)
    0.666666
    """
    return float(_SIX_DOWN.create_decimal(repr(level)))
