"""Records to events: one call for a clean batch, one record at a time where something is wrong.

Decoding never raises (law 4): whatever the bytes, a record becomes an event or a rejection with one reason.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from streams.core.city import City
from streams.core.event import Event, event_type
from streams.core.instant import Instant, NaiveTimeError, parse_instant
from streams.core.personal import LONGEST, looks_personal
from streams.core.record import Arrival, Reason, Rejection

LARGEST_RECORD = 64 * 1024
"""Bytes. An event of this schema stays below 2 kB; more is a mistake or an attack."""

_ENVELOPE = re.compile(rb'\s*\{\s*"(received|event|tick|raw)"\s*:')
_VOCABULARY = {
    "county": Reason.UNKNOWN_COUNTY,
    "point": Reason.UNKNOWN_POINT,
    "category": Reason.UNKNOWN_CATEGORY,
    "kind": Reason.UNKNOWN_KIND,
    "channel": Reason.UNKNOWN_CHANNEL,
    "sector": Reason.UNKNOWN_SECTOR,
    "outcome": Reason.UNKNOWN_OUTCOME,
}
_IDENTIFIERS = ("id", "ticket", "caller", "matter")
_PATH = re.compile(r"at `\$\.([a-z_.]+)`$")


class Frame(msgspec.Struct, forbid_unknown_fields=True):
    """A recording's line whose event is still bytes; `raw` is a record that is no JSON, in base64."""

    received: int | None = None
    event: msgspec.Raw | None = None
    tick: str | None = None
    raw: str | None = None


class Batch:
    """Records in stream order: what they decoded to, and their bytes for whoever must take a digest."""

    __slots__ = ("_lines", "_text", "arrivals", "first", "ids_are_long")

    def __init__(
        self,
        arrivals: Sequence[Arrival | Rejection],
        first: int,
        text: bytes | Sequence[bytes],
        *,
        ids_are_long: bool = False,
    ) -> None:
        self.arrivals = arrivals
        self.ids_are_long = ids_are_long
        """The decoder has seen that every identifier is too long to be a person's number."""
        self.first = first
        self._text = text
        self._lines: Sequence[bytes] | None = None

    def digest(self, position: int) -> str:
        """SHA-256 of one record's own bytes."""
        if self._lines is None:
            self._lines = self._text.split(b"\n") if isinstance(self._text, bytes) else self._text
        return digest(self._lines[position - self.first])


def digest(line: bytes) -> str:
    """SHA-256 of the record in a line: of the event's bytes, not of the frame a recording puts around them."""
    value: bytes = line
    if _ENVELOPE.match(line):
        try:
            frame = _FRAMES.decode(line)
            if frame.event is not None:
                value = bytes(frame.event)
            elif frame.raw is not None:
                value = base64.b64decode(frame.raw, validate=True)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError):
            pass
    return hashlib.sha256(value).hexdigest()


_FRAMES = msgspec.json.Decoder(Frame)
_UNTYPED = msgspec.json.Decoder(object)


