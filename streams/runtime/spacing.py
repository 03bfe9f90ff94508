"""How far apart checkpoints are: every few seconds, and further apart the more one costs, so that they cost little."""

from streams.core.instant import Duration

COST_SHARE = 25
"""The next checkpoint waits so many times as long as the last one held the steps up: 4 % of the time at most."""
FURTHEST = 12
"""Times the interval that was asked for: what a crash repeats is never more."""


def wait(interval: Duration, cost: Duration) -> Duration:
    """How long the next checkpoint waits, from the last one's beginning.

    >>> wait(5_000_000, 100_000), wait(5_000_000, 800_000), wait(5_000_000, 9_000_000)
    (5000000, 20000000, 60000000)
    """
    return min(max(interval, cost * COST_SHARE), interval * FURTHEST)
