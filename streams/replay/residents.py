"""Who calls about what: new people with new matters mostly, and those who call again."""

import numpy as np

from streams.replay.draws import Draws, Numbers, Whole

_REMEMBERED = 64
"""Last tickets of one county and stream that a repeat may be about."""
_REPEATS, _SAME_MATTER, _SAME_CALLER = 0.10, 0.08, 0.07
"""The same person about the same matter; another person about it; the same person about something else."""


class Residents:
    """Callers and matters, by number. Remembers the last tickets of each county and stream."""

    def __init__(self, counties: int, streams: int) -> None:
        self._callers = np.zeros((counties, streams, _REMEMBERED), np.uint64)
        self._matters = np.zeros((counties, streams, _REMEMBERED), np.uint64)
        self._seen = np.zeros((counties, streams), np.int64)

    def call(self, county: Whole, stream: Whole, numbers: Numbers, draws: Draws) -> tuple[Numbers, Numbers]:
        """(callers, matters) of new tickets, which have `numbers`; a new caller or matter takes its ticket's number."""
        count = len(numbers)
        u = draws.uniform(count)
        known = np.minimum(self._seen[county, stream], _REMEMBERED)
        slot = (draws.uniform(count) * known).astype(np.int64)
        old_caller, old_matter = self._callers[county, stream, slot], self._matters[county, stream, slot]
        u = np.where(known > 0, u, 1.0)
        keeps_both = u < _REPEATS
        keeps_matter = keeps_both | ((u >= _REPEATS) & (u < _REPEATS + _SAME_MATTER))
        keeps_caller = keeps_both | ((u >= _REPEATS + _SAME_MATTER) & (u < _REPEATS + _SAME_MATTER + _SAME_CALLER))
        callers = np.where(keeps_caller, old_caller, numbers)
        matters = np.where(keeps_matter, old_matter, numbers)
        self._remember(county, stream, callers, matters)
        return callers, matters

    def _remember(self, county: Whole, stream: Whole, callers: Numbers, matters: Numbers) -> None:
        group = county * self._seen.shape[1] + stream
        order = np.argsort(group, kind="stable")
        ordered = group[order]
        first = np.searchsorted(ordered, ordered, side="left")
        size = np.searchsorted(ordered, ordered, side="right") - first
        rank = np.arange(len(ordered)) - first
        last = rank >= size - _REMEMBERED
        order, rank = order[last], rank[last]
        c, s = county[order], stream[order]
        slot = (self._seen[c, s] + rank) % _REMEMBERED
        self._callers[c, s, slot], self._matters[c, s, slot] = callers[order], matters[order]
        np.add.at(self._seen, (county, stream), 1)
