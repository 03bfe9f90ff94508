"""Reading a recording: JSON Lines, zstd-compressed in many independent frames, or plain text.

    {"recording":1,"schema":1,"profile":"leshan","span":["2025-01-01T00:00:00+08:00", ...], ...}   header
    {"received":1735660800123,"event":{...}}     an event; received in milliseconds since the epoch
    {"received":1735660800123,"raw":"<base64>"}  bytes that are no JSON (or hold a line break)
    {"received":1735660800123,"rejected":{"reason":"not_json","digest":"<sha256>"}}   was rejected as it came in
    {"tick":"2025-01-01T01:00:00+08:00"}         event time has passed
    {"count":3,"sha256":"..."}                   trailer: records between, digest of their lines

Frames let a reader seek: a position names the frame to start at. One big frame, as the zstd tool writes
it, is read too and only resumes more slowly. A frame of ours is handed on after its checksum was right.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import zstandard

from streams.core.instant import Instant, parse_instant
from streams.core.record import BATCH
from streams.sources.contract import START, Chunk, Ending, Position, SourceError

VERSION = 1
"""Of the recording format and of the event schema that this code reads and writes."""

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"  # zstd skippable frames: 0x184D2A5? little-endian, any low nibble
_OTHER_FORMATS = {
    b"\x1f\x8b": ("gzip", "gunzip -c FILE > recording.jsonl"),
    b"\xfd7zXZ": ("xz", "xz -dc FILE > recording.jsonl"),
    b"PK\x03\x04": ("zip", "unzip it first"),
}
_READ = 32 * 1024
"""Compressed bytes per step: bounds what one step can blow up to."""
_HOLD = 8 * 1024 * 1024
"""A frame up to this much text is checked as a whole before any of it is handed on."""
_BLOCK = 1024 * 1024
_LONGEST_LINE = 8 * 1024 * 1024
"""Longer lines are handed on cut: they are rejected as too large whatever they hold."""
_IDENTITY_BYTES = 64 * 1024


class Header(msgspec.Struct, frozen=True):
    """First line of a recording."""

    profile: str
    span: tuple[str, str]
    """RFC 3339, [start, end) of event time."""
    recording: int = VERSION
    schema: int = VERSION
    seed: int | None = None
    created_by: str | None = None

    def line(self) -> bytes:
        """The header as the first line of a file, newline included."""
        fields = {
            "recording": self.recording,
            "schema": self.schema,
            "profile": self.profile,
            "span": self.span,
            "seed": self.seed,
            "created_by": self.created_by,
        }
        return msgspec.json.encode({k: v for k, v in fields.items() if v is not None}) + b"\n"


class Trailer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Last line of a recording that was finished."""

    count: int
    """Records between header and trailer, ticks included."""
    sha256: str
    """Over their lines, newlines included."""


class _Block(NamedTuple):
    """Whole lines, with the last place before them that reading can start from."""

    lines: bytes
    starts_at: int | None
    """Byte offset in the file of the first line, where reading can start; None inside a frame."""


