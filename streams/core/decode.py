"""Records to events: one call for a clean batch, one record at a time where something is wrong.

Decoding never raises (law 4): whatever the bytes, a record becomes an event or a rejection with one reason.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.core.city import City
from streams.core.columns import LINE, NONE, PLAIN, RECEIVED, Columns, Text, Words, columns_of
from streams.core.decode_values import ValueDecoder
from streams.core.event import Event, event_type
from streams.core.personal import LONGEST, looks_personal
from streams.core.record import Arrival, Reason, Rejection

Stamps = NDArray[np.int64]
"""When each of some values was received, epoch milliseconds; columns.NONE: not known."""

LARGEST_RECORD = 64 * 1024
"""Bytes. An event of this schema stays below 2 kB; more is a mistake or an attack."""
DEEPEST = 32
"""Levels of arrays and objects in each other. The schema has two; Python's own limit is another in every process."""

_FEW, _FEW_OF = 16, 4
"""So many records of a batch, or one in so many of them, are decoded one by one: those that the compiled pass leaves.
Where there are more, all of them at once cost less."""

_ENVELOPE = re.compile(rb'\s*\{\s*"(received|event|tick|raw|rejected)"\s*:')
_BLANK = b" \t\r"
_FRAME_BEGINS = re.compile(rb'_\{_(?:"received"_:_-?(?:0|[1-9]\d{0,15})_,_)?"event"_:'.replace(b"_", rb"[ \t\r]*"))
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
"""A text, or what has no end: every quote begins a match, so that none is looked behind twice."""
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
_MISSING = re.compile(r"Object missing required field `([a-z_]+)`")


