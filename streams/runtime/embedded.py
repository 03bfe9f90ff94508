"""The embedded runtime: one process, no broker; one transaction is the checkpoint and its outputs (law 3).

It reads a source from the checkpoint's own position, drives the three steps, and every few seconds makes
durable, together, where it is, what the steps know, and what they emitted since. A crash anywhere only
repeats work. It decides nothing: stopping, pacing and speaking are its caller's, through `Watcher`.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

import msgspec

from streams.clock import Stopwatch
from streams.core.decode import Batch, RecordDecoder
from streams.core.instant import SECOND, Duration, Instant
from streams.core.outputs import Accounting
from streams.core.pipeline import Pipeline, PipelineOutputs
from streams.core.record import BATCH
from streams.core.snapshot import StateError
from streams.ports import Checkpoint, Outputs, Resumption, Store
from streams.profile.model import Profile
from streams.runtime.spacing import wait
from streams.sources.contract import START, Chunk, Ending, Position, Source

CHECKPOINT_INTERVAL: Duration = 5 * SECOND
MOST_SCORED = 2_000
"""Scored windows held between two checkpoints at most: bounds memory where event time runs fast."""


class ResumeError(Exception):
    """A data directory that this run cannot go on from: what is wrong, and what to do."""


class OtherSourceError(ResumeError):
    """A data directory that holds the run of another source."""

    def __init__(self, source: str) -> None:
        super().__init__(
            "the data directory holds the run of another source; give an empty --data-dir, or the source it began with"
        )
        self.source = source
        """The identity of the one that it began with."""


class Watcher(Protocol):
    """Whoever runs the runtime: is told what happens, and may pace or stop it. All methods return at once,
    except `before`, which may wait."""

    def before(self, batch: Batch, /) -> bool:
        """Called before a batch is taken in, to wait until it is due; False: stop instead."""

    def after(self, progress: "Progress", outputs: PipelineOutputs, /) -> bool:
        """Called when a batch was taken in; False: stop at a checkpoint here."""


class Unwatched:
    """Full speed, no words, to the end."""

    def before(self, _batch: Batch, /) -> bool:
        """Never wait."""
        return True

    def after(self, _progress: "Progress", _outputs: PipelineOutputs, /) -> bool:
        """Never stop."""
        return True


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is."""

    record: int
    """Number of the next record."""
    reached: Instant
    """Event time that the stream has passed."""
    accounting: Accounting


@dataclass(frozen=True, slots=True)
class Run:
    """What one call of `run` did."""

    accounting: Accounting
    """Totals since the source's first record, over all runs into this store."""
    reached: Instant
    processed: int
    """Events that this call took in."""
    seconds: float
    """That it took, restoring aside."""
    stopped: bool
    """The watcher stopped it before the source's end."""
    ending: Ending | None
    """How the source ended; None when stopped."""
    state: dict[str, bytes]
    """The whole state at the end, as named chunks."""


@dataclass(slots=True)
class _Unwritten:
    """Outputs since the last checkpoint."""

    total: PipelineOutputs = field(default_factory=PipelineOutputs)

    def add(self, out: PipelineOutputs) -> None:
        self.total.closed.extend(window for window in out.closed if window.metrics is not None)
        self.total.scored.extend(out.scored)
        self.total.transitions.extend(out.transitions)
        self.total.corrections.extend(out.corrections)
        self.total.rejections.extend(out.rejections)

    def take(self) -> Outputs:
        total, self.total = self.total, PipelineOutputs()
        return Outputs(
            transitions=total.transitions,
            scored=total.scored,
            closed=total.closed,
            corrections=total.corrections,
            rejections=total.rejections,
        )


