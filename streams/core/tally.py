"""Step 1, tally (key: county): every record gets its one verdict, every event counts in its window.

The hot path: all work per event is in `Tally.step`'s loop; signals, tickets and distinct counts are taken
when an hour closes (county.py). The verdict of a record depends only on the records of its county and
the ticks before it, never on how the stream was cut into batches or spread over partitions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

from streams.core.cells import Cell, CellRegistry
from streams.core.city import FILTER_FIELDS, City
from streams.core.county import County, CountyState
from streams.core.decode import Batch, RecordDecoder, personal_field, read_time
from streams.core.event import INTAKE_KINDS, Event
from streams.core.instant import DAY, MINUTE, SECOND, Instant
from streams.core.outputs import Accounting, AlwaysPage, ClosedWindow, Correction
from streams.core.record import Arrival, Reason, Rejection
from streams.core.tickets import STEP_KINDS
from streams.core.window import QUARTER, WindowGrid

FUTURE_TOLERANCE = 5 * MINUTE
"""How far a sender's clock may run ahead of the receiver's before its event is rejected."""

FURTHEST_AHEAD = 366 * DAY
"""How far an event may be ahead of all that its county's events and the ticks have told, whenever it was received:
a mistyped year would close every window up to it, and make all that follows late."""

_MILLISECOND = SECOND // 1000
_TEXTS_KEPT = 100_000
_CELL_OF = attrgetter("county", *FILTER_FIELDS)


class _Place:
    """Where an event counts: its county's tally, its cell's code, and what else it needs."""

    __slots__ = ("always_page", "code", "county", "is_step")

    def __init__(self, county: County, code: int, is_step: bool, always_page: bool) -> None:
        self.county = county
        self.code = code
        self.is_step = is_step
        self.always_page = always_page


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


class _TallyState(msgspec.Struct, array_like=True):
    cells: list[Cell]
    accounting: Accounting
    started: Instant
    reached: Instant


class Tally:
    """The tally of one partition: the counties that the partitioner gives it, seen or not."""

    def __init__(
        self, city: City, decoder: RecordDecoder, start: Instant, counties: Iterable[str] | None = None
    ) -> None:
        """`start`: the span's first instant, windows start there. `counties`: codes; None for all of the city's."""
        self.city = city
        self.start = start
        self.accounting = Accounting()
        self.reached = start
        """The latest tick: event time that the whole stream is known to have passed."""
        self._grid = WindowGrid(city.zone, city.day_start)
        self._registry = CellRegistry(city.signals)
        own = None if counties is None else frozenset(counties)
        self.counties = {
            county.code: County(county.code, city, self._grid, self._registry, start)
            for county in city.counties
            if own is None or county.code in own
        }
        self._places: dict[tuple[str, str, str, str, str | None, str | None, str | None], _Place] = {}
        self._always_page = frozenset(c.code for c in city.categories if c.always_page)
        self._events: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(decoder.event_type)
        # RFC 3339 text splits after the hour: both halves recur, so a time costs two look-ups, not a parse.
        self._hours: dict[str, Instant] = {}
        self._rests: dict[str, Instant] = {}

    def step(self, batch: Batch) -> TallyOutputs:  # noqa: C901, PLR0912, PLR0915 - a call costs as much as the work in it
        """Take records in stream order."""
        out = TallyOutputs()
        counted = duplicate = late = pages = ticks = 0
        hours, rests, places, cell_of = self._hours, self._rests, self._places, _CELL_OF
        short_ids = not batch.ids_are_long
        for position, arrival in enumerate(batch.arrivals, batch.first):
            event = arrival.event
            if event is None:
                ticks += self._no_event(arrival, position, batch, out)
                continue
            text = event.at
            try:
                at = hours[text[:13]] + rests[text[13:]]
            except KeyError:
                read = self._read_time(text)
                if isinstance(read, Reason):
                    self._reject(read, position, batch, out, "at")
                    continue
                at = read
            came = arrival.received
            if came is not None and at > came * _MILLISECOND + FUTURE_TOLERANCE:
                self._reject(Reason.FUTURE, position, batch, out, "at")
                continue
            due = None
            if (text_due := event.due) is not None:
                try:
                    due = hours[text_due[:13]] + rests[text_due[13:]]
                except KeyError:
                    read = self._read_time(text_due)
                    if isinstance(read, Reason):
                        self._reject(read, position, batch, out, "due")
                        continue
                    due = read
            if short_ids and (field_name := personal_field(event)) is not None:
                self._reject(Reason.PERSONAL_NUMBER, position, batch, out, field_name)
                continue
            try:
                place = places[cell_of(event)]
            except KeyError:
                new = self._new_place(event)
                if new is None:
                    self._reject(Reason.WRONG_PARTITION, position, batch, out, "county")
                    continue
                place = new
            county = place.county
            if at > county.max_at + FURTHEST_AHEAD:
                self._reject(Reason.FUTURE, position, batch, out, "at")
                continue
            name = event.id
            hour = county.open.get(at // QUARTER)
            if hour is None:
                if county.remembers(name):
                    duplicate += 1
                    continue
                hour = county.hour_at(at)
                if hour is not None:
                    county.seen[name] = hour.day
            else:
                # One look where two would do: this is the largest table, in no processor's cache.
                seen = county.seen
                before = len(seen)
                first = seen.setdefault(name, hour.day)
                if len(seen) == before:
                    if first >= county.forget_before:
                        duplicate += 1
                        continue
                    seen[name] = hour.day
            if place.always_page:
                pages += 1
                out.emitted.append(AlwaysPage(name, event.ticket, at, event.county, event.category, event.point))
            if hour is None:
                late += 1
                out.corrections.append(county.take_late(event, at, due, place.code))
                continue
            hour.ids.append(name)
            hour.codes.append(place.code)
            if place.is_step:
                hour.steps.append((at, name, event, due, place.code))
            counted += 1
            if at > county.max_at:
                county.max_at = at
                if at >= county.close_at:
                    out.emitted.extend(county.close_due_hours())
        self.accounting = self.accounting.plus(
            len(batch.arrivals) - ticks, counted, duplicate, late, len(out.rejections), len(out.emitted) - pages
        )
        return out

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

    def _read_time(self, text: str) -> Instant | Reason:
        """Parse a time the long way and keep its halves for the next."""
        at = read_time(text)
        if isinstance(at, Reason):
            return at
        base = read_time(f"{text[:13]}:00:00Z")
        if not isinstance(base, Reason):
            for kept in (self._hours, self._rests):
                if len(kept) > _TEXTS_KEPT:
                    kept.clear()
            self._hours[text[:13]] = base
            self._rests[text[13:]] = at - base
        return at

    def _new_place(self, event: Event) -> _Place | None:
        """The place of a cell's first event; None where its county belongs to another partition."""
        county = self.counties.get(event.county)
        if county is None:
            return None
        cell = Cell(event.point, event.category, event.kind, event.channel, event.sector, event.outcome)
        always = event.kind in INTAKE_KINDS and event.category in self._always_page
        place = _Place(county, self._registry.code(cell), event.kind in STEP_KINDS, always)
        self._places[event.county, *cell] = place
        return place

    # -- snapshot ---------------------------------------------------------------------------------------

    def snapshot(self, *, whole: bool) -> dict[str, bytes | None]:
        """State as named chunks, None for one that is gone: all of them, or those changed since the last call."""
        chunks: dict[str, bytes | None] = {
            "tally": _encode(_TallyState(self._registry.cells, self.accounting, self.start, self.reached))
        }
        for code, county in self.counties.items():
            chunks[f"tally/{code}"] = _encode(county.state())
            days = sorted(county.ids) if whole else sorted(county.changed_days)
            for day in days:
                names = county.ids.get(day)
                chunks[f"tally/{code}/ids/{day}"] = None if names is None else _encode(names)
            if not whole:
                # an open hour may go on remembering ids of its day
                county.changed_days = {hour.day for hour in county.open.values()}
        return chunks

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from a snapshot; the city's signals and the partition's counties must be the same."""
        state = msgspec.msgpack.decode(chunks["tally"], type=_TallyState)
        self.start = state.started
        self.reached = state.reached
        self.accounting = state.accounting
        for cell in state.cells:
            self._registry.code(cell)
        for code, county in self.counties.items():
            prefix = f"tally/{code}/ids/"
            ids = {
                int(name.removeprefix(prefix)): msgspec.msgpack.decode(chunk, type=list[str])
                for name, chunk in sorted(chunks.items())
                if name.startswith(prefix)
            }
            county.restore(msgspec.msgpack.decode(chunks[f"tally/{code}"], type=CountyState), ids, self._events)


_encode = msgspec.msgpack.Encoder().encode
