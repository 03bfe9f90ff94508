"""A checkpoint: the position and the whole state of one source partition, in records of a compacted topic.

The state comes as named chunks. Those that changed are put together into a *pack*, compressed, cut into pieces below
the broker's limit for a record; last comes the *manifest*: the position, and which chunk lies where in which pack.
A manifest names every piece by its digest, so one whose pieces are not all there counts for nothing: whatever
happened to its writer, a checkpoint is whole or it is not there.

* **Nobody's keys are anyone else's.** A writer, that is one generation's owner of a partition, writes under a name of
  its own, every piece under a new key. It never refers to what another wrote: its first checkpoint is all of the
  state. Only when its own manifest is durable does it delete what writers of earlier generations left. So a zombie that
  wakes late can displace nothing: it goes on with its own keys, or what it refers to is gone and its manifest is not
  whole.
* **Of all whole checkpoints the one furthest on is taken**, whoever wrote it and whenever: state is a function of the
  records before the position, so each is right.
* **What does not change is not written again**: remembered ids of days gone by stay in the pack they were written in.
  When packs hold more of the dead than of the living, everything is written anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

import msgspec
import zstandard
from msgspec import Struct

from streams.core.instant import Instant
from streams.core.outputs import Accounting

LARGEST_PIECE = 900_000
"""Bytes. A broker's usual limit for a record is 1,048,588, with its key, headers and frame."""

_LARGEST_PACK = 8 << 20
"""Bytes of chunks that are compressed together: what a writer and a reader hold at once beside the state."""
_SETTLED = "/ids/"
"""In the names of chunks that change for a day and then no more: they share no pack with what changes always."""
_LEAST_DEAD = 4 << 20
"""Bytes below which nobody minds dead chunks."""
FORMAT = 2
"""Of the state in checkpoints. One of another format is as good as none: its place begins again."""
STOPPED = "stopped"
"""What the key of a note ends with that a step was stopped for good here; the next checkpoint deletes it."""


class Place(Struct, frozen=True, order=True):
    """Whose checkpoint it is."""

    step: str
    partition: int

    @property
    def prefix(self) -> str:
        """What all its keys begin with."""
        return f"{self.step}/{self.partition}/"


class About(Struct, frozen=True):
    """What a checkpoint belongs to: it means nothing elsewhere."""

    topic: str
    topic_id: str
    """The broker's own; a topic that is made again has another."""
    partitions: int
    """Of the topic."""
    profile_version: str


class Kept(Struct, frozen=True):
    """A chunk's place in the pack, uncompressed."""

    name: str
    start: int
    length: int


class Pack(Struct, frozen=True):
    """One pack, and the chunks in it that still live."""

    number: int
    pieces: tuple[bytes, ...]
    """Their digests, in order."""
    kept: tuple[Kept, ...]


class Manifest(Struct, frozen=True):
    """What makes a checkpoint of packs."""

    format: int
    about: About
    position: int
    """Offset of the first record that is not in the state."""
    accounting: Accounting
    reached: Instant | None
    """Event time that the step had passed."""
    writer: str
    packs: tuple[Pack, ...]


Entry = tuple[str, bytes | None]
"""A record of the topic: key and value; None deletes."""


class Log(Protocol):
    """The one partition of the topic that a writer writes to."""

    def write(self, entries: Iterable[Entry]) -> None:
        """Have records written, in order; they are durable when this returns. Raises where they are not."""


# ---- writing -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Written:
    """A pack as its writer remembers it."""

    pieces: tuple[bytes, ...]
    size: int
    kept: dict[str, Kept] = field(default_factory=dict)


