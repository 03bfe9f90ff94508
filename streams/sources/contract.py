"""What every source is: raw records in stream order, each with a position to go on from. Start reading here.

A source never decodes: it hands whole lines to `streams.core.decode`, so that one place decides what an
event is and every record that is none is accounted for. One line is one record.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from streams.core.instant import Instant
from streams.core.record import BATCH


class SourceError(Exception):
    """A source that cannot be read at all: what, where (`file` or `file:line`) and what to do instead."""

    def __init__(self, where: str | Path, what: str, instead: str) -> None:
        super().__init__(f"{where}: {what}; {instead}")
        self.where = str(where)
        self.what = what
        self.instead = instead


class Position(Struct, frozen=True):
    """Where to go on: the next record's number, and a place in the source not behind it to seek to.

    Serialisable with msgspec: a checkpoint holds one.
    """

    frame: int = 0
    """Byte offset at which reading can start; 0: the beginning."""
    before: int = 0
    """Records before that offset."""
    record: int = 0
    """Number of the next record, from 0."""


START = Position()


class Chunk(NamedTuple):
    """Some consecutive records of a source."""

    lines: bytes
    """Whole lines, each ended by a newline."""
    records: int
    """How many; the first has record number `after.record - records`."""
    after: Position
    """Where to go on once these are dealt with."""


class Ending(Struct, frozen=True):
    """How reading a source ended: every record before the end has been handed on."""

    state: Literal["complete", "truncated", "altered"]
    """truncated: the end is missing. altered: the content is not what was written."""
    records: int
    """Number of the record after the last one that was read."""
    verified: bool
    """The digest over all records was computed and is the one written down."""
    message: str = ""
    """For a person: what is wrong and where; empty when complete."""


class Source(Protocol):
    """One readable source. Opening it raises SourceError; reading it does not lose what is good."""

    @property
    def identity(self) -> str:
        """Digest that tells this source from others: a checkpoint belongs to one source."""

    @property
    def span(self) -> tuple[Instant, Instant]:
        """Event time covered, [start, end): windows start at its start."""

    @property
    def ending(self) -> Ending | None:
        """How it ended, once `chunks` has run to its end."""

    def continues(self, identity: str) -> bool:
        """Whether this is the source that had `identity`, or a longer copy of it."""

    def chunks(self, position: Position = START, max_records: int = BATCH) -> Iterator[Chunk]:
        """All records from `position` on, at most `max_records` at a time."""
