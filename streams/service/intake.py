"""What stands between a request and its answer: inbox first, steps next, checkpoint now and then. One thread's own.

Records are durable in the inbox before they are counted, and counted before anybody is answered. The ledger's
checkpoint follows: what it does not hold is repeated from the inbox by the next start (law 3).
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from streams.clock import Clock, Stopwatch
from streams.core.decode import Batch
from streams.core.instant import HOUR, SECOND, Instant, format_instant
from streams.core.outputs import Accounting
from streams.core.pipeline import PipelineOutputs
from streams.core.record import BATCH, Reason
from streams.ledger.errors import DiskFullError, LedgerBusyError, LedgerError
from streams.ledger.store import LedgerStore
from streams.profile import Profile
from streams.runtime.embedded import MOST_SCORED, EmbeddedRuntime, OtherSourceError, Progress, ResumeError
from streams.runtime.failures import Failure, in_words
from streams.service.answers import VERDICTS, Answer, Rejected, Verdict
from streams.service.failing import STEP, Failures, StoppedForGoodError
from streams.service.records import Given
from streams.service.screening import Screened, screen_live, screen_stream, start_of
from streams.service.settings import ServiceSettings
from streams.sources.contract import Chunk, Position, SourceError
from streams.sources.inbox import FOLDER, InboxFullError, InboxHeader, InboxReader, InboxWriter, is_of_inbox, segments
from streams.sources.recorder import tick_line

_ALERTED: int = SECOND // 2
"""Between two checkpoints that alerts ask for."""
_ROOM = 1024 * 1024
"""Bytes that it must be possible to write before anything is taken in again after a write failed."""
_LOOKS: int = SECOND
"""Between two looks at how much room there is."""


_KNOWN = (ResumeError, SourceError, DiskFullError, LedgerBusyError)
"""Errors that say what somebody is to do: no failures at records."""


class NoRoomError(Exception):
    """The disk is full, or the ledger is held: nothing of this was taken in, and it may be sent again."""


class NotBegunError(Exception):
    """A stream whose first records do not say when it begins."""


class Sent(Struct, frozen=True):
    """A request's records, and when they came in."""

    given: Sequence[Given]
    received: int
    """Epoch milliseconds."""


