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
from streams.core.growing import copy, eights_of, grown, is_worth_moving, move, next_look, put_in, slots_for

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
def number_of(names: Table, eights: Wide, begin: int, end: int, h: int) -> int:
    """The number of a text that has a hash; a new one gets the next, for which there must be room."""
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
    copy(eights, begin, names.eights, place, end - begin)
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
    return number_of(names, eights, 0, size, hash_of(eights, 0, size))


@compiled
def _keep(names: Table, eights: Wide, size: int) -> int:
    return keep(names, eights, 0, size)


@compiled
def _hold(held: NDArray[np.bool_], numbers: Numbers) -> None:
    for number in numbers:
        held[number] = True


@compiled
def _close_up(names: Table, held: NDArray[np.bool_], renumbered: Numbers) -> None:
    """Move the texts that somebody holds together, towards the front, in their order."""
    moved, place = 1, names.starts[1]
    for number in range(1, names.used[0]):
        if not held[number]:
            continue
        start, end = names.starts[number], names.starts[number + 1]
        move(names.text, names.eights, start, end, place)
        place += end - start
        names.hashes[moved] = names.hashes[number]
        renumbered[number] = moved
        moved += 1
        names.starts[moved] = place
    names.used[0] = moved


@compiled
def _put_slots(names: Table) -> None:
    """Give every text that is looked up its slot: there are none."""
    for number in range(1, names.used[0]):
        if names.hashes[number] != _NOT_LOOKED_UP:
            put_in(names.slots, names.hashes[number], number)


@compiled
def _renumber(numbers: Numbers, renumbered: Numbers) -> None:
    for i in range(numbers.size):
        numbers[i] = renumbered[numbers[i]]


@compiled
def _gather(names: Table, numbers: Numbers, out: Wide) -> None:
    place = 0
    for number in numbers:
        start, length = names.starts[number], names.starts[number + 1] - names.starts[number]
        copy(names.eights, start, out, place, length)
        place += length


@compiled
def _read(names: Table, eights: Wide, lengths: NDArray[np.uint16], looked_up: bool, out: Numbers) -> None:
    place = 0
    for i in range(lengths.size):
        end = place + int(lengths[i])
        if end == place:
            out[i] = NOTHING
        elif looked_up:
            out[i] = number_of(names, eights, place, end, hash_of(eights, place, end))
        else:
            out[i] = keep(names, eights, place, end)
        place = end


class Names:
    """The texts that some columns hold by number."""

    def __init__(self, held: Callable[[], Iterable[Numbers]]) -> None:
        """`held`: all that hold numbers, as views of their arrays: texts that none holds are let go, and the numbers in
        them are changed, when room is made."""
        self._held = held
        self._until = 0
        """How many numbers there is room for, text aside."""
        self.table = _empty()

    def make_room(self, texts: int, size: int) -> bool:
        """For so many more texts of so many bytes together; True: numbers changed."""
        changed = int(self.table.used[0]) + texts > self._until and self._look(texts)
        table = self.table
        used = int(table.starts[table.used[0]])
        if used + size + 8 > len(table.text):
            text = grown(table.text, used, used + size + 8)
            self.table = table._replace(text=text, eights=eights_of(text))
        return changed

    def _look(self, texts: int) -> bool:
        """Let go of what nobody holds, if there is much of it, and make room for half as many, or so many more."""
        table = self.table
        used = int(table.used[0])
        held = np.zeros(used, dtype=np.bool_)
        held[NOTHING] = True
        for numbers in self._held():
            _hold(held, numbers)
        moves = is_worth_moving(used, int(np.count_nonzero(held)))
        if moves:
            renumbered = np.zeros(used, dtype=np.int64)
            _close_up(table, held, renumbered)
            for numbers in self._held():
                _renumber(numbers, renumbered)
            used = int(table.used[0])
        self._until = next_look(used, max(texts, _LEAST))
        self.table = table = table._replace(
            starts=grown(table.starts, used + 1, self._until + 1), hashes=grown(table.hashes, used, self._until)
        )
        if moves or len(table.slots) != slots_for(self._until):
            self.table = table._replace(slots=np.zeros(slots_for(self._until), dtype=np.int64))
            _put_slots(self.table)
        return moves

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
        _gather(table, numbers, eights_of(out))
        return lengths.astype(_LENGTH).tobytes() + out[:size].tobytes()

    def unpack(self, packed: bytes, count: int, *, looked_up: bool = True) -> Numbers:
        """The numbers of so many packed texts. There must be room for them."""
        lengths = np.frombuffer(packed, dtype=_LENGTH, count=count).astype(np.uint16)
        texts = packed[count * _LENGTH.itemsize :]
        numbers = np.empty(count, dtype=np.int64)
        _read(self.table, Text.of(texts).eights, lengths, looked_up, numbers)
        return numbers


def _empty() -> Table:
    text = np.zeros(8, dtype=np.uint8)
    return Table(
        slots=np.zeros(0, dtype=np.int64),
        starts=np.zeros(2, dtype=np.int64),
        hashes=np.zeros(1, dtype=np.int64),
        text=text,
        eights=eights_of(text),
        used=np.ones(1, dtype=np.int64),
    )
