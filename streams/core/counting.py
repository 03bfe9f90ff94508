"""The plain lines of a batch, counted in compiled code: verdict, window, cell.

`count_plain` takes lines for as long as nothing is special about them: it counts events into open hours and tells
duplicates. It stops before a line that it leaves to `Tally`: one that is not plain, a tick, an event of a cell that is
new or pages at once, or too late, or in the future, or of another partition, or one that lets an hour close. What it
leaves undone it has not touched, so where it stops changes no result.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from streams.core import names
from streams.core.columns import (
    AT,
    CALLER,
    CELL,
    COUNTY,
    DUE,
    HASH,
    ID,
    ID_END,
    MATTER,
    NONE,
    PLAIN,
    RECEIVED,
    TICKET,
    Bytes,
    Columns,
    Text,
    Wide,
)
from streams.core.instant import MINUTE, SECOND, Instant
from streams.core.names import NOTHING, Numbers, keep, number_of
from streams.core.remembered import Table, home_of, remember
from streams.core.window import QUARTER, WindowGrid

FUTURE_TOLERANCE = 5 * MINUTE
"""How far a sender's clock may run ahead of the receiver's before its event is rejected."""
MILLISECOND = SECOND // 1000

MAX_AT, CLOSED_UNTIL, CLOSE_AT = range(3)
"""Columns of a county's marks, instants: the largest event time heard of; up to where its hours are closed; from
which event time on the next one closes."""
MARKS = 3
NEVER = -(2**63)
"""A CLOSE_AT by which every event of a county is left to the tally."""

STEP, ALWAYS_PAGE = 1, 2
"""Flags of a cell."""
_FLAG_BITS = 2
_QUARTERS_KEPT = 1 << 9
_COUNTY_OF, _HOUR_OF, _CODE_OF = range(3)
S_COUNTY, S_HOUR, S_AT, S_DUE, S_CODE, S_ID, S_TICKET, S_CALLER, S_MATTER = range(9)
"""Columns of a step: row of its county; start of its hour, its instant, its due time or NONE; cell code; its id and
the texts in it by number."""
_STEP_WIDTH = 9
_AT_ONCE = 64
"""Lines that are looked up together."""


class Board(NamedTuple):
    """What the compiled pass reads and writes, beside the ids."""

    marks: NDArray[np.int64]
    """Shape (counties, MARKS)."""
    cells: NDArray[np.int64]
    """Shape (a power of two, 2): 1 + packed cell, or 0; and its code before its flags."""
    quarters: NDArray[np.int64]
    """Shape (_QUARTERS_KEPT, 3): a quarter of an hour of UTC, at its remainder's place; start of its hour, its day."""
    events: NDArray[np.int64]
    """Shape (events, 3): county, start of the hour, cell code of each event of an open hour, in order of arrival."""
    steps: NDArray[np.int64]
    """Shape (steps, _STEP_WIDTH): those of the events that tickets, repeats or distinct counts depend on, in order of
    arrival."""
    used: NDArray[np.int64]
    """Two elements: how many events there are, and how many steps."""


@compiled
def _count_plain(
    columns: Columns,
    first: int,
    text: Bytes,
    eights: Wide,
    board: Board,
    ids: Table,
    texts: names.Table,
    done: NDArray[np.int64],
) -> int:
    """See `OpenHours.count_plain`; `done` (3,): counted, duplicate, nothing."""
    events, quarters, marks, cells = board.events, board.quarters, board.marks, board.cells
    used, mask = board.used[0], cells.shape[0] - 1
    counted, duplicate = 0, 0
    k = looked = first
    while k < columns.shape[0]:
        if columns[k, PLAIN] == 0:
            break
        if k == looked:
            looked = min(k + _AT_ONCE, columns.shape[0])
            done[2] ^= _look_ahead(columns, k, looked, ids, texts)
        at, county, received = columns[k, AT], columns[k, COUNTY], columns[k, RECEIVED]
        if at >= marks[county, CLOSE_AT] or at < marks[county, CLOSED_UNTIL]:
            break
        if received != NONE and at > received * MILLISECOND + FUTURE_TOLERANCE:
            break
        cell = columns[k, CELL] + 1
        place = (cell * 0x1E3779B97F4A7C15 >> 20) & mask
        while cells[place, 0] != cell and cells[place, 0] != 0:
            place = (place + 1) & mask
        known = cells[place, 1]
        if cells[place, 0] == 0 or known & ALWAYS_PAGE:
            break
        quarter = at // QUARTER
        kept = quarter & (_QUARTERS_KEPT - 1)
        if quarters[kept, 0] != quarter:
            break
        day = quarters[kept, 2] // QUARTER
        if not remember(ids, text, eights, columns[k, ID], columns[k, ID_END], columns[k, HASH], county, day):
            duplicate += 1
            k += 1
            continue
        hour = quarters[kept, 1]
        events[used, 0], events[used, 1], events[used, 2] = county, hour, known >> _FLAG_BITS
        used += 1
        if known & STEP:
            step = board.steps[board.used[1]]
            step[S_COUNTY], step[S_HOUR], step[S_AT], step[S_DUE] = county, hour, at, columns[k, DUE]
            step[S_CODE] = known >> _FLAG_BITS
            step[S_ID] = keep(texts, eights, columns[k, ID], columns[k, ID_END])
            step[S_TICKET] = _number_of(texts, eights, columns, k, TICKET)
            step[S_CALLER] = _number_of(texts, eights, columns, k, CALLER)
            step[S_MATTER] = _number_of(texts, eights, columns, k, MATTER)
            board.used[1] += 1
        counted += 1
        marks[county, MAX_AT] = max(marks[county, MAX_AT], at)
        k += 1
    board.used[0] = used
    done[0], done[1] = counted, duplicate
    return k


