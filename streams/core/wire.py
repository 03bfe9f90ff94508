"""What the steps hand on, as bytes: the values of the topics `windows`, `scores`, `alerts` and `events.dlq`.

| topic | holds | encoding |
|---|---|---|
| windows | ClosedWindow | MessagePack |
| scores | ScoredWindow, AlwaysPage | MessagePack |
| alerts | Raised, Joined, Ended, Correction | JSON, one object, told apart by `type` |
| events.dlq | DeadLetter | JSON |

Equal values give equal bytes on every machine, and `encode(decode(b)) == b` for all that was encoded here. Whatever
else is decoded raises WireError, and nothing but that. `id_of` says what a value is about: a step that repeats its
work after a crash makes the same value with the same id once more, and whoever has it ignores it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from streams.core.alert import Ended, Joined, Raised, Transition
from streams.core.instant import Instant
from streams.core.outputs import AlwaysPage, ClosedWindow, Correction, ScoredWindow
from streams.core.record import Reason
from streams.core.wire_windows import (
    WiredPage,
    WiredScores,
    WiredWindow,
    packed_page,
    packed_scores,
    packed_window,
    page_of,
    scores_of,
    window_of,
)


class WireError(ValueError):
    """Bytes that none of these encodings made: what is wrong, without a word of what they hold."""


class DeadLetter(Struct, frozen=True):
    """A record that could not become an event: why, and where its bytes are to be found; never the bytes."""

    reason: Reason
    topic: str
    partition: int
    offset: int
    digest: str
    """SHA-256 of the record's value, hex."""
    reached: Instant
    """Event time that ticks had told of before it."""
    place: str = ""
    """JSON path of the offending field, where it is one of the schema's own."""


class _Correction(Struct, frozen=True, tag="correction"):
    event: str
    county: str
    at: Instant
    window_start: Instant
    window_end: Instant
    signals: tuple[str, ...]


Alerted = Transition | Correction
"""What goes over the topic of alerts: what the judge did, and the late events that a tally appended."""

Wired = ClosedWindow | ScoredWindow | AlwaysPage | Alerted | DeadLetter

_T = TypeVar("_T")
_msgpack = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode
_windows = msgspec.msgpack.Decoder(WiredWindow)
_scores: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(WiredScores | WiredPage)
_alerts: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Raised | Joined | Ended | _Correction)
_letters = msgspec.json.Decoder(DeadLetter)


# ---- windows, scores -----------------------------------------------------------------------------------------


def encode_window(window: ClosedWindow) -> bytes:
    """A closed window's bytes: of its cells, whatever their order, the same."""
    return _msgpack(packed_window(window))


def decode_window(data: bytes) -> ClosedWindow:
    """The closed window that bytes hold. Raises WireError."""
    return _read(lambda: window_of(_windows.decode(data)))


def encode_score(scored: ScoredWindow | AlwaysPage) -> bytes:
    """A scored window's bytes, or those of an event that pages by what it is."""
    return _msgpack(packed_page(scored) if isinstance(scored, AlwaysPage) else packed_scores(scored))


def decode_score(data: bytes) -> ScoredWindow | AlwaysPage:
    """What bytes of the topic of scores hold. Raises WireError."""

    def read() -> ScoredWindow | AlwaysPage:
        packed = _scores.decode(data)
        return page_of(packed) if isinstance(packed, WiredPage) else scores_of(packed)

    return _read(read)


# ---- alerts, dead letters ------------------------------------------------------------------------------------


def encode_alert(alerted: Alerted) -> bytes:
    """A transition's bytes, or a correction's."""
    if isinstance(alerted, Correction):
        return _json(_Correction(*(getattr(alerted, name) for name in _Correction.__struct_fields__)))
    return _json(alerted)


def decode_alert(data: bytes) -> Alerted:
    """What bytes of the topic of alerts hold. Raises WireError."""
    made: Any = _read(lambda: _alerts.decode(data))
    if isinstance(made, _Correction):
        return Correction(*msgspec.structs.astuple(made))
    alerted: Transition = made
    return alerted


def encode_dead_letter(letter: DeadLetter) -> bytes:
    """A dead letter's bytes."""
    return _json(letter)


def decode_dead_letter(data: bytes) -> DeadLetter:
    """The dead letter that bytes hold. Raises WireError."""
    return _read(lambda: _letters.decode(data))


def _read(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, TypeError, OverflowError) as error:
        raise WireError(f"these bytes are none of this topic's values ({type(error).__name__})") from None


# ---- ids -----------------------------------------------------------------------------------------------------


def id_of(value: Wired) -> str:
    """What a value is about: the same whenever it is made again, and no other value's of its kind."""
    match value:
        case ClosedWindow():
            return f"{value.county}/{value.size}/{value.end}"
        case ScoredWindow():
            return f"{value.size}/{value.end}"
        case AlwaysPage() | Correction():
            return f"{value.county}/{value.event}"
        case Raised():
            return f"{value.alert}/raised"
        case Joined(alert=alert, evidence=case):
            return f"{alert}/joined/{case.signal}/{case.size}/{case.shape}/{case.window_end}"
        case Ended():
            return f"{value.alert}/ended"
        case DeadLetter():
            return f"{value.topic}/{value.partition}/{value.offset}"
