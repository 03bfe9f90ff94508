"""Event time as integers: microseconds since the Unix epoch, UTC.

Integers compare, hash and serialise the same on every machine and under every time zone; datetimes
do not. Everything in the core that is a point in time is an `Instant`; text appears only at the edges.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo

Instant = int
Duration = int

SECOND: Duration = 1_000_000
MINUTE: Duration = 60 * SECOND
HOUR: Duration = 60 * MINUTE
DAY: Duration = 24 * HOUR
WEEK: Duration = 7 * DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_RFC3339 = re.compile(
    rf"(19|[2-9]\d)\d{{2}}-\d{{2}}-\d{{2}}[Tt ]{_CLOCK}:[0-5]\d(\.\d{{1,9}})?([Zz]|[+-]{_CLOCK})", re.ASCII
)


class NaiveTimeError(ValueError):
    """The text is a time without a zone: nobody can say when that was."""


def parse_instant(text: str) -> Instant:
    """The instant that an RFC 3339 text names; digits past the microsecond are cut.

    Years are 1900 to 9999: what is written before is a database's way to say nothing (0001-01-01), not a time.
    Raises NaiveTimeError where the zone is missing and ValueError where it is no RFC 3339 time; a leap second
    (:60) is none here, and neither is 24:00, which Python reads from some version on.

    >>> parse_instant("1970-01-01T08:00:01+08:00")
    1000000
    """
    if not _RFC3339.fullmatch(text):
        if _RFC3339.fullmatch(text + "Z"):
            raise NaiveTimeError("a time without a zone")
        raise ValueError("not an RFC 3339 time")
    return from_datetime(datetime.fromisoformat(text.upper()))


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware datetime, exactly."""
    if moment.tzinfo is None:
        raise NaiveTimeError("a time without a zone")
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(at: Instant, zone: tzinfo = UTC) -> datetime:
    """The aware datetime of an instant in a zone."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone)


def format_instant(at: Instant, zone: tzinfo = UTC) -> str:
    """RFC 3339 text with an explicit offset; whole seconds carry no fraction.

    >>> format_instant(1_000_000)
    '1970-01-01T00:00:01+00:00'
    """
    return to_datetime(at, zone).isoformat()
