"""Writing a recording: many small zstd frames, a trailer, and a name only when it is whole.

The same lines give the same file, byte for byte, with one version of the zstd library.
"""

import base64
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import zstandard

from streams.core.instant import MINUTE, Instant
from streams.sources.contract import SourceError
from streams.sources.recording import Header, Trailer

_FRAME = 2 * 1024 * 1024
"""Text per frame: what a reader holds to check it, and what a restart decompresses at most."""
_MILLISECOND = MINUTE // 60_000


class RecordingWriter:
    """Writes one recording; as a context manager it finishes on success and leaves nothing on failure.

    A path that does not end in `.zst` is written as plain text.
    """

    def __init__(self, path: str | Path, header: Header, *, level: int = 3) -> None:
        """SourceError where the file cannot be made."""
        self.path = Path(path)
        self._unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self._compressor = (
            zstandard.ZstdCompressor(level=level, write_checksum=True) if self.path.suffix == ".zst" else None
        )
        self._digest = hashlib.sha256()
        self._parts: list[bytes] = []
        self._size = 0
        self.count = 0
        """Records written so far, ticks included."""
        try:
            if self.path.is_dir():
                raise IsADirectoryError(21, "is a directory")
            self._file = self._unfinished.open("wb")
        except OSError as error:
            instead = "give a path in a folder that exists and can be written to"
            raise SourceError(self.path, f"cannot be written ({error.strerror})", instead) from None
        # A frame of its own: the first record is a place to seek to.
        self._parts.append(header.line())
        self._flush()

    def write_lines(self, lines: bytes) -> None:
        """Adds whole record lines, each ended by a newline: the fast way in, nothing is checked."""
        if not lines.endswith(b"\n"):
            if not lines:
                return
            raise ValueError("the last line has no newline")
        self._digest.update(lines)
        self.count += lines.count(b"\n")
        self._parts.append(lines)
        self._size += len(lines)
        if self._size >= _FRAME:
            self._flush_full_frames()

    def write(self, payload: bytes, received: Instant | None) -> None:
        """Adds one record as it came in, byte for byte; `received` is kept to the millisecond."""
        self.write_lines(record_line(payload, received))

    def end_frame(self) -> None:
        """Ends the frame here: everything so far can be read even if nothing more is ever written."""
        self._flush()

    def finish(self) -> None:
        """Adds the trailer, makes the file durable and gives it its name."""
        trailer = Trailer(self.count, self._digest.hexdigest())
        self.end_frame()
        self._parts.append(msgspec.json.encode(trailer) + b"\n")
        self._flush()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._unfinished.replace(self.path)

    def abandon(self) -> None:
        """Removes what was written."""
        self._file.close()
        self._unfinished.unlink(missing_ok=True)

    def _flush_full_frames(self) -> None:
        """Frames end with the line that fills them, however the lines were handed in."""
        text = b"".join(self._parts)
        begin = 0
        while len(text) - begin >= _FRAME:
            end = text.index(b"\n", begin + _FRAME - 1) + 1
            self._parts = [text[begin:end]]
            self._flush()
            begin = end
        self._parts, self._size = [text[begin:]], len(text) - begin

    def _flush(self) -> None:
        text = b"".join(self._parts)
        self._parts, self._size = [], 0
        if text:
            self._file.write(self._compressor.compress(text) if self._compressor else text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
        else:
            self.abandon()


def record_line(payload: bytes, received: Instant | None) -> bytes:
    """One record as a line: the payload itself where it is JSON on one line, else in base64.

    >>> record_line(b'{"id":"1"}', 1_000_000)
    b'{"received":1000,"event":{"id":"1"}}\\n'
    >>> record_line(b"hello", None)
    b'{"raw":"aGVsbG8="}\\n'
    """
    stamp = b"" if received is None else b'"received":%d,' % (received // _MILLISECOND)
    if b"\n" not in payload and b"\r" not in payload and _is_json(payload):
        return b'{%b"event":%b}\n' % (stamp, payload)
    return b'{%b"raw":"%b"}\n' % (stamp, base64.b64encode(payload))


def tick_line(text: str) -> bytes:
    """A tick as a line; `text` is an RFC 3339 time.

    >>> tick_line("2025-01-01T01:00:00+08:00")
    b'{"tick":"2025-01-01T01:00:00+08:00"}\\n'
    """
    return b'{"tick":"%b"}\n' % text.encode()


def _is_json(payload: bytes) -> bool:
    try:
        msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True
