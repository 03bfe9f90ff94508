"""What a runtime keeps and where: the checkpoint and the outputs that go with it, and the store's protocol.

What a runtime reads from is `streams.sources.contract`. Any store that keeps this contract will do: the
ledger's SQLite file today, a broker's compacted topic for one partition of a distributed runtime.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streams.core.alert import Transition
from streams.core.city import City
from streams.core.instant import Instant
from streams.core.outputs import Accounting, ClosedWindow, Correction, ScoredWindow
from streams.core.record import Rejection


@dataclass(frozen=True, slots=True)
class SeriesLayout:
    """What the vectors of a scored window are about: signals x series, in this order."""

    profile_version: str
    signals: tuple[str, ...]
    series: tuple[str, ...]
    """County codes, then the city's own code for the city as a whole."""

    @staticmethod
    def of(city: City) -> "SeriesLayout":
        """The layout of a city's scored windows."""
        return SeriesLayout(
            city.profile_version,
            tuple(signal.name for signal in city.signals),
            (*(county.code for county in city.counties), city.code),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Everything that the steps emitted since the last checkpoint. Order within a field does not matter."""

    transitions: Sequence[Transition] = ()
    scored: Sequence[ScoredWindow] = ()
    closed: Sequence[ClosedWindow] = ()
    """Only windows that carry metrics are kept; the others may be left out."""
    corrections: Sequence[Correction] = ()
    rejections: Sequence[tuple[Instant, Rejection]] = ()
    """(event time that the stream had reached before it, rejection): retention is by event time. The instant
    must not depend on batches: the last tick before the record, for example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a source is, and what the steps know there: written whole, with the outputs up to there."""

    source: str
    """Identity of the source."""
    profile_version: str
    record: int
    """Number of the next record, from 0."""
    place: bytes
    """The source's own position, serialised; handed back as it is."""
    watermark: Instant | None
    """Event time that the whole stream is known to have passed; None before the first."""
    accounting: Accounting
    """Totals since the source's first record."""
    changed: Mapping[str, bytes] = field(default_factory=dict)
    """State chunks that are new or different since the last checkpoint: name -> content."""
    removed: Collection[str] = ()
    """Names of state chunks that are no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A checkpoint as loaded: all of its state chunks."""

    source: str
    profile_version: str
    record: int
    place: bytes
    watermark: Instant | None
    accounting: Accounting
    chunks: Mapping[str, bytes]
    """In the order of their names."""


class Store(Protocol):
    """Keeps checkpoints with their outputs, both or neither (law 3)."""

    def load_checkpoint(self) -> Resumption | None:
        """The last one that was committed; None in a fresh store."""

    def commit(self, checkpoint: Checkpoint, outputs: Outputs) -> None:
        """Make both durable, whole. When it returns they are; when it raises neither is, and the
        same call may be made again. Outputs that the store has already are ignored."""
