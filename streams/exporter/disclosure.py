"""Which numbers of a table may be shown so that no cell below k can be narrowed (law 6).

Whoever has all that is shown of a table knows sums of its cells: what a whole lacks of its parts, the city of its
counties. A number is shown only where, for every cell that counts from 1 to k - 1 people, the shown ones leave all
of 0 ... k - 1 possible (0 too: else what is known of seven days would add up to something of their week). That is
asked exactly: a table of counties by parts with its sums is a network, its numbers
are flows through it, and a cell can be another number where that much flow finds another way through what is not
shown (L. H. Cox, "Network models for complementary cell suppression", JASA 90, 1995). As all capacities are whole,
so are the flows: every possible number is one of whole people.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

_PLENTY = 1 << 20
"""Capacity of what has no bound: more than any cell below k needs."""


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a table: a row a county and last the city, a column a part and last the whole."""

    counts: Counts
    """Shape (counties + 1, parts + 1); the city's row is the sum of the counties'."""
    k: int
    exhaustive: bool
    """Whether it is known that the parts sum to the whole."""
    whole_stands: bool = False
    """Whether it was decided elsewhere which numbers of the whole are shown: nothing of that may change here."""

    @property
    def rest(self) -> Counts:
        """Shape (counties + 1,): what of the whole is in no part."""
        return np.asarray(self.counts[:, -1] - self.counts[:, :-1].sum(axis=1))


def shown(window: Window, may: Mask, known_small: Mask) -> Mask:
    """Which numbers to show: some of those that `may` be, of the shape of the counts.

    `known_small`: anybody can tell that the number is below k, as nothing else keeps it from being shown.
    """
    found: Mask = may & (window.counts >= window.k)
    if window.counts.min() < 0 or window.rest.min() < 0:
        found[:, : -1 if window.whole_stands else None] = False
        return found
    while (told := _told(window, found, known_small)) is not None and _hide_one(window, found, *told):
        pass
    return found


def _hide_one(window: Window, found: Mask, row: int, column: int) -> bool:
    """Take back the number that costs least of those that narrow a cell: a sister in its county where that has no
    other secret, then one in its column, then the column's sum, then the county's. False: there is none."""
    counts, parts, counties = window.counts, window.counts.shape[1] - 1, window.counts.shape[0] - 1
    if row < counties and found[row, parts] and _few(window, found[row, :parts], counts[row, :parts], window.rest[row]):
        own = np.flatnonzero(found[row, :parts])
        if own.size:
            found[row, own[np.argmin(counts[row, own])]] = False
            return True
    if (
        column < parts
        and found[counties, column]
        and _few(window, found[:counties, column], counts[:counties, column], 0)
    ):
        own = np.flatnonzero(found[:counties, column])
        if own.size:
            found[own[np.argmin(counts[own, column])], column] = False
            return True
    may_go = found.copy()
    may_go[:, parts] &= not window.whole_stands
    for place in ((counties, min(column, parts)), (row, parts), (counties, parts)):
        if may_go[place]:
            found[place] = False
            return True
    left = np.argwhere(may_go)
    if not left.size:
        return False
    found[tuple(left[np.argmin(counts[may_go])])] = False
    return True


def _few(window: Window, found: Mask, counts: Counts, rest: int) -> bool:
    """Whether what is not shown of a sum has too few cells, or people, to hide one among."""
    secret = counts[~found]
    return bool(np.count_nonzero(secret) + (rest > 0) < 2 or int(secret.sum()) + int(rest) < window.k)


def _told(window: Window, found: Mask, known_small: Mask) -> tuple[int, int] | None:
    """A cell below k that the shown numbers narrow: its row and column (parts + 1 is what is in no part)."""
    counts, k = window.counts, window.k
    counties, parts = counts.shape[0] - 1, counts.shape[1] - 1
    network = _Network(window, found, known_small)
    for row in range(counties + 1):
        for column in range(parts + 2):
            if column == parts and window.whole_stands:
                continue
            value = int(window.rest[row] if column > parts else counts[row, column])
            if 0 < value < k and not network.free(row, column, value):
                return row, column
    return None


