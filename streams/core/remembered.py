"""The ids that came within the horizon, of all counties of a partition: what makes a resend a duplicate.

Hundreds of thousands of them are remembered for a month and looked up once an event, so they lie in flat arrays that
compiled code reads (columns.py hashes them, counting.py looks them up): a hundred bytes an id, where a dict of texts
takes two hundred. An id is known by its bytes, not by its hash. Forgetting is a comparison: an id that was remembered
by a day before its county's horizon is not there any more; its place is given back when there is enough of the kind.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from streams.core.columns import Bytes, Text, Wide, hash_of
from streams.core.growing import copy, eights_of, grown, is_worth_moving, move, next_look, put_in, slots_for
from streams.core.instant import Instant
from streams.core.window import QUARTER

_LEAST = 1 << 12
_LONGEST_PACKED, _LONGEST_PLAIN = 3 + 4 * 128, 2 + 128
"""Bytes of an id as it lies in the table: its head, and 128 characters of up to four; of ASCII."""
_OWNER, _DAY, _COUNT, _SIZE, _IS_CHANGED, _PLACE = range(6)
"""Columns of a day of a county: how many ids it has, of how many bytes; whether any came since the last snapshot;
where in the present one the next is written, -1 where none is to be."""
_DAY_WIDTH = 6


class Table(NamedTuple):
    """The arrays. Entries lie in the order in which they came."""

    slots: NDArray[np.int64]
    """A power of two, at least twice the entries: 0, or the upper half of a hash before 1 + the entry's number."""
    owners: NDArray[np.int16]
    """Row of the county of each entry."""
    days: NDArray[np.int32]
    """Start of the reporting day it is remembered by, in quarters of an hour."""
    starts: NDArray[np.int64]
    """Where its text begins; one more at the end."""
    hashes: NDArray[np.int64]
    text: Bytes
    """The ids as MessagePack has them, head and bytes: a day's snapshot is a copy of them."""
    eights: Wide
    """The same, eight bytes at a time; copies write up to seven bytes too many, where nothing lies yet."""
    horizons: NDArray[np.int64]
    """Per county: the first day that is remembered, in quarters of an hour."""
    used: NDArray[np.int64]
    """One element: how many entries there are."""


@inlined
def _place_of(table: Table, text: Bytes, begin: int, end: int, h: int, owner: int) -> int:
    """The slot of an id that is remembered; -1 - the free slot for one that is not."""
    mask = table.slots.size - 1
    h = _of_county(h, owner)
    place, upper = h & mask, h >> 32
    while True:
        slot = table.slots[place]
        if slot == 0:
            return -1 - place
        if slot >> 32 == upper:
            entry = (slot & 0xFFFFFFFF) - 1
            if table.owners[entry] == owner and table.days[entry] >= table.horizons[owner]:
                start = table.starts[entry] + _head(end - begin)
                if table.starts[entry + 1] - start == end - begin:
                    i = 0
                    while i < end - begin and table.text[start + i] == text[begin + i]:
                        i += 1
                    if i == end - begin:
                        return place
        place = (place + 1) & mask


@inlined
def home_of(table: Table, h: int, owner: int) -> int:
    """The slot at which the search for an id begins."""
    return _of_county(h, owner) & (table.slots.size - 1)


@inlined
def _of_county(h: int, owner: int) -> int:
    """The same id of two counties is two ids."""
    return (h + owner * 0x1E3779B97F4A7C15) & 0x7FFFFFFFFFFFFFFF


@inlined
def _head(length: int) -> int:
    """How long the head of a MessagePack text is."""
    return 1 if length < 32 else 2 if length < 256 else 3


@inlined
def remember(table: Table, text: Bytes, eights: Wide, begin: int, end: int, h: int, owner: int, day: int) -> bool:
    """Remember an id by a day. False: it is remembered already. There must be room for it."""
    free = _place_of(table, text, begin, end, h, owner)
    if free >= 0:
        return False
    entry, length = table.used[0], end - begin
    place = table.starts[entry]
    if length < 32:
        table.text[place] = 0xA0 | length
    elif length < 256:
        table.text[place], table.text[place + 1] = 0xD9, length
    else:
        table.text[place], table.text[place + 1], table.text[place + 2] = 0xDA, length >> 8, length & 0xFF
    place += _head(length)
    copy(eights, begin, table.eights, place, length)
    table.owners[entry], table.days[entry], table.hashes[entry] = owner, day, _of_county(h, owner)
    table.starts[entry + 1] = place + length
    table.slots[-1 - free] = (table.hashes[entry] >> 32) << 32 | (entry + 1)
    table.used[0] = entry + 1
    return True


@compiled
def _remember(table: Table, text: Bytes, eights: Wide, size: int, owner: int, day: int) -> bool:
    return remember(table, text, eights, 0, size, hash_of(eights, 0, size), owner, day)


