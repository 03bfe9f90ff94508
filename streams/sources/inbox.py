"""The inbox of a live service: a recording that grows, in a folder of segments, durable before anybody is answered.

    inbox/000000000000000000.jsonl.zst    each a recording of its own, named by the number of its first record

A segment is zstd frames, as `streams.sources.recording` reads them; one that is full has a trailer, the last one has
none yet. What was cut short when the process died was never answered for: opening cuts it off, and keeps it beside.
"""

import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import zstandard

from streams.clock import unique_name
from streams.core.instant import Instant, format_instant, parse_instant
from streams.core.record import BATCH
from streams.sources.contract import START, Chunk, Ending, Position, SourceError
from streams.sources.recording import VERSION, RecordingReader, Trailer

FOLDER = "inbox"
"""Of a data directory."""
SEGMENT = 64 * 1024 * 1024
"""Bytes of a segment, about: what a start looks through, and what retention lets go at a time."""
_FRAME = 1024 * 1024
"""Text a frame, at most and about: what a reader holds to check it."""
_READ = 1024 * 1024
_SUFFIX = ".jsonl.zst"
_NO_END = "9999-12-31T23:59:59+00:00"
"""A recording says where its span ends; a stream that goes on does not know."""
_LIVE, _STREAM = "live:", "stream:"

Ticks = Literal["live", "stream"]


class InboxFullError(Exception):
    """No room left: nothing of the records is in the inbox, everything before them is, and they may be sent again."""


class InboxHeader(msgspec.Struct, frozen=True, kw_only=True):
    """First line of every segment: a recording's header, and what an inbox adds."""

    profile: str
    span: tuple[str, str]
    inbox: str
    """Whose segment it is: a name that no other inbox has."""
    first: int = 0
    """Number of the segment's first record."""
    pages: bool
    """Whether what it raises is for people to act on; False: a replay."""
    recording: int = VERSION
    schema: int = VERSION
    created_by: str = "jiantu run"

    @property
    def identity(self) -> str:
        """What a checkpoint of this stream is known by."""
        return (_LIVE if self.pages else _STREAM) + self.inbox

    @staticmethod
    def of(profile: str, start: Instant, *, pages: bool) -> "InboxHeader":
        """The header of a new inbox, whose windows begin at `start`."""
        return InboxHeader(profile=profile, span=(format_instant(start), _NO_END), inbox=unique_name(), pages=pages)


def is_live(identity: str) -> bool:
    """Whether a ledger's checkpoint is one of live data, whose alerts are for people: by the identity of its source.

    >>> is_live("live:4f2a"), is_live("stream:4f2a"), is_live("65536:9c1b")
    (True, False, False)
    """
    return identity.startswith(_LIVE)


def is_of_inbox(identity: str) -> bool:
    """Whether a ledger's checkpoint is one of an inbox: by the identity of its source.

    >>> is_of_inbox("stream:4f2a"), is_of_inbox("65536:9c1b")
    (True, False)
    """
    return identity.startswith((_LIVE, _STREAM))


class _Segment(NamedTuple):
    path: Path
    first: int


class _Found(NamedTuple):
    """What a look through a segment found."""

    good: int
    """Bytes of whole frames."""
    last_frame: int
    records: int
    before_last_frame: int
    digest: "hashlib._Hash"
    finished: bool


def segments(folder: Path) -> list[_Segment]:
    """The segments of an inbox, oldest first; [] where there is none."""
    found = [path for path in folder.glob(f"*{_SUFFIX}") if path.name.removesuffix(_SUFFIX).isdecimal()]
    return sorted((_Segment(path, int(path.name.removesuffix(_SUFFIX))) for path in found), key=lambda one: one.first)


