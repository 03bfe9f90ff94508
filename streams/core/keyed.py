"""Rows of numbers by key, each on a list in the order of its last touch: what a dict of records is, in flat arrays.

A key is two numbers and whose it is; the row lies on one of its owner's lists. What is forgotten is always what was
touched longest ago, at the head of a list. A row that was let go is all noughts but for LIST and NEXT.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from streams.core.growing import grown, next_look, slots_for

Grid = NDArray[np.int64]

KEY, OTHER_KEY, LIST, PREVIOUS, NEXT = range(5)
"""Columns of every row; what is known by the key comes after them."""
FIELDS = 5
FIRST, LAST, LENGTH = range(3)
_NONE = -1
_LEAST = 1 << 8
_FREE = -2
"""On no list."""
_FIRST_FREE, _USED, _LIVE = range(3)


class Table(NamedTuple):
    """The arrays."""

    slots: NDArray[np.int64]
    """A power of two, at least twice the rows: 0, or the upper half of a key's hash before 1 + its row."""
    rows: Grid
    """Shape (rows, width)."""
    lists: Grid
    """Shape (lists, 3): FIRST and LAST row of each, and its LENGTH."""
    an_owner: NDArray[np.int64]
    """One element: how many lists each owner has."""
    used: NDArray[np.int64]
    """Three elements: the first row that was let go, linked by NEXT; how many rows were ever used, how many are now."""


@inlined
def _hash(key: int, other: int, owner: int) -> int:
    h = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(other)
    h = (h ^ (h >> np.uint64(29))) * np.uint64(0xFF51AFD7ED558CCD) + np.uint64(owner)
    h = (h ^ (h >> np.uint64(32))) * np.uint64(0xC4CEB9FE1A85EC53)
    return int(np.int64((h ^ (h >> np.uint64(29))) >> np.uint64(1)))


@inlined
def find(table: Table, key: int, other: int, owner: int) -> int:
    """The row of a key; below 0: there is none."""
    mask, h = table.slots.size - 1, _hash(key, other, owner)
    place, upper = h & mask, h >> 32
    while True:
        slot = table.slots[place]
        if slot == 0:
            return _NONE
        if slot >> 32 == upper:
            row = (slot & 0xFFFFFFFF) - 1
            if (
                table.rows[row, KEY] == key
                and table.rows[row, OTHER_KEY] == other
                and table.rows[row, LIST] // table.an_owner[0] == owner
            ):
                return int(row)
        place = (place + 1) & mask


