"""The dead man's switch: pages when something that should always come no longer comes.

It stands apart: no ledger, no Alertmanager, a channel of its own. What it remembers is one small file, written whole.
Silence is counted only while it listens, and what was counted outlives a restart: so a dead man that was down for an
hour does not cry at once, and one that is started anew every minute cries all the same.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from streams.clock import Clock, Stopwatch
from streams.core.instant import MINUTE, SECOND, Duration, Instant, format_instant
from streams.paging.card import Card
from streams.paging.channels import Channel
from streams.paging.delivery import Retry, Say
from streams.paging.settings import DeadmanSettings

FILE = "deadman.json"
_LOOK_EVERY = SECOND // 2
_WRITE_EVERY = 5 * SECOND

_TEXTS = {
    "silent": (
        "【紧急】监测链路中断：{name} 已 {minutes} 分钟没有声音",
        "[critical] Nothing is watching: no {name} for {minutes} minutes",
    ),
    "silent_body": (
        "最后一次：{last}。预警可能送不出来。请先查 Prometheus、Alertmanager 和寻呼是否在运行（手册 Watchdog）。",
        "Last heard: {last}. Pages may not arrive. Are Prometheus, Alertmanager, the pager up? RUNBOOK: Watchdog",
    ),
    "back": ("【已恢复】监测链路：{name} 又有声音了", "[resolved] {name} is heard again"),
    "back_body": ("中断期间未送出的预警会补送。", "Pages that could not be sent meanwhile follow."),
    "never": ("从未", "never"),
}


class Heard(msgspec.Struct):
    """What is known of one heartbeat."""

    last: Instant | None = None
    """Wall time; for people to read, not for counting."""
    silence: Duration = 0
    """Since then, while the dead man listened."""
    told_at: Duration | None = None
    """The silence at which it last paged; None: it has not."""
    back_untold: bool = False
    """It is heard again, and that has not been said yet."""


class StateError(ValueError):
    """A state file that cannot be read or written: which, and why."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something to tell."""

    name: str
    back: bool
    silence: Duration


class Memory:
    """What a dead man remembers, in a file that is written whole."""

    def __init__(self, directory: Path, names: Sequence[str]) -> None:
        """Raises StateError."""
        self._path = directory / FILE
        try:
            directory.mkdir(parents=True, exist_ok=True)
            known = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Heard])
        except FileNotFoundError:
            known = {}
        except msgspec.MsgspecError:
            known = {}  # cut off by a full disk: counting begins anew, which can only page later
        except OSError as error:
            raise StateError(f"{self._path}: cannot be read ({error.strerror})") from None
        self.heard: Mapping[str, Heard] = {name: known.get(name, Heard()) for name in names}
        self.write()

    def write(self) -> None:
        """Make it durable. Raises StateError."""
        part = self._path.with_name(FILE + ".part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "wb") as file:
                file.write(msgspec.json.encode(self.heard))
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            raise StateError(f"{self._path}: cannot be written ({error.strerror})") from None


class Deadman:
    """Listens for heartbeats and counts silence: `listened` is told how much time has passed, no other clock."""

    def __init__(self, memory: Memory, silence: Duration, again: Duration) -> None:
        self._memory = memory
        self._silence = silence
        self._again = again
        self._lock = threading.Lock()

    def beat(self, name: str, now: Instant) -> bool:
        """Something was heard; False where nobody expects it."""
        with self._lock:
            found = self._memory.heard.get(name)
            if found is None:
                return False
            found.last, found.silence = now, 0
            if found.told_at is not None:
                found.told_at, found.back_untold = None, True
                self._memory.write()
            return True

    def listened(self, elapsed: Duration) -> list[Due]:
        """So much time has passed; what is to be told."""
        with self._lock:
            due = []
            for name, found in self._memory.heard.items():
                found.silence += elapsed
                if found.back_untold:
                    due.append(Due(name, True, found.silence))
                since = found.silence if found.told_at is None else found.silence - found.told_at
                if since >= (self._silence if found.told_at is None else self._again):
                    due.append(Due(name, False, found.silence))
            return due

    def told(self, due: Due) -> None:
        """It was told: durable, so that nobody is told again after a restart."""
        with self._lock:
            found = self._memory.heard[due.name]
            if due.back:
                found.back_untold = False
            elif found.silence >= due.silence:  # not heard again meanwhile
                found.told_at = due.silence
            else:
                found.back_untold = True
            self._memory.write()

    def remember(self) -> None:
        """Write down how long the silence is by now."""
        with self._lock:
            self._memory.write()

    def silent(self) -> list[str]:
        """Names that are silent for too long."""
        with self._lock:
            return [name for name, found in self._memory.heard.items() if found.silence >= self._silence]

    def heard(self) -> dict[str, Instant | None]:
        """When each was last heard."""
        with self._lock:
            return {name: found.last for name, found in self._memory.heard.items()}


class DeadmanPager:
    """Looks twice a second, and tells all channels; a channel that fails is tried again."""

    def __init__(
        self, deadman: Deadman, channels: Sequence[Channel], settings: DeadmanSettings, clock: Clock, say: Say
    ) -> None:
        self._deadman = deadman
        self._channels = channels
        self._zh = settings.lang == "zh"
        self._clock = clock
        self._say = say
        self._retry = Retry()
        self._owing: dict[tuple[str, bool], list[Channel]] = {}
        self._failures = 0
        self._rest = 0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. Raises StateError."""
        watch, unwritten = Stopwatch(), 0
        while not stop.wait(_LOOK_EVERY / SECOND):
            elapsed = watch.restart()
            unwritten += elapsed
            self.step(elapsed)
            if unwritten >= _WRITE_EVERY:
                self._deadman.remember()
                unwritten = 0

    def step(self, elapsed: Duration) -> None:
        """Count, and tell what is due to every channel that has not heard it yet."""
        due = self._deadman.listened(elapsed)
        self._rest -= elapsed
        if self._rest > 0:
            return
        self._owing = {(one.name, one.back): self._owing.get((one.name, one.back), list(self._channels)) for one in due}
        failed = False
        for one in due:
            owing = self._owing[one.name, one.back]
            card = self._card(one)
            for channel in list(owing):
                answer = channel.tell(card)
                self._say(
                    "told" if answer.delivered else "not told",
                    channel=channel.name,
                    about=one.name,
                    detail=answer.detail,
                )
                if answer.delivered:
                    owing.remove(channel)
                failed |= not answer.delivered
            if not owing:
                self._deadman.told(one)
                del self._owing[one.name, one.back]
        self._failures = self._failures + 1 if failed else 0
        self._rest = self._retry.after(self._failures) if failed else 0

    def _card(self, due: Due) -> Card:
        kind = "back" if due.back else "silent"
        last = self._deadman.heard()[due.name]
        fields = {
            "name": due.name,
            "minutes": f"{due.silence / MINUTE:.1f}".removesuffix(".0"),
            "last": self._text("never") if last is None else format_instant(last),
        }
        return Card(self._text(kind).format(**fields), self._text(f"{kind}_body").format(**fields))

    def _text(self, name: str) -> str:
        return _TEXTS[name][0 if self._zh else 1]
