"""The fetcher on a real broker: every record from where it was told, once; what it does not get, it says."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message, Producer

from streams.runtime.fetcher import MOST_BYTES, MOST_RECORDS, Fetched, Fetcher
from streams.runtime.steps import offset_of
from tests.kafka.fixtures import SharedBroker
from tests.kafka.server import Server
from tests.runtime.lake_topics import LakeTopics
from tests.runtime.test_steps import sent

RECORDS = 30_000
TURNS = 300
"""Fetches of a tenth of a second that a broker may take to bring what is there."""


@pytest.fixture
def lake(kafka_broker: SharedBroker, topic_prefix: str) -> LakeTopics:
    made = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 2)
    for partition in range(2):
        made.write(made.names.events, partition, numbered(RECORDS))
    return made


def numbered(count: int) -> list[Message]:
    return [sent(number, b"%d" % number, number) for number in range(count)]


class Reader:
    """A fetcher, and what it brought."""

    def __init__(self, lake: LakeTopics) -> None:
        self.fetcher = Fetcher(lake.settings.for_confluent(), "reader")
        self.topic = lake.names.events

    def go_to(self, partition: int, offset: int) -> int:
        return self.fetcher.go_to((self.topic, partition), offset)

    def turn(self) -> dict[int, Fetched]:
        return {partition: fetched for (_, partition), fetched in self.fetcher.fetch(0.1).items()}

    def until(self, partition: int, offset: int) -> list[Fetched]:
        """What comes of a partition before it is at an offset."""
        found: list[Fetched] = []
        for _ in range(TURNS):
            fetched = self.turn().get(partition)
            if fetched is not None:
                found.append(fetched)
                if fetched.trouble or fetched.after >= offset:
                    return found
        pytest.fail(f"not at {offset} in {TURNS} turns, but here: {found[-1:]}")


@pytest.fixture
def reader(lake: LakeTopics) -> Iterator[Reader]:
    made = Reader(lake)
    yield made
    made.fetcher.close()


def offsets(found: Sequence[Fetched]) -> list[int]:
    return [offset_of(record) for fetched in found for record in fetched.records]


def test_every_record_comes_once_in_order_from_where_it_was_told(reader: Reader) -> None:
    epoch = reader.go_to(1, 123)
    found = reader.until(1, RECORDS)
    assert offsets(found) == list(range(123, RECORDS))
    assert [fetched.follows for fetched in found] == [123, *(fetched.after for fetched in found[:-1])]
    assert {fetched.epoch for fetched in found} == {epoch}
    record = found[0].records[0]
    assert (record.value(), record.timestamp()[1]) == (b"123", 123)


def test_after_another_seek_nothing_of_before_comes_and_other_partitions_go_on(reader: Reader) -> None:
    reader.go_to(0, 0)
    reader.go_to(1, 0)
    found: dict[int, list[Fetched]] = {0: [], 1: []}
    place, epoch = 22_000, 0
    for turn in range(TURNS):
        if turn in (3, 4, 9):  # in the middle of what was fetched ahead
            found[0], place = [], place - 7_000
            epoch = reader.go_to(0, place)
        for partition, fetched in reader.turn().items():
            found[partition].append(fetched)
        if turn > 9 and all(one and one[-1].after == RECORDS for one in found.values()):
            break
    assert offsets(found[0]) == list(range(place, RECORDS))
    assert {fetched.epoch for fetched in found[0]} == {epoch}
    assert offsets(found[1]) == list(range(RECORDS))


def test_what_was_let_go_comes_no_more(reader: Reader) -> None:
    reader.go_to(0, 0)
    reader.until(0, 1)
    reader.fetcher.let_go()
    for _ in range(5):
        assert reader.turn() == {}
    reader.go_to(1, RECORDS - 1)
    assert offsets(reader.until(1, RECORDS)) == [RECORDS - 1]


@pytest.mark.parametrize("offset", [RECORDS + 5, 10])
def test_an_offset_that_is_not_there_is_trouble_and_no_guess(offset: int, lake: LakeTopics, reader: Reader) -> None:
    lake.delete_before(0, 100)
    reader.go_to(0, offset)
    (fetched,) = reader.until(0, RECORDS)
    assert "offset" in fetched.trouble.lower()
    assert (list(fetched.records), fetched.follows, fetched.after) == ([], offset, offset)
    reader.go_to(0, 100)
    assert offsets(reader.until(0, RECORDS)) == list(range(100, RECORDS))


class Careless:
    """A client that loses some of what it fetched the first time that it fetches it."""

    def __init__(self, client: Any, *lost: int) -> None:
        self._client = client
        self._lost = set(lost)

    def consume(self, count: int, seconds: float) -> list[Message]:
        found = self._client.consume(count, seconds)
        kept = [one for one in found if one.error() or one.offset() not in self._lost]
        self._lost -= {one.offset() for one in found}
        return kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_records_that_the_client_dropped_on_the_way_are_fetched_again(reader: Reader) -> None:
    client: Any = reader.fetcher._consumer
    reader.fetcher._consumer = Careless(client, 0, 17, 18, 500, 15_000, 29_999)  # type: ignore[assignment] # stands in
    reader.go_to(0, 0)
    assert offsets(reader.until(0, RECORDS)) == list(range(RECORDS))


def test_large_records_are_fetched_a_few_at_a_time(lake: LakeTopics, reader: Reader) -> None:
    lake.write(lake.names.events, 0, [sent(0, bytes(900_000))] * 60)
    reader.go_to(0, RECORDS)
    found = reader.until(0, RECORDS + 60)
    assert offsets(found) == list(range(RECORDS, RECORDS + 60))
    assert reader.fetcher._count == MOST_BYTES // 900_000
    reader.go_to(0, 0)
    reader.until(0, RECORDS)
    assert reader.fetcher._count > MOST_RECORDS // 2


def test_offsets_that_hold_no_record_are_passed_also_at_the_end(tmp_path: Path, topic_prefix: str) -> None:
    one = {f"transaction.state.log.{name}": "1" for name in ("replication.factor", "min.isr")}
    with Server(tmp_path / "broker", settings=one) as server:
        lake = LakeTopics.made(server.bootstrap, topic_prefix, 1)
        producer = Producer(lake.settings.for_confluent() | {"transactional.id": "t"})
        producer.init_transactions(30)
        for _ in range(20):  # three records, and the transaction's marker
            producer.begin_transaction()
            for number in range(3):
                producer.produce(lake.names.events, b"%d" % number, partition=0)
            producer.commit_transaction(30)
        assert lake.cluster().span(lake.names.events, 0).next == 80
        reader = Reader(lake)
        reader.go_to(0, 0)
        found = reader.until(0, 80)
        assert offsets(found) == [offset for offset in range(80) if offset % 4 != 3]
        assert [fetched.follows for fetched in found] == [0, *(fetched.after for fetched in found[:-1])]
        assert found[-1].after == 80
        reader.go_to(0, 79)
        assert [(list(one.records), one.first, one.after) for one in reader.until(0, 80)] == [([], 80, 80)]
        reader.fetcher.close()