class InboxWriter:
    """The one writer of an inbox; its caller holds the data directory's lock."""

    def __init__(self, folder: Path, *, segment: int = SEGMENT) -> None:
        """Open one that is there. Raises SourceError where there is none, or where it is damaged in the middle."""
        self.folder = folder
        self.header = read_header(folder)
        self._segment = segment
        self._compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
        last = segments(self.folder)[-1]
        found = _look_through(last.path)
        self._file = os.open(last.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self.cut = _keep_what_is_cut(last.path, found.good)
        """Bytes cut off the end: of a write that nobody was answered for."""
        os.ftruncate(self._file, found.good)
        os.fdatasync(self._file)
        self._size = found.good
        self._digest = found.digest
        self._first = last.first
        self._finished = found.finished  # it died between two segments
        self.record = last.first + found.records
        """Number of the next record."""
        self._last_frame, self._before_last = found.last_frame, last.first + found.before_last_frame

    @staticmethod
    def begin(folder: Path, header: InboxHeader, *, segment: int = SEGMENT) -> "InboxWriter":
        """A new inbox. Raises InboxFullError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _make_segment(folder, header)
        except OSError as error:
            raise _refused(error, folder) from error
        return InboxWriter(folder, segment=segment)

    @property
    def position(self) -> Position:
        """Behind the last record, as a checkpoint holds it."""
        return Position(self._last_frame, self._before_last, self.record)

    def append(self, lines: Sequence[bytes]) -> Position:
        """Make records durable, each a line with its newline; where reading can start for them.

        Raises InboxFullError, and then none of them is there; any other OSError is the end: what a disk has after it
        refused to sync nobody knows.
        """
        if self._finished or self._size >= self._segment:
            self._rotate()
        start = Position(self._size, self.record, self.record)
        size, record = self._size, self.record
        last_frame, before_last = self._last_frame, self._before_last
        frames: list[bytes] = []
        for group in _groups(lines):
            last_frame, before_last = size, record
            frames.append(self._compressor.compress(b"".join(group)))
            size += len(frames[-1])
            record += len(group)
        self._write(b"".join(frames))
        self._digest.update(b"".join(lines))
        self._last_frame, self._before_last = last_frame, before_last
        self._size, self.record = size, record
        return start

    def close(self) -> None:
        """Give the file back. Everything in it is durable already."""
        os.close(self._file)

    def _rotate(self) -> None:
        """End the segment with its trailer, and begin the next one."""
        if not self._finished:
            trailer = Trailer(self.record - self._first, self._digest.hexdigest())
            self._write(self._compressor.compress(msgspec.json.encode(trailer) + b"\n"))
            self._finished = True
        try:
            path = _make_segment(self.folder, msgspec.structs.replace(self.header, first=self.record))
        except OSError as error:
            raise _refused(error, self.folder) from error
        os.close(self._file)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._finished = False
        self._size = self._last_frame = path.stat().st_size
        self._digest = hashlib.sha256()
        self._first = self._before_last = self.record

    def _write(self, frames: bytes) -> None:
        """All of them, durable, or none of them."""
        try:
            _write_all(self._file, frames)
            os.fdatasync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self._size)
            os.fdatasync(self._file)
            raise _refused(error, self.folder) from error


class InboxReader:
    """An inbox as a source: all that is durable in it now, segment after segment."""

    def __init__(self, folder: Path) -> None:
        """Raises SourceError where there is no inbox."""
        self.folder = folder
        self.header = read_header(folder)
        self.identity = self.header.identity
        self.ending: Ending | None = None
        self._end: Instant | None = None

    @property
    def span(self) -> tuple[Instant, Instant]:
        """From where windows start, to the last thing known: the last segment is read for it."""
        start = parse_instant(self.header.span[0])
        if self._end is None:
            self._end = max(start + 1, self._last_tick())
        return start, self._end

    @property
    def start(self) -> Instant:
        """Where windows start."""
        return parse_instant(self.header.span[0])

    def continues(self, identity: str) -> bool:
        """Whether this is the inbox that had `identity`."""
        return identity == self.identity

    def chunks(self, position: Position = START, max_records: int = BATCH) -> Iterator[Chunk]:
        """All records from `position` on, at most `max_records` a chunk; sets `ending` at the end."""
        self.ending = None
        found = segments(self.folder)
        place = max((n for n, one in enumerate(found) if one.first <= position.record), default=0)
        if found[place].first > position.record:
            what = f"record {position.record} is gone; the oldest kept is {found[place].first}"
            raise SourceError(self.folder, what, "restore what retention let go, or give an empty --data-dir")
        for path, first in found[place:]:
            reader = RecordingReader(path, verify=position.record <= first, growing=path == found[-1].path)
            yield from _chunks_of(reader, first, position, max_records)
            ending = reader.ending
            assert ending is not None
            self.ending = Ending(ending.state, first + ending.records, ending.verified, ending.message)
            if ending.state != "complete":
                return

    def _last_tick(self) -> Instant:
        reader = RecordingReader(segments(self.folder)[-1].path, verify=False, growing=True)
        last = 0
        for chunk in reader.chunks():
            begin = chunk.lines.rfind(b'{"tick"')
            if begin >= 0:
                tick = msgspec.json.decode(chunk.lines[begin : chunk.lines.index(b"\n", begin)])
                last = max(last, parse_instant(tick["tick"]))
        return last


def read_header(folder: Path) -> InboxHeader:
    """The header of an inbox. Raises SourceError where the folder holds none."""
    found = segments(folder)
    if not found:
        raise SourceError(folder, "no inbox of a live service", "give a recording, or the folder `inbox` of a data-dir")
    RecordingReader(found[0].path, verify=False, growing=True)  # says what is wrong with it
    with found[0].path.open("rb") as file:
        line = zstandard.ZstdDecompressor().stream_reader(file).read(64 * 1024).partition(b"\n")[0]
    try:
        return msgspec.json.decode(line, type=InboxHeader)
    except msgspec.DecodeError as error:
        raise SourceError(found[0].path, f"no segment of an inbox ({error})", "give the path of a recording") from None


def _chunks_of(reader: RecordingReader, first: int, position: Position, max_records: int) -> Iterator[Chunk]:
    """The chunks of one segment, with their numbers in the whole inbox."""
    here = position.before >= first
    inside = (
        Position(position.frame, position.before - first, position.record - first)
        if here
        else Position(record=max(position.record - first, 0))
    )
    for chunk in reader.chunks(inside, max_records):
        frame, before, record = chunk.after.frame, chunk.after.before, chunk.after.record
        yield Chunk(chunk.lines, chunk.records, Position(frame, first + before, first + record))


def _groups(lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Lines in groups of about a frame."""
    begin = size = 0
    for number, line in enumerate(lines, 1):
        size += len(line)
        if size >= _FRAME or number == len(lines):
            yield lines[begin:number]
            begin, size = number, 0


def _look_through(path: Path) -> _Found:
    """Every frame of a segment, up to its end or to where it is cut or damaged."""
    digest = hashlib.sha256()
    offset = last_frame = records = before_last = 0
    finished = header = False
    text = b""
    with path.open("rb") as file:
        pending = b""
        while pending or (pending := file.read(_READ)):
            frame = zstandard.ZstdDecompressor().decompressobj()
            parts, used = [], 0
            try:
                while not frame.eof:
                    if not pending and not (pending := file.read(_READ)):
                        break
                    parts.append(frame.decompress(pending))
                    used += len(pending) - len(frame.unused_data)
                    pending = frame.unused_data
            except zstandard.ZstdError:
                break
            if not frame.eof:
                break
            text = b"".join(parts)
            if header:
                finished = _is_trailer(text)
                if not finished:
                    digest.update(text)
                    last_frame, before_last = offset, records
                    records += text.count(b"\n")
            else:
                header = True
                last_frame = used
            offset += used
    return _Found(offset, last_frame, records, before_last, digest, finished)


def _is_trailer(text: bytes) -> bool:
    if text.count(b"\n") != 1:
        return False
    try:
        msgspec.json.decode(text, type=Trailer)
    except msgspec.DecodeError:
        return False
    return True


def _keep_what_is_cut(path: Path, good: int) -> int:
    """Put what is behind the last whole frame into a file beside, should somebody look for it; how much it is."""
    size = path.stat().st_size
    if size > good:
        with path.open("rb") as file:
            file.seek(good)
            kept = path.with_name(f"{path.name}.cut-at-{good}")
            kept.touch(mode=0o640)
            kept.write_bytes(file.read())
    return size - good


def _make_segment(folder: Path, header: InboxHeader) -> Path:
    """A segment with its header, whole or not at all."""
    path = folder / f"{header.first:018d}{_SUFFIX}"
    unfinished = folder / f".{path.name}.part"
    try:
        with unfinished.open("wb") as file:
            os.fchmod(file.fileno(), 0o640)
            line = msgspec.json.encode(header) + b"\n"
            file.write(zstandard.ZstdCompressor(level=3, write_checksum=True).compress(line))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(at)
    finally:
        os.close(at)
    return path


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _refused(error: OSError, folder: Path) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InboxFullError(f"{folder}: no space left; what was sent was not taken in, and can be sent again")
    return error