class _StopsWhenTold:
    """Lets a recovery end early."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self._stopping = stopping

    def before(self, _batch: Batch, /) -> bool:
        return True

    def after(self, _progress: Progress, _outputs: PipelineOutputs, /) -> bool:
        return not self._stopping()


class Intake:
    """Takes records into one data directory, whose lock the store holds."""

    def __init__(
        self, profile: Profile, data_dir: Path, store: LedgerStore, settings: ServiceSettings, clock: Clock
    ) -> None:
        self._profile = profile
        self._folder = data_dir / FOLDER
        self._store = store
        self._settings = settings
        self._clock = clock
        self._live = settings.clock == "live"
        self._every = round(settings.tick_seconds * SECOND)
        self._inbox: InboxWriter | None = None
        self._runtime: EmbeddedRuntime | None = None
        self._since = Stopwatch()
        self._dirty = False
        self._alerted = False
        self._scored = 0
        self._lost = False
        self._repeating = False
        """Many records are taken at a time, from the inbox."""
        self._looked = Stopwatch()
        self.failures = Failures(data_dir)
        self.free = free_bytes(data_dir)
        """Bytes that nobody has taken, where the data directory is."""

    # ---- where it is ----

    @property
    def progress(self) -> Progress | None:
        """Where it is; None for a stream that has not begun."""
        return None if self._runtime is None else self._runtime.progress

    @property
    def inbox(self) -> str | None:
        """Name of the inbox, that no other has."""
        return None if self._inbox is None else self._inbox.header.inbox

    @property
    def watermark(self) -> Instant | None:
        """Event time believed complete."""
        if self._runtime is None:
            return None
        return self._runtime.progress.reached - self._profile.city.allowed_lateness

    # ---- starting ----

    def recover(self, stopping: Callable[[], bool]) -> bool:
        """Be where the inbox ends, from the last checkpoint on; False: told to stop before that.

        Raises ResumeError where the data directory holds another run, SourceError, LedgerError.
        """
        if not segments(self._folder):
            resumption = self._store.load_checkpoint()
            if resumption is not None:
                raise self._without_its_inbox(resumption.source)
            if not self._live:
                return True
            self._begin(self._clock.now() // HOUR * HOUR)
        return self._go_on(stopping)

    def _begin(self, start: Instant) -> None:
        header = InboxHeader.of(self._profile.name, start, pages=self._settings.pages)
        InboxWriter.begin(self._folder, header).close()

    def _go_on(self, stopping: Callable[[], bool]) -> bool:
        reader = InboxReader(self._folder)
        self._check(reader.header)
        if self._inbox is None:
            self._inbox = InboxWriter(self._folder)
        if self._runtime is None:
            try:
                self._runtime = EmbeddedRuntime(
                    self._profile,
                    reader,
                    self._store,
                    checkpoint_interval=round(self._settings.checkpoint_seconds * SECOND),
                )
            except OtherSourceError as error:
                raise self._without_its_inbox(error.source) from None
        self._repeating = True
        run = self._runtime.run(_StopsWhenTold(stopping))
        self._repeating = False
        self._lost = self._dirty = self._alerted = False
        self._since.restart()
        if run.stopped:
            return False
        if self._runtime.position.record != self._inbox.record:
            raise ResumeError(
                f"{self._folder}: ends at record {self._inbox.record}, the ledger beside it is at "
                f"{self._runtime.position.record}; restore both from one backup, or give an empty --data-dir"
            )
        self._go_on_from_failures(self._inbox.record)
        return True

    def _without_its_inbox(self, source: str) -> ResumeError:
        """Why a ledger cannot be gone on with, whose source is not there: a backup that was restored by half, or no
        data directory of a service."""
        directory = self._folder.parent
        if not is_of_inbox(source):
            words = "the data directory holds the run of another source; give an empty --data-dir"
            return ResumeError(f"{directory}: {words}")
        what = "is not the inbox of" if segments(self._folder) else "is missing beside"
        return ResumeError(
            f"{self._folder}: 不是这个台账的收件箱，请把备份里的放回来  {what} the ledger there, which cannot go on "
            f"without its own; put {FOLDER}/ of the same backup back (deploy/RUNBOOK.md: Backup and restore), or give "
            "an empty --data-dir"
        )

    def _check(self, header: InboxHeader) -> None:
        if header.profile != self._profile.name:
            raise ResumeError(f"{self._folder}: is of the profile {header.profile}; give --profile {header.profile}")
        if header.pages != self._settings.pages:
            was, now = ("live", "replayed") if header.pages else ("replayed", "live")
            raise ResumeError(
                f"{self._folder}: holds {was} data, and {now} data may not join it; give another --data-dir, or the "
                "--clock and --page-replayed that it was begun with"
            )

    # ---- failing ----

    def failed(self, error: Exception) -> Exception:
        """Note an error that ends the process; what it is to end by."""
        if isinstance(error, _KNOWN):
            return error
        first = last = 0 if self._runtime is None else self._runtime.position.record
        if self._repeating and self._inbox is not None:
            last = max(first, min(first + BATCH, self._inbox.record) - 1)
        failure = Failure(
            STEP, "" if self._inbox is None else self._inbox.header.inbox, 0, first, last, in_words(error)
        )
        try:
            if self.failures.add(failure):
                self._store.stop(STEP, failure.error)
                return StoppedForGoodError(failure)
        except (OSError, LedgerError) as worse:
            error.add_note(f"and that could not be written down: {worse}")
        return error

    def _go_on_from_failures(self, record: int) -> None:
        """Everything before a record is durable."""
        if self.failures.passed(record):
            self._store.stop(STEP, None)

    # ---- taking in ----

    def take(self, sent: Sequence[Sent]) -> list[Answer]:
        """Take in the records of some requests: durable when it returns, each with its verdict.

        Raises NoRoomError and NotBegunError, and then nothing of them was taken in.
        """
        self._mend()
        if self._runtime is None:
            self._begin_stream(sent)
        assert self._runtime is not None
        decoder = self._runtime.decoder
        screened = [
            screen_live(decoder, one.given, one.received) if self._live else screen_stream(decoder, one.given)
            for one in sent
        ]
        verdicts = iter(self._count([one.line for records in screened for one in records if one.line]))
        return [_answer(records, [next(verdicts) if one.line else None for one in records]) for records in screened]

    def _begin_stream(self, sent: Sequence[Sent]) -> None:
        start = start_of(sent[0].given)
        if start is None:
            raise NotBegunError("the stream has not begun: send its header, a tick or an event first")
        try:
            self._begin(start)
        except InboxFullError as error:
            raise NoRoomError(str(error)) from error
        self._go_on(lambda: False)

    def _count(self, lines: list[bytes]) -> list[Verdict | None]:
        """The verdicts of lines, durable; None for a tick."""
        assert self._inbox is not None
        assert self._runtime is not None
        if not lines:
            return []
        try:
            start = self._inbox.append(lines)
        except InboxFullError as error:
            raise NoRoomError(str(error)) from error
        verdicts: list[Verdict | None] = []
        before = self._runtime.progress.accounting
        for number, line in enumerate(lines, start.record + 1):
            out = self._runtime.take(Chunk(line, 1, Position(start.frame, start.before, number)))
            after = self._runtime.progress.accounting
            verdicts.append(_verdict(before, after))
            before = after
            self._scored += len(out.scored)
            self._alerted = self._alerted or bool(out.transitions)
        self._dirty = True
        return verdicts

    # ---- time ----

    def until_tick(self) -> int:
        """Microseconds to the next tick."""
        now = self._clock.now()
        return self._every - now % self._every

    def tick(self) -> None:
        """Tell the stream what time it is, where its clock is ours and it is time. Raises NoRoomError."""
        if not self._live or self._runtime is None:
            return
        at = self._clock.now() // self._every * self._every
        if at > self._runtime.progress.reached:
            self._mend()
            self._count([tick_line(format_instant(at))])

    def keep(self, *, now: bool = False) -> None:
        """Make a checkpoint where one is due. Raises NoRoomError; then what was taken in is repeated later."""
        if self._runtime is None or not self._dirty or self._lost:
            return
        waited = self._since.elapsed()
        due = waited >= round(self._settings.checkpoint_seconds * SECOND) or self._scored >= MOST_SCORED
        if not (now or due or (self._alerted and waited >= _ALERTED)):
            return
        try:
            self._runtime.checkpoint()
        except (DiskFullError, LedgerBusyError) as error:
            self._lost = True
            raise NoRoomError(str(error)) from error
        self._dirty = self._alerted = False
        self._scored = 0
        self._since.restart()
        self._go_on_from_failures(self._runtime.position.record)

    def _mend(self) -> None:
        """After a checkpoint that could not be written: begin anew from the last one that was, and from the inbox."""
        if not self._lost:
            return
        try:
            self._go_on(lambda: False)
        except (DiskFullError, LedgerBusyError) as error:
            raise NoRoomError(str(error)) from error

    def look_for_room(self) -> None:
        """See now and then that there is room before it is needed. Raises NoRoomError where there is too little: what
        is left is for the ledger, where people work on."""
        if self.free < self._settings.least_free or self._looked.elapsed() >= _LOOKS:
            self.free = free_bytes(self._folder.parent)
            self._looked.restart()
        if self.free < self._settings.least_free:
            raise NoRoomError(
                f"{self._folder.parent}: {self.free:,} bytes are free, less than least_free = "
                f"{self._settings.least_free:,}; nothing was taken in, send it again"
            )

    def find_room(self) -> None:
        """Come back, where there was no room. Raises NoRoomError where there is none yet."""
        self.look_for_room()
        probe = self._folder.parent / ".room"
        try:
            with probe.open("wb") as file:
                file.write(bytes(_ROOM))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise NoRoomError(f"{probe}: {error.strerror}") from error
        finally:
            probe.unlink(missing_ok=True)
        self._mend()

    def close(self) -> None:
        """A last checkpoint, and the inbox given back."""
        try:
            self.keep(now=True)
        finally:
            if self._inbox is not None:
                self._inbox.close()


def free_bytes(folder: Path) -> int:
    """How much of the disk under a folder is free for who is not root."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _verdict(before: Accounting, after: Accounting) -> Verdict | None:
    for verdict in VERDICTS:
        if getattr(after, verdict) != getattr(before, verdict):
            return verdict
    return None


def _answer(records: Sequence[Screened], verdicts: list[Verdict | None]) -> Answer:
    rejections = []
    for position, (one, verdict) in enumerate(zip(records, verdicts, strict=True)):
        if verdict == "rejected":
            # What only the tally sees: a time further ahead of the stream than anything can be.
            reason, place = one.rejected or (Reason.FUTURE, "at")
            rejections.append(Rejected(position, reason, place))
    totals = {verdict: verdicts.count(verdict) for verdict in VERDICTS}
    return Answer(
        received=sum(totals.values()),
        counted=totals["counted"],
        duplicate=totals["duplicate"],
        late=totals["late"],
        rejected=totals["rejected"],
        verdicts=verdicts,
        rejections=rejections,
    )
