"""One partition of one step as a worker holds it: where it is, what of a fetch is its business, its checkpoints."""

import asyncio
from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from streams.clock import Stopwatch
from streams.core.instant import Duration
from streams.runtime.checkpoints import About, CheckpointWriter, Manifest, Place
from streams.runtime.cluster import Span, TopicFacts
from streams.runtime.spacing import wait
from streams.runtime.steps import Chunks, Step, TopicRecord, offset_of
from streams.runtime.watchdog import Seen

_FRESH = "or begin anew: new windows, scores, alerts and checkpoints (RUNBOOK: beginning anew)"


class RefusedError(Exception):
    """A partition that this worker must not go on with: what is wrong, and what to do. Nothing repairs itself here."""


class Batch(Protocol):
    """What a fetch brought: see fetcher.Fetched."""

    @property
    def first(self) -> int:
        """Offset of the first record; where there is none, of the next."""

    @property
    def follows(self) -> int:
        """The offset that was asked for, where that is known."""

    @property
    def after(self) -> int:
        """The offset that is asked for next."""

    @property
    def epoch(self) -> int:
        """Number of the seek that it comes after."""


class Verdict(Enum):
    """What a fetched batch is to a partition."""

    NEXT = "next"
    """It holds the next record: take it from there."""
    DONE = "done"
    """All of it was taken before."""
    STALE = "stale"
    """It was fetched before the last seek: the same, and what it skipped, comes again."""
    HOLE = "hole"
    """It follows on the last one, but offsets are missing in between."""
    ASTRAY = "astray"
    """It comes from somewhere further on: the consumer has to go back."""


def verdict(position: int, epoch: int, batch: Batch) -> Verdict:
    """What a batch is to a partition that is at a position, after the seek with a number."""
    if batch.after <= position:
        return Verdict.DONE
    if batch.first <= position:
        return Verdict.NEXT
    if batch.epoch < epoch:
        return Verdict.STALE
    return Verdict.HOLE if batch.follows == position else Verdict.ASTRAY


class HeldPartition:
    """A step's partition in one generation of the group, or several that follow on each other."""

    def __init__(self, step: Step, place: Place, writer: CheckpointWriter, position: int, generation: int) -> None:
        self.step = step
        self.place = place
        self.writer = writer
        self.position = position
        """Offset of the next record to take."""
        self.saved = position
        """Position of the last durable checkpoint."""
        self.generation = generation
        self.epoch = 0
        self.saving: asyncio.Task[None] | None = None
        """The checkpoint that is being written."""
        self._since = Stopwatch()
        self._cost: Duration = 0

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        return self.position != self.saved

    def seen(self) -> Seen:
        """As the watchdog sees it."""
        return Seen(self.position, self.saved, 0 if self.saving is None else self._since.elapsed())

    def due(self, interval: Duration, partitions: int) -> bool:
        """Whether a checkpoint should be written now, by a worker that holds so many partitions: what theirs cost
        together is what is spaced."""
        wanted = wait(interval, self._cost * partitions)
        return self.dirty and self.saving is None and self._since.elapsed() >= wanted

    async def settled(self) -> None:
        """Wait for the checkpoint that is being written."""
        if self.saving is not None:
            await self.saving

    def records(self, fetched: Sequence[TopicRecord]) -> Sequence[TopicRecord]:
        """Those that were not taken yet."""
        if not fetched or offset_of(fetched[0]) >= self.position:
            return fetched
        return [record for record in fetched if offset_of(record) >= self.position]

    def snapshot(self) -> Chunks | None:
        """What of the state is to be written; None where there is no state yet."""
        self._since.restart()
        cost = Stopwatch()
        chunks = self.step.chunks(whole=self.writer.wants_whole)
        self._cost = cost.elapsed()
        return chunks


def check_manifest(manifest: Manifest, about: About, span: Span, place: Place) -> None:
    """Whether a step may go on from a checkpoint. Raises RefusedError."""
    known, where = manifest.about, f"{about.topic} {place.partition} ({place.step})"
    _check_same(where, known.topic_id, known.partitions, about.topic_id, about.partitions)
    if known.profile_version != about.profile_version:
        raise RefusedError(
            f"{where}: the checkpoint was written with another version of the profile ({known.profile_version[:12]}, "
            f"not {about.profile_version[:12]}); run with the profile as it was, {_FRESH}"
        )
    _check_span(where, manifest.position, span)


def check_still_there(position: int, known: TopicFacts, now: TopicFacts, span: Span, where: str) -> None:
    """Whether a partition that is being worked on is what it was when that began. Raises RefusedError."""
    _check_same(where, known.id, known.partitions, now.id, now.partitions)
    _check_span(where, position, span)


def _check_same(where: str, known_id: str, known_partitions: int, topic_id: str, partitions: int) -> None:
    if known_id != topic_id:
        raise RefusedError(
            f"{where}: the topic was made again since the checkpoint was written (it was {known_id}, it is "
            f"{topic_id}); put the old one back, {_FRESH}"
        )
    if known_partitions != partitions:
        raise RefusedError(
            f"{where}: the checkpoint knows {known_partitions} partitions, the topic has {partitions}: counties "
            f"are in other partitions now; {_FRESH}"
        )


def _check_span(where: str, position: int, span: Span) -> None:
    if span.next < position:
        raise RefusedError(
            f"{where}: the checkpoint is at record {position}, the topic holds records up to {span.next} "
            f"only: records were lost; put them back, {_FRESH}"
        )
    check_retention(position, span, where)


def check_retention(position: int, span: Span, where: str) -> None:
    """Whether the records from a position on are still there. Raises RefusedError."""
    if span.first > position:
        raise RefusedError(
            f"{where}: records {position} to {span.first - 1} were deleted (retention) before they were counted; what "
            "they held nobody knows: put them back, or begin anew (RUNBOOK: beginning anew)"
        )
