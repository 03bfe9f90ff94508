"""A record of the topic `events` as a recording's line, and back: bytes, key, headers and time of receipt are kept.

A line says only what cannot be told from the record itself. The rest stands in `carried`, behind the event, and
changes nothing of what the steps see:

    {"received":1735660800123,"event":{...},"carried":{"key":"NTEx","partition":3,"headers":[["source","YQ=="]]}}
"""

import base64
from collections.abc import Callable, Collection
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from streams.core.decode_values import read_time
from streams.core.instant import SECOND, Instant
from streams.core.record import Reason

NO_TIMESTAMP = -1
"""Kafka's own value for a record that says no time."""
LATEST_TIMESTAMP = 253_402_300_799_999
"""The last millisecond of the year 9999: no event's time is later, so no verdict tells it from a later one."""
RECORD_HEADER = "jiantu-record"
"""Number of the record in its recording, from 0; how far a replay has got is read from it."""
RECORDING_HEADER = "jiantu-recording"
"""On the first tick of every partition: the recording's header line, and its identity."""
REDRIVEN_HEADER = "jiantu-redriven"
"""On a record that was rejected once and produced again: `topic/partition/offset` of the original."""
_MILLISECOND = SECOND // 1000
_OWN = (RECORD_HEADER, RECORDING_HEADER)

Headers = tuple[tuple[str, bytes], ...]


class Carried(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a topic's record has beside value and timestamp, where it is not what the record itself suggests."""

    key: bytes | UnsetType | None = UNSET
    partition: int | None = None
    headers: Headers = ()
    null: bool = False
    """The record has no value at all, which is not the same as an empty one."""


_NOTHING = Carried()


class Line(NamedTuple):
    """What a line of a recording is in a topic."""

    value: bytes | None
    timestamp: int
    """Epoch milliseconds; NO_TIMESTAMP where the line says none."""
    tick: Instant | None = None
    """Event time that the line says has passed: such a record goes to every partition."""
    carried: Carried | None = None


class _Framed(msgspec.Struct, forbid_unknown_fields=True):
    received: int | None = None
    event: msgspec.Raw = msgspec.Raw()
    tick: str | None = None
    raw: str | None = None
    carried: Carried | None = None


class _About(msgspec.Struct):
    county: str


_FRAMES = msgspec.json.Decoder(_Framed)
_ABOUT = msgspec.json.Decoder(_About)
_UNTYPED = msgspec.json.Decoder(object)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_line(line: bytes) -> Line:
    """A recording's line, without its newline, as the topic is to hold it. Never raises.

    What is no frame is the record itself: an event without one, or bytes that will be rejected as they are.

    >>> read_line(b'{"received":7,"event":{"id":"1"}}')
    Line(value=b'{"id":"1"}', timestamp=7, tick=None, carried=None)
    >>> read_line(b'{"tick":"1970-01-01T00:00:01Z"}').tick
    1000000
    """
    try:
        frame = _FRAMES.decode(line)
    except _UNREADABLE:
        return Line(line, NO_TIMESTAMP)
    stamp = NO_TIMESTAMP if frame.received is None else min(max(frame.received, 0), LATEST_TIMESTAMP)
    if frame.raw is not None:
        try:
            value = base64.b64decode(frame.raw, validate=True)
        except ValueError:
            return Line(line, stamp)
        is_null = frame.carried is not None and frame.carried.null
        return Line(None if is_null else value, stamp, None, frame.carried)
    event = bytes(frame.event)
    if event not in (b"", b"null"):
        return Line(event, stamp, None, frame.carried)
    tick = None if frame.tick is None else read_time(frame.tick)
    if frame.tick is None or tick is None or isinstance(tick, Reason):
        return Line(line, stamp)
    return Line(tick_value(frame.tick), stamp_of(tick), tick)


def tick_value(text: str) -> bytes:
    """A tick as the topic's value; `text` is an RFC 3339 time."""
    return b'{"tick":"%b"}' % text.encode()


def tick_of(value: bytes | None) -> Instant | None:
    """The event time that a topic's value says has passed; None where it is no tick."""
    if value is None or not value.startswith(b'{"tick":'):
        return None
    line = read_line(value)
    return line.tick


def county_of(value: bytes | None, counties: Collection[str]) -> str | None:
    """The county of a city that a value is about, however wrong the rest of it; None where it names none of them."""
    if value is None:
        return None
    try:
        county = _ABOUT.decode(value).county
    except _UNREADABLE:
        return None
    return county if county in counties else None


def write_line(value: bytes | None, timestamp: int, carried: Carried | None = None) -> bytes:
    """A topic's record as a recording's line, newline included; `read_line` gives back the same.

    >>> write_line(b'{"id":"1"}', 7)
    b'{"received":7,"event":{"id":"1"}}\\n'
    >>> write_line(b"hello", NO_TIMESTAMP, Carried(partition=2))
    b'{"raw":"aGVsbG8=","carried":{"partition":2}}\\n'
    """
    stamp = b"" if timestamp < 0 else b'"received":%d,' % timestamp
    rest = b"" if carried is None else b',"carried":%b' % msgspec.json.encode(carried)
    if value is not None and _is_plain(value):
        return b'{%b"event":%b%b}\n' % (stamp, value, rest)
    return b'{%b"raw":"%b"%b}\n' % (stamp, base64.b64encode(value or b""), rest)


def carried_of(
    value: bytes | None,
    key: bytes | None,
    partition: int,
    headers: Headers,
    counties: Collection[str],
    partition_of: Callable[[str], int],
) -> Carried | None:
    """What a line has to say beside a record's value and time, so that `read_line` puts it where it lies; None where
    it lies where its county belongs, under its code, and says nothing more."""
    county = county_of(value, counties)
    usual_key = None if county is None else county.encode()
    usual = 0 if county is None else partition_of(county)
    if value is None and not key:  # clients refuse a record without either; an empty key says as little as none
        key = usual_key
    carried = Carried(
        key=UNSET if key == usual_key else key,
        partition=None if partition == usual else partition,
        headers=kept_headers(headers),
        null=value is None,
    )
    return None if carried == _NOTHING else carried


def kept_headers(headers: Collection[tuple[str, bytes]]) -> Headers:
    """A record's headers without those that say where in a recording it stands."""
    return tuple((name, value) for name, value in headers if name not in _OWN)


def number_of(headers: Collection[tuple[str, bytes]]) -> int | None:
    """The record's number in the recording that it was replayed from; None where it was not."""
    for name, value in headers:
        if name == RECORD_HEADER and value.isdigit():
            return int(value)
    return None


def stamp_of(tick: Instant) -> int:
    """The timestamp that a tick gets."""
    return min(max(tick // _MILLISECOND, 0), LATEST_TIMESTAMP)


def _is_plain(value: bytes) -> bool:
    """Whether a value can stand in a line as it is: JSON on one line, nothing around it, and not null."""
    if b"\n" in value or b"\r" in value or value == b"null" or value != value.strip():
        return False
    try:
        _UNTYPED.decode(value)
    except _UNREADABLE:
        return False
    return True
