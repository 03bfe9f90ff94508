"""Flat arrays that grow, and when it pays to look for what they no longer need.

An array is made far longer than it must be: memory that nobody has written to takes none, and what has room need not be
copied. Hash tables are written all over, so they are just as large as their load asks for.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import inlined
from streams.core.columns import Bytes, Wide

T = TypeVar("T", bound=np.generic)

_AHEAD = 4
_DEAD_SHARE = 4
"""What is dead is let go when it is one part of so many: with less, the living are moved for little."""


def grown(held: NDArray[T], used: int, needed: int) -> NDArray[T]:
    """An array of so many rows or more that begins with the first `used` of another; that one itself where it has them.
    The rest of a new one is noughts."""
    if needed <= len(held):
        return held
    made = np.zeros((_AHEAD * needed, *held.shape[1:]), dtype=held.dtype)
    made[:used] = held[:used]
    return made


def slots_for(entries: int) -> int:
    """The size of a hash table for so many entries: a power of two, at least twice as many."""
    return 1 << (2 * entries - 1).bit_length()


@inlined
def put_in(slots: NDArray[np.int64], h: int, number: int) -> None:
    """Put the number of an entry into the first free slot for its hash, the upper half of which lies before it."""
    slot = h & (slots.size - 1)
    while slots[slot] != 0:
        slot = (slot + 1) & (slots.size - 1)
    slots[slot] = (h >> 32) << 32 | number


def is_worth_moving(used: int, live: int) -> bool:
    """Whether so many entries, of which so many live, should be moved together."""
    return _DEAD_SHARE * (used - live) > used


def next_look(used: int, more: int) -> int:
    """How many entries there may be before the dead are counted again, so that it costs little an entry."""
    return used + max(used // 2, more)


# ---- texts one behind another ----------------------------------------------------------------------------------------


def eights_of(text: Bytes) -> Wide:
    """A text eight bytes at a time: eight at its end must be to spare."""
    return np.ndarray((len(text) - 7,), dtype="<u8", buffer=text.data, strides=(1,))


@inlined
def copy(eights: Wide, begin: int, out: Wide, place: int, length: int) -> None:
    """Copy so many bytes, and up to seven too many."""
    i = 0
    while i < length:
        out[place + i] = eights[begin + i]
        i += 8


@inlined
def move(text: Bytes, eights: Wide, begin: int, end: int, place: int) -> None:
    """Copy bytes towards the front of the text that they are in; what lies behind them stays as it is."""
    if begin - place >= 8:
        copy(eights, begin, eights, place, end - begin)
    else:
        for i in range(end - begin):
            text[place + i] = text[begin + i]
