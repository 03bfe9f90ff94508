"""Records that are in memory already, as a source: what a test or another program hands over."""

import hashlib
from collections.abc import Iterator, Sequence

from streams.core.instant import Instant
from streams.core.record import BATCH
from streams.sources.contract import START, Chunk, Ending, Position


class MemorySource:
    """Lines of a recording, without its header and trailer."""

    def __init__(self, lines: Sequence[bytes], span: tuple[Instant, Instant]) -> None:
        """`lines`: each with its newline; `span`: [start, end) of event time."""
        self.span = span
        self.ending: Ending | None = None
        self._lines = lines
        self.identity = f"memory:{hashlib.sha256(b''.join(lines)).hexdigest()}"

    def continues(self, identity: str) -> bool:
        """Whether the lines are the same ones."""
        return identity == self.identity

    def chunks(self, position: Position = START, max_records: int = BATCH) -> Iterator[Chunk]:
        """The lines from `position` on, at most `max_records` a chunk."""
        if max_records < 1:
            raise ValueError(f"max_records is {max_records}; at least 1")
        self.ending = None
        for first in range(position.record, len(self._lines), max_records):
            part = self._lines[first : first + max_records]
            yield Chunk(b"".join(part), len(part), Position(record=first + len(part)))
        self.ending = Ending("complete", max(len(self._lines), position.record), verified=True)
