"""The budget's account: what tests spent in the last 7 days, in whole units, so that sums are exact everywhere.

Sums of floats would depend on their order and on the processor; a unit is 1e-15 of a false page, in which
levels of 6 digits are whole numbers.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.observation import Floats
from streams.core.instant import WEEK, Instant

UNIT = 1e-15
_UNITS = Decimal(10) ** 15


def units_of(levels: Floats) -> NDArray[np.int64]:
    """Levels in units, a fraction of one counted as a whole."""
    costs = [int((Decimal(repr(x)) * _UNITS).to_integral_value(ROUND_CEILING)) for x in levels.ravel().tolist()]
    return np.array(costs, dtype=np.int64).reshape(levels.shape)


def budget_in_units(pages: float) -> int:
    """A budget in units."""
    return int((Decimal(repr(pages)) * _UNITS).to_integral_value(ROUND_FLOOR))


class Account(Struct, frozen=True):
    """What was spent in the 7 days up to the last window end."""

    ends: tuple[tuple[Instant, int], ...] = ()
    """(window end, units), oldest first."""
    total: int = 0

    def pay(self, at: Instant, planned: int, budget: int) -> tuple[float, "Account"]:
        """Spend `planned` units at a window end, or what is left of the budget in the 7 days that end there;
        window ends count in (at - 7 d, at].

        Returns the share of every level that can be paid for, and the account after it. The share is 1 as a
        rule: levels are made to sum to the budget. It is less where the clock is changed, and 7 x 24 hours
        hold the ends of 8 reporting days.
        """
        first, total = 0, self.total
        while first < len(self.ends) and self.ends[first][0] <= at - WEEK:
            total -= self.ends[first][1]
            first += 1
        paid = max(0, min(planned, budget - total))
        account = Account((*self.ends[first:], (at, paid)), total + paid)
        return (1.0 if paid == planned else paid / planned), account
