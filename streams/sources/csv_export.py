"""A city's CSV export as a source: rows through the profile's mapping, merged into one stream in time order.

* A row gives one event, or two where the mapping names a closing column and the row has a time in it.
* Order: by event time; at one instant openings before closings, and rows as they are in the file. A row whose
  opening time cannot be read comes right after the row before it.
* `received` is the event's own time: an export does not say when it learned of something.
* Ticks come from the event times: every full hour that passes gives one, before the first event at or after
  it; the last tick is the last opening + the allowed lateness.
* Closings after the last opening are left out and counted apart: the file is an export of openings.
* Local times without a zone: a time that does not exist (clocks put forward) is read with the offset before
  the change, a time that is there twice is the first of the two, but for a closing that would then lie
  before its opening.
* A row that cannot be an event is handed on as one that the decoder rejects for the reason that fits, at its
  place: nothing is passed over in silence, and no value of it is shown.
* An opening more than a year away from all others (1900, 2099: a slip of the pen) does not stretch the span.
"""

import hashlib
import mmap
import tempfile
from array import array
from collections.abc import Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import IO, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.core.instant import DAY, HOUR, SECOND, Instant, format_instant, from_datetime
from streams.core.record import BATCH
from streams.core.window import WindowGrid
from streams.profile.model import CsvMapping, Profile
from streams.sources.contract import START, Chunk, Ending, Position, SourceError
from streams.sources.csv_rows import CsvRows, Row
from streams.sources.recorder import record_line, tick_line

_OPENING, _CLOSING, _BROKEN = 0, 1, 2
_GAP = 366 * DAY
_MILLISECOND = SECOND // 1000
_OPTIONAL = frozenset({"channel", "sector", "caller", "matter", "outcome", "due"})
_OPENING_ONLY = frozenset({"caller", "matter", "due"})
"""People and deadlines are said once, when a matter comes in."""


