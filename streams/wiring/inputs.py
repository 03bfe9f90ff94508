"""What a run reads: the profile of a name, the source of a path."""

import gzip
from collections.abc import Sequence
from pathlib import Path

from streams.core.instant import Instant
from streams.core.window import WindowGrid
from streams.profile import Profile, load
from streams.sources.between import Between
from streams.sources.contract import Source
from streams.sources.csv_export import CsvSource
from streams.sources.inbox import InboxReader, read_header
from streams.sources.memory import MemorySource
from streams.sources.recording import RecordingReader

_GZIP = b"\x1f\x8b"


def open_profile(which: str | Path) -> Profile:
    """The profile of a name or folder, checked against the detectors that there are. Raises ProfileError."""
    return load(which)


def recorded_profile(path: Path) -> str | None:
    """Name of the profile that a recording was made with; None for a source that does not say."""
    if path.is_dir():
        return read_header(path).profile
    return None if _is_csv(path) else RecordingReader(path, verify=False).header.profile


def open_source(path: Path, profile: Profile, start: Instant | None = None, end: Instant | None = None) -> Source:
    """The source of a file, by its content: a recording, or a CSV through the profile's mapping; or of a folder, the
    inbox of a live service. Of it what came in between two instants of event time, from the beginning of the hour of
    `start` on: a part of an hour would look like a quiet one. Raises SourceError."""
    if start is not None:
        start = WindowGrid(profile.city.zone, profile.city.day_start).hour(start).start
    source: Source
    if path.is_dir():
        source = InboxReader(path)
    else:
        source = CsvSource(path, profile) if _is_csv(path) else RecordingReader(path)
    return source if start is None and end is None else Between(source, start, end)


def given_source(lines: Sequence[bytes], span: tuple[Instant, Instant]) -> Source:
    """The source of records that are in memory already: a recording's lines, each with its newline."""
    return MemorySource(lines, span)


def _is_csv(path: Path) -> bool:
    """Whether a file is a CSV rather than a recording: by its first bytes, then by its name."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
        if head.startswith(_GZIP):
            with gzip.open(path) as file:
                head = file.read(4)
            return not head.startswith(b"{")
    except (OSError, EOFError):
        return path.name.endswith((".csv", ".csv.gz"))  # the source itself says what is wrong
    return path.suffix.lower() in {".csv", ".tsv", ".txt"} and not head.startswith(b"{")