class RecordingReader:
    """One recording on disk. Opening reads the header; SourceError says what is wrong with it."""

    def __init__(self, path: str | Path, *, verify: bool = True, growing: bool = False) -> None:
        """`verify`: compute the digest of all records when read from the start, and compare. `growing`: one that is
        still written to is complete without its trailer."""
        self.path = Path(path)
        self.ending: Ending | None = None
        self._verify = verify
        self._growing = growing
        self._compressed = _is_zstd(self.path)
        self._trailer: Trailer | None = None
        self._fault = ""
        self._cut_lines = False
        self.header, self.span = self._read_header()
        self.identity = self._digest_of_beginning(_IDENTITY_BYTES)

    def continues(self, identity: str) -> bool:
        """Whether the recording begins with all that `identity` was made of."""
        length, _, _ = identity.partition(":")
        return length.isdecimal() and self._digest_of_beginning(int(length)) == identity

    def chunks(self, position: Position = START, max_records: int = BATCH) -> Iterator[Chunk]:
        """Raw lines from `position` on, at most `max_records` a chunk; sets `ending` at the end."""
        if max_records < 1:
            raise ValueError(f"max_records is {max_records}; at least 1")
        self.ending = None
        self._fault, self._cut_lines = "", False
        frame, before = (position.frame, position.before) if self._can_start(position.frame) else (0, 0)
        # The header is a line like any other when reading starts at the beginning: record number -1.
        record = before if frame else -1
        skip = position.record - record
        digest = hashlib.sha256() if self._verify and position.record == 0 else None
        blocks = self._without_trailer(self._blocks(frame))
        block = next(blocks, None)
        while block is not None:
            # One block ahead, so that a position after the last line of a frame lies in the next one.
            following = next(blocks, None)
            lines = block.lines
            ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == 10)  # faster than counting line by line
            count = len(ends)
            if block.starts_at is not None:
                frame, before = block.starts_at, max(record, 0)
            if skip >= count:
                skip -= count
                record += count
                block = following
                continue
            at = 0
            if skip:
                at = int(ends[skip - 1]) + 1
                record += skip
            if digest is not None:
                digest.update(memoryview(lines)[at:])
            done = skip
            skip = 0
            while done < count:
                step = min(max_records, count - done)
                done += step
                record += step
                stop = int(ends[done - 1]) + 1
                if done == count and following is not None and following.starts_at is not None:
                    after = Position(following.starts_at, record, record)
                else:
                    after = Position(frame, before, record)
                yield Chunk(lines if step == count else lines[at:stop], step, after)
                at = stop
            block = following
        self.ending = self._judge_ending(max(record, 0), skip, digest.hexdigest() if digest else None)

    def _judge_ending(self, records: int, missing: int, sha256: str | None) -> Ending:
        trailer = self._trailer
        if self._fault:
            text = f"{self.path}: {self._fault}; {records} records were read"
            return Ending("truncated" if self._fault.startswith("cut") else "altered", records, False, text)
        if missing > 0:
            text = f"ends {missing} records before the position to go on from"
            return Ending("truncated", records, False, f"{self.path}: {text}")
        if trailer is None and self._growing:
            return Ending("complete", records, verified=False)
        if trailer is None:
            return Ending("truncated", records, False, f"{self.path}: no trailer; {records} records were read")
        if trailer.count != records:
            text = f"the trailer says {trailer.count} records, {records} were read"
            return Ending("altered", records, False, f"{self.path}: {text}")
        if self._cut_lines:
            sha256 = None
        if sha256 is not None and trailer.sha256 != sha256:
            text = f"the digest of the {records} records is not the trailer's"
            return Ending("altered", records, False, f"{self.path}: {text}")
        return Ending("complete", records, sha256 is not None)

    # -- lines ---------------------------------------------------------------------------------

    def _without_trailer(self, blocks: Iterator[_Block]) -> Iterator[_Block]:
        """The blocks, with the trailer taken off the last one and kept in `_trailer`."""
        self._trailer = None
        held: _Block | None = None
        for block in blocks:
            if held is not None:
                yield held
            held = block
        if held is not None:
            lines, self._trailer = _split_trailer(held.lines)
            if lines:
                yield held._replace(lines=lines)

    def _blocks(self, frame: int) -> Iterator[_Block]:
        """Whole lines from byte offset `frame` on; a last line without a newline if it is complete."""
        carry: list[bytes] = []
        carried = 0
        for piece in self._zstd_pieces(frame) if self._compressed else self._plain_pieces(frame):
            cut = piece.lines.rfind(b"\n") + 1
            if not cut:
                if carried < _LONGEST_LINE:
                    carry.append(piece.lines)
                else:
                    self._cut_lines = True
                carried += len(piece.lines)
                continue
            if not self._compressed and piece.starts_at is not None:
                starts_at: int | None = piece.starts_at - carried
            else:
                starts_at = None if carry else piece.starts_at
            carry.append(piece.lines[:cut])
            yield _Block(b"".join(carry) if len(carry) > 1 else carry[0], starts_at)
            carry = [piece.lines[cut:]] if cut < len(piece.lines) else []
            carried = len(piece.lines) - cut
        last = b"".join(carry)
        if last:
            # A file made by hand may lack the last newline; a file that was cut has half a line here.
            try:
                msgspec.json.decode(last)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                self._fault = self._fault or f"cut inside a line of {len(last)} bytes"
            else:
                yield _Block(last + b"\n", None)

    def _plain_pieces(self, offset: int) -> Iterator[_Block]:
        with self.path.open("rb") as file:
            file.seek(offset)
            while piece := file.read(_BLOCK):
                yield _Block(piece, offset)
                offset += len(piece)

    def _zstd_pieces(self, offset: int) -> Iterator[_Block]:
        """Text of frame after frame; sets `_fault` where the file is cut or damaged."""
        decompressor = zstandard.ZstdDecompressor()
        with self.path.open("rb") as file:
            file.seek(offset)
            pending = b""
            while pending or (pending := file.read(_READ)):
                frame = decompressor.decompressobj()
                starts_at: int | None = offset
                parts: list[bytes] = []
                size = 0
                while not frame.eof:
                    if not pending and not (pending := file.read(_READ)):
                        self._fault = "cut inside a frame"
                        break
                    try:
                        text = frame.decompress(pending)
                    except zstandard.ZstdError as error:
                        self._fault = f"damaged in the frame at byte {starts_at or offset}: {error}"
                        return
                    offset += len(pending) - len(frame.unused_data)
                    pending = frame.unused_data
                    parts.append(text)
                    size += len(text)
                    if size >= (_HOLD if starts_at is not None else _BLOCK):
                        yield _Block(b"".join(parts), starts_at)
                        parts, size, starts_at = [], 0, None
                if size:
                    yield _Block(b"".join(parts), starts_at)
                if self._fault:
                    return

    def _can_start(self, offset: int) -> bool:
        """Whether reading may start at a byte offset: a frame, or for plain text a line, begins there."""
        if offset <= 0:
            return False
        with self.path.open("rb") as file:
            file.seek(offset - 1)
            before, head = file.read(1), file.read(4)
        if not self._compressed:
            return before == b"\n"
        return head == _ZSTD_MAGIC or head[1:] == _SKIPPABLE

    # -- beginning -----------------------------------------------------------------------------

    def _beginning(self, length: int) -> bytes:
        text = b""
        for block in self._blocks(0):
            text += block.lines
            if len(text) > length:
                break
        return text

    def _digest_of_beginning(self, length: int) -> str:
        """`<bytes>:<sha256>` of the first bytes of text, the trailer left out."""
        text = self._beginning(length)
        if len(text) <= length:
            text, _ = _split_trailer(text)
        text = text[:length]
        return f"{len(text)}:{hashlib.sha256(text).hexdigest()}"

    def _read_header(self) -> tuple[Header, tuple[Instant, Instant]]:
        where = f"{self.path}:1"
        block = next(self._blocks(0), None)
        if block is None:
            what = self._fault or "empty"
            raise SourceError(self.path, f"no recording: {what}", "make one with `jiantu simulate`")
        line = block.lines[: block.lines.index(b"\n")]
        example = Header(profile="leshan", span=("2025-01-01T00:00:00+08:00", "2026-01-01T00:00:00+08:00"))
        instead = f"the first line is to be like {example.line().decode().strip()}"
        try:
            header = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise SourceError(where, f"the header is not JSON ({error})", instead) from None
        if not isinstance(header, dict) or "recording" not in header:
            raise SourceError(where, "no recording header", instead)
        for name in ("recording", "schema"):
            version = header.get(name)
            if isinstance(version, int) and version > VERSION:
                what = f"{name} version {version} is newer than this jiantu's {VERSION}"
                raise SourceError(where, what, "upgrade jiantu, or record it again with this version")
        try:
            decoded = msgspec.convert(header, Header)
            start, end = (parse_instant(text) for text in decoded.span)
        except (msgspec.ValidationError, ValueError) as error:
            raise SourceError(where, f"the header is wrong ({error})", instead) from None
        if start >= end:
            raise SourceError(where, "the span ends before it starts", instead)
        return decoded, (start, end)


