"""What an event must be beyond its schema, whatever came before it: its times are times, and it names no person.

The tally asks this of every event that the compiled pass leaves; a live service asks it first, so that what is
rejected never lies anywhere (law 4).
"""

from typing import NamedTuple

from streams.core.counting import FUTURE_TOLERANCE, MILLISECOND
from streams.core.decode import personal_field
from streams.core.decode_values import read_time
from streams.core.event import Event
from streams.core.instant import Instant
from streams.core.record import Reason


class Fault(NamedTuple):
    """Why an event is rejected, and the field that it is about."""

    reason: Reason
    place: str


class Times(NamedTuple):
    """An event's times, read."""

    at: Instant
    due: Instant | None


def admit(event: Event, received: int | None) -> Times | Fault:
    """The times of an event that may count, or why it is rejected; `received`: epoch milliseconds, None: not known."""
    at = read_time(event.at)
    if isinstance(at, Reason):
        return Fault(at, "at")
    if received is not None and at > received * MILLISECOND + FUTURE_TOLERANCE:
        return Fault(Reason.FUTURE, "at")
    due = None if event.due is None else read_time(event.due)
    if isinstance(due, Reason):
        return Fault(due, "due")
    if (field_name := personal_field(event)) is not None:
        return Fault(Reason.PERSONAL_NUMBER, field_name)
    return Times(at, due)
