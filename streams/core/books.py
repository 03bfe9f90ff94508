"""What counties keep beside their cells: tickets, repeats, and who called about what this week; all in flat arrays.

The steps of an hour are taken in one compiled pass when it closes. Texts are numbers in it (names.py), counties are
rows; what is stored of a county are texts again, and nothing in it tells how numbers were given out.
"""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from streams.core import keyed, names, tickets
from streams.core.cells import INTAKE, MEASURES, ROLE, CellRegistry, Counts
from streams.core.city import Measure
from streams.core.columns import NONE
from streams.core.counting import S_AT, S_CALLER, S_CODE, S_DUE, S_HOUR, S_ID, S_MATTER, S_TICKET, OpenHours
from streams.core.instant import Duration, Instant
from streams.core.names import Names, Numbers, comes_before
from streams.core.tickets import (
    DONE,
    DUE,
    DUE_AT,
    DUE_ID,
    NEITHER,
    ON_TIME,
    OPEN,
    OPENED,
    STATUS_AT,
    STATUS_ID,
    Backlog,
    Role,
    backlog_of,
    is_repeat,
    repeats_of,
    take_step,
    tickets_of,
)

CALLER, MATTER, CODE = range(3)
"""Columns of a call: who called, about what, as numbers of names; the cell that it counts in."""

_FACTS = [OPENED, DUE, DUE_AT, STATUS_AT]
_STEP_FACTS = [S_HOUR, S_AT, S_DUE, S_CODE]
_STEP_NAMES = [S_TICKET, S_CALLER, S_MATTER]
_INT = np.dtype("<i8")
_LONGEST = 4 * 128
_REPEATS, _DUE, _ON_TIME = (MEASURES[one] for one in (Measure.REPEATS, Measure.DUE, Measure.ON_TIME))


Packed = tuple[bytes, bytes, bytes]
"""Rows of int64, little-endian; packed texts."""


class BookState(Struct, array_like=True):
    """A county's books as a snapshot has them, open steps aside: they change when an hour closes."""

    open: int
    """How many of the tickets are open: they come first."""
    tickets: Packed
    """Opened, due, due at, status at; names; ids of the steps that set due and status, a row each."""
    repeats: tuple[bytes, bytes]
    """When last; matter and caller, a row each."""
    calls: tuple[bytes, bytes]
    """Of this week: cell codes; caller and matter, a row each."""
    today: int
    """How many of the calls came before the reporting day."""


@compiled
def _take_hour(  # noqa: PLR0913, PLR0917 - arrays of four owners
    steps: NDArray[np.int64],
    county: int,
    texts: names.Table,
    tickets: keyed.Table,
    repeats: keyed.Table,
    rules: NDArray[np.int64],
    counted_as: NDArray[np.uint8],
    span: int,
    calls: NDArray[np.int64],
    counts: NDArray[np.int64],
    done: NDArray[np.int64],
) -> None:
    """See `Books.take_hour`; `done` (4,): closings with a due time, those on time, repeats, calls."""
    order = _in_order(steps, texts)
    for i in order:
        at, code = steps[i, S_AT], steps[i, S_CODE]
        said = take_step(
            tickets, texts, county, at, rules[code, ROLE], steps[i, S_TICKET], steps[i, S_ID], steps[i, S_DUE]
        )
        if rules[code, INTAKE]:
            caller, matter = steps[i, S_CALLER], steps[i, S_MATTER]
            place = done[3]
            calls[place, CALLER], calls[place, MATTER], calls[place, CODE] = caller, matter, code
            done[3] += 1
            if caller and matter and is_repeat(repeats, county, at, caller, matter, span):
                done[2] += 1
                _count(counts, counted_as, code, _REPEATS)
        elif said != NEITHER:
            done[0] += 1
            _count(counts, counted_as, code, _DUE)
            if said == ON_TIME:
                done[1] += 1
                _count(counts, counted_as, code, _ON_TIME)


@inlined
def _count(counts: NDArray[np.int64], counted_as: NDArray[np.uint8], code: int, measure: int) -> None:
    for signal in range(counts.size):
        if counted_as[code, signal] == measure:
            counts[signal] += 1


@compiled
def _in_order(steps: NDArray[np.int64], texts: names.Table) -> NDArray[np.int64]:
    """The steps' rows by (at, id): merged, since most are in order."""
    size, width = steps.shape[0], 1
    some, other = np.arange(size), np.empty(size, dtype=np.int64)
    while width < size:
        for first in range(0, size, 2 * width):
            middle, last = min(first + width, size), min(first + 2 * width, size)
            left, right = first, middle
            for place in range(first, last):
                if right >= last or (left < middle and not _is_earlier(steps, texts, some[right], some[left])):
                    other[place] = some[left]
                    left += 1
                else:
                    other[place] = some[right]
                    right += 1
        some, other = other, some
        width *= 2
    return some