class EmbeddedRuntime:
    """Drives one source through one pipeline into one store."""

    def __init__(
        self,
        profile: Profile,
        source: Source,
        store: Store,
        *,
        batch: int = BATCH,
        checkpoint_interval: Duration = CHECKPOINT_INTERVAL,
    ) -> None:
        """Restores the store's checkpoint, if it has one. Raises ResumeError where it belongs to another source
        or another version of the profile or of jiantu."""
        self._profile = profile
        self._source = source
        self._store = store
        self._batch = batch
        self._interval = checkpoint_interval
        self._begin()

    def _begin(self) -> None:
        """Be where the store's checkpoint is, or at the source's start."""
        self._pipeline = Pipeline(self._profile.city, self._source.span[0])
        self._position: Position = START
        self._identity = self._source.identity
        self._written: dict[str, bytes] = {}
        """Digest of every state chunk as the store has it."""
        self._unwritten = _Unwritten()
        self._failed = False
        """A run did not come to its end: what is in memory is ahead of the store, and its outputs are gone."""
        resumption = self._store.load_checkpoint()
        if resumption is not None:
            self._resume(resumption)

    def _resume(self, resumption: Resumption) -> None:
        if not self._source.continues(resumption.source):
            raise OtherSourceError(resumption.source)
        if resumption.profile_version != self._profile.version:
            raise ResumeError(
                "the data directory was made with another version of the profile; give an empty --data-dir, "
                "or the profile as it was"
            )
        self._identity = resumption.source
        self._position = msgspec.json.decode(resumption.place, type=Position)
        try:
            self._pipeline.restore(resumption.chunks)
        except StateError as error:
            raise ResumeError(
                f"{error}; give an empty --data-dir, or run the version that the data directory was made with"
            ) from None
        self._written = {name: _digest(chunk) for name, chunk in resumption.chunks.items()}

    @property
    def position(self) -> Position:
        """Where the next run goes on."""
        return self._position

    @property
    def decoder(self) -> RecordDecoder:
        """Decodes the records of its city."""
        return self._pipeline.decoder

    @property
    def progress(self) -> Progress:
        """Where the run is."""
        return Progress(self._position.record, self._pipeline.reached, self._pipeline.accounting)

    def run(self, watcher: Watcher | None = None) -> Run:
        """Read the source to its end, or until the watcher stops; durable when it returns.

        Whatever is raised, nothing since the last checkpoint was written, and the next run repeats it.
        """
        watcher = watcher or Unwatched()
        if self._failed:
            self._begin()
        self._failed = True
        before = self._pipeline.accounting.received
        clock, since_checkpoint = Stopwatch(), Stopwatch()
        stopped, cost = False, 0
        with _no_cyclic_garbage():
            for chunk in self._source.chunks(self._position, self._batch):
                first = chunk.after.record - chunk.records
                batch = self._pipeline.decoder.lines(chunk.lines, first, chunk.records)
                if not watcher.before(batch):
                    stopped = True
                    break
                out = self._take(batch, chunk)
                due = since_checkpoint.elapsed() >= wait(self._interval, cost)
                if due or len(self._unwritten.total.scored) >= MOST_SCORED:
                    since_checkpoint.restart()
                    self._checkpoint()
                    cost = since_checkpoint.elapsed()
                if not watcher.after(self.progress, out):
                    stopped = True
                    break
            self._checkpoint()
        self._failed = False
        return Run(
            accounting=self._pipeline.accounting,
            reached=self._pipeline.reached,
            processed=self._pipeline.accounting.received - before,
            seconds=clock.seconds(),
            stopped=stopped,
            ending=None if stopped else self._source.ending,
            state={name: chunk for name, chunk in self._pipeline.snapshot().items() if chunk is not None},
        )

    def take(self, chunk: Chunk) -> PipelineOutputs:
        """Take in records that the source has got since `run` came to its end; a live source's caller hands them on.

        Durable with the next `checkpoint`. After whatever is raised, here or there, `run` begins anew from the last
        one, and from the source."""
        self._failed = True
        first = chunk.after.record - chunk.records
        return self._take(self._pipeline.decoder.lines(chunk.lines, first, chunk.records), chunk)

    def checkpoint(self) -> None:
        """Make durable what `take` took in, and its outputs."""
        self._checkpoint()
        self._failed = False

    def _take(self, batch: Batch, chunk: Chunk) -> PipelineOutputs:
        out = self._pipeline.step(batch)
        self._unwritten.add(out)
        self._position = chunk.after
        return out

    def _checkpoint(self) -> None:
        """Position, state and outputs in one transaction; chunks that are as the store has them are left out."""
        chunks = self._pipeline.snapshot(whole=False)
        changed, removed, digests = {}, [], {}
        for name, chunk in chunks.items():
            if chunk is None:
                removed.append(name)
            elif self._written.get(name) != (digest := _digest(chunk)):
                changed[name] = chunk
                digests[name] = digest
        self._store.commit(
            Checkpoint(
                source=self._identity,
                profile_version=self._profile.version,
                record=self._position.record,
                place=msgspec.json.encode(self._position),
                watermark=self._pipeline.reached - self._profile.city.allowed_lateness,
                accounting=self._pipeline.accounting,
                changed=changed,
                removed=removed,
            ),
            self._unwritten.take(),
        )
        self._written.update(digests)
        for name in removed:
            self._written.pop(name, None)


def _digest(chunk: bytes) -> bytes:
    return blake2b(chunk, digest_size=16).digest()


@contextmanager
def _no_cyclic_garbage() -> Iterator[None]:
    """The steps make no reference cycles; looking for some among millions of remembered ids costs much."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
