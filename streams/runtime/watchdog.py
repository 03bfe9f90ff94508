"""Watches a worker from a thread of its own: what the worker cannot see is that it no longer gets on.

The worker's own picture of how much there is to do stands still with it (faust's high-water mark cannot tell a broker
that is gone from a topic where nothing happens), so the brokers are asked. Where they do not answer nobody knows, and
nothing is decided.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streams.broker.errors import BrokerError, TopicError
from streams.clock import Stopwatch
from streams.core.instant import SECOND, Duration
from streams.runtime.absence import Absence
from streams.runtime.cluster import Span
from streams.runtime.worker_setup import Say

NO_PROGRESS: Duration = 60 * SECOND
"""A partition that does not move for so long, though there are records, ends the worker; another begins anew."""
LONGEST_SAVE: Duration = 120 * SECOND
"""So does a checkpoint that takes longer."""
MISSING: Duration = 20 * SECOND
"""So does a topic that was deleted, or made again; a broker that has just come back knows of none for a moment."""
EVERY: Duration = 5 * SECOND

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One partition as the worker has it now."""

    position: int
    """-1: it was assigned, and its checkpoint is not read yet."""
    saved: int
    saving_for: Duration
    """How long its checkpoint has been under way; 0: none is."""


class StalledError(Exception):
    """A partition does not move."""


class Watchdog:
    """Looks every few seconds, and says what is wrong once it is."""

    def __init__(
        self,
        look: Callable[[], Mapping[Place, Seen]],
        ask: Callable[[str, int], Span],
        check: Callable[[], None],
        say: Say,
        bite: Callable[[StalledError], None],
        no_progress: Duration = NO_PROGRESS,
        missing: Duration = MISSING,
    ) -> None:
        """`look`: what the worker holds; `ask`: the brokers' own figures; `check` raises TopicError where topics are
        not what they were when it began: of one that is gone the group gives nobody anything, and all seems well.
        `bite`: ends the process, and says why. Never for good: whoever is started next looks for itself, and refuses
        where there is reason to."""
        self._look = look
        self._ask = ask
        self._check = check
        self._say = say
        self._bite = bite
        self._no_progress = no_progress
        self._missing = missing
        self._absence = Absence(say)
        self._behind = False
        """Whether there was lag at the last look: that there is none any more is said too."""
        self._gone: Stopwatch | None = None
        """Since when a topic has not been there."""
        self._last: dict[Place, int] = {}
        self._still: dict[Place, Stopwatch] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(EVERY / SECOND):
            self.watch_once()

    def watch_once(self) -> None:
        """Look, ask, and bite where something stands still that should not."""
        seen = dict(self._look())
        self._forget(seen)
        lags: dict[str, int] = {}
        try:
            self._check()
            spans = {place: self._ask(*place) for place in sorted(seen)}
        except BrokerError as error:
            self._absence.noticed(error)
            self._judge_absence(error)
            for still in self._still.values():
                still.restart()
            return
        for (topic, partition), span in spans.items():
            now = seen[topic, partition]
            lag = span.next - max(now.position, span.first)
            lags[f"{topic}-{partition}"] = lag
            self._judge((topic, partition), now, lag)
        self._gone = None
        self._absence.over()
        if any(lags.values()) or self._behind:
            self._say("lag", partitions=lags)
        self._behind = any(lags.values())

    def _forget(self, seen: Mapping[Place, Seen]) -> None:
        for place in set(self._last) - set(seen):
            del self._last[place], self._still[place]

    def _judge_absence(self, error: BrokerError) -> None:
        if not isinstance(error, TopicError):
            self._gone = None
        elif self._gone is None:
            self._gone = Stopwatch()
        elif self._gone.elapsed() > self._missing:
            self._bite(StalledError(str(error)))

    def _judge(self, place: Place, now: Seen, lag: int) -> None:
        if self._last.get(place) != now.position or (lag <= 0 and now.position >= 0):
            self._last[place] = now.position
            self._still.setdefault(place, Stopwatch()).restart()
        still = self._still[place].elapsed()
        where = f"{place[0]} {place[1]}"
        if still > self._no_progress:
            what = "its checkpoint is not read" if now.position < 0 else f"stands at record {now.position}"
            self._bite(StalledError(f"{where}: {what} for {still // SECOND} s, with {lag} records to go"))
        if now.saving_for > LONGEST_SAVE:
            self._bite(StalledError(f"{where}: a checkpoint has been under way for {now.saving_for // SECOND} s"))
