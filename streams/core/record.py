"""What comes in before it is a fact: records, ticks, and the closed set of reasons to reject one."""

from enum import StrEnum

from msgspec import Struct

from streams.core.event import Event
from streams.core.instant import Instant


class Reason(StrEnum):
    """Why a record could not become an event. Closed: every reason that exists is here."""

    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    BAD_LENGTH = "bad_length"
    UNKNOWN_COUNTY = "unknown_county"
    UNKNOWN_POINT = "unknown_point"
    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_CHANNEL = "unknown_channel"
    UNKNOWN_SECTOR = "unknown_sector"
    UNKNOWN_OUTCOME = "unknown_outcome"
    NAIVE_TIME = "naive_time"
    BAD_TIME = "bad_time"
    FUTURE = "future"
    PERSONAL_NUMBER = "personal_number"
    WRONG_PARTITION = "wrong_partition"
    EMPTY = "empty"


class Arrival(Struct, frozen=True, gc=False):
    """One record that decoded: an event with the time it was received, or a tick."""

    received: Instant | None = None
    """When the broker, the server or (for a CSV) the event itself says it came in; None: not known."""
    event: Event | None = None
    tick: Instant | None = None
    """Event time has passed this instant; not counted in the accounting."""


class Rejection(Struct, frozen=True, gc=False):
    """A record that could not become an event: reason, position and digest, never the payload."""

    reason: Reason
    position: int
    """Number of the record in its source, from 0."""
    digest: str
    """SHA-256 of the record's bytes, hex."""
    place: str = ""
    """JSON path of the offending field, where it is one of the schema's own."""
