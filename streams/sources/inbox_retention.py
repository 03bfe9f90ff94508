"""What an inbox lets go: whole segments that are counted and old, oldest first, so that what is left has no gap.

By wall time, from when a segment's last record came in: the inbox is what was received, not what it is about. Nothing
that a checkpoint still needs goes, however old; a running service does not mind, as it writes to the last one only.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from streams.core.instant import Instant
from streams.sources.inbox import segments


@dataclass(frozen=True, slots=True)
class OldSegment:
    """A file of an inbox that may go."""

    path: Path
    size: int
    """In bytes."""
    last: Instant
    """When its last record came in."""


def old_segments(folder: Path, counted: int, before: Instant) -> list[OldSegment]:
    """Segments whose records all have a number below `counted` and came before an instant, oldest first; and what was
    cut off such segments when a process died. [] where there is no inbox."""
    found = segments(folder)
    gone: list[OldSegment] = []
    for one, following in pairwise(found):
        segment = _seen(one.path)
        if following.first > counted or segment.last >= before:
            break
        cut = [_seen(path) for path in sorted(folder.glob(f"{one.path.name}.cut-at-*"))]
        gone += [segment, *cut]
    return gone


def _seen(path: Path) -> OldSegment:
    known = path.stat()
    return OldSegment(path, known.st_size, known.st_mtime_ns // 1000)
