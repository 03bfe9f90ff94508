"""Texts numbered: tickets, callers, matters and the ids of steps lie in flat arrays and are spoken of by number.

A text that is looked up (a ticket, a caller, a matter) has one number as long as somebody holds it. An id is of one
step alone, so it is only kept, to tell which of two steps came first. Numbers mean nothing outside and may change
when room is made; what is stored are the texts.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from streams.core.columns import Bytes, Text, Wide, hash_of

Numbers = NDArray[np.int64]

NOTHING = 0
"""The number of no text at all, which comes before every text."""
_LEAST = 1 << 10
_NOT_LOOKED_UP = -1
"""In place of the hash of an id."""
_LENGTH = np.dtype("<u2")


class Table(NamedTuple):
    """The arrays. Texts lie in the order in which they came."""

    slots: Numbers
    """A power of two, at least twice the texts: 0, or the upper half of a hash before the text's number."""
    starts: Numbers
    """Where each text begins; one more at the end."""
    hashes: Numbers
    text: Bytes
    eights: Wide
    """The same, eight bytes at a time; copies write up to seven bytes too many, where nothing lies yet."""
    used: Numbers
    """One element: how many numbers there are, NOTHING included."""


@inlined
def number_of(names: Table, eights: Wide, begin: int, end: int) -> int:
    """The number of a text; a new one gets the next, for which there must be room."""
    h = hash_of(eights, begin, end)
    mask, length = names.slots.size - 1, end - begin
    place, upper = h & mask, h >> 32
    while True:
        slot = names.slots[place]
        if slot == 0:
            break
        if slot >> 32 == upper:
            number = slot & 0xFFFFFFFF
            start = names.starts[number]
            if names.starts[number + 1] - start == length and _same(names.eights, start, eights, begin, length):
                return int(number)
        place = (place + 1) & mask
    number = keep(names, eights, begin, end)
    names.hashes[number] = h
    names.slots[place] = upper << 32 | number
    return int(number)


@inlined
def keep(names: Table, eights: Wide, begin: int, end: int) -> int:
    """Keep a text that nobody will look up; returns its number. There must be room for it."""
    number = names.used[0]
    place = names.starts[number]
    i = 0
    while i < end - begin:
        names.eights[place + i] = eights[begin + i]
        i += 8
    names.starts[number + 1] = place + end - begin
    names.hashes[number] = _NOT_LOOKED_UP
    names.used[0] = number + 1
    return int(number)


@inlined
def _same(some: Wide, start: int, other: Wide, begin: int, length: int) -> bool:
    i = 0
    while i + 8 <= length:
        if some[start + i] != other[begin + i]:
            return False
        i += 8
    rest = (some[start + i] ^ other[begin + i]) & ((np.uint64(1) << np.uint64(8 * (length - i))) - np.uint64(1))
    return bool(rest == np.uint64(0))


@inlined
def comes_before(names: Table, one: int, other: int) -> bool:
    """Whether a text sorts before another, as Python sorts them: UTF-8 keeps the order."""
    start, begin = names.starts[one], names.starts[other]
    length, longest = names.starts[one + 1] - start, names.starts[other + 1] - begin
    for i in range(min(length, longest)):
        if names.text[start + i] != names.text[begin + i]:
            return bool(names.text[start + i] < names.text[begin + i])
    return bool(length < longest)


@compiled
def _number_of(names: Table, eights: Wide, size: int) -> int:
    return number_of(names, eights, 0, size)


@compiled
def _keep(names: Table, eights: Wide, size: int) -> int:
    return keep(names, eights, 0, size)


@compiled
def _move(names: Table, held: NDArray[np.bool_], into: Table, renumbered: Numbers) -> None:
    """Keep the texts that somebody holds in another table, in their order."""
    mask = into.slots.size - 1
    moved, place = 1, 0
    for number in range(1, names.used[0]):
        if not held[number]:
            continue
        start, length = names.starts[number], names.starts[number + 1] - names.starts[number]
        i = 0
        while i < length:
            into.eights[place + i] = names.eights[start + i]
            i += 8
        place += length
        h = names.hashes[number]
        into.hashes[moved] = h
        if h != _NOT_LOOKED_UP:
            slot = h & mask
            while into.slots[slot] != 0:
                slot = (slot + 1) & mask
            into.slots[slot] = (h >> 32) << 32 | moved
        renumbered[number] = moved
        moved += 1
        into.starts[moved] = place
    into.used[0] = moved