@inlined
def _look_ahead(columns: Columns, first: int, last: int, ids: Table, texts: names.Table) -> int:
    """Touch what some lines will be looked up in. Memory takes as long for one of them as for all at once, where none
    waits for another. What is returned says nothing: it keeps the compiler from leaving all this out."""
    seen = 0
    for k in range(first, last):
        if columns[k, PLAIN]:
            seen ^= ids.slots[home_of(ids, columns[k, HASH], columns[k, COUNTY])]
            for column in (TICKET, CALLER, MATTER):
                if columns[k, column]:
                    seen ^= texts.slots[columns[k, column + 2] & (texts.slots.size - 1)]
    for k in range(first, last):
        if columns[k, PLAIN]:
            for column in (TICKET, CALLER, MATTER):
                if columns[k, column]:
                    number = texts.slots[columns[k, column + 2] & (texts.slots.size - 1)] & 0xFFFFFFFF
                    seen ^= texts.starts[number]
    return int(seen)


@inlined
def _number_of(texts: names.Table, eights: Wide, columns: Columns, k: int, column: int) -> int:
    begin = columns[k, column]
    return number_of(texts, eights, begin, columns[k, column + 1], columns[k, column + 2]) if begin else NOTHING


@compiled
def _take(events: NDArray[np.int64], used: NDArray[np.int64], county: int, hour: int, out: NDArray[np.int64]) -> int:
    """Move the codes of one county's hour out of the events; returns how many."""
    left, found = 0, 0
    for i in range(used[0]):
        if events[i, _COUNTY_OF] == county and events[i, _HOUR_OF] == hour:
            out[found] = events[i, _CODE_OF]
            found += 1
        else:
            if left != i:
                events[left, 0], events[left, 1], events[left, 2] = events[i, 0], events[i, 1], events[i, 2]
            left += 1
    used[0] = left
    return found


@compiled
def _take_steps(
    steps: NDArray[np.int64], used: NDArray[np.int64], county: int, hour: int, out: NDArray[np.int64]
) -> int:
    """Move the steps of one county's hour out of the steps; returns how many."""
    left, found = 0, 0
    for i in range(used[1]):
        if steps[i, S_COUNTY] == county and steps[i, S_HOUR] == hour:
            for column in range(_STEP_WIDTH):
                out[found, column] = steps[i, column]
            found += 1
        else:
            if left != i:
                for column in range(_STEP_WIDTH):
                    steps[left, column] = steps[i, column]
            left += 1
    used[1] = left
    return found


@compiled
def _put_cell(cells: NDArray[np.int64], cell: int, code: int) -> None:
    mask = cells.shape[0] - 1
    place = (cell * 0x1E3779B97F4A7C15 >> 20) & mask
    while cells[place, 0] != cell and cells[place, 0] != 0:
        place = (place + 1) & mask
    cells[place, 0], cells[place, 1] = cell, code


