"""A recording sent into a live service, in order: no record lost, none counted twice, however often it is begun again.

One request is under way at a time. What was answered is written down beside the recording; what was sent and not yet
answered is sent again, and is a duplicate by its id. 429 and 503, and a service that is not there, are waited for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from streams.clock import Stopwatch, pause
from streams.core.instant import SECOND, Duration
from streams.core.topic_line import read_line
from streams.service.answers import Answer
from streams.service.records import LINES

_FIRST_WAIT: Duration = SECOND // 2
_LONGEST_WAIT: Duration = 30 * SECOND
_SLICE: Duration = SECOND // 5
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_COME_AGAIN = frozenset({408, 429, 502, 503, 504})


class SendError(Exception):
    """A service that does not take what is sent: where, why, and what to do."""


class AddressError(SendError):
    """What is no address of a service: exit 2, for it was typed wrong."""


class SendStoppedError(Exception):
    """Told to stop while waiting."""


class About(msgspec.Struct):
    """What a service says of itself."""

    version: str
    profile: str
    clock: str
    inbox: str | None
    """Name of its inbox, that no other has; None: it has not begun."""


class Sent(msgspec.Struct):
    """How far a recording was sent, as it is written down."""

    source: str
    """Identity of the recording."""
    inbox: str | None = None
    """Name of the inbox that it went into."""
    record: int = 0
    """Number of the next record."""
    received: int = 0
    counted: int = 0
    duplicate: int = 0
    late: int = 0
    rejected: int = 0

    def add(self, answer: Answer, records: int) -> None:
        """Some more were answered for."""
        self.record += records
        for total in ("received", "counted", "duplicate", "late", "rejected"):
            setattr(self, total, getattr(self, total) + getattr(answer, total))


class Remembered:
    """Where it is written down how far a recording was sent."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, source: str, inbox: str | None) -> Sent:
        """How far it was sent into an inbox; from the start where that is another one, or nothing can be read."""
        try:
            found = msgspec.json.decode(self.path.read_bytes(), type=Sent)
        except (OSError, msgspec.DecodeError):
            return Sent(source, inbox)
        return found if inbox is not None and (found.source, found.inbox) == (source, inbox) else Sent(source, inbox)

    def save(self, sent: Sent) -> None:
        """Write it down, whole or not at all. Raises OSError."""
        unfinished = self.path.with_name(f"{self.path.name}.part")
        unfinished.write_bytes(msgspec.json.encode(sent))
        unfinished.replace(self.path)


@dataclass(frozen=True, slots=True)
class Waited:
    """A try that was not taken, for whoever watches."""

    why: str
    seconds: float


class Sender:
    """Sends lines of a recording to one service."""

    def __init__(
        self, url: str, token: str, patience: Duration, stopping: Callable[[], bool], said: Callable[[Waited], None]
    ) -> None:
        """`patience`: how long a service may be away or busy before that is an error. Raises SendError."""
        self._patience = patience
        self._stopping = stopping
        self._said = said
        try:
            address = httpx.URL(url)
        except (httpx.InvalidURL, ValueError, UnicodeError):
            address = httpx.URL()
        if address.scheme not in ("http", "https") or not address.host:
            raise AddressError(f"--to {url}: is no address of a service; write http://HOST:PORT")
        headers = {"authorization": f"Bearer {token}", "content-type": LINES[0]}
        self._client = httpx.Client(base_url=address, headers=headers, timeout=_TIMEOUT)
        self.url = url

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def about(self) -> About:
        """What is there. Raises SendError where it is no live service of jiantu."""
        response = self._ask("GET", "/version", b"")
        try:
            return msgspec.json.decode(response.content, type=About)
        except msgspec.DecodeError:
            raise SendError(
                f"{self.url}: answers {response.status_code}, and is no live service of jiantu; check --to"
            ) from None

    def send(self, lines: list[bytes]) -> Answer:
        """Have lines taken in; durable when it returns. Raises SendError, SendStoppedError."""
        response = self._ask("POST", "/v1/events", b"".join(lines))
        if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE and len(lines) > 1:
            half = len(lines) // 2
            return _both(self.send(lines[:half]), self.send(lines[half:]))
        if response.status_code in (httpx.codes.ACCEPTED, httpx.codes.BAD_REQUEST):
            try:
                return msgspec.json.decode(response.content, type=Answer)
            except msgspec.DecodeError:
                pass
        raise SendError(f"{self.url}: {response.status_code} {_words(response)}")

    def _ask(self, method: str, path: str, body: bytes) -> httpx.Response:
        """An answer that is none of "come again"."""
        waited, wait = Stopwatch(), _FIRST_WAIT
        while True:
            try:
                response = self._client.request(method, path, content=body)
            except httpx.TransportError as error:
                why, asked = f"{type(error).__name__}: {error}", 0
            else:
                if response.status_code not in _COME_AGAIN:
                    return response
                why, asked = f"{response.status_code} {_words(response)}", _retry_after(response)
            rest = max(wait, asked)
            if waited.elapsed() + rest > self._patience:
                raise SendError(f"{self.url}: gave up after {waited.seconds():.0f} s ({why}); the same command goes on")
            self._said(Waited(why, rest / SECOND))
            self._wait(rest)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _wait(self, duration: Duration) -> None:
        clock = Stopwatch()
        while (left := duration - clock.elapsed()) > 0:
            if self._stopping():
                raise SendStoppedError
            pause(min(left, _SLICE))


def as_event(line: bytes) -> bytes | None:
    """A recording's line as a live service takes it: the event alone; None for a tick."""
    found = read_line(line.rstrip(b"\n"))
    if found.tick is not None:
        return None
    return (found.value or b"").replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


def state_file(recording: Path) -> Path:
    """Where it is written down how far a recording was sent, unless somebody says otherwise."""
    return recording.with_name(f".{recording.name}.sent")


def _both(one: Answer, other: Answer) -> Answer:
    totals = ("received", "counted", "duplicate", "late", "rejected")
    sums = {total: getattr(one, total) + getattr(other, total) for total in totals}
    return Answer(**sums, verdicts=one.verdicts + other.verdicts, rejections=one.rejections + other.rejections)


def _retry_after(response: httpx.Response) -> Duration:
    text = response.headers.get("retry-after", "")
    return min(int(text), 3600) * SECOND if text.isascii() and text.isdecimal() else 0


def _words(response: httpx.Response) -> str:
    """What a service said, or the beginning of it."""
    try:
        found = msgspec.json.decode(response.content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return response.reason_phrase
    if isinstance(found, dict) and isinstance(found.get("en"), str):
        return f"{found.get('zh', '')}  {found['en']}"
    return response.reason_phrase
