"""The stream that every job counts: simulated events of a province, and the truth about it.

Written to two topics of the same values (`kafka_topics`):

* for plain counts: keyed by what is counted, with the event's own time as the record's timestamp, so that no job has
  to repartition or to parse a time. It ends with one event a key a day later: whatever the rule by which a job
  closes its windows (by key, partition or topic), every window of the stream itself closes.
* for jiantu's full job: keyed by county, with the time of arrival as timestamp, and with ticks.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

import msgspec

from streams.broker.partitioner import partition_of
from streams.profile.load import load
from streams.replay.simulate import simulate

PROFILE = "leshan"
SEED = 7
FIRST_DAY = date(2025, 1, 1)
SCALE = 12.0
"""Times Leshan: 90,000 events a day, a province's."""
EVENTS_A_DAY = 7_800
"""At scale 1, a little less than there are."""
HOUR_MS = 3_600_000
DISORDER_MS = 15 * 60_000
"""How far an event may trail the newest one: what trails more, one in a hundred, is left out, for it would be late."""
CLOSING_MS = 25 * HOUR_MS
"""From the stream's end to the events that close its windows."""


class Place(NamedTuple):
    """What is counted by, together with the hour."""

    county: str
    category: str

    @property
    def key(self) -> bytes:
        """Of a record of `plain`."""
        return f"{self.county}|{self.category}".encode()


class Occurrence(NamedTuple):
    """One event of the stream."""

    place: Place
    at: int
    """Milliseconds since the epoch, as `received`."""
    received: int
    value: bytes
    """The sender's bytes."""


class Tick(NamedTuple):
    """Event time has passed here."""

    value: bytes
    at: int
    """Milliseconds since the epoch; its time of arrival, too, where nothing came later before it."""
    received: int


Truth = Counter[tuple[str, str, int]]
"""How many events there are of each (county, category, hour), the hour as its beginning in milliseconds."""


class _Head(msgspec.Struct):
    id: str
    at: str
    county: str
    category: str


class _Line(msgspec.Struct):
    received: int | None = None
    event: msgspec.Raw = msgspec.Raw()
    tick: str | None = None


class Stream:
    """The first `events` events of a simulated province, the same every time; iterate to have them."""

    def __init__(self, events: int, scale: float = SCALE) -> None:
        self.events = events
        self.scale = scale
        self._forget()

    def _forget(self) -> None:
        self.truth: Truth = Counter()
        """Complete once the stream was iterated to its end, as the figures below."""
        self.hours: Truth = Counter()
        """Likewise of each (county, "", hour), what was sent again not counted again: what jiantu's tally counts."""
        self.value_bytes = 0
        self.resent = 0
        self.started = ""
        """RFC 3339: where the stream begins."""
        self.ended = 0
        """Event time of the newest event, milliseconds."""
        self._places: set[Place] = set()

    def __iter__(self) -> Iterator[Occurrence | Tick]:
        self._forget()
        days = 10 + int(self.events / self.scale / EVENTS_A_DAY)
        simulation = simulate(load(PROFILE), days, SEED, incidents=12, scale=self.scale, start=FIRST_DAY)
        self.started = simulation.span_text[0]
        line_of, head_of = msgspec.json.Decoder(_Line), msgspec.json.Decoder(_Head)
        newest = counted = received = 0
        ids: set[str] = set()
        for block in simulation.blocks():
            for text in block.lines.splitlines():
                line = line_of.decode(text)
                if line.tick is not None:
                    at = _milliseconds(line.tick)
                    yield Tick(msgspec.json.encode({"tick": line.tick}), at, max(received, at))
                    continue
                assert line.received is not None
                head, received = head_of.decode(line.event), line.received
                at = _milliseconds(head.at)
                newest = max(newest, at)
                if newest - at > DISORDER_MS:
                    continue
                place = Place(head.county, head.category)
                self._count(place, at, bytes(line.event))
                if head.id in ids:
                    self.resent += 1
                else:
                    ids.add(head.id)
                    self.hours[place.county, "", at - at % HOUR_MS] += 1
                yield Occurrence(place, at, received, bytes(line.event))
                counted += 1
                if counted == self.events:
                    self.ended = newest
                    return

    def _count(self, place: Place, at: int, value: bytes) -> None:
        self.truth[place.county, place.category, at - at % HOUR_MS] += 1
        self.value_bytes += len(value)
        self._places.add(place)

    def partition_sizes(self, partitions: int) -> list[int]:
        """Events of each partition where they are keyed by county."""
        sizes = [0] * partitions
        for (county, _, _), events in self.truth.items():
            sizes[partition_of(county, partitions)] += events
        return sizes

    def first_tick(self, received: int) -> Tick:
        """The tick that says where the stream starts."""
        at = _milliseconds(self.started)
        return Tick(msgspec.json.encode({"tick": self.started}), at, min(at, received))

    def tick(self, hours: int) -> Tick:
        """A tick so many hours after the stream's end."""
        at = self.ended - self.ended % HOUR_MS + hours * HOUR_MS
        return Tick(msgspec.json.encode({"tick": _text(at)}), at, at)

    def closing(self) -> Iterator[Occurrence]:
        """The events that close the windows, one for every place; none of them is in the truth."""
        at = self.ended + CLOSING_MS
        for place in sorted(self._places):
            name = f"closing-{place.county}-{place.category}"
            event = {"id": name, "at": _text(at), "county": place.county, "category": place.category}
            yield Occurrence(place, at, at, msgspec.json.encode(event))


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
