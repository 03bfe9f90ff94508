"""Step 1, tally (key: county): every record gets its one verdict, every event counts in its window.

The hot path is compiled: nearly all lines are plain (columns.py) and nothing is special about them (counting.py).
What the compiled pass leaves is taken here, one record at a time, and counts the same (tests/core/test_columns.py);
signals, tickets and distinct counts are taken when an hour closes (county.py). The verdict of a record depends only on
the records of its county and the ticks before it, never on how the stream was cut or spread over partitions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from streams.core.admission import Fault, admit
from streams.core.books import Books, BookState, Packed
from streams.core.cells import Cell, CellRegistry
from streams.core.city import City
from streams.core.columns import CELL, LINE, PLAIN, Columns
from streams.core.counting import ALWAYS_PAGE, STEP, OpenHours
from streams.core.county import County, CountyState
from streams.core.decode import Batch
from streams.core.decode_values import read_time
from streams.core.event import INTAKE_KINDS, Event
from streams.core.instant import DAY, Instant
from streams.core.outputs import Accounting, AlwaysPage, ClosedWindow, Correction
from streams.core.record import Arrival, Reason, Rejection
from streams.core.remembered import Remembered
from streams.core.snapshot import FORMAT, StateError
from streams.core.tickets import STEP_KINDS
from streams.core.window import WindowGrid

FURTHEST_AHEAD = 366 * DAY
"""How far an event may be ahead of all that its county's events and the ticks have told, whenever it was received:
a mistyped year would close every window up to it, and make all that follows late."""


@dataclass(slots=True)
class TallyOutputs:
    """What one batch of records led to."""

    emitted: list[ClosedWindow | AlwaysPage] = field(default_factory=list)
    """In the order in which it happened: what the next steps see must not depend on batches."""
    corrections: list[Correction] = field(default_factory=list)
    rejections: list[tuple[Instant, Rejection]] = field(default_factory=list)
    """With the event time that ticks had told of before it: all that is known of when it was."""

    @property
    def closed(self) -> list[ClosedWindow]:
        """The closed windows among them."""
        return [made for made in self.emitted if isinstance(made, ClosedWindow)]

    @property
    def always_page(self) -> list[AlwaysPage]:
        """The always-page events among them."""
        return [made for made in self.emitted if isinstance(made, AlwaysPage)]


@dataclass(slots=True)
class _Taken:
    """What became of the records of a batch so far."""

    outputs: TallyOutputs = field(default_factory=TallyOutputs)
    counted: int = 0
    duplicate: int = 0
    late: int = 0
    pages: int = 0
    ticks: int = 0


class _TallyState(msgspec.Struct, array_like=True):
    cells: list[Cell]
    accounting: Accounting
    started: Instant
    reached: Instant
    format: int = 1


class Tally:
    """The tally of one partition: the counties that the partitioner gives it, seen or not."""

    def __init__(
        self,
        city: City,
        start: Instant,
        counties: Iterable[str] | None = None,
    ) -> None:
        """`start`: the span's first instant, windows start there. `counties`: codes; None for all of the city's."""
        self.city = city
        self.start = start
        self.accounting = Accounting()
        self.reached = start
        """The latest tick: event time that the whole stream is known to have passed."""
        self._grid = WindowGrid(city.zone, city.day_start)
        self._registry = CellRegistry(city.signals)
        self._hours = OpenHours(len(city.counties), self._grid)
        self._remembered = Remembered(len(city.counties))
        self._books = Books(len(city.counties), self._hours, city.repeat_span)
        own = None if counties is None else frozenset(counties)
        self.counties = {
            county.code: County(
                county.code, city, self._grid, self._registry, self._hours, self._remembered, self._books, start
            )
            for county in city.counties
            if own is None or county.code in own
        }
        self._packed: set[int] = set()
        """Cells that the compiled pass knows."""
        self._always_page = frozenset(c.code for c in city.categories if c.always_page)

    def step(self, batch: Batch) -> TallyOutputs:
        """Take records in stream order."""
        out = _Taken()
        columns = batch.columns
        number, count = 0, len(batch)
        while number < count:
            if columns[number, PLAIN]:
                number = self._count_plain(batch, columns, number, out)
            if number < count:
                self._take(batch, number, out)
                number += 1
        emitted, rejections = out.outputs.emitted, out.outputs.rejections
        self.accounting = self.accounting.plus(
            count - out.ticks, out.counted, out.duplicate, out.late, len(rejections), len(emitted) - out.pages
        )
        return out.outputs

    def _count_plain(self, batch: Batch, columns: Columns, number: int, out: "_Taken") -> int:
        """Count plain lines from `number` on; returns the first that is left."""
        left = len(columns) - number
        self._remembered.make_room(left)
        self._hours.make_room(left)
        # No text of a step is in two places, so all of them are no longer than the lines.
        self._books.make_room(4 * left, len(batch.text.singles) - int(columns[number, LINE]))
        number, counted, duplicate = self._hours.count_plain(
            columns, number, batch.text, self._remembered.table, self._books.names.table
        )
        out.counted += counted
        out.duplicate += duplicate
        return number

    def _take(self, batch: Batch, number: int, out: "_Taken") -> None:
        """Take one record, whatever it is."""
        arrival, position = batch.arrival(number), batch.first + number
        event = arrival.event
        if event is None:
            out.ticks += self._no_event(arrival, position, batch, out.outputs)
            return
        read = self._read(event, arrival.received)
        if isinstance(read, Fault):
            self._reject(read.reason, position, batch, out.outputs, read.place)
            return
        county, at, due = read
        columns = batch.columns
        code = self._code_of(event, int(columns[number, CELL]) if columns[number, PLAIN] else None)
        name, is_open = event.id, at >= county.closed_until
        if is_open:
            self._hours.know_hour(at)
            is_new = self._remembered.remember(county.row, name, self._grid.day(at).start)
        else:
            is_new = not self._remembered.knows(county.row, name)
        if not is_new:
            out.duplicate += 1
            return
        if self._pages(event):
            out.pages += 1
            out.outputs.emitted.append(AlwaysPage(name, event.ticket, at, event.county, event.category, event.point))
        if not is_open:
            out.late += 1
            out.outputs.corrections.append(county.take_late(event, at, due, code))
            return
        county.take(event, at, due, code, is_step=event.kind in STEP_KINDS)
        out.counted += 1
        if county.is_due:
            out.outputs.emitted.extend(county.close_due_hours())

    def _read(self, event: Event, received: int | None) -> "tuple[County, Instant, Instant | None] | Fault":
        """(county, at, due) of an event that counts, is late, or was here before; else why it is rejected."""
        admitted = admit(event, received)
        if isinstance(admitted, Fault):
            return admitted
        at, due = admitted
        county = self.counties.get(event.county)
        if county is None:
            return Fault(Reason.WRONG_PARTITION, "county")
        return Fault(Reason.FUTURE, "at") if at > county.max_at + FURTHEST_AHEAD else (county, at, due)

    def _pages(self, event: Event) -> bool:
        return event.kind in INTAKE_KINDS and event.category in self._always_page

    def _code_of(self, event: Event, packed: int | None) -> int:
        """Code of an event's cell; the compiled pass knows it from now on by `packed`, as plain lines have it."""
        cell = Cell(event.point, event.category, event.kind, event.channel, event.sector, event.outcome)
        code = self._registry.code(cell)
        if packed is not None and packed not in self._packed:
            self._packed.add(packed)
            flags = STEP * (event.kind in STEP_KINDS) + ALWAYS_PAGE * self._pages(event)
            self._hours.know_cell(packed, code, flags)
        return code

    def _reject(self, reason: Reason, position: int, batch: Batch, out: TallyOutputs, place: str = "") -> None:
        out.rejections.append((self.reached, Rejection(reason, position, batch.digest(position), place)))

    def _no_event(self, arrival: Arrival | Rejection, position: int, batch: Batch, out: TallyOutputs) -> int:
        """Take a record without an event: a rejection, or a tick; 1 for a tick, which is not counted in the
        accounting."""
        if isinstance(arrival, Rejection):
            out.rejections.append((self.reached, arrival))
            return 0
        if arrival.tick is None:
            self._reject(Reason.EMPTY, position, batch, out)
            return 0
        at = read_time(arrival.tick)
        if isinstance(at, Reason):
            self._reject(Reason.BAD_ENVELOPE, position, batch, out, "tick")
            return 0
        self.reached = max(self.reached, at)
        for county in self.counties.values():
            if at > county.max_at:
                county.max_at = at
                out.emitted.extend(county.close_due_hours())
        return 1

    # -- snapshot ---------------------------------------------------------------------------------------

    def snapshot(self, *, whole: bool) -> dict[str, bytes | None]:
        """State as named chunks, None for one that is gone: all of them, or those changed since the last call."""
        chunks: dict[str, bytes | None] = {
            "tally": _encode(_TallyState(self._registry.cells, self.accounting, self.start, self.reached, FORMAT))
        }
        changed = range(len(self.city.counties)) if whole else self._books.take_changed()
        for code, county in self.counties.items():
            chunks[f"tally/{code}"] = _encode(county.state())
            chunks[f"tally/{code}/steps"] = _encode(self._books.steps(county.row))
            if county.row in changed:
                chunks[f"tally/{code}/books"] = _encode(self._books.state(county.row))
        for (row, day), ids in self._remembered.chunks(whole=whole).items():
            chunks[f"tally/{self.city.counties[row].code}/ids/{day}"] = ids
        return chunks

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from a snapshot; the city's signals and the partition's counties must be the same.

        Raises StateError where another version made it.
        """
        state = msgspec.msgpack.decode(chunks["tally"], type=_TallyState)
        if state.format != FORMAT:
            raise StateError(f"its state is of format {state.format}, this version of jiantu reads {FORMAT}")
        self.start = state.started
        self.reached = state.reached
        self.accounting = state.accounting
        for cell in state.cells:
            self._registry.code(cell)
        ids: dict[tuple[int, Instant], bytes] = {}
        for code, county in self.counties.items():
            county.restore(msgspec.msgpack.decode(chunks[f"tally/{code}"], type=CountyState))
            steps = msgspec.msgpack.decode(chunks[f"tally/{code}/steps"], type=Packed)
            books = msgspec.msgpack.decode(chunks[f"tally/{code}/books"], type=BookState)
            self._books.restore(county.row, steps, books)
            prefix = f"tally/{code}/ids/"
            days = [name for name in chunks if name.startswith(prefix)]
            ids |= {(county.row, int(name.removeprefix(prefix))): chunks[name] for name in days}
        self._remembered.restore(ids)


_encode = msgspec.msgpack.Encoder().encode