def _is_zstd(path: Path) -> bool:
    """Whether the file is zstd rather than plain text; SourceError when it can be neither."""
    try:
        if not path.is_file():
            path.stat()
            what = "is a directory" if path.is_dir() else "is no regular file, so reading it cannot be resumed"
            raise SourceError(path, what, "give the path of a recording (*.jsonl.zst or *.jsonl)")
        with path.open("rb") as file:
            head = file.read(8)
    except FileNotFoundError:
        raise SourceError(path, "no such file", "give the path of a recording (*.jsonl.zst or *.jsonl)") from None
    except OSError as error:
        raise SourceError(path, f"cannot be read ({error.strerror})", "check its permissions") from None
    for magic, (name, instead) in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise SourceError(path, f"is {name}, not zstd or plain text", instead.replace("FILE", str(path)))
    if head.startswith(_ZSTD_MAGIC) or head[1:4] == _SKIPPABLE:
        return True
    if path.suffix == ".zst":
        raise SourceError(path, "is not zstd", "rename it to *.jsonl if it is plain text, or record it again")
    return False


def _split_trailer(lines: bytes) -> tuple[bytes, Trailer | None]:
    """Lines without their last one where that is a trailer, and the trailer."""
    begin = lines.rfind(b"\n", 0, len(lines) - 1) + 1
    try:
        trailer = msgspec.json.decode(memoryview(lines)[begin:], type=Trailer)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return lines, None
    return lines[:begin], trailer