@compiled
def _knows(table: Table, text: Bytes, eights: Wide, size: int, owner: int) -> bool:
    return _place_of(table, text, 0, size, hash_of(eights, 0, size), owner) >= 0


@compiled
def _restore(table: Table, text: Bytes, eights: Wide, place: int, owner: int, day: int) -> None:
    """Remember the ids of a snapshot's chunk, the first of which begins at `place`."""
    size = text.size - 8
    while place < size:
        length = text[place] & 0x1F
        if text[place] == 0xD9:
            length = text[place + 1]
        elif text[place] == 0xDA:
            length = text[place + 1] * 256 + text[place + 2]
        place += _head(length)
        remember(table, text, eights, place, place + length, hash_of(eights, place, place + length), owner, day)
        place += length


@compiled
def _count_live(table: Table, entries: int) -> int:
    """How many of the first entries are not forgotten."""
    live = 0
    for entry in range(entries):
        live += table.days[entry] >= table.horizons[table.owners[entry]]
    return live


@compiled
def _close_up(table: Table) -> None:
    """Move what is not forgotten together, towards the front."""
    moved, place = 0, 0
    for entry in range(table.used[0]):
        if table.days[entry] < table.horizons[table.owners[entry]]:
            continue
        start, end = table.starts[entry], table.starts[entry + 1]
        move(table.text, table.eights, start, end, place)
        place += end - start
        table.owners[moved], table.days[moved] = table.owners[entry], table.days[entry]
        table.hashes[moved] = table.hashes[entry]
        moved += 1
        table.starts[moved] = place
    table.used[0] = moved


@compiled
def _put_slots(table: Table) -> None:
    """Give every entry its slot: there are none."""
    for entry in range(table.used[0]):
        put_in(table.slots, table.hashes[entry], entry + 1)


@inlined
def _row_of(days: NDArray[np.int64], found: int, of_county: NDArray[np.int64], owner: np.int64, day: np.int64) -> int:
    """The row of a county's day among the first so many, -1 where it has none. `of_county`: the row that a county had
    last, which most of its entries have too; -1 at first."""
    row = of_county[owner]
    if row < 0 or days[row, _DAY] != day:
        row = found - 1
        while row >= 0 and (days[row, _OWNER] != owner or days[row, _DAY] != day):
            row -= 1
    return int(row)


@compiled
def _find_days(table: Table, saved: int, days: NDArray[np.int64], of_county: NDArray[np.int64]) -> int:
    """Sum up the entries by county and day, a row of `days` each; returns how many rows that are, -1 for too many.
    `saved`: entries before this one lie in the last snapshot."""
    found = 0
    of_county[:] = -1
    for entry in range(table.used[0]):
        owner, day = np.int64(table.owners[entry]), np.int64(table.days[entry])
        if day < table.horizons[owner]:
            continue
        row = _row_of(days, found, of_county, owner, day)
        if row < 0:
            if found == days.shape[0]:
                return -1
            row, found = found, found + 1
            days[row] = 0
            days[row, _OWNER], days[row, _DAY] = owner, day
        of_county[owner] = row
        days[row, _COUNT] += 1
        days[row, _SIZE] += table.starts[entry + 1] - table.starts[entry]
        days[row, _IS_CHANGED] |= entry >= saved
    return found


@compiled
def _write_days(table: Table, days: NDArray[np.int64], of_county: NDArray[np.int64], out: Wide) -> None:
    """Copy the texts of every day that has a PLACE there, one after another."""
    of_county[:] = -1
    for entry in range(table.used[0]):
        owner, day = np.int64(table.owners[entry]), np.int64(table.days[entry])
        if day < table.horizons[owner]:
            continue
        row = _row_of(days, days.shape[0], of_county, owner, day)
        of_county[owner] = row
        place = days[row, _PLACE]
        if place >= 0:
            length = table.starts[entry + 1] - table.starts[entry]
            copy(table.eights, table.starts[entry], out, place, length)
            days[row, _PLACE] = place + length