@compiled
def _gather(names: Table, numbers: Numbers, out: Wide) -> None:
    place = 0
    for number in numbers:
        start, length = names.starts[number], names.starts[number + 1] - names.starts[number]
        i = 0
        while i < length:
            out[place + i] = names.eights[start + i]
            i += 8
        place += length


@compiled
def _read(names: Table, eights: Wide, lengths: NDArray[np.uint16], looked_up: bool, out: Numbers) -> None:
    place = 0
    for i in range(lengths.size):
        end = place + int(lengths[i])
        if end == place:
            out[i] = NOTHING
        elif looked_up:
            out[i] = number_of(names, eights, place, end)
        else:
            out[i] = keep(names, eights, place, end)
        place = end


class Names:
    """The texts that some columns hold by number."""

    def __init__(self, held: Callable[[], Iterable[Numbers]]) -> None:
        """`held`: all that hold numbers, as views of their arrays: texts that none holds are let go, and the numbers in
        them are changed, when room is made."""
        self._held = held
        self.table = _empty(_LEAST, _LEAST * 32)

    def make_room(self, texts: int, size: int) -> bool:
        """For so many more texts of so many bytes together; True: numbers changed."""
        table = self.table
        used = int(table.used[0])
        if used + texts <= len(table.hashes) and table.starts[used] + size <= len(table.text) - 8:
            return False
        live = np.zeros(used, dtype=np.bool_)
        for numbers in self._held():
            live[numbers] = True
        kept = int(np.count_nonzero(live))
        long = int(np.diff(table.starts[: used + 1])[live].sum())
        self.table = _empty(kept + kept // 2 + texts + 1, long + long // 2 + size)
        renumbered = np.zeros(used, dtype=np.int64)
        _move(table, live, self.table, renumbered)
        for numbers in self._held():
            numbers[:] = renumbered[numbers]
        return True

    def number(self, text: str | None, *, looked_up: bool = True) -> int:
        """The number of a text, NOTHING for none. There must be room for it."""
        if text is None:
            return NOTHING
        written = text.encode()
        eights = Text.of(written).eights
        return (_number_of if looked_up else _keep)(self.table, eights, len(written))

    def text(self, number: int) -> str:
        """The text of a number."""
        begin, end = self.table.starts[number : number + 2]
        return self.table.text[begin:end].tobytes().decode()

    # -- snapshot ---------------------------------------------------------------------------------------

    def pack(self, numbers: Numbers) -> bytes:
        """Texts one after another, behind their lengths."""
        table = self.table
        lengths = table.starts[numbers + 1] - table.starts[numbers]
        size = int(lengths.sum())
        out = np.empty(size + 8, dtype=np.uint8)
        _gather(table, numbers, _eights(out))
        return lengths.astype(_LENGTH).tobytes() + out[:size].tobytes()

    def unpack(self, packed: bytes, count: int, *, looked_up: bool = True) -> Numbers:
        """The numbers of so many packed texts. There must be room for them."""
        lengths = np.frombuffer(packed, dtype=_LENGTH, count=count).astype(np.uint16)
        texts = packed[count * _LENGTH.itemsize :]
        numbers = np.empty(count, dtype=np.int64)
        _read(self.table, Text.of(texts).eights, lengths, looked_up, numbers)
        return numbers


def _empty(texts: int, size: int) -> Table:
    text = np.zeros(size + 8, dtype=np.uint8)
    return Table(
        slots=np.zeros(1 << (2 * texts - 1).bit_length(), dtype=np.int64),
        starts=np.zeros(texts + 1, dtype=np.int64),
        hashes=np.zeros(texts, dtype=np.int64),
        text=text,
        eights=_eights(text),
        used=np.ones(1, dtype=np.int64),
    )


def _eights(text: Bytes) -> Wide:
    """A text eight bytes at a time: eight at its end must be to spare."""
    return np.ndarray((len(text) - 7,), dtype="<u8", buffer=text.data, strides=(1,))