class RecordDecoder:
    """Decodes the records of one city."""

    def __init__(self, city: City) -> None:
        self.event_type = event_type(
            tuple(c.code for c in city.counties),
            tuple(city.points),
            tuple(c.code for c in city.categories),
            tuple(city.channels),
            tuple(city.sectors),
        )
        self._line = _line_decoder(self.event_type)
        self._hashed_line = _line_decoder(_with_long_ids(self.event_type))
        """Takes only lines whose identifiers are all too long to be a person's number, as keyed hashes are: the
        decoder checks that for nothing, where a look at four fields costs a tenth of the tally's time."""
        self._event: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self.event_type)

    def lines(self, text: bytes, first: int, count: int) -> Batch:
        """The batch of `count` lines of a recording, of which the first is record number `first`.

        A line holds an arrival, or an event without a frame; a bad line costs a second look at its batch.
        """
        for decoder, ids_are_long in ((self._hashed_line, True), (self._line, False)):
            try:
                arrivals = decoder.decode_lines(text)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if len(arrivals) == count:  # the decoder passes over blank lines; they are records all the same
                return Batch(arrivals, first, text, ids_are_long=ids_are_long)
        lines = text.split(b"\n")[:count]
        return Batch([self._one_line(line, number) for number, line in enumerate(lines, first)], first, lines)

    def values(self, values: Sequence[tuple[bytes, int | None]], first: int) -> Batch:
        """The batch of a topic's values with their timestamps (epoch milliseconds)."""
        arrivals = [self._value(value, received, number) for number, (value, received) in enumerate(values, first)]
        return Batch(arrivals, first, [value for value, _ in values])

    def _one_line(self, line: bytes, number: int) -> Arrival | Rejection:
        if not _ENVELOPE.match(line):
            return self._value(line, None, number)
        try:
            arrival: Arrival = self._line.decode(line)
            return arrival
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
        try:
            frame = _FRAMES.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            reason = _reason(error, line)
            known = (Reason.NOT_UTF8, Reason.NOT_JSON, Reason.TOO_DEEP)
            return Rejection(reason if reason in known else Reason.BAD_ENVELOPE, number, digest(line))
        if frame.raw is None:
            return self._value(bytes(frame.event or b""), frame.received, number)
        try:
            return self._value(base64.b64decode(frame.raw, validate=True), frame.received, number)
        except (binascii.Error, ValueError):
            return Rejection(Reason.BAD_ENVELOPE, number, digest(line), "raw")

    def _value(self, value: bytes, received: int | None, number: int) -> Arrival | Rejection:
        if not value.strip():
            return Rejection(Reason.EMPTY, number, digest(value))
        if len(value) > LARGEST_RECORD:
            return Rejection(Reason.TOO_LARGE, number, hashlib.sha256(value).hexdigest())
        try:
            return Arrival(received, self._event.decode(value))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return Rejection(_reason(error, value), number, hashlib.sha256(value).hexdigest(), _place(error))


def _line_decoder(event: type[Event]) -> msgspec.json.Decoder[Any]:
    line = msgspec.defstruct(
        "Line",
        [("received", int | None, None), ("event", event | None, None)],
        bases=(Arrival,),
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
    )
    return msgspec.json.Decoder(line)


def _with_long_ids(event: type[Event]) -> type[Event]:
    long_id = Annotated[str, Meta(min_length=LONGEST + 1, max_length=128)]
    made = msgspec.defstruct(
        "HashedEvent",
        [(field.name, *_long(field, long_id)) for field in msgspec.structs.fields(event)],
        bases=(event,),
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )
    assert issubclass(made, Event)
    return made


def _long(field: msgspec.structs.FieldInfo, long_id: Any) -> tuple[Any, ...]:
    kind = field.type if field.name not in _IDENTIFIERS else long_id if field.required else long_id | None
    return (kind,) if field.required else (kind, field.default)


def _place(error: Exception) -> str:
    """The schema's own field that an error is about; a sender's field names are payload and are not shown."""
    found = _PATH.search(str(error)) if isinstance(error, msgspec.ValidationError) else None
    return found[1] if found and found[1] in Event.__struct_fields__ else ""


def _reason(error: Exception, value: bytes) -> Reason:
    if isinstance(error, RecursionError):
        return Reason.TOO_DEEP
    try:
        value.decode()
    except UnicodeDecodeError:
        return Reason.NOT_UTF8
    if not isinstance(error, msgspec.ValidationError):
        return Reason.NOT_JSON
    # The decoder names the first thing wrong before it has read the rest: broken JSON comes first.
    try:
        _UNTYPED.decode(value)
    except RecursionError:
        return Reason.TOO_DEEP
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Reason.NOT_JSON
    text, place = str(error), _place(error)
    if "unknown field" in text:
        return Reason.UNKNOWN_FIELD
    if "missing required field" in text:
        return Reason.MISSING_FIELD
    if "Invalid enum value" in text:
        return _VOCABULARY.get(place, Reason.WRONG_TYPE)
    if "length" in text and place:
        return Reason.BAD_LENGTH
    return Reason.NOT_AN_OBJECT if text.startswith("Expected `object`") and not place else Reason.WRONG_TYPE


def personal_field(event: Event) -> str | None:
    """Name of an identifier field that, as a whole, looks like a person's phone or identity number; or None."""
    for place in _IDENTIFIERS:
        text = getattr(event, place)
        if text is not None and len(text) <= LONGEST and looks_personal(text):
            return place
    return None


def read_time(text: str) -> Instant | Reason:
    """The instant that an event's time field names, or the reason why it names none."""
    try:
        return parse_instant(text)
    except NaiveTimeError:
        return Reason.NAIVE_TIME
    except (ValueError, OverflowError):
        return Reason.BAD_TIME