class Remembered:
    """What is remembered of each of some counties."""

    def __init__(self, counties: int) -> None:
        self.table = _empty(counties)
        self._until = 0
        """How many entries there is room for, text aside."""
        self._saved = 0
        """Entries before this one lie in the last snapshot."""
        self._days: set[tuple[int, Instant]] = set()
        """(county, day) of the last snapshot's chunks."""
        self._most_days = 64 * counties
        self._of_county = np.zeros(counties, dtype=np.int64)
        self.make_room(_LEAST)

    def make_room(self, ids: int, longest: int = _LONGEST_PLAIN) -> None:
        """For so many more ids of at most so many bytes."""
        if int(self.table.used[0]) + ids > self._until:
            self._look(ids)
        table = self.table
        size = int(table.starts[table.used[0]])
        if size + ids * longest + 8 > len(table.text):
            text = grown(table.text, size, size + ids * longest + 8)
            self.table = table._replace(text=text, eights=eights_of(text))

    def _look(self, ids: int) -> None:
        """Let go of what is forgotten, if there is much of it, and make room for half as many, or so many more."""
        table = self.table
        used = int(table.used[0])
        moves = is_worth_moving(used, _count_live(table, used))
        if moves:
            self._saved = _count_live(table, self._saved)
            _close_up(table)
            used = int(table.used[0])
        self._until = next_look(used, ids)
        self.table = table = table._replace(
            owners=grown(table.owners, used, self._until),
            days=grown(table.days, used, self._until),
            starts=grown(table.starts, used + 1, self._until + 1),
            hashes=grown(table.hashes, used, self._until),
        )
        if moves or len(table.slots) != slots_for(self._until):
            self.table = table._replace(slots=np.zeros(slots_for(self._until), dtype=np.int64))
            _put_slots(self.table)

    def remember(self, county: int, name: str, day: Instant) -> bool:
        """Remember an id by the day that starts at an instant; False where it is remembered already."""
        self.make_room(1, _LONGEST_PACKED)
        text = name.encode()
        return _remember(self.table, *Text.of(text), len(text), county, day // QUARTER)

    def knows(self, county: int, name: str) -> bool:
        """Whether an id is remembered."""
        text = name.encode()
        return _knows(self.table, *Text.of(text), len(text), county)

    def forget(self, county: int, before: Instant) -> None:
        """Forget what a county remembers by days that started before an instant."""
        self.table.horizons[county] = before // QUARTER

    # -- snapshot ---------------------------------------------------------------------------------------

    def chunks(self, *, whole: bool) -> dict[tuple[int, Instant], bytes | None]:
        """(county, day) -> its ids in the order in which they came, as MessagePack has a list of texts; None for a
        day that is forgotten. All of them, or those changed since the last call."""
        days = self._found_days()
        listed = days.tolist()
        found: dict[tuple[int, Instant], bytes | None] = {}
        if not whole:
            present = {(row[_OWNER], row[_DAY] * QUARTER) for row in listed}
            found |= dict.fromkeys(sorted(self._days - present))
            self._saved, self._days = int(self.table.used[0]), present
        place = 0
        for row, (_, _, count, size, is_changed, _) in enumerate(listed):
            taken = whole or is_changed
            days[row, _PLACE] = place + len(_list_head(count)) if taken else -1
            place += (len(_list_head(count)) + size + 8) * taken
        out = np.empty(place + 8, dtype=np.uint8)
        _write_days(self.table, days, self._of_county, eights_of(out))
        for (owner, day, count, size, _, _), end in zip(listed, days[:, _PLACE].tolist(), strict=True):
            if end >= 0:
                head = _list_head(count)
                begin = end - size - len(head)
                out[begin : begin + len(head)] = list(head)
                found[owner, day * QUARTER] = out[begin:end].tobytes()
        return found

    def _found_days(self) -> NDArray[np.int64]:
        """A row for every day that is remembered."""
        while True:
            days = np.zeros((self._most_days, _DAY_WIDTH), dtype=np.int64)
            found = _find_days(self.table, self._saved, days, self._of_county)
            if found >= 0:
                return days[:found]
            self._most_days *= 2

    def restore(self, chunks: Mapping[tuple[int, Instant], bytes]) -> None:
        """Go on from all chunks of a snapshot."""
        for (county, day), chunk in sorted(chunks.items()):
            count, head = _read_list_head(chunk)
            self.make_room(count, -(-len(chunk) // max(count, 1)))
            _restore(self.table, *Text.of(chunk), head, county, day // QUARTER)
        self._days = set(chunks)
        self._saved = int(self.table.used[0])


def _empty(counties: int) -> Table:
    text = np.zeros(8, dtype=np.uint8)
    return Table(
        slots=np.zeros(0, dtype=np.int64),
        owners=np.zeros(0, dtype=np.int16),
        days=np.zeros(0, dtype=np.int32),
        starts=np.zeros(1, dtype=np.int64),
        hashes=np.zeros(0, dtype=np.int64),
        text=text,
        eights=eights_of(text),
        horizons=np.zeros(counties, dtype=np.int64),
        used=np.zeros(1, dtype=np.int64),
    )


def _list_head(count: int) -> bytes:
    """The head of a MessagePack list."""
    if count < 16:
        return bytes([0x90 | count])
    return b"\xdc" + count.to_bytes(2, "big") if count < 1 << 16 else b"\xdd" + count.to_bytes(4, "big")


def _read_list_head(chunk: bytes) -> tuple[int, int]:
    """(how many texts a MessagePack list holds, where the first begins)."""
    if chunk[0] == 0xDC:
        return int.from_bytes(chunk[1:3], "big"), 3
    return (int.from_bytes(chunk[1:5], "big"), 5) if chunk[0] == 0xDD else (chunk[0] & 0x0F, 1)