class OpenHours:
    """The events of all counties' open hours, and what tells a plain event's hour and cell."""

    def __init__(self, counties: int, grid: WindowGrid) -> None:
        self._grid = grid
        marks = np.full((counties, MARKS), NEVER, dtype=np.int64)
        self.board = Board(
            marks,
            np.zeros((1 << 10, 2), dtype=np.int64),
            np.full((_QUARTERS_KEPT, 3), NEVER, dtype=np.int64),
            np.zeros((1 << 12, 3), dtype=np.int64),
            np.zeros((1 << 11, _STEP_WIDTH), dtype=np.int64),
            np.zeros(2, dtype=np.int64),
        )
        self._cells = 0

    def make_room(self, events: int) -> None:
        """For so many more events, and as many steps."""
        used, steps = self.board.used.tolist()
        self.board = self.board._replace(
            events=_with_room(self.board.events, used, events), steps=_with_room(self.board.steps, steps, events)
        )

    def count_plain(
        self, columns: Columns, first: int, text: Text, ids: Table, texts: names.Table
    ) -> tuple[int, int, int]:
        """Count lines from number `first` on, until one is not for this pass to take.

        Returns (its number, events counted, duplicates). There must be room for all of them in `ids` and here, and in
        `texts` for four texts of each.
        """
        done = np.zeros(3, dtype=np.int64)
        line = _count_plain(columns, first, *text, self.board, ids, texts, done)
        counted, duplicate, _ = done.tolist()
        return line, counted, duplicate

    def know_cell(self, packed: int, code: int, flags: int) -> None:
        """Take events of a packed cell from now on (`columns.CELL`)."""
        self._cells += 1
        cells = self.board.cells
        if 2 * self._cells > len(cells):
            grown = np.zeros((4 * len(cells), 2), dtype=np.int64)
            for cell, known in cells[cells[:, 0] != 0].tolist():
                _put_cell(grown, cell, known)
            self.board = self.board._replace(cells=grown)
        _put_cell(self.board.cells, packed + 1, code << _FLAG_BITS | flags)

    def know_hour(self, at: Instant) -> None:
        """Take events of the hour that an instant lies in from now on."""
        hour, day = self._grid.hour(at), self._grid.day(at)
        for quarter in range(hour.start // QUARTER, hour.end // QUARTER):
            self.board.quarters[quarter % _QUARTERS_KEPT] = quarter, hour.start, day.start

    def add(self, county: int, hour: Instant, code: int) -> None:
        """Count one event."""
        self.make_room(1)
        used = int(self.board.used[0])
        self.board.events[used] = county, hour, code
        self.board.used[0] = used + 1

    def add_step(self, step: Sequence[int]) -> None:
        """Keep one step, its columns as above."""
        self.make_room(1)
        used = int(self.board.used[1])
        self.board.steps[used] = step
        self.board.used[1] = used + 1

    def take(self, county: int, hour: Instant) -> NDArray[np.int64]:
        """The cell codes of an hour's events in order of arrival: the hour has no more to come."""
        board = self.board
        codes = np.empty(int(board.used[0]), dtype=np.int64)
        return codes[: _take(board.events, board.used, county, hour, codes)].copy()

    def take_steps(self, county: int, hour: Instant) -> NDArray[np.int64]:
        """The steps of an hour in order of arrival: it has no more to come."""
        board = self.board
        steps = np.empty((int(board.used[1]), _STEP_WIDTH), dtype=np.int64)
        return steps[: _take_steps(board.steps, board.used, county, hour, steps)]

    def steps(self, county: int) -> NDArray[np.int64]:
        """A county's steps of all open hours, in order of arrival."""
        steps = self.board.steps[: int(self.board.used[1])]
        found: NDArray[np.int64] = steps[steps[:, S_COUNTY] == county]
        return found

    def numbers(self) -> Iterator[Numbers]:
        """All numbers of texts in steps."""
        for column in (S_ID, S_TICKET, S_CALLER, S_MATTER):
            yield self.board.steps[: int(self.board.used[1]), column]

    def codes(self, county: int) -> dict[Instant, list[int]]:
        """Start of a county's open hours, ascending -> their events' cell codes."""
        events = self.board.events[: int(self.board.used[0])]
        events = events[events[:, _COUNTY_OF] == county]
        return {
            int(hour): events[events[:, _HOUR_OF] == hour, _CODE_OF].tolist() for hour in np.unique(events[:, _HOUR_OF])
        }


def _with_room(held: NDArray[np.int64], used: int, more: int) -> NDArray[np.int64]:
    if used + more <= len(held):
        return held
    grown: NDArray[np.int64] = np.zeros((2 * used + more, held.shape[1]), dtype=np.int64)
    grown[:used] = held[:used]
    return grown