class CsvSource:
    """One CSV export. Opening it reads and sorts it; SourceError says what is wrong with the file."""

    def __init__(self, path: str | Path, profile: Profile) -> None:
        self.path = Path(path)
        self.ending: Ending | None = None
        mapping = profile.csv
        if mapping is None:
            raise SourceError(
                self.path,
                f"the profile {profile.name} does not say how a CSV becomes events",
                "write a `mapping` in it, or give another --profile",
            )
        self._zone = profile.city.zone
        self._lateness = profile.city.allowed_lateness
        needed = [mapping.opened, *([mapping.closed] if mapping.closed else []), mapping.ticket]
        needed += [column for column in mapping.columns.values() if column not in needed]
        self._file = CsvRows(self.path, mapping.encoding, mapping.delimiter, needed)
        self._text = _Text()
        self._at, self._what, self._line = array("q"), array("b"), array("q")
        self._read(_Reader(mapping, self._file.columns, self._zone))
        order, at, first, last = self._in_order()
        grid = WindowGrid(profile.city.zone, profile.city.day_start)
        self.span: tuple[Instant, Instant] = (grid.day(first).start, last // SECOND * SECOND + SECOND)
        self._records = self._with_ticks(order, at, last)
        content = f"{self._file.digest()} {profile.version}"
        self.identity = f"csv:{hashlib.sha256(content.encode()).hexdigest()}"

    def continues(self, identity: str) -> bool:
        """Whether it is the same file: a longer export closes other tickets, so that none continues another."""
        return identity == self.identity

    def row(self, record: int) -> int | None:
        """Line of the file that a record came from, from 1; None for a tick."""
        source = int(self._records[record])
        return self._line[source] if source >= 0 else None

    def chunks(self, position: Position = START, max_records: int = BATCH) -> Iterator[Chunk]:
        """Lines of a recording, made of the rows."""
        if max_records < 1:
            raise ValueError(f"max_records is {max_records}; at least 1")
        self.ending = None
        total = len(self._records)
        for first in range(position.record, total, max_records):
            part = self._records[first : first + max_records].tolist()
            lines = b"".join([self._event_line(i) if i >= 0 else self._tick_line(-i) for i in part])
            yield Chunk(lines, len(part), Position(record=first + len(part)))
        wrong = self._file.truncated
        message = f"{self.path}: {wrong}; {len(self._line)} events were read before that" if wrong else ""
        self.ending = Ending("truncated" if wrong else "complete", max(total, position.record), not wrong, message)

    def _event_line(self, number: int) -> bytes:
        return record_line(self._text[number], int(self._received[number]))

    def _tick_line(self, milliseconds: int) -> bytes:
        return tick_line(format_instant(milliseconds * _MILLISECOND, self._zone))

    def _read(self, reader: "_Reader") -> None:
        latest = _BEFORE_ALL
        try:
            with self._text:
                for row in self._file:
                    for what, at, event in reader.events(row):
                        if what == _OPENING and at is not None:
                            latest = at
                        self._text.add(event)
                        self._at.append(latest if at is None else at)
                        self._what.append(what)
                        self._line.append(row.line)
        except OSError as error:
            what_failed = f"its events cannot be put in time order ({error.strerror})"
            raise SourceError(self.path, what_failed, "free some space in TMPDIR") from None

    def _in_order(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Instant, Instant]:
        """Events in stream order, their times, and the times of the first and the last opening."""
        at = np.array(self._at, np.int64)
        what = np.array(self._what, np.int8)
        openings = np.sort(at[what == _OPENING])
        if not len(openings):
            raise SourceError(self.path, "no row has an opening time that can be read", "check the profile's mapping")
        parts = np.split(openings, np.flatnonzero(np.diff(openings) > _GAP) + 1)
        bulk = max(parts, key=len)
        first, last = int(bulk[0]), int(bulk[-1])
        at = np.where(at == _BEFORE_ALL, first, at)
        # Nothing was received after the last opening: what claims to lie a year later is yet to come.
        self._received = np.minimum(at, last)
        outside = (what == _CLOSING) & (at > last)
        self.closings_dropped = int(outside.sum())
        """Closings after the last opening: left out."""
        kept = np.flatnonzero(~outside)
        order = kept[np.lexsort((kept, what[kept], at[kept]))].astype(np.int64)
        return order, at[order], first, last

    def _with_ticks(self, order: NDArray[np.int64], at: NDArray[np.int64], last: Instant) -> NDArray[np.int64]:
        """Numbers of events, and ticks as negative milliseconds."""
        hours = np.arange(self.span[0] + HOUR, last + 1, HOUR, dtype=np.int64)
        final = last + self._lateness
        ticks = hours if len(hours) and hours[-1] == final else np.append(hours, final)
        places = np.searchsorted(at, ticks, side="left")
        places[-1] = int(np.searchsorted(at, last, side="right"))
        return np.insert(order, places, -(ticks // _MILLISECOND))


_BEFORE_ALL = -(1 << 62)


class _Reader:
    """Rows to events, by a mapping."""

    def __init__(self, mapping: CsvMapping, columns: dict[str, int], zone: tzinfo) -> None:
        self._mapping = mapping
        self._columns = columns
        self._zone = zone
        self._opened = columns[mapping.opened]
        self._closed = columns[mapping.closed] if mapping.closed else None
        self._ticket = columns[mapping.ticket]
        self._fields = [(name, columns[column]) for name, column in mapping.columns.items()]
        self._known: dict[tuple[str, str], str] = {}

    def events(self, row: Row) -> Iterator[tuple[int, Instant | None, bytes]]:
        """(what, event time, JSON) of a row; no time where it cannot be read."""
        values = row.values
        if row.broken is not None:
            yield _BROKEN, None, row.broken
            return
        if len(values) != len(self._columns):
            # Too many: a field that nobody knows. Too few: fields are missing.
            surplus = len(values) > len(self._columns)
            yield _BROKEN, None, b'{"row":%d}' % row.line if surplus else b'{"kind":"accepted"}'
            return
        ticket = values[self._ticket].strip()
        event: dict[str, str] = {"id": ticket, **self._mapping.constants}
        for name, column in self._fields:
            text = values[column]
            code = self._known.get((name, text))
            if code is None:
                code = self._mapping.code(name, text)
                if len(self._known) < 10_000:
                    self._known[name, text] = code
            if code or name not in _OPTIONAL:
                event[name] = code
        event.setdefault("kind", self._mapping.opening_kind)
        if ticket:
            event["ticket"] = ticket
        if "due" in event:
            due = self._time(event["due"])
            event["due"] = format_instant(due, self._zone) if due is not None else event["due"]
        opened_text = values[self._opened].strip()
        opened = self._time(opened_text)
        closed_text = values[self._closed].strip() if self._closed is not None else ""
        outcome = event.pop("outcome", None) if closed_text else None
        yield self._event(_OPENING, opened, opened_text, event)
        if closed_text:
            closed = self._time(closed_text, not_before=opened)
            event = {name: value for name, value in event.items() if name not in _OPENING_ONLY}
            event["id"] = f"{ticket}/closed" if ticket else ""
            event["kind"] = self._mapping.closing_kind
            if outcome:
                event["outcome"] = outcome
            yield self._event(_CLOSING, closed, closed_text, event)

    def _event(
        self, what: int, at: Instant | None, text: str, event: dict[str, str]
    ) -> tuple[int, Instant | None, bytes]:
        if at is None:
            # A text that looks like a time to the decoder, but is none here, is not to pass for one there.
            return _BROKEN, None, msgspec.json.encode({**event, "at": f"?{text}"[:40]})
        return what, at, msgspec.json.encode({**event, "at": format_instant(at, self._zone)})

    def _time(self, text: str, not_before: Instant | None = None) -> Instant | None:
        """The instant of a text; None where it is no time."""
        moment = self._moment(text)
        if moment is None:
            return None
        try:
            if moment.tzinfo is not None:
                return from_datetime(moment)
            at = from_datetime(moment.replace(tzinfo=self._mapping.zone))
            if not_before is not None and at < not_before:
                again = from_datetime(moment.replace(tzinfo=self._mapping.zone, fold=1))
                at = again if again >= not_before else at
            format_instant(at, self._zone)
        except (OverflowError, ValueError):
            return None
        return at

    def _moment(self, text: str) -> datetime | None:
        for pattern in self._mapping.time_formats:
            try:
                return datetime.strptime(text, pattern)  # noqa: DTZ007 - the mapping's zone comes next
            except ValueError:
                continue
        if self._mapping.time_formats:
            return None
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None


class _Text:
    """The events' JSON in a file without a name: any number of them, in little memory. Filled inside a `with`."""

    def __init__(self) -> None:
        self._ends = array("q", [0])
        self._map: mmap.mmap | None = None

    def __enter__(self) -> Self:
        self._file: IO[bytes] = tempfile.TemporaryFile()
        return self

    def add(self, event: bytes) -> None:
        self._file.write(event)
        self._ends.append(self._ends[-1] + len(event))

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._file.flush()
            if self._ends[-1]:
                self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def __getitem__(self, number: int) -> bytes:
        assert self._map is not None
        return self._map[self._ends[number] : self._ends[number + 1]]
