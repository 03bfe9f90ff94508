"""A recording that grows while a topic is read, and outlives being killed: what is durable so far, and from where in
the topic to go on, are written down together.

Beside `OUT` lie `.OUT.part`, its frames so far, and `.OUT.state`, which says how many bytes of them hold, and the
offset of every partition to go on from. The end of the span is known at the end: only then the header is written,
the frames behind it, and the file gets its name. The same records give the same file, byte for byte.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec
import zstandard

from streams.sources.contract import SourceError
from streams.sources.recording import Header, Trailer

_FRAME = 2 * 1024 * 1024
"""Text per frame, as a simulation's recording has it."""
_PIECE = 1024 * 1024


class TopicPosition(msgspec.Struct, frozen=True):
    """What of a topic stands in a recording."""

    topic: str
    """Brokers' cluster aside: name and start of the stream."""
    offsets: tuple[int, ...]
    """Of each partition, the next record to take."""
    last_tick: int | None = None
    """Event time of the last tick taken."""


class _State(msgspec.Struct, frozen=True):
    bytes: int
    records: int
    position: TopicPosition


class TopicRecording:
    """One recording being made."""

    def __init__(self, path: Path, fresh: TopicPosition, *, level: int = 3) -> None:
        """`fresh`: where to begin when there is nothing to go on with. SourceError where the file is there already,
        cannot be made, or what is there of it is another stream's."""
        self.path = path
        self._part = path.with_name(f".{path.name}.part")
        self._kept = path.with_name(f".{path.name}.state")
        self._compressor = zstandard.ZstdCompressor(level=level, write_checksum=True) if path.suffix == ".zst" else None
        if path.exists():
            raise SourceError(path, "is there already", "remove it, or give another name")
        state = self._read_state()
        if state is not None and (
            state.position.topic != fresh.topic or len(state.position.offsets) != len(fresh.offsets)
        ):
            raise SourceError(self._kept, "belongs to another stream", f"remove it and {self._part.name} to begin anew")
        self.resumed = state is not None
        self.position = fresh if state is None else state.position
        """Where to go on in the topic."""
        self.records = 0 if state is None else state.records
        """Lines so far, ticks included."""
        self._digest = hashlib.sha256()
        self._text: list[bytes] = []
        self._size = 0
        try:
            self._file = self._part.open("wb" if state is None else "r+b")
            if state is not None:
                self._go_on(state)
        except OSError as error:
            raise SourceError(
                path, f"cannot be written ({error.strerror})", "give a path in a folder that can be written to"
            ) from None

    def write(self, line: bytes, position: TopicPosition) -> None:
        """Add a line; `position`: where to go on behind it."""
        self._digest.update(line)
        self.records += 1
        self._text.append(line)
        self._size += len(line)
        self.position = position
        if self._size >= _FRAME:
            self.keep()

    def keep(self) -> None:
        """End the frame here, durably: the next run goes on behind it."""
        self._flush()
        self._file.flush()
        os.fsync(self._file.fileno())
        state = _State(self._file.tell(), self.records, self.position)
        new = self._kept.with_name(f"{self._kept.name}.new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(state))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._kept)

    def finish(self, header: Header) -> None:
        """Write it whole: header, frames, trailer; durable, and with its name."""
        self._flush()
        self._file.flush()
        whole = self.path.with_name(f".{self.path.name}.whole")
        with whole.open("wb") as file, self._part.open("rb") as frames:
            file.write(self._packed(header.line()))
            shutil.copyfileobj(frames, file, _PIECE)
            file.write(self._packed(msgspec.json.encode(Trailer(self.records, self._digest.hexdigest())) + b"\n"))
            file.flush()
            os.fsync(file.fileno())
        whole.replace(self.path)
        self._file.close()
        self._part.unlink()
        self._kept.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop without finishing; the same call goes on from the last frame that was kept."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        text = b"".join(self._text)
        self._text, self._size = [], 0
        if text:
            self._file.write(self._packed(text))

    def _packed(self, text: bytes) -> bytes:
        return self._compressor.compress(text) if self._compressor else text

    def _read_state(self) -> _State | None:
        try:
            return msgspec.json.decode(self._kept.read_bytes(), type=_State)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise SourceError(self._kept, f"cannot be read ({error})", "remove it to begin anew") from None

    def _go_on(self, state: _State) -> None:
        """Cut off what came after the last state, and take the digest of what stands."""
        if self._file.seek(0, os.SEEK_END) < state.bytes:
            raise SourceError(self._part, "is shorter than it was", f"remove it and {self._kept.name} to begin anew")
        self._file.truncate(state.bytes)
        self._file.seek(0)
        if self._compressor is None:
            while piece := self._file.read(_PIECE):
                self._digest.update(piece)
        else:
            reader = zstandard.ZstdDecompressor().stream_reader(self._file, read_across_frames=True, closefd=False)
            while piece := reader.read(_PIECE):
                self._digest.update(piece)
        self._file.seek(0, os.SEEK_END)


def next_position(position: TopicPosition, partitions: Sequence[int], tick: int | None) -> TopicPosition:
    """Behind one more record, taken from these partitions."""
    offsets = list(position.offsets)
    for partition in partitions:
        offsets[partition] += 1
    return TopicPosition(position.topic, tuple(offsets), position.last_tick if tick is None else tick)
