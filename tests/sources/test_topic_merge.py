"""Partitions merged into one stream: the one that was written, whatever arrives first; ticks once."""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streams.core.instant import SECOND
from streams.sources.topic_merge import TopicMerge, TopicRecord


def event(partition: int, offset: int, number: int | None = None, timestamp: int = 0) -> TopicRecord:
    return TopicRecord(partition, offset, timestamp, None, b"{}", (), number, None)


def tick(partition: int, offset: int, second: int, number: int | None = None) -> TopicRecord:
    return TopicRecord(partition, offset, 0, None, b"tick", (), number, second * SECOND)


def merged(merge: TopicMerge) -> list[TopicRecord]:
    return [record for record, _ in merge.take()]


def written(choices: Sequence[int], partitions: int, *, numbered: bool = True) -> list[list[TopicRecord]]:
    """The partitions of a stream: for each choice an event into that partition, or a tick into all (-1)."""
    made: list[list[TopicRecord]] = [[] for _ in range(partitions)]
    for number, choice in enumerate(choices):
        given_number = number if numbered else None
        for partition in range(partitions) if choice < 0 else (choice % partitions,):
            offset = len(made[partition])
            made[partition].append(
                tick(partition, offset, number, given_number)
                if choice < 0
                else event(partition, offset, given_number, number)
            )
    return made


@given(
    choices=st.lists(st.integers(-1, 11), max_size=60),
    partitions=st.integers(1, 12),
    numbered=st.booleans(),
    arrivals=st.randoms(use_true_random=False),
)
def test_any_arrival_gives_the_stream_that_was_written(
    choices: list[int], partitions: int, numbered: bool, arrivals: Random
) -> None:
    lying = written(choices, partitions, numbered=numbered)
    merge = TopicMerge(partitions)
    seen: list[TopicRecord] = []
    left = [list(reversed(one)) for one in lying]
    while any(left):
        partition = arrivals.choice([p for p, one in enumerate(left) if one])
        for _ in range(arrivals.randint(1, 5)):
            if left[partition]:
                merge.add(left[partition].pop())
        seen.extend(merged(merge))
    for partition in range(partitions):
        merge.end(partition)
    seen.extend(merged(merge))
    assert len(seen) == len(choices)
    assert merge.held == 0
    for number, (record, choice) in enumerate(zip(seen, choices, strict=True)):
        if choice < 0:
            assert record.tick == number * SECOND
        else:
            assert (record.tick, record.partition) == (None, choice % partitions)
            assert number in (record.number, record.timestamp)


def test_a_tick_waits_until_every_partition_has_passed_it() -> None:
    merge = TopicMerge(2)
    merge.add(tick(0, 0, 10))
    merge.add(event(0, 1))
    assert merged(merge) == []
    merge.end(1)
    assert merged(merge) == []
    assert (merge.held, merge.behind) == (2, [1])
    merge.add(event(1, 0))
    merge.add(tick(1, 1, 10))
    assert [(one.partition, one.offset) for one in merged(merge)] == [(1, 0), (0, 0), (0, 1)]


def test_a_tick_that_one_partition_never_got_comes_once_and_in_order() -> None:
    merge = TopicMerge(2)
    for record in (tick(0, 0, 10), tick(0, 1, 20), event(1, 0), tick(1, 1, 20)):
        merge.add(record)
    assert [record.tick for record in merged(merge)] == [None, 10 * SECOND, 20 * SECOND]


def test_equal_ticks_of_the_stream_stay_two() -> None:
    merge = TopicMerge(2)
    for partition in (0, 1):
        merge.add(tick(partition, 0, 10, 0))
        merge.add(tick(partition, 1, 10, 1))
    assert [taken for _, taken in merge.take()] == [[0, 1], [0, 1]]
