"""What the soak does, in full and in part: the last column of DESIGN's table, cut into campaigns."""

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Part:
    """One campaign, or all of them together: how many of each fault."""

    number: int
    """Which campaign; it is the seed of its recording, too."""
    of: int
    events: int
    kills: int
    zombies: int
    restarts: int
    """Restarts, and workers that join and leave."""
    brokers: int
    worst: int
    """Kills while checkpointing, and as many while recovering."""
    connections: int
    away: float
    """Seconds that one broker is away; 0: it is not."""
    zombies_before: int = 0
    connections_before: int = 0
    """Of the campaigns before: these go on with the next kind."""

    @property
    def faults(self) -> int:
        """All of them."""
        own = self.kills + self.zombies + self.restarts + self.brokers + 2 * self.worst + self.connections
        return own + bool(self.away)

    def __str__(self) -> str:
        return f"{self.number} of {self.of}, {self.events} events, {self.faults} faults"


FULL = Part(0, 100, 10_000_000, 1_000, 50, 200, 20, 100, 50, 600.0)
"""All of it, in so many campaigns."""


def parts(full: Part, share: float) -> list[Part]:
    """The campaigns of this share of it: each row's first faults, spread evenly. One broker is away in the first, for
    ten minutes where a tenth or more is asked for, else for so much of them."""
    count = ceil(full.of * share)
    counted = ("events", "kills", "zombies", "restarts", "brokers", "worst", "connections")
    total = {name: ceil(getattr(full, name) * share) for name in counted}
    made = []
    for number in range(count):
        own = {name: all_ * (number + 1) // count - all_ * number // count for name, all_ in total.items()}
        own |= {f"{name}_before": total[name] * number // count for name in ("zombies", "connections")}
        away = full.away * min(1.0, share * 10) if number == 0 else 0.0
        made.append(Part(number + 1, count, **own, away=away))
    return made