class CheckpointWriter:
    """Writes the checkpoints of one place, as one writer."""

    def __init__(self, place: Place, about: About, writer: str, log: Log, found: Iterable[str] = ()) -> None:
        """`writer`: see `writer_name`. `found`: keys of earlier ones, to be deleted once our own checkpoint stands."""
        self.place = place
        self._about = about
        self._writer = writer
        self._log = log
        self._stale = list(found)
        self._packs: dict[int, _Written] = {}
        self._where: dict[str, int] = {}
        self._digests: dict[str, bytes] = {}
        self._number = 0

    @property
    def wants_whole(self) -> bool:
        """Whether the next `write` needs the whole state, changed or not."""
        held = sum(pack.size for pack in self._packs.values())
        living = sum(kept.length for pack in self._packs.values() for kept in pack.kept.values())
        return not self._packs or held > 2 * living + _LEAST_DEAD

    def write(
        self,
        position: int,
        chunks: Mapping[str, bytes | None],
        accounting: Accounting,
        reached: Instant | None,
        between: Callable[[], None] = lambda: None,
    ) -> int:
        """Make a checkpoint durable: packs, then the manifest, then away with what it no longer needs.

        `chunks`: those that changed, or all where `wants_whole` said so. Everything that was emitted up to the
        position must be durable before. `between` is called when all but the manifest is written. Returns the bytes
        written. Raises what the log raises.
        """
        whole = self.wants_whole
        if whole:
            self._where.clear()
            self._digests.clear()
            for pack in self._packs.values():
                pack.kept.clear()
        changed = self._changed(chunks)
        written = 0
        for group in _groups(changed):
            entries = self._pack(group)
            written += sum(len(value or b"") for _, value in entries)
            self._log.write(entries)
        between()
        manifest = self._manifest(position, accounting, reached)
        self._log.write([(self._key(), manifest)])
        dead = [number for number, pack in self._packs.items() if not pack.kept]
        gone = [
            self._key(number, piece) for number in dead for piece in range(len(self._packs.pop(number).pieces))
        ] + self._stale
        self._stale = []
        if gone:
            self._log.write([(key, None) for key in gone])
        return written + len(manifest)

    def _changed(self, chunks: Mapping[str, bytes | None]) -> dict[str, bytes]:
        changed = {}
        for name, chunk in chunks.items():
            if chunk is None:
                self._forget(name)
            elif self._digests.get(name) != (digest := _digest(chunk)):
                self._forget(name)
                self._digests[name] = digest
                changed[name] = chunk
        return changed

    def _forget(self, name: str) -> None:
        number = self._where.pop(name, None)
        if number is not None:
            del self._packs[number].kept[name]
            del self._digests[name]

    def _pack(self, group: Mapping[str, bytes]) -> list[Entry]:
        self._number += 1
        content = b"".join(group.values())
        compressed = zstandard.ZstdCompressor(level=1).compress(content)
        pieces = [compressed[i : i + LARGEST_PIECE] for i in range(0, len(compressed), LARGEST_PIECE)]
        pack = self._packs[self._number] = _Written(tuple(map(_digest, pieces)), len(content))
        start = 0
        for name, chunk in group.items():
            pack.kept[name] = Kept(name, start, len(chunk))
            self._where[name] = self._number
            start += len(chunk)
        return [(self._key(self._number, i), piece) for i, piece in enumerate(pieces)]

    def _manifest(self, position: int, accounting: Accounting, reached: Instant | None) -> bytes:
        packs = tuple(
            Pack(number, pack.pieces, tuple(pack.kept.values())) for number, pack in self._packs.items() if pack.kept
        )
        manifest = Manifest(FORMAT, self._about, position, accounting, reached, self._writer, packs)
        return zstandard.ZstdCompressor(level=1).compress(_encode(manifest))

    def _key(self, pack: int | None = None, piece: int = 0) -> str:
        own = f"{self.place.prefix}{self._writer}"
        return own if pack is None else f"{own}/{pack}/{piece}"


def _groups(changed: Mapping[str, bytes]) -> Iterator[dict[str, bytes]]:
    """Chunks that go into one pack: what settles apart from what does not, none too large."""
    for settled in (False, True):
        group: dict[str, bytes] = {}
        size = 0
        for name in sorted(name for name in changed if (_SETTLED in name) is settled):
            group[name] = changed[name]
            size += len(changed[name])
            if size >= _LARGEST_PACK:
                yield group
                group, size = {}, 0
        if group:
            yield group


# ---- reading -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint."""

    manifest: Manifest
    chunks: dict[str, bytes]


class CheckpointReader:
    """Finds the checkpoint of one place among all records of its partition, in their order."""

    def __init__(self, place: Place) -> None:
        self._prefix = place.prefix
        self._pieces: dict[str, bytes] = {}
        self._manifests: list[Manifest] = []
        self._keys: dict[str, None] = {}
        self.stop: bytes | None = None
        """The note that the step was stopped for good here; None: there is none, or it went on since."""

    def take(self, key: str, value: bytes | None) -> None:
        """Look at one record; those of other places are passed over."""
        if not key.startswith(self._prefix):
            return
        own = key.removeprefix(self._prefix)
        if own == STOPPED:
            self.stop = value
        if value is None:
            self._keys.pop(key, None)
            self._pieces.pop(key, None)
            return
        self._keys[key] = None
        if own == STOPPED:
            return
        if "/" in own:
            self._pieces[key] = value
        else:
            self.stop = None
            manifest = _read(value)
            if manifest is not None:
                self._manifests.append(manifest)

    def keys_until(self, generation: int) -> list[str]:
        """The keys of writers of earlier generations, and of this one: a worker that was started again at once goes on
        in its generation. Whoever comes later may delete them."""
        return [key for key in self._keys if _generation(key.removeprefix(self._prefix)) <= generation]

    def best(self) -> Checkpoint | None:
        """The whole checkpoint that is furthest on; None where none is whole."""
        for manifest in sorted(self._manifests, key=lambda one: one.position, reverse=True):
            chunks = self._chunks(manifest)
            if chunks is not None:
                return Checkpoint(manifest, chunks)
        return None

    def _chunks(self, manifest: Manifest) -> dict[str, bytes] | None:
        chunks: dict[str, bytes] = {}
        for pack in manifest.packs:
            keys = [f"{self._prefix}{manifest.writer}/{pack.number}/{i}" for i in range(len(pack.pieces))]
            pieces = [self._pieces.get(key, b"") for key in keys]
            if tuple(map(_digest, pieces)) != pack.pieces:
                return None
            content = zstandard.ZstdDecompressor().decompress(b"".join(pieces))
            chunks |= {kept.name: content[kept.start : kept.start + kept.length] for kept in pack.kept}
        return chunks


def _read(value: bytes) -> Manifest | None:
    """A manifest; None where it is none that this version reads."""
    try:
        manifest = _manifests.decode(zstandard.ZstdDecompressor().decompress(value))
    except (msgspec.MsgspecError, zstandard.ZstdError):
        return None
    return manifest if manifest.format == FORMAT else None


def writer_name(generation: int, unique: str) -> str:
    """The name of a writer: the generation of the group that gave it the partition, and what no other has."""
    return f"{generation}-{unique}"


def _generation(key: str) -> int:
    number = key.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


_encode = msgspec.msgpack.Encoder().encode
_manifests = msgspec.msgpack.Decoder(Manifest)
