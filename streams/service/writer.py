"""The one thread that owns the pipeline: requests wait for it in a bounded queue, and are answered when it is done.

A full queue asks senders to come again (429); a full disk, a start that is not over and an end that has begun refuse
them (503). Nothing is taken in that is not answered for.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streams.clock import Stopwatch
from streams.core.instant import SECOND, Duration, Instant
from streams.core.outputs import Accounting
from streams.runtime.failures import Failure
from streams.service.answers import Answer
from streams.service.intake import Intake, NoRoomError, NotBegunError, Sent
from streams.service.settings import ServiceSettings

_GROUP = 5_000
"""Records made durable together, about."""
_NAP = SECOND // 4
_AGAIN = 5 * SECOND
"""Between two tries where there was no room."""


class RefusedError(Exception):
    """A request that is not taken in now: `status` 429 or 503, and when to come again, in seconds."""

    def __init__(self, status: int, code: str, zh: str, en: str, again: int) -> None:
        super().__init__(en)
        self.status = status
        self.code = code
        self.zh = zh
        self.en = en
        self.again = again


def _stopping() -> RefusedError:
    return RefusedError(503, "stopping", "服务正在停止，请稍后重发", "stopping; send it again", 5)


Done = Callable[[Answer | Exception], None]
"""Called once, by the thread: must return at once and not raise."""


@dataclass(slots=True)
class _Waiting:
    sent: Sent
    done: Done


@dataclass(frozen=True, slots=True)
class Health:
    """How it is."""

    recovered: bool
    room: bool
    """False: the disk is full, or the ledger is held."""
    stopping: bool
    failed: bool
    quiet: Duration
    """Since it last went round: that of one that hangs grows."""
    record: int
    reached: Instant | None
    watermark: Instant | None
    accounting: Accounting
    inbox: str | None
    """Name of the inbox; None: a stream that has not begun."""
    waiting: int
    """Records taken in and not yet answered for."""
    free: int
    """Bytes of the disk."""
    failures: int
    """At the records that `failing` names, in this life and those before it."""
    failing: Failure | None


class Writer:
    """Runs an intake until it is told to stop."""

    def __init__(self, intake: Intake, settings: ServiceSettings, failed: Callable[[], None]) -> None:
        """`failed`: called by the thread when it ends by an error; then `failure` says which."""
        self._intake = intake
        self._settings = settings
        self._tell = failed
        self._queue: deque[_Waiting] = deque()
        self._group: list[_Waiting] = []
        """Taken from the queue and not yet answered."""
        self._turn = threading.Condition()
        self._waiting = 0
        self._stopping = False
        self._recovered = False
        self._room = True
        self._round = Stopwatch()
        self._retry = Stopwatch()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin to recover, then to take in."""
        self._thread.start()

    def submit(self, sent: Sent, done: Done) -> None:
        """Have records taken in. Raises RefusedError where that is not possible now."""
        with self._turn:
            self._check(len(sent.given))
            self._queue.append(_Waiting(sent, done))
            self._waiting += len(sent.given)
            self._turn.notify()

    def _check(self, records: int) -> None:
        if self.failure is not None or self._stopping:
            raise _stopping()
        if not self._recovered:
            raise RefusedError(503, "starting", "服务正在恢复，请稍后重发", "recovering; send it again", 2)
        if not self._room:
            raise RefusedError(503, "no_room", "磁盘已满，未收下", "no space left; nothing was taken in", 5)
        if self._waiting and self._waiting + records > self._settings.max_waiting_records:
            raise RefusedError(429, "too_fast", "太快，请稍后重发", "too fast; send it again", 1)

    def stop(self, within: Duration) -> bool:
        """Take in what waits, make a checkpoint, end; False: it was not over in time."""
        with self._turn:
            self._stopping = True
            self._turn.notify()
        self._thread.join(within / SECOND)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Its thread runs."""
        return self._thread.is_alive()

    @property
    def health(self) -> Health:
        """How it is, as far as another thread can see."""
        progress = self._intake.progress if self._recovered else None
        return Health(
            recovered=self._recovered,
            room=self._room,
            stopping=self._stopping,
            failed=self.failure is not None,
            quiet=self._round.elapsed(),
            record=0 if progress is None else progress.record,
            reached=None if progress is None else progress.reached,
            watermark=self._intake.watermark if self._recovered else None,
            accounting=Accounting() if progress is None else progress.accounting,
            inbox=self._intake.inbox if self._recovered else None,
            waiting=self._waiting,
            free=self._intake.free,
            failures=len(self._intake.failures),
            failing=self._intake.failures.last,
        )

    # ---- the thread ----

    def _run(self) -> None:
        try:
            self._recovered = self._intake.recover(lambda: self._stopping)
            while self._recovered and not (self._stopping and not self._queue):
                self._go_round()
            if self._recovered:
                self._intake.close()
        except Exception as error:  # noqa: BLE001 - the process ends by it, and says it (law 4)
            ending = self._intake.failed(error)
            with self._turn:
                self.failure = ending
                self._group.extend(self._queue)
                self._queue.clear()
            self._answer(_stopping())
            self._tell()

    def _go_round(self) -> None:
        self._round.restart()
        self._group = self._next()
        try:
            if not self._room:
                if not self._group and self._retry.elapsed() < _AGAIN:
                    return
                self._intake.find_room()
            self._intake.look_for_room()
            self._intake.tick()
            if self._group:
                self._answer(self._intake.take([one.sent for one in self._group]))
            self._intake.keep()
            self._room = True
        except NotBegunError as error:
            self._answer(error)
        except NoRoomError as error:
            self._room = False
            self._retry.restart()
            self._answer(error)

    def _answer(self, answers: Sequence[Answer] | Exception) -> None:
        """Answer the group, each by its own, or all alike."""
        group, self._group = self._group, []
        with self._turn:
            self._waiting -= sum(len(one.sent.given) for one in group)
        for number, one in enumerate(group):
            one.done(answers if isinstance(answers, Exception) else answers[number])

    def _next(self) -> list[_Waiting]:
        """What waits, as much as goes together; [] when it is time for something else."""
        with self._turn:
            if not self._queue and not self._stopping:
                self._turn.wait(min(_NAP, self._intake.until_tick()) / SECOND)
            group: list[_Waiting] = []
            records = 0
            while self._queue and records < _GROUP and (not group or self._intake.progress is not None):
                group.append(self._queue.popleft())
                records += len(group[-1].sent.given)
            return group
