"""The partitions of `events` as one stream, the same one whatever order their records arrive in here.

What a county's events lead to depends on their own order and on the ticks between them, which is all that the
partitions keep of the stream that was written to them. So the records between two ticks may be merged in any order
that keeps each partition's, and a tick comes when every partition has passed it, once. Of the orders that there are
this takes the one that a replay wrote (its records are numbered), and by timestamp where they are not.
"""

import heapq
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from streams.core.instant import Instant


class TopicRecord(NamedTuple):
    """One record of a topic, as it lies there."""

    partition: int
    offset: int
    timestamp: int
    """Epoch milliseconds; negative: none."""
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    number: int | None
    """Its number in the recording that it was replayed from; None: it was not."""
    tick: Instant | None
    """Event time that it says has passed; None: it is no tick."""


class TopicMerge:
    """Takes records partition by partition, gives them as one stream."""

    def __init__(self, partitions: int) -> None:
        self._queues: list[deque[TopicRecord]] = [deque() for _ in range(partitions)]
        self._heads: list[tuple[tuple[int, int], int]] = []
        """Of the partitions whose next record is no tick: (its place, partition)."""
        self._unknown = set(range(partitions))
        """Partitions whose next record has not arrived."""
        self._ended: set[int] = set()

    def add(self, record: TopicRecord) -> None:
        """Take the next record of its partition."""
        queue = self._queues[record.partition]
        queue.append(record)
        if len(queue) == 1:
            self._unknown.discard(record.partition)
            self._new_head(record)

    def end(self, partition: int) -> None:
        """Nothing more is to come of a partition now: the others need not wait for its next record, only for its
        next tick."""
        self._ended.add(partition)

    def waiting(self, partition: int) -> int:
        """Records of a partition that are held here."""
        return len(self._queues[partition])

    @property
    def held(self) -> int:
        """Records that cannot be given yet, for a partition has not passed the tick before them."""
        return sum(len(queue) for queue in self._queues)

    @property
    def behind(self) -> list[int]:
        """Partitions that have no record here: where others hold some, these have not passed their tick."""
        return sorted(self._unknown)

    def take(self) -> Iterator[tuple[TopicRecord, list[int]]]:
        """All records whose place is certain by now: each with the partitions that it was taken from, more than one
        only for a tick."""
        while not self._unknown - self._ended:
            if self._heads:
                _, partition = heapq.heappop(self._heads)
                yield self._pop(partition), [partition]
            elif self._unknown:
                return  # a partition that ended before the tick that the others stand at
            else:
                place = min(_place(queue[0]) for queue in self._queues)
                same = [p for p, queue in enumerate(self._queues) if _place(queue[0]) == place]
                yield [self._pop(partition) for partition in same][0], same  # noqa: RUF015 - each of them is popped

    def _pop(self, partition: int) -> TopicRecord:
        queue = self._queues[partition]
        record = queue.popleft()
        if queue:
            self._new_head(queue[0])
        else:
            self._unknown.add(partition)
        return record

    def _new_head(self, record: TopicRecord) -> None:
        if record.tick is None:
            heapq.heappush(self._heads, (_place(record), record.partition))


def _place(record: TopicRecord) -> tuple[int, int]:
    """What orders the records between two ticks, and says which ticks are the same one."""
    if record.number is not None:
        return 0, record.number
    return 1, record.timestamp if record.tick is None else record.tick
