"""A part of a source: what came in from one instant of event time on, up to another.

Nothing is decoded or dropped inside the part, so it replays as the whole would have begun or stopped there.
A record's stamp is its tick, or when it was received, or for a bare event its own time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from streams.core.instant import SECOND, Instant, format_instant, parse_instant
from streams.core.record import BATCH
from streams.sources.contract import START, Chunk, Ending, Position, Source, SourceError

_STAMP = re.compile(
    rb'^(?:\{\s*"received"\s*:\s*(\d{1,17})|\{\s*"tick"\s*:\s*"([^"]{1,40})"|.{0,4096}?"at"\s*:\s*"([^"]{1,40})")',
    re.MULTILINE,
)
_MILLISECOND = SECOND // 1000


@dataclass(frozen=True, slots=True)
class _Stamp:
    """One record that says when it was: where its line begins, when, and whether it is a tick."""

    at: Instant
    begins: int
    tick: bool


class Between:
    """The records of a source from the first one stamped `start` or later, to the tick of `end` or before the
    first record stamped later. A checkpoint of it goes on with a later `end`, not with another `start`."""

    def __init__(self, source: Source, start: Instant | None = None, end: Instant | None = None) -> None:
        """SourceError where the part is empty, or lies outside of the source's span."""
        first, last = source.span
        self.start = None if start is None or start <= first else start
        self.end = None if end is None or end >= last else end
        if (self.start or first) >= min(last, last if end is None else end):
            wanted = f"{format_instant(self.start or first)} .. {format_instant(last if end is None else end)}"
            raise SourceError(
                "--from/--to",
                f"nothing between {wanted}",
                f"choose instants inside {format_instant(first)} .. {format_instant(last)}",
            )
        self.span = (self.start or first, last)
        self.ending: Ending | None = None
        self._source = source
        self._suffix = "" if self.start is None else f"|from {format_instant(self.start, UTC)}"

    @property
    def identity(self) -> str:
        """The source's own, and where the part begins; where it ends may change from run to run."""
        return self._source.identity + self._suffix

    def continues(self, identity: str) -> bool:
        """Whether this is the part of the source that had `identity`."""
        whole, bar, start = identity.partition("|")
        return bar + start == self._suffix and self._source.continues(whole)

    def chunks(self, position: Position = START, max_records: int = BATCH) -> Iterator[Chunk]:
        """The records of the part from `position` on; sets `ending`."""
        self.ending = None
        begun = self.start is None or position.record > 0
        before = position
        for chunk in self._source.chunks(position, max_records):
            lines, records = chunk.lines, chunk.records
            first = chunk.after.record - records
            if not begun:
                begins = self._beginning(lines)
                if begins is None:
                    before = chunk.after
                    continue
                begun = True
                records -= lines.count(b"\n", 0, begins)
                lines = lines[begins:]
                first = chunk.after.record - records
            stop = self._stop(lines)
            if stop is None:
                before = chunk.after
                yield Chunk(lines, records, chunk.after)
                continue
            records = lines.count(b"\n", 0, stop)
            if records:
                after = Position(before.frame, before.before, first + records)
                yield Chunk(lines[:stop], records, after)
            self.ending = Ending("complete", first + records, verified=False)
            return
        self.ending = self._source.ending

    def _beginning(self, lines: bytes) -> int | None:
        assert self.start is not None
        return next((stamp.begins for stamp in _stamps(lines) if stamp.at >= self.start), None)

    def _stop(self, lines: bytes) -> int | None:
        """Where the part ends in these lines: behind the tick of `end`, or before the first record after it."""
        if self.end is None:
            return None
        for stamp in _stamps(lines):
            if stamp.at == self.end and stamp.tick:
                return lines.index(b"\n", stamp.begins) + 1
            if stamp.at >= self.end and not (stamp.tick and stamp.at == self.end):
                return stamp.begins
        return None


def _stamps(lines: bytes) -> Iterator[_Stamp]:
    for found in _STAMP.finditer(lines):
        received, tick, own = found.groups()
        if received is not None:
            yield _Stamp(int(received) * _MILLISECOND, found.start(), tick=False)
            continue
        try:
            at = parse_instant((tick or own).decode("ascii", "replace"))
        except (ValueError, OverflowError):
            continue  # the decoder's business
        yield _Stamp(at, found.start(), tick is not None)