@inlined
def _is_earlier(steps: NDArray[np.int64], texts: names.Table, one: int, other: int) -> bool:
    at, other_at = steps[one, S_AT], steps[other, S_AT]
    return bool(at < other_at or (at == other_at and comes_before(texts, steps[one, S_ID], steps[other, S_ID])))


@compiled
def _take_late(
    table: keyed.Table, texts: names.Table, county: int, at: int, role: int, ticket: int, step: int, due: int
) -> int:
    return take_step(table, texts, county, at, role, ticket, step, due)


class Books:
    """The books of all counties of a partition."""

    def __init__(self, counties: int, hours: OpenHours, repeat_span: Duration) -> None:
        self._hours = hours
        self._span = repeat_span
        self.names = Names(self._held)
        self.tickets = tickets_of(counties)
        self.repeats = repeats_of(counties)
        self._calls = [np.zeros((0, 3), dtype=np.int64) for _ in range(counties)]
        self._called = [0] * counties
        self._before_today = [0] * counties
        self._changed = set(range(counties))
        """Whose books are not as the last snapshot has them."""

    def _held(self) -> Iterator[Numbers]:
        yield from self._hours.numbers()
        yield from (self.tickets.rows[:, column] for column in (keyed.KEY, DUE_ID, STATUS_ID))
        yield from (self.repeats.rows[:, column] for column in (keyed.KEY, keyed.OTHER_KEY))
        for calls, called in zip(self._calls, self._called, strict=True):
            yield calls[:called, CALLER]
            yield calls[:called, MATTER]

    def make_room(self, texts: int, size: int) -> None:
        """For so many more texts, of so many bytes together."""
        if self.names.make_room(texts, size):
            self.tickets.rehash()
            self.repeats.rehash()

    def add_step(
        self,
        county: int,
        hour: Instant,
        at: Instant,
        due: Instant | None,
        code: int,
        texts: tuple[str, str | None, str | None, str | None],
    ) -> None:
        """Keep a step of an open hour; `texts`: its id, ticket, caller and matter."""
        self.make_room(4, 4 * _LONGEST)
        step, *others = texts
        numbers = self.names.number(step, looked_up=False), *(self.names.number(text) for text in others)
        self._hours.add_step((county, hour, at, NONE if due is None else due, code, *numbers))

    def take_late(
        self, county: int, at: Instant, role: Role, ticket: str | None, step: str, due: Instant | None
    ) -> bool | None:
        """Take one step of a ticket by itself.

        True: closed on time; False: closed past its due time; None: anything else.
        """
        if ticket is None or role is Role.NONE:
            return None
        self._changed.add(county)
        self.make_room(2, 2 * _LONGEST)
        self.tickets.make_room(1)
        number, kept = self.names.number(ticket), self.names.number(step, looked_up=False)
        table, time = self.tickets.table, NONE if due is None else due
        said = _take_late(table, self.names.table, county, at, int(role), number, kept, time)
        return None if said == NEITHER else said == ON_TIME

    def take_hour(self, county: int, hour: Instant, registry: CellRegistry, counts: Counts) -> tuple[int, int, int]:
        """Take all steps of an hour that closes. Adds to the counts of signals what tickets and repeats say; returns
        (closings with a due time, those of them on time, repeats)."""
        steps = self._hours.take_steps(county, hour)
        if not len(steps):
            return 0, 0, 0
        self._changed.add(county)
        self.tickets.make_room(len(steps))
        self.repeats.make_room(len(steps))
        done = np.zeros(4, dtype=np.int64)
        called = self._called[county]
        done[3] = called
        _take_hour(
            steps,
            county,
            self.names.table,
            self.tickets.table,
            self.repeats.table,
            registry.rules,
            registry.counted_as,
            self._span,
            self._room_for_calls(county, len(steps)),
            counts,
            done,
        )
        with_due, on_time, repeats, self._called[county] = done.tolist()
        return with_due, on_time, repeats

    def _room_for_calls(self, county: int, calls: int) -> NDArray[np.int64]:
        held, called = self._calls[county], self._called[county]
        if called + calls > len(held):
            grown = np.zeros((2 * called + calls, 3), dtype=np.int64)
            grown[:called] = held[:called]
            self._calls[county] = grown
        return self._calls[county]

    # -- what windows ask for ---------------------------------------------------------------------------

    def calls_since(self, county: int, first: int) -> NDArray[np.int64]:
        """This week's calls of a county but for the first some."""
        return self._calls[county][first : self._called[county]]

    def called(self, county: int) -> int:
        """How many calls of a county this week has so far."""
        return self._called[county]

    def calls_of_day(self, county: int) -> NDArray[np.int64]:
        """Calls of a county's reporting day so far."""
        return self.calls_since(county, self._before_today[county])

    def end_day(self, county: int, *, ends_week: bool) -> None:
        """Another day begins, with another week or without."""
        self._changed.add(county)
        if ends_week:
            self._called[county] = 0
        self._before_today[county] = self._called[county]

    def backlog(self, county: int, now: Instant) -> Backlog:
        """What a county has open at an instant."""
        return backlog_of(self.tickets, county, now)

    def has_closed(self, county: int) -> bool:
        """Whether a county closed any ticket lately."""
        return bool(self.tickets.table.lists[2 * county + DONE, keyed.LENGTH])

    def forget(self, county: int, closed_before: Instant, opened_before: Instant, raised_before: Instant) -> None:
        """Drop what is past: see `tickets.forget`; and what was last raised before an instant."""
        self._changed.add(county)
        tickets.forget(self.tickets, county, closed_before, opened_before)
        self.repeats.forget(county, tickets.AT, raised_before)

    # -- snapshot ---------------------------------------------------------------------------------------

    def take_changed(self) -> set[int]:
        """The counties whose books changed since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def steps(self, county: int) -> Packed:
        """A county's steps of open hours, in order of arrival: hour, at, due, cell code; ids; ticket, caller and
        matter, a row each."""
        pack, steps = self.names.pack, self._hours.steps(county)
        return _bytes(steps[:, _STEP_FACTS]), pack(steps[:, S_ID]), pack(steps[:, _STEP_NAMES].ravel())

    def state(self, county: int) -> BookState:
        """A county's books."""
        pack = self.names.pack
        is_open, done = self.tickets.listed(2 * county + OPEN), self.tickets.listed(2 * county + DONE)
        held = np.concatenate((is_open, done))
        raised = self.repeats.listed(county)
        calls = self.calls_since(county, 0)
        return BookState(
            len(is_open),
            (_bytes(held[:, _FACTS]), pack(held[:, keyed.KEY]), pack(held[:, [DUE_ID, STATUS_ID]].ravel())),
            (_bytes(raised[:, tickets.AT]), pack(raised[:, [keyed.KEY, keyed.OTHER_KEY]].ravel())),
            (_bytes(calls[:, CODE]), pack(calls[:, [CALLER, MATTER]].ravel())),
            self._before_today[county],
        )

    def restore(self, county: int, steps: Packed, state: BookState) -> None:
        """Go on from a snapshot: the county's books are empty."""
        self._changed.discard(county)
        # What numbers are given out here is held by nobody until all is in its place: so room for all of it first.
        held, raised, calls = state.tickets, state.repeats, state.calls
        packed = (*steps[1:], *held[1:], raised[1], calls[1])
        self.make_room(sum(map(len, packed)) // 2, sum(map(len, packed)))
        facts = _rows(steps[0], len(_STEP_FACTS))
        ids = self.names.unpack(steps[1], len(facts), looked_up=False)
        named = self.names.unpack(steps[2], 3 * len(facts)).reshape(-1, 3)
        for (hour, at, due, code), one, of in zip(facts.tolist(), ids.tolist(), named.tolist(), strict=True):
            self._hours.add_step((county, hour, at, due, code, one, *of))

        facts = _rows(held[0], len(_FACTS))
        rows = np.zeros((len(facts), STATUS_ID + 1), dtype=np.int64)
        rows[:, _FACTS] = facts
        rows[:, keyed.KEY] = self.names.unpack(held[1], len(facts))
        rows[:, [DUE_ID, STATUS_ID]] = self.names.unpack(held[2], 2 * len(facts), looked_up=False).reshape(-1, 2)
        self.tickets.add_all(2 * county + OPEN, rows[: state.open])
        self.tickets.add_all(2 * county + DONE, rows[state.open :])

        facts = _rows(raised[0], 1)
        rows = np.zeros((len(facts), tickets.AT + 1), dtype=np.int64)
        rows[:, tickets.AT :] = facts
        rows[:, [keyed.KEY, keyed.OTHER_KEY]] = self.names.unpack(raised[1], 2 * len(facts)).reshape(-1, 2)
        self.repeats.add_all(county, rows)

        codes = _rows(calls[0], 1)[:, 0]
        self._calls[county] = np.zeros((len(codes), 3), dtype=np.int64)
        self._calls[county][:, CODE] = codes
        self._calls[county][:, [CALLER, MATTER]] = self.names.unpack(calls[1], 2 * len(codes)).reshape(-1, 2)
        self._called[county], self._before_today[county] = len(codes), state.today


def _bytes(numbers: NDArray[np.int64]) -> bytes:
    return numbers.astype(_INT).tobytes()


def _rows(stored: bytes, width: int) -> NDArray[np.int64]:
    return np.frombuffer(stored, dtype=_INT).astype(np.int64).reshape(-1, width)
