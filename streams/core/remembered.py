"""The ids that came within the horizon, of all counties of a partition: what makes a resend a duplicate.

Hundreds of thousands of them are remembered for a month and looked up once an event, so they lie in flat arrays that
compiled code reads (columns.py hashes them, counting.py looks them up): a hundred bytes an id, where a dict of texts
takes two hundred. An id is known by its bytes, not by its hash. Forgetting is a comparison: an id that was remembered
by a day before its county's horizon is not there any more; its place is given back when the arrays are made anew.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from streams.core.columns import Bytes, Text, Wide, hash_of
from streams.core.instant import Instant
from streams.core.window import QUARTER

_LEAST = 1 << 12
_LONGEST_PACKED, _LONGEST_PLAIN = 3 + 4 * 128, 2 + 128
"""Bytes of an id as it lies in the table: its head, and 128 characters of up to four; of ASCII."""
_NO_DAY = 1 << 31
"""Added to a day it is never negative: a county and a day make one number."""


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
    _copy(eights, begin, table.eights, place, length)
    table.owners[entry], table.days[entry], table.hashes[entry] = owner, day, _of_county(h, owner)
    table.starts[entry + 1] = place + length
    table.slots[-1 - free] = (table.hashes[entry] >> 32) << 32 | (entry + 1)
    table.used[0] = entry + 1
    return True


@inlined
def _copy(eights: Wide, begin: int, out: Wide, place: int, length: int) -> None:
    i = 0
    while i < length:
        out[place + i] = eights[begin + i]
        i += 8


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
def _move(table: Table, into: Table) -> None:
    """Remember all that is not forgotten in another table."""
    mask = into.slots.size - 1
    moved, place = 0, 0
    for entry in range(table.used[0]):
        if table.days[entry] < table.horizons[table.owners[entry]]:
            continue
        length = table.starts[entry + 1] - table.starts[entry]
        _copy(table.eights, table.starts[entry], into.eights, place, length)
        place += length
        h = table.hashes[entry]
        into.owners[moved], into.days[moved], into.hashes[moved] = table.owners[entry], table.days[entry], h
        moved += 1
        into.starts[moved] = place
        slot = h & mask
        while into.slots[slot] != 0:
            slot = (slot + 1) & mask
        into.slots[slot] = (h >> 32) << 32 | moved
    into.used[0] = moved


@compiled
def _gather(table: Table, entries: NDArray[np.int64], out: Wide) -> None:
    """Copy the texts of some entries, one after another."""
    place = 0
    for entry in entries:
        length = table.starts[entry + 1] - table.starts[entry]
        _copy(table.eights, table.starts[entry], out, place, length)
        place += length


class Remembered:
    """What is remembered of each of some counties."""

    def __init__(self, counties: int) -> None:
        self.table = _empty(_LEAST, _LEAST * 32, np.zeros(counties, dtype=np.int64))
        self._saved = 0
        """Entries before this one lie in the last snapshot."""
        self._days: set[tuple[int, Instant]] = set()
        """(county, day) of the last snapshot's chunks."""

    def make_room(self, ids: int, longest: int = _LONGEST_PLAIN) -> None:
        """For so many more ids of at most so many bytes."""
        table = self.table
        used = int(table.used[0])
        if used + ids <= len(table.days) and table.starts[used] + ids * longest <= len(table.text) - 8:
            return
        live = table.days[:used] >= table.horizons[table.owners[:used]]
        kept = int(np.count_nonzero(live))
        size = int(np.diff(table.starts[: used + 1])[live].sum())
        self._saved = int(np.count_nonzero(live[: self._saved]))
        self.table = _empty(kept + kept // 2 + ids, size + size // 2 + ids * longest + 8, table.horizons)
        _move(table, self.table)

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
        table = self.table
        used = int(table.used[0])
        live = np.flatnonzero(table.days[:used] >= table.horizons[table.owners[:used]])
        keys = (table.owners[live].astype(np.int64) << 32) + table.days[live] + _NO_DAY
        found: dict[tuple[int, Instant], bytes | None] = {}
        if not whole:
            present = {_county_and_day(key) for key in np.unique(keys).tolist()}
            found |= dict.fromkeys(sorted(self._days - present))
            changed = np.isin(keys, np.unique(keys[np.searchsorted(live, self._saved) :]))
            live, keys = live[changed], keys[changed]
            self._saved, self._days = used, present
        order = np.argsort(keys, kind="stable")
        live, keys = live[order], keys[order]
        ends = np.cumsum(table.starts[live + 1] - table.starts[live])
        out = np.empty((int(ends[-1]) if len(ends) else 0) + 8, dtype=np.uint8)
        _gather(table, live, _eights(out))
        firsts = np.flatnonzero(np.diff(keys, prepend=-1))
        for first, last in zip(firsts.tolist(), [*firsts[1:].tolist(), len(keys)], strict=True) if len(keys) else ():
            begin = int(ends[first - 1]) if first else 0
            ids = out[begin : int(ends[last - 1])].tobytes()
            found[_county_and_day(int(keys[first]))] = _list_head(last - first) + ids
        return found

    def restore(self, chunks: Mapping[tuple[int, Instant], bytes]) -> None:
        """Go on from all chunks of a snapshot."""
        for (county, day), chunk in sorted(chunks.items()):
            count, head = _read_list_head(chunk)
            self.make_room(count, -(-len(chunk) // max(count, 1)))
            _restore(self.table, *Text.of(chunk), head, county, day // QUARTER)
        self._days = set(chunks)
        self._saved = int(self.table.used[0])


def _county_and_day(key: int) -> tuple[int, Instant]:
    return key >> 32, ((key & 0xFFFFFFFF) - _NO_DAY) * QUARTER


def _empty(entries: int, size: int, horizons: NDArray[np.int64]) -> Table:
    text = np.zeros(size, dtype=np.uint8)
    return Table(
        slots=np.zeros(1 << (2 * entries - 1).bit_length(), dtype=np.int64),
        owners=np.zeros(entries, dtype=np.int16),
        days=np.zeros(entries, dtype=np.int32),
        starts=np.zeros(entries + 1, dtype=np.int64),
        hashes=np.zeros(entries, dtype=np.int64),
        text=text,
        eights=_eights(text),
        horizons=horizons,
        used=np.zeros(1, dtype=np.int64),
    )


def _eights(text: Bytes) -> Wide:
    """A text eight bytes at a time: eight at its end must be to spare."""
    return np.ndarray((len(text) - 7,), dtype="<u8", buffer=text.data, strides=(1,))


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
