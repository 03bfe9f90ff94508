"""A topic's values to arrivals: one call for many of them, one value at a time only around what is wrong.

The values are put into arrays, `[received,value]`, a line each. No value can reach out of its array without adding a
line, or an element that is refused, and none can swallow the next one: so as many arrays as there were values means
that each is what its value alone would have been. (In objects a value `{...},"event":{...}` would be taken.)
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from streams.core.event import Event
from streams.core.instant import Instant, NaiveTimeError, parse_instant
from streams.core.record import Arrival, Reason, Rejection

Value = tuple[bytes, int | None]
"""A record's bytes, and when it was received: epoch milliseconds; None: not known."""

_TICK = re.compile(rb'\s*\{\s*"tick"\s*:')
_NOTHING = Annotated[str, Meta(min_length=1, max_length=0)]
_FEW = 16
"""So many values are looked at one by one, where they are not all good together."""


class _Tick(Struct, frozen=True, forbid_unknown_fields=True):
    tick: str


_ticks = msgspec.json.Decoder(_Tick)


class ValueDecoder:
    """Decodes the values of one city's topic."""

    def __init__(
        self,
        event: type[Event],
        largest: int,
        one: Callable[[bytes, int | None, int], Arrival | Rejection],
    ) -> None:
        """`largest`: bytes of a value. `one`: the verdict on a single value that is no tick, by its number."""
        self._decoder = _in_arrays(event)
        self._largest = largest
        self._one = one

    def arrivals(self, values: Sequence[Value], first: int) -> list[Arrival | Rejection]:
        """What values numbered from `first` are."""
        ticks = [(i, self._tick(value, i + first)) for i, (value, _) in enumerate(values) if _TICK.match(value)]
        if not ticks:
            return self._events(values, first)
        ticked = {i for i, _ in ticks}
        made = self._events([value for i, value in enumerate(values) if i not in ticked], first)
        if any(isinstance(arrival, Rejection) for arrival in made):
            numbers = [number for number in range(first, first + len(values)) if number - first not in ticked]
            made = [_numbered(arrival, number) for arrival, number in zip(made, numbers, strict=True)]
        for i, tick in ticks:
            made.insert(i, tick)
        return made

    def arrival(self, value: Value, number: int) -> Arrival | Rejection:
        """What one value is, as it is among others."""
        return self._tick(value[0], number) if _TICK.match(value[0]) else self._one(*value, number)

    def _events(self, values: Sequence[Value], first: int) -> list[Arrival | Rejection]:
        if max((len(value) for value, _ in values), default=0) <= self._largest:
            text = b"\n".join(
                [
                    b"[null,%b]" % value if received is None else b"[%d,%b]" % (received, value)
                    for value, received in values
                ]
            )
            try:
                arrivals: list[Arrival | Rejection] = self._decoder.decode_lines(text)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                arrivals = []
            if len(arrivals) == len(values):
                return arrivals
        if len(values) <= _FEW:
            return [self._one(value, received, number) for number, (value, received) in enumerate(values, first)]
        half = len(values) // 2
        return self._events(values[:half], first) + self._events(values[half:], first + half)

    def _tick(self, value: bytes, number: int) -> Arrival | Rejection:
        try:
            return Arrival(tick=_ticks.decode(value).tick)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Rejection(Reason.BAD_ENVELOPE, number, hashlib.sha256(value).hexdigest())


def _in_arrays(event: type[Event]) -> msgspec.json.Decoder[Any]:
    """Of `[received,event]`: an arrival in which nothing can follow the event."""
    valued = msgspec.defstruct(
        "Valued",
        [("received", int | None), ("event", event), ("tick", _NOTHING, None)],
        bases=(Arrival,),
        array_like=True,
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
    )
    return msgspec.json.Decoder(valued)


def _numbered(arrival: Arrival | Rejection, number: int) -> Arrival | Rejection:
    if isinstance(arrival, Rejection):
        return msgspec.structs.replace(arrival, position=number)
    return arrival


def read_time(text: str) -> Instant | Reason:
    """The instant that an event's time field names, or the reason why it names none."""
    try:
        return parse_instant(text)
    except NaiveTimeError:
        return Reason.NAIVE_TIME
    except (ValueError, OverflowError):
        return Reason.BAD_TIME
