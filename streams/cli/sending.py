"""One call of `jiantu send`: what is due goes out in requests, and what was answered is written down."""

from collections.abc import Callable

from streams.cli import ending
from streams.cli.pacing import Pace
from streams.cli.progress import stream_bar
from streams.cli.screen import warn
from streams.clock import Stopwatch
from streams.core.instant import SECOND, Instant, format_instant, to_datetime
from streams.core.topic_line import read_line
from streams.profile import Profile
from streams.service.answers import Answer
from streams.service.sending import Remembered, Sender, as_event
from streams.sources.contract import Position, Source
from streams.sources.recording import Header

_NOTHING = Answer(0, 0, 0, 0, 0, [], [])
_MILLISECOND = SECOND // 1000


class Sending:
    """One call: from where the last one stopped, to the recording's end or until told to stop."""

    def __init__(
        self,
        sender: Sender,
        profile: Profile,
        source: Source,
        remembered: Remembered,
        pace: Pace | None,
        batch: int,
    ) -> None:
        """Asks the service what it is. Raises SendError."""
        self._sender = sender
        self._profile = profile
        self._source = source
        self._remembered = remembered
        self._pace = pace
        self._batch = batch
        self._clock = Stopwatch()
        about = sender.about()
        if about.profile != profile.name:
            warn(
                f"服务的配置是 {about.profile}，记录的是 {profile.name}",
                f"the service's profile is {about.profile}, the recording's {profile.name}",
            )
        self._live = about.clock == "live"
        self.sent = remembered.load(source.identity, about.inbox)
        self._before = self.sent.received
        self._lines: list[bytes] = []
        self._records = 0
        """Of the recording, that the lines to send next are from."""

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._clock.seconds()

    @property
    def rate(self) -> float:
        """Events a second."""
        return (self.sent.received - self._before) / max(self.seconds, 1e-9)

    def run(self, stopping: Callable[[], bool], *, quiet: bool) -> None:
        """Send. Raises SendError, SendStoppedError."""
        if not self._live and self.sent.record == 0:
            span = tuple(format_instant(at, self._profile.city.zone) for at in self._source.span)
            self._lines.append(Header(profile=self._profile.name, span=(span[0], span[1])).line())
        start, end = self._source.span
        with stream_bar(quiet=quiet) as shown:
            task = shown.add_task("", total=end - start, reached="", rate=None)
            for chunk in self._source.chunks(Position(record=self.sent.record), self._batch):
                for line in chunk.lines.removesuffix(b"\n").split(b"\n"):
                    at = self._add(line)
                    if stopping():
                        break
                    if at is not None:
                        reached = f"{to_datetime(at, self._profile.city.zone):%Y-%m-%d %H:%M}"
                        shown.update(task, completed=min(at, end) - start, reached=reached, rate=self.rate)
                if stopping():
                    break
                if self._pace is None:
                    self._flush()
            self._flush()

    def _add(self, line: bytes) -> Instant | None:
        """One more line to send, when it is due; the event time that it tells of, where that is a tick."""
        found = read_line(line)
        if self._pace is not None and found.timestamp >= 0:
            at = found.timestamp * _MILLISECOND
            if self._records and (self._pace.left(at) > 0 or self._records >= self._batch):
                self._flush()
            self._pace.until(at)
        self._records += 1
        sent = as_event(line) if self._live else line + b"\n"
        if sent is not None:
            self._lines.append(sent)
        return found.tick

    def _flush(self) -> None:
        """Have what is due taken in, and write down that it is."""
        if not self._records:
            return
        answer = self._sender.send(self._lines) if self._lines else _NOTHING
        self.sent.add(answer, self._records)
        self._lines, self._records = [], 0
        if self.sent.inbox is None:
            self.sent.inbox = self._sender.about().inbox
        try:
            self._remembered.save(self.sent)
        except OSError as error:
            raise ending.FailedError(
                f"记不下发到哪里：{self._remembered.path}；加 --state FILE",
                f"{self._remembered.path}: cannot write down how far it got ({error.strerror}); add --state FILE",
            ) from None
