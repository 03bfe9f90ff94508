"""All partitions of the topic `events`, read as one stream from positions on, to the end or for ever."""

from collections.abc import Iterator, Sequence

from kafka.consumer.fetcher import ConsumerRecord

from streams.broker.errors import TopicError
from streams.core.instant import Instant
from streams.core.topic_line import RECORDING_HEADER, number_of, tick_of
from streams.sources.topic_merge import TopicMerge, TopicRecord
from streams.sources.topic_reading import TopicReader

_HELD = 20_000
"""Records of one partition that wait for the others, before it is read no further: bounds memory."""


class TopicStream(TopicReader):
    """The topic `events` as one stream."""

    held = 0
    """After `stream` has ended: records before the end that wait for a tick which not every partition has."""
    behind: Sequence[int] = ()
    """The partitions without it."""

    def starts(self) -> tuple[Instant, bytes | None]:
        """Where the stream starts, as the first tick of every partition says, and the recording's header line that it
        carries where the stream was replayed. Raises TopicError where there is no such tick."""
        started: set[Instant] = set()
        header: bytes | None = None
        for partition, (begin, end) in enumerate(zip(self.beginnings(), self.ends(), strict=True)):
            if begin:
                what = f"partition {partition} has lost its first {begin} records to retention"
                raise TopicError(self.where, what, "set retention.ms=-1 on a topic that is to be recorded whole")
            found = self.record(partition, 0) if end else None
            first = None if found is None else topic_record(found)
            if first is None or first.tick is None:
                what = f"partition {partition} does not begin with a tick, so nothing says where the stream starts"
                raise TopicError(self.where, what, "run `jiantu ticker`, or `jiantu replay --to-kafka`")
            started.add(first.tick)
            header = next((value for name, value in first.headers if name == RECORDING_HEADER), header)
        if len(started) > 1:
            what = "the partitions start at different times"
            raise TopicError(self.where, what, "give the prefix of one stream, or make the topic anew")
        return started.pop(), header

    def stream(
        self, positions: Sequence[int], until: Sequence[int] | None
    ) -> Iterator[list[tuple[TopicRecord, list[int]]]]:
        """Records from positions on, merged, each with the partitions that it was taken from; an empty list where
        nothing came for a while. `until`: stop there, at the offsets of `ends`; None: never."""
        merge = TopicMerge(self.partitions)
        ended: set[int] = set()
        for polled in self.read(positions, until):
            for records in polled.values():
                for record in records:
                    merge.add(topic_record(record))
            if until is not None:
                for partition in range(self.partitions):
                    if self.reached(partition) >= until[partition] and partition not in ended:
                        ended.add(partition)
                        merge.end(partition)
            yield list(merge.take())
            for partition in range(self.partitions):
                self.hold(partition, back=partition in ended or merge.waiting(partition) >= _HELD)
        self.held, self.behind = merge.held, merge.behind


def topic_record(record: ConsumerRecord) -> TopicRecord:
    """A record as kafka-python gives it, with what it says of itself."""
    headers = tuple((name, value or b"") for name, value in record.headers)
    return TopicRecord(
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        headers,
        number_of(headers),
        tick_of(record.value),
    )