class Refused(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """In a frame, what is left of a record that was rejected as it came in: all but the record (law 4)."""

    reason: Reason
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    place: Annotated[str, msgspec.Meta(pattern="^[a-z_]{0,16}$")] = ""


class Frame(msgspec.Struct, forbid_unknown_fields=True):
    """A recording's line whose event is still bytes; `raw` is a record that is no JSON, in base64."""

    received: int | None = None
    event: msgspec.Raw = msgspec.Raw()  # `Raw | None` takes null alone
    tick: str | None = None
    raw: str | None = None
    rejected: Refused | None = None
    carried: msgspec.Raw = msgspec.Raw()
    """What a topic's record has beside its value: `streams.core.topic_line`. No step looks at it."""

    def value(self) -> bytes | None:
        """The record's own bytes; None where there are none. Raises ValueError where `raw` is no base64."""
        if self.raw is not None:
            return base64.b64decode(self.raw, validate=True)
        event = bytes(self.event)
        return None if event in (b"", b"null") else event


class Batch:
    """Records in stream order: what plain ones say, as columns; and what each decodes to, once somebody asks."""

    __slots__ = ("_alone", "_arrivals", "_characters", "_digest", "_one", "_whole", "columns", "first", "text")

    def __init__(
        self,
        first: int,
        text: Text,
        columns: Columns,
        whole: Callable[[], Sequence[Arrival | Rejection]],
        one: Callable[[int], Arrival | Rejection],
        digest: Callable[[int], str],
    ) -> None:
        """`whole` decodes all records, `one` a single one by its place in the batch, `digest` takes that of one."""
        self.first = first
        """Number of the first record."""
        self.text = text
        """What the columns point into."""
        self.columns = columns
        self._whole = whole
        self._one = one
        self._digest = digest
        self._alone: int | None = None
        """How many more are decoded one by one; None: nobody has asked for any."""
        self._arrivals: Sequence[Arrival | Rejection] | None = None
        self._characters: str | None = None

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def characters(self) -> str:
        """The text, a character a byte: what columns point to is ASCII."""
        if self._characters is None:
            self._characters = str(self.text.singles.data, "latin-1")
        return self._characters

    @property
    def arrivals(self) -> Sequence[Arrival | Rejection]:
        """What the records decoded to."""
        if self._arrivals is None:
            self._arrivals = self._whole()
        return self._arrivals

    def arrival(self, place: int) -> Arrival | Rejection:
        """What one record decoded to, by its place in the batch."""
        if self._arrivals is None:
            if self._alone is None:
                few, left = max(_FEW, len(self) // _FEW_OF), len(self) - np.count_nonzero(self.columns[:, PLAIN])
                self._alone = few if left <= few else 0
            if self._alone:
                self._alone -= 1
                return self._one(place)
        return self.arrivals[place]

    def digest(self, position: int) -> str:
        """SHA-256 of one record's own bytes, by its number."""
        return self._digest(position - self.first)


def digest(line: bytes) -> str:
    """SHA-256 of the record in a line: of the event's bytes, not of the frame a recording puts around them."""
    try:
        value = _FRAMES.decode(line).value()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        value = None
    return hashlib.sha256(line if value is None else value).hexdigest()


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
        self._words = Words.of(city)
        self._event: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self.event_type)
        self._values = ValueDecoder(self.event_type, LARGEST_RECORD, self._value)

    def lines(self, text: bytes, first: int, count: int) -> Batch:
        """The batch of `count` lines of a recording, of which the first is record number `first`.

        A line holds an arrival, or an event without a frame.
        """
        padded = Text.of(text)
        columns, _ = columns_of(padded, count, self._words, framed=True)

        def line(place: int) -> bytes:
            begin = int(columns[place, LINE])
            end = text.find(b"\n", begin)
            return text[begin : end if end >= 0 else None]

        return Batch(
            first,
            padded,
            columns,
            whole=lambda: self._arrivals(text, first, count),
            one=lambda place: self._one_line(line(place), first + place),
            digest=lambda place: digest(line(place)),
        )

    def values(self, values: Sequence[tuple[bytes, int | None]], first: int) -> Batch:
        """The batch of a topic's values with their timestamps (epoch milliseconds); a tick is a value too."""
        received = [NONE if received is None else received for _, received in values]
        return self.stamped([value for value, _ in values], np.array(received, dtype=np.int64), first)

    def stamped(self, values: Sequence[bytes], received: Stamps, first: int) -> Batch:
        """The same, values and timestamps apart."""
        joined = b"\n".join(values)
        padded = Text.of(joined)
        columns, after = columns_of(padded, len(values), self._words, framed=False)
        columns[:, RECEIVED] = received
        if after != len(joined) + 1:  # a value of several lines
            columns[:] = 0

        def value(place: int) -> tuple[bytes, int | None]:
            stamp = int(received[place])
            return values[place], None if stamp == NONE else stamp

        return Batch(
            first,
            padded,
            columns,
            whole=lambda: self._values.arrivals([value(place) for place in range(len(values))], first),
            one=lambda place: self._values.arrival(value(place), first + place),
            digest=lambda place: hashlib.sha256(values[place]).hexdigest(),
        )

    def _arrivals(self, text: bytes, first: int, count: int) -> Sequence[Arrival | Rejection]:
        """What `count` lines decode to; a bad line costs a second look at all of them."""
        if not _has_long_line(text):
            try:
                arrivals: list[Arrival] = self._line.decode_lines(text)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                arrivals = []
            if len(arrivals) == count:  # the decoder passes over blank lines; they are records all the same
                return arrivals
        return [self._one_line(line, number) for number, line in enumerate(text.split(b"\n")[:count], first)]

    def _one_line(self, line: bytes, number: int) -> Arrival | Rejection:
        """What `arrivals` makes of one line: whatever is taken in a clean batch is taken here."""
        if not _ENVELOPE.match(line):
            verdict = self._value(line, None, number)
            return (self._arrival(line) or verdict) if isinstance(verdict, Rejection) else verdict
        return self._arrival(line) or self._frame(line, number)

    def _arrival(self, line: bytes) -> Arrival | None:
        if len(line) > LARGEST_RECORD:
            return None
        try:
            arrival: Arrival = self._line.decode(line)
            return arrival
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    def _frame(self, line: bytes, number: int) -> Arrival | Rejection:
        """A frame that is no arrival at once: for what it holds, or for itself."""
        try:
            frame = None if _too_deep(line) else _FRAMES.decode(line)
        except msgspec.ValidationError as error:
            reason, _ = _reason(error, line)
            known = (Reason.NOT_UTF8, Reason.NOT_JSON)
            return Rejection(reason if reason in known else Reason.BAD_ENVELOPE, number, digest(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            frame = None
        if frame is None:
            return self._value(_framed(line), None, number)
        if frame.rejected is not None:
            return Rejection(frame.rejected.reason, number, frame.rejected.digest, frame.rejected.place)
        try:
            value = frame.value()
        except ValueError:
            return Rejection(Reason.BAD_ENVELOPE, number, digest(line), "raw")
        if value is None:
            reason = Reason.TOO_LARGE if len(line) > LARGEST_RECORD else Reason.EMPTY
            return Rejection(reason, number, digest(line))
        return self._value(value, frame.received, number)

    def _value(self, value: bytes, received: int | None, number: int) -> Arrival | Rejection:
        if not value.strip():
            return Rejection(Reason.EMPTY, number, hashlib.sha256(value).hexdigest())
        if len(value) > LARGEST_RECORD:
            return Rejection(Reason.TOO_LARGE, number, hashlib.sha256(value).hexdigest())
        try:
            return Arrival(received, self._event.decode(value))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            reason, place = _reason(error, value)
            return Rejection(reason, number, hashlib.sha256(value).hexdigest(), place)


def _line_decoder(event: type[Event]) -> msgspec.json.Decoder[Any]:
    line = msgspec.defstruct(
        "Line",
        [("received", int | None, None), ("event", event | None, None), ("carried", msgspec.Raw, msgspec.Raw())],
        bases=(Arrival,),
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
    )
    return msgspec.json.Decoder(line)


def _framed(line: bytes) -> bytes:
    """What a frame holds that cannot be read as one, for no JSON is in it; the whole line where it is no frame."""
    begins, line_ends = _FRAME_BEGINS.match(line), line.rstrip(_BLANK)
    if begins is None or not line_ends.endswith(b"}"):
        return line
    return line_ends[begins.end() : -1].strip(_BLANK)


def _has_long_line(text: bytes) -> bool:
    """Whether a line is longer than a record may be; looks at one place in each stretch of that length."""
    start = 0
    while len(text) - start > LARGEST_RECORD:
        end = text.rfind(b"\n", start, start + LARGEST_RECORD + 1)
        if end < 0:
            return True
        start = end + 1
    return False


def _too_deep(value: bytes) -> bool:
    if value.count(b"[") + value.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for bracket in re.findall(rb"[\[\]{}]", _STRING.sub(b"", value)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _reason(error: Exception, value: bytes) -> tuple[Reason, str]:
    """Why bytes are no event, and the schema's own field that it is about; a sender's field names are payload.

    The decoder names the first thing wrong before it has read the rest; here what is no JSON at all comes first.
    What the decoder says holds payload too: only its beginning and its end are its own words.
    """
    if _too_deep(value):
        return Reason.TOO_DEEP, ""
    try:
        value.decode()
        whole = _UNTYPED.decode(value)
    except UnicodeDecodeError:
        return Reason.NOT_UTF8, ""
    except (msgspec.MsgspecError, RecursionError):
        return Reason.NOT_JSON, ""
    if not isinstance(whole, dict):
        return Reason.NOT_AN_OBJECT, ""
    text = str(error)
    if text.startswith("Object contains unknown field"):
        return Reason.UNKNOWN_FIELD, ""
    if missing := _MISSING.fullmatch(text):
        return (Reason.MISSING_FIELD, missing[1]) if whole else (Reason.EMPTY, "")
    found = _PATH.search(text)
    place = found[1] if found and found[1] in Event.__struct_fields__ else ""
    # A field of which the city has no words at all takes null alone.
    if text.startswith(("Invalid enum value", "Expected `null`, got `str`")):
        return _VOCABULARY.get(place, Reason.WRONG_TYPE), place
    return Reason.BAD_LENGTH if text.startswith("Expected `str` of length") else Reason.WRONG_TYPE, place


def personal_field(event: Event) -> str | None:
    """Name of an identifier field that, as a whole, looks like a person's phone or identity number; or None."""
    for place in _IDENTIFIERS:
        text = getattr(event, place)
        if text is not None and len(text) <= LONGEST and looks_personal(text):
            return place
    return None
