"""Events that a caller hands over, as lines of a recording: with ticks where there are none, and their span."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from streams.core.city import City
from streams.core.instant import HOUR, SECOND, Instant, format_instant, parse_instant
from streams.core.window import WindowGrid

GivenEvent = Mapping[str, Any] | bytes | str
"""An event's fields, or its JSON; likewise a recording's line: {"received":…,"event":{…}}, {"tick":"…"}."""


@dataclass(frozen=True, slots=True)
class GivenLines:
    """Records in stream order."""

    lines: list[bytes]
    """Each with its newline."""
    span: tuple[Instant, Instant]
    """[start, end) of event time."""


def given_lines(events: Iterable[GivenEvent], city: City) -> GivenLines:
    """The lines of some events, in their order: the order in which they are received.

    The span starts with the reporting day of the first event whose time can be read. Where no tick is among them,
    every full hour of event time gives one before the first event at or after it, and the last is the allowed
    lateness after the last event: windows that ended by then are closed.
    """
    lines = [_line(event) for event in events]
    times = [_times(line) for line in lines]
    known = [at for pair in times for at in pair if at is not None]
    if not known:
        return GivenLines(lines, (0, 1))
    start = WindowGrid(city.zone, city.day_start).day(known[0]).start
    span = start, max(known) // SECOND * SECOND + SECOND
    if any(tick is not None for _, tick in times):
        return GivenLines(lines, span)
    made: list[bytes] = []
    due = start + HOUR
    for line, (at, _) in zip(lines, times, strict=True):
        while at is not None and due <= at:
            made.append(_tick(due, city))
            due += HOUR
        made.append(line)
    return GivenLines([*made, _tick(max(known) + city.allowed_lateness, city)], span)


def _tick(at: Instant, city: City) -> bytes:
    return msgspec.json.encode({"tick": format_instant(at, city.zone)}) + b"\n"


def _line(event: GivenEvent) -> bytes:
    """One record on one line: as it was given where that is one."""
    if isinstance(event, Mapping):
        return msgspec.json.encode(event) + b"\n"
    payload = event.encode() if isinstance(event, str) else event
    payload = payload.strip(b"\r\n") if payload.strip() else payload
    if b"\n" not in payload and b"\r" not in payload:
        return payload + b"\n"
    try:
        return msgspec.json.format(payload, indent=-1) + b"\n"
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return msgspec.json.encode({"raw": base64.b64encode(payload).decode()}) + b"\n"


def _times(line: bytes) -> tuple[Instant | None, Instant | None]:
    """(event time, tick) of a line; None for what it has not, or what cannot be read."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None, None
    if not isinstance(found, dict):
        return None, None
    event = found.get("event")
    fields = event if isinstance(event, dict) else found
    return _instant(fields.get("at")), _instant(found.get("tick"))


def _instant(text: object) -> Instant | None:
    try:
        return parse_instant(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