@inlined
def add(table: Table, key: int, other: int, on_list: int) -> int:
    """A row for a key that has none, at the end of a list. There must be room for it."""
    row = table.used[_FIRST_FREE]
    if row == _NONE:
        row = table.used[_USED]
        table.used[_USED] += 1
    else:
        table.used[_FIRST_FREE] = table.rows[row, NEXT]
    table.used[_LIVE] += 1
    table.rows[row, KEY], table.rows[row, OTHER_KEY] = key, other
    _put_slot(table, row, _hash(key, other, on_list // table.an_owner[0]))
    _append(table, row, on_list)
    return int(row)


@inlined
def _put_slot(table: Table, row: int, h: int) -> None:
    mask = table.slots.size - 1
    place = h & mask
    while table.slots[place] != 0:
        place = (place + 1) & mask
    table.slots[place] = (h >> 32) << 32 | (row + 1)


@inlined
def touch(table: Table, row: int, on_list: int) -> None:
    """Put a row at the end of a list of its owner's."""
    _unlink(table, row)
    _append(table, row, on_list)


@inlined
def _append(table: Table, row: int, on_list: int) -> None:
    last = table.lists[on_list, LAST]
    table.rows[row, LIST], table.rows[row, PREVIOUS], table.rows[row, NEXT] = on_list, last, _NONE
    if last == _NONE:
        table.lists[on_list, FIRST] = row
    else:
        table.rows[last, NEXT] = row
    table.lists[on_list, LAST] = row
    table.lists[on_list, LENGTH] += 1


@inlined
def _unlink(table: Table, row: int) -> None:
    on_list, before, after = table.rows[row, LIST], table.rows[row, PREVIOUS], table.rows[row, NEXT]
    if before == _NONE:
        table.lists[on_list, FIRST] = after
    else:
        table.rows[before, NEXT] = after
    if after == _NONE:
        table.lists[on_list, LAST] = before
    else:
        table.rows[after, PREVIOUS] = before
    table.lists[on_list, LENGTH] -= 1


@inlined
def _hash_of_row(table: Table, row: int) -> int:
    return _hash(table.rows[row, KEY], table.rows[row, OTHER_KEY], table.rows[row, LIST] // table.an_owner[0])


@inlined
def remove(table: Table, row: int) -> None:
    """Let a row go."""
    mask = table.slots.size - 1
    hole = _hash_of_row(table, row) & mask
    while table.slots[hole] & 0xFFFFFFFF != row + 1:
        hole = (hole + 1) & mask
    # Rows behind it, up to the next free slot, move up unless they would then stand before their own place.
    place = hole
    while True:
        place = (place + 1) & mask
        slot = table.slots[place]
        if slot == 0:
            break
        home = _hash_of_row(table, (slot & 0xFFFFFFFF) - 1) & mask
        if (place - home) & mask >= (place - hole) & mask:
            table.slots[hole] = slot
            hole = place
    table.slots[hole] = 0
    _unlink(table, row)
    for column in range(table.rows.shape[1]):
        table.rows[row, column] = 0
    table.rows[row, LIST], table.rows[row, NEXT] = _FREE, table.used[_FIRST_FREE]
    table.used[_FIRST_FREE] = row
    table.used[_LIVE] -= 1


@compiled
def _forget(table: Table, on_list: int, column: int, before: int) -> None:
    while True:
        row = table.lists[on_list, FIRST]
        if row == _NONE or table.rows[row, column] >= before:
            return
        remove(table, row)


@compiled
def _rehash(table: Table) -> None:
    for row in range(table.used[_USED]):
        if table.rows[row, LIST] != _FREE:
            _put_slot(table, row, _hash_of_row(table, row))


@compiled
def _listed(table: Table, on_list: int, out: NDArray[np.int64]) -> None:
    row = table.lists[on_list, FIRST]
    for i in range(out.size):
        out[i] = row
        row = table.rows[row, NEXT]


@compiled
def _add_all(table: Table, on_list: int, rows: Grid) -> None:
    for i in range(rows.shape[0]):
        row = add(table, rows[i, KEY], rows[i, OTHER_KEY], on_list)
        for column in range(FIELDS, rows.shape[1]):
            table.rows[row, column] = rows[i, column]


class Keyed:
    """Rows of some owners."""

    def __init__(self, owners: int, lists: int, fields: int) -> None:
        """`lists`: of each owner, list n of owner o is number o * lists + n. `fields`: columns beside the key's."""
        self.table = Table(
            np.zeros(0, dtype=np.int64),
            np.zeros((0, FIELDS + fields), dtype=np.int64),
            np.full((owners * lists, 3), _NONE, dtype=np.int64),
            np.array([lists], dtype=np.int64),
            np.array([_NONE, 0, 0], dtype=np.int64),
        )
        self.table.lists[:, LENGTH] = 0
        self.make_room(_LEAST)

    @property
    def rows(self) -> Grid:
        """All that were ever used."""
        return self.table.rows[: self.table.used[_USED]]

    def make_room(self, rows: int) -> None:
        """For so many more rows."""
        table = self.table
        _, used, live = table.used.tolist()
        self.table = table = table._replace(rows=grown(table.rows, used, live + rows))
        if 2 * (live + rows) > len(table.slots):
            self.table = table._replace(slots=np.zeros(slots_for(next_look(live, rows)), dtype=np.int64))
            _rehash(self.table)

    def rehash(self) -> None:
        """After keys changed."""
        self.table.slots[:] = 0
        _rehash(self.table)

    def forget(self, on_list: int, column: int, before: int) -> None:
        """Let go of rows, those touched longest ago first, up to one whose column is not below `before`."""
        _forget(self.table, on_list, column, before)

    def listed(self, on_list: int) -> Grid:
        """A list's rows in their order."""
        numbers = np.empty(int(self.table.lists[on_list, LENGTH]), dtype=np.int64)
        _listed(self.table, on_list, numbers)
        return self.table.rows[numbers]

    def add_all(self, on_list: int, rows: Grid) -> None:
        """Add rows of keys that have none, at the end of a list."""
        self.make_room(len(rows))
        _add_all(self.table, on_list, rows)
