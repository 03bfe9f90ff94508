"""Good events made bad in every way there is a reason for: 100,000 of them if need be, each with its reason."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np

from streams.core.decode import DEEPEST, LARGEST_RECORD
from streams.core.record import Reason
from tests.promises.disorder import recorded
from tests.promises.lake import recorded_lines

SECRET = "李四家住沙湾路八号"
"""What a sender must not send, and nobody may keep."""
PHONE = "13912345678"

Event = dict[str, Any]


class Line(NamedTuple):
    """A line of a recording."""

    line: bytes
    value: bytes
    """The record's own bytes: what the frame of the recording holds; all of it where the frame is what is bad."""


class Spoiled(NamedTuple):
    """A record that cannot become an event, and why."""

    digest: str
    """SHA-256 of its own bytes."""
    reason: Reason


Way = Callable[[Event, int], Line]
"""Makes a bad line of a good event and the time it was received."""


def _framed(event: bytes, received: int) -> Line:
    return Line(b'{"received":%d,"event":%b}\n' % (received, event), event)


def _bare(line: bytes) -> Line:
    return Line(line + b"\n", line)


def _with(**fields: Any) -> Way:
    """A way to spoil: fields that a good event gets, or loses where they are None."""

    def spoil(event: Event, received: int) -> Line:
        changed = {name: value for name, value in (event | fields).items() if value is not None}
        return _framed(msgspec.json.encode(changed), received)

    return spoil


def _text(make: Callable[[bytes], bytes]) -> Way:
    return lambda event, received: _framed(make(msgspec.json.encode(event)), received)


def _late_clock(event: Event, received: int) -> Line:
    """Said to have happened a year and a half before it can have been received."""
    return _framed(msgspec.json.encode(event), received - 18 * 30 * 86_400_000)


WAYS: tuple[tuple[Reason, Way], ...] = (
    (Reason.EMPTY, lambda event, received: _bare(b"")),
    (Reason.EMPTY, lambda event, received: _bare(b'{"received":%d}' % received)),
    (Reason.NOT_UTF8, _text(lambda text: text.replace(b'"id":"', b'"id":"\xff\xfe'))),
    (Reason.NOT_JSON, _text(lambda text: text[: len(text) // 2])),
    (Reason.NOT_JSON, _text(lambda text: text[:-1] + b',"due":NaN}')),
    (Reason.NOT_JSON, lambda event, received: _bare(SECRET.encode())),
    (Reason.TOO_DEEP, _text(lambda text: text[:-1] + b',"x":' + b"[" * DEEPEST + b"]" * DEEPEST + b"}")),
    (Reason.NOT_AN_OBJECT, _text(lambda text: b"[" + text + b"]")),
    (Reason.UNKNOWN_FIELD, _with(text=SECRET)),
    (Reason.MISSING_FIELD, _with(county=None)),
    (Reason.WRONG_TYPE, _with(category=["noise"])),
    (Reason.BAD_LENGTH, _with(id="")),
    (Reason.UNKNOWN_COUNTY, _with(county=SECRET)),
    (Reason.UNKNOWN_POINT, _with(point="letterbox")),
    (Reason.UNKNOWN_CATEGORY, _with(category=SECRET)),
    (Reason.UNKNOWN_KIND, _with(kind="shouted")),
    (Reason.UNKNOWN_CHANNEL, _with(channel="pigeon")),
    (Reason.UNKNOWN_SECTOR, _with(sector="moon")),
    (Reason.UNKNOWN_OUTCOME, _with(outcome="fine")),
    (Reason.NAIVE_TIME, _with(at="2025-03-01T12:00:00")),
    (Reason.BAD_TIME, _with(at="2025-02-30T12:00:00Z")),
    (Reason.BAD_TIME, _with(due="soon")),
    (Reason.FUTURE, _late_clock),
    (Reason.PERSONAL_NUMBER, _with(caller=PHONE)),
    (Reason.PERSONAL_NUMBER, _with(id=PHONE)),
    (Reason.BAD_ENVELOPE, lambda event, received: _bare(b'{"received":"' + PHONE.encode() + b'","event":{}}')),
)
_TOO_LARGE = _with(text=SECRET * (LARGEST_RECORD // 27 + 1))
_LARGE_EVERY = 250
"""Of the long lines there are few, or the recording is all of them."""


def mixed(spoiled: int, seed: int) -> tuple[list[bytes], dict[int, Spoiled]]:
    """The recording's lines with so many more that are spoiled, anywhere; and those by their record numbers."""
    lines = recorded_lines()
    random = np.random.default_rng(seed)
    arrivals = [msgspec.json.decode(one.line) for one in recorded() if one.event]
    good: list[tuple[Event, int]] = [(arrival["event"], arrival["received"]) for arrival in arrivals]
    assert len(good) > 5000
    placed: list[tuple[float, bytes, Spoiled | None]] = [(float(i), line, None) for i, line in enumerate(lines)]
    places = random.uniform(0, len(lines), spoiled).tolist()
    for number, (place, which) in enumerate(zip(places, random.integers(0, len(good), spoiled).tolist(), strict=True)):
        reason, spoil = WAYS[number % len(WAYS)] if number % _LARGE_EVERY else (Reason.TOO_LARGE, _TOO_LARGE)
        line, value = spoil(*good[which])
        placed.append((place, line, Spoiled(hashlib.sha256(value).hexdigest(), reason)))
    placed.sort(key=lambda item: item[0])
    return (
        [line for _, line, _ in placed],
        {number: bad for number, (_, _, bad) in enumerate(placed) if bad is not None},
    )
