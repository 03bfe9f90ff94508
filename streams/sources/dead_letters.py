"""The topic `events.dlq`, read: every rejected record once; and which of them were redriven, read from `events`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streams.core.instant import HOUR, SECOND
from streams.core.topic_line import REDRIVEN_HEADER
from streams.core.wire import DeadLetter, WireError, decode_dead_letter, id_of
from streams.sources.topic_reading import TopicReader

_MILLISECOND = SECOND // 1000
_CLOCKS_APART_MS = HOUR // _MILLISECOND
"""How far the clock of a worker may be ahead of the broker's, when the one's stamps are looked up among the other's."""
_LOG_APPEND_TIME = 1

Progress = Callable[[int, int], None]
"""Told of (records read, records in all)."""


@dataclass(frozen=True, slots=True)
class Letters:
    """What the topic of dead letters holds."""

    letters: Mapping[str, DeadLetter]
    """By id (`topic/partition/offset` of the rejected record), in the order of those places."""
    earliest: int
    """Timestamp of the first of them, epoch milliseconds; 0 where there is none."""
    unreadable: int
    """Records of the topic that are no dead letters."""


def read_letters(reader: TopicReader, progress: Progress) -> Letters:
    """All dead letters there are now; one that a worker wrote twice, once."""
    begin, until = reader.beginnings(), reader.ends()
    total = sum(until) - sum(begin)
    found: dict[str, DeadLetter] = {}
    earliest: list[int] = []
    read = unreadable = 0
    for polled in reader.read(begin, until):
        for records in polled.values():
            for record in records:
                try:
                    letter = decode_dead_letter(record.value or b"")
                except WireError:
                    unreadable += 1
                    continue
                found.setdefault(id_of(letter), letter)
                earliest.append(max(record.timestamp, 0))
            read += len(records)
        progress(read, total)
    ordered = sorted(found.items(), key=lambda one: (one[1].topic, one[1].partition, one[1].offset))
    return Letters(dict(ordered), min(earliest, default=0), unreadable)


def redriven(reader: TopicReader, since: int, progress: Progress) -> frozenset[str]:
    """Ids of the dead letters that were produced again into `events`. `since`: not before this time, epoch
    milliseconds; used where the broker stamps records itself, so that their times are in order."""
    begin, until = _since(reader, since - _CLOCKS_APART_MS), reader.ends()
    total = max(sum(until) - sum(begin), 0)
    found: set[str] = set()
    read = 0
    for polled in reader.read(begin, until):
        for records in polled.values():
            for record in records:
                for name, value in record.headers:
                    if name == REDRIVEN_HEADER and value is not None:
                        found.add(value.decode("utf-8", "replace"))
            read += len(records)
        progress(read, total)
    return frozenset(found)


def _since(reader: TopicReader, timestamp: int) -> list[int]:
    """Where to begin in every partition."""
    places = reader.beginnings()
    for partition, end in enumerate(reader.ends()):
        if end > places[partition]:
            last = reader.record(partition, end - 1)
            if last is not None and last.timestamp_type == _LOG_APPEND_TIME and timestamp > 0:
                places[partition] = reader.at_time(partition, timestamp, end)
    return places