class _Network:
    """The table as a circulation: outside -> counties -> parts -> outside; shown numbers cannot change."""

    def __init__(self, window: Window, found: Mask, known_small: Mask) -> None:
        counts, self._k = window.counts, window.k
        self._counties, self._parts = counts.shape[0] - 1, counts.shape[1] - 1
        counties, parts = self._counties, self._parts
        self._rows_end, self._columns_end = counties + parts + 1, counties + parts + 2
        size = counties + parts + 3
        rest = window.rest
        self._rest_known = window.exhaustive or not rest.any()
        capacity = np.zeros((size, size), dtype=np.int32)
        self._rest = np.zeros((size, size), dtype=np.int32)
        for row in range(counties):
            for column in range(parts + 1):
                value = int(rest[row] if column == parts else counts[row, column])
                if column == parts:
                    self._open(self._rest, row, counties + column, value, _PLENTY)
                elif not found[row, column]:
                    room = self._k - 1 - value if known_small[row, column] else _PLENTY
                    self._open(capacity, row, counties + column, value, room)
            if not found[row, parts]:
                room = self._k - 1 - int(counts[row, parts]) if known_small[row, parts] else _PLENTY
                self._open(capacity, self._rows_end, row, int(counts[row, parts]), room)
        for column in range(parts):
            if not found[counties, column]:
                self._open(capacity, counties + column, self._columns_end, int(counts[counties, column]), _PLENTY)
        self._open(self._rest, counties + parts, self._columns_end, int(rest[counties]), _PLENTY)
        if not found[counties, parts]:
            self._open(capacity, self._columns_end, self._rows_end, int(counts[counties, parts]), _PLENTY)
        self._capacity = capacity if self._rest_known else capacity + self._rest

    @staticmethod
    def _open(capacity: NDArray[np.int32], tail: int, head: int, value: int, room: int) -> None:
        capacity[tail, head] = max(0, min(room, _PLENTY))
        capacity[head, tail] = min(value, _PLENTY)

    def _ends(self, row: int, column: int) -> tuple[int, int]:
        counties, parts = self._counties, self._parts
        if row == counties:
            if column == parts:
                return self._columns_end, self._rows_end
            return counties + min(column, parts), self._columns_end
        if column == parts:
            return self._rows_end, row
        return row, counties + min(column, parts)

    def free(self, row: int, column: int, value: int) -> bool:
        """Whether a number of 1 ... k - 1 that is not shown might as well be any other of them, or 0."""
        tail, head = self._ends(row, column)
        capacity = self._capacity + self._rest if self._rest_known and column > self._parts else self._capacity.copy()
        capacity[tail, head] = capacity[head, tail] = 0
        up, down = self._k - 1 - value, value
        return bool(_carries(capacity, head, tail, up) and _carries(capacity, tail, head, down))


@compiled
def _carries(given: NDArray[np.int32], source: int, sink: int, wanted: int) -> bool:
    """Whether so much flow gets from one node to another (Edmonds and Karp): a table is small and asked a thousand
    times, and a library would take longer to be given it than to answer."""
    size = given.shape[0]
    capacity = given.copy()
    queue, came_from = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    while wanted > 0:
        came_from[:] = -1
        came_from[source] = source
        queue[0] = source
        taken, put = 0, 1
        while taken < put and came_from[sink] < 0:
            node = queue[taken]
            taken += 1
            for other in range(size):
                if came_from[other] < 0 and capacity[node, other] > 0:
                    came_from[other] = node
                    queue[put] = other
                    put += 1
        if came_from[sink] < 0:
            return False
        amount, node = wanted, sink
        while node != source:
            amount = min(amount, capacity[came_from[node], node])
            node = came_from[node]
        node = sink
        while node != source:
            capacity[came_from[node], node] -= amount
            capacity[node, came_from[node]] += amount
            node = came_from[node]
        wanted -= amount
    return True
