"""From records to lines of the inbox: whatever cannot become an event is told from the rest before it lies anywhere.

A rejected record leaves its reason, its digest and the field's name (law 4); the tally gives it its place in the
accounting, as of any recording.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from streams.core import admission
from streams.core.decode import RecordDecoder
from streams.core.instant import HOUR, Instant, parse_instant
from streams.core.record import Arrival, Reason, Rejection
from streams.core.topic_line import read_line
from streams.service.records import Fault, Given, one_line
from streams.sources.contract import SourceError
from streams.sources.recorder import tick_line
from streams.sources.recording import Header, Trailer


class Screened(NamedTuple):
    """What a record came to before it is counted."""

    line: bytes
    """Of the inbox, with its newline; empty for a recording's own header and trailer."""
    rejected: tuple[Reason, str] | None = None
    """Why it is none, and the field that it is about."""
    counts: bool = True
    """False: a tick, or nothing."""


def screen_live(decoder: RecordDecoder, given: Sequence[Given], received: int) -> list[Screened]:
    """Records that came in now: events alone; `received` in epoch milliseconds."""
    values = [one for one in given if isinstance(one, bytes)]
    arrivals = iter(decoder.values([(value, received) for value in values], 0).arrivals)
    made: list[Screened] = []
    for one in given:
        if isinstance(one, Fault):
            made.append(_left(one.reason, one.digest, "", received))
            continue
        arrival = next(arrivals)
        rejected = _why(arrival, one)
        if rejected is None:
            made.append(Screened(b'{"received":%d,"event":%b}\n' % (received, one_line(one))))
        else:
            made.append(_left(*rejected, received))
    return made


def screen_stream(decoder: RecordDecoder, given: Sequence[Given]) -> list[Screened]:
    """Lines of a recording that is sent: frames, events without one, ticks; its header and trailer say nothing."""
    flat = [_flat(one) for one in given]
    lines = [one for one in flat if isinstance(one, bytes) and not _is_bracket(one)]
    arrivals = iter(decoder.lines(b"".join(line + b"\n" for line in lines), 0, len(lines)).arrivals)
    made: list[Screened] = []
    for one in flat:
        if isinstance(one, Fault):
            made.append(_left(one.reason, one.digest, "", None))
        elif _is_bracket(one):
            made.append(Screened(b"", counts=False))
        else:
            arrival = next(arrivals)
            if isinstance(arrival, Arrival) and arrival.event is None and arrival.tick is not None:
                made.append(_tick(one, arrival.tick))
                continue
            rejected = _why(arrival, one)
            made.append(_framed(one, arrival.received) if rejected is None else _left(*rejected, arrival.received))
    return made


def start_of(given: Sequence[Given]) -> Instant | None:
    """Where the windows of a stream begin that begins with these: what its header says, or the hour of the earliest
    time in it; None: nothing says. Raises SourceError for a header that is wrong."""
    times: list[Instant] = []
    for one in given:
        if not isinstance(one, bytes):
            continue
        if one.startswith(b'{"recording"'):
            return _start_of_header(one)
        try:
            times += [parse_instant(text) for text in _times(one)]
        except (ValueError, OverflowError):
            continue
    return min(times) // HOUR * HOUR if times else None


class _Timed(msgspec.Struct):
    tick: str | None = None
    at: str | None = None
    event: "_Timed | None" = None


_TIMED = msgspec.json.Decoder(_Timed)


def _times(line: bytes) -> list[str]:
    try:
        found = _TIMED.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    at = found.event.at if found.event is not None else found.at
    return [text for text in (found.tick, at) if text is not None]


def _start_of_header(line: bytes) -> Instant:
    try:
        return parse_instant(msgspec.json.decode(line, type=Header).span[0])
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, OverflowError):
        raise SourceError("line 1", "the header of the recording is wrong", "send its header as it is") from None


def _is_bracket(line: bytes) -> bool:
    """Whether a line is a recording's header or trailer."""
    if line.startswith(b'{"recording"'):
        return True
    if not line.startswith(b'{"count"'):
        return False
    try:
        msgspec.json.decode(line, type=Trailer)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def _flat(one: Given) -> Given:
    """A record on one line."""
    if isinstance(one, Fault):
        return one
    try:
        return one_line(one)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Fault(Reason.NOT_JSON, _digest(one))


def _tick(line: bytes, tick: str) -> Screened:
    try:
        parse_instant(tick)
    except (ValueError, OverflowError):
        return _left(Reason.BAD_ENVELOPE, _digest(line), "tick", None)
    return Screened(tick_line(tick), counts=False)


def _framed(line: bytes, received: int | None) -> Screened:
    """An event as it is kept: without what a topic's record had beside it, which nobody has looked at."""
    value = read_line(line).value or line
    stamp = b"" if received is None else b'"received":%d,' % received
    return Screened(b'{%b"event":%b}\n' % (stamp, one_line(value)))


def _why(arrival: Arrival | Rejection, value: bytes) -> tuple[Reason, str, str] | None:
    """(reason, digest, field) of a record that cannot count; None: it can."""
    if isinstance(arrival, Rejection):
        return arrival.reason, arrival.digest, arrival.place
    if arrival.event is None:
        return (Reason.UNKNOWN_FIELD if arrival.tick is not None else Reason.EMPTY), _digest(value), ""
    admitted = admission.admit(arrival.event, arrival.received)
    if isinstance(admitted, admission.Fault):
        return admitted.reason, _digest(value), admitted.place
    return None


def _left(reason: Reason, digest: str, place: str, received: int | None) -> Screened:
    """What is left of a rejected record: a recording's line, and no record."""
    stamp = b"" if received is None else b'"received":%d,' % received
    field = b"" if not place else b',"place":"%b"' % place.encode()
    line = b'{%b"rejected":{"reason":"%b","digest":"%b"%b}}\n' % (stamp, reason.encode(), digest.encode(), field)
    return Screened(line, (reason, place))


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()
