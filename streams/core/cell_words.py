"""The words of numbered cells: each half of a cell said once, and the order of the cells by their words.

Cells are numbered by their first events, which depends on who shares a partition; what is sent must not. There is
nearly a cell an event, so all that is known of a cell's words lies in arrays by its number: no line of Python runs for
each cell of each window.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from streams.core.growing import grown

Numbers = NDArray[np.int64]
Words = tuple[str, str, str, str | None, str | None, str | None]
"""A cell's: streams.core.cells.Cell."""
Head = tuple[str, str, str]
Tail = tuple[str | None, str | None, str | None]
"""The first and the last three of them."""
T = TypeVar("T", Head, Tail)
_HEAD, _TAIL, _RANK = range(3)


class CellsByWords(NamedTuple):
    """Cells and their events, in the order of the cells' words."""

    heads: tuple[Head, ...]
    """In the order in which the cells below first have them."""
    tails: tuple[Tail, ...]
    """Likewise."""
    head_of: tuple[int, ...]
    """Of every cell a number into `heads`."""
    tail_of: tuple[int, ...]
    """And one into `tails`."""
    events: tuple[int, ...]


class CellWords:
    """What is known of the words of some cells."""

    def __init__(self) -> None:
        self._heads: list[Head] = []
        self._tails: list[Tail] = []
        self._head_numbers: dict[Head, int] = {}
        self._tail_numbers: dict[Tail, int] = {}
        self._sorted: list[bytes] = []
        """What cells are sorted by, no other cell's whatever its words hold."""
        self._known = np.zeros((0, 3), dtype=np.int64)
        """Shape (cells or more, 3): numbers of head and tail; place in the order of the words."""

    def learn(self, cells: Sequence[Words]) -> None:
        """Know cells that came behind those that are known."""
        first, count = len(self._sorted), len(cells)
        if first < count:
            self._known = grown(self._known, first, count)
            for number, cell in enumerate(cells[first:], first):
                text = _json(cell)
                place = bisect_left(self._sorted, text)
                self._sorted.insert(place, text)
                ranks = self._known[:number, _RANK]
                ranks += ranks >= place
                head, tail = cell[:3], cell[3:]
                self._known[number] = (
                    _number(head, self._head_numbers, self._heads),
                    _number(tail, self._tail_numbers, self._tails),
                    place,
                )

    def by_words(self, counts: Numbers) -> CellsByWords:
        """The cells that have events; `counts`: of each by its number."""
        which = np.flatnonzero(counts)
        if not len(which):
            return CellsByWords((), (), (), (), ())
        which = which[np.argsort(self._known[which, _RANK])]
        heads, head_of = _as_they_come(self._known[which, _HEAD], self._heads)
        tails, tail_of = _as_they_come(self._known[which, _TAIL], self._tails)
        return CellsByWords(heads, tails, head_of, tail_of, tuple(counts[which].tolist()))


def _number(words: T, numbers: dict[T, int], listed: list[T]) -> int:
    number = numbers.setdefault(words, len(numbers))
    if number == len(listed):
        listed.append(words)
    return number


@compiled
def _renumber(halves: Numbers, seen: Numbers, listed: Numbers) -> int:
    """Number different numbers in the order in which they first come, and put them down so; returns how many they are.
    `seen`: 0 for each there may be."""
    found = 0
    for i in range(halves.size):
        half = halves[i]
        if seen[half] == 0:
            listed[found] = half
            found += 1
            seen[half] = found
        halves[i] = seen[half] - 1
    return found


def _as_they_come(halves: Numbers, words: list[T]) -> tuple[tuple[T, ...], tuple[int, ...]]:
    """Different words in the order in which they first come; of each place, which of those it has."""
    listed = np.empty(len(halves), dtype=np.int64)
    found = _renumber(halves, np.zeros(len(words), dtype=np.int64), listed)
    return tuple(map(words.__getitem__, listed[:found].tolist())), tuple(halves.tolist())


_json = msgspec.json.Encoder().encode
