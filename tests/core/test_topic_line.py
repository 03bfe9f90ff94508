"""A topic's record as a recording's line and back: nothing of it is lost, and no step sees the difference."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from streams.core.decode import RecordDecoder
from streams.core.record import Arrival, Rejection
from streams.core.topic_line import (
    LATEST_TIMESTAMP,
    NO_TIMESTAMP,
    Carried,
    carried_of,
    county_of,
    read_line,
    tick_of,
    write_line,
)
from tests.core.malformed import GOOD
from tests.core.towns import towns

COUNTIES = ("east", "west", "south")
EVENT = msgspec.json.encode(GOOD)
DECODER = RecordDecoder(towns())

values = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.sampled_from(
        [EVENT, b"null", b"{}", b" {} ", b'{"tick":"soon"}', b"[1,\n2]", b'{"received":1,"event":{}}', b'"\xff"']
    ),
)
stamps = st.integers(NO_TIMESTAMP, LATEST_TIMESTAMP)
carriages = st.one_of(
    st.none(),
    st.builds(
        Carried,
        key=st.one_of(st.just(UNSET), st.none(), st.binary(max_size=9)),
        partition=st.one_of(st.none(), st.integers(0, 99)),
        headers=st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5)), max_size=3).map(tuple),
    ),
)


@given(value=values, timestamp=stamps, carried=carriages)
def test_what_is_written_is_read_again(value: bytes | None, timestamp: int, carried: Carried | None) -> None:
    if value is None:
        carried = msgspec.structs.replace(carried or Carried(), null=True)
    line = write_line(value, timestamp, carried)
    assert line.count(b"\n") == 1
    read = read_line(line[:-1])
    assert (read.value, read.timestamp, read.tick, read.carried) == (value, timestamp, None, carried)


@given(value=values.filter(bool), timestamp=stamps, carried=carriages)
def test_the_steps_see_in_the_line_what_they_see_in_the_topic(
    value: bytes, timestamp: int, carried: Carried | None
) -> None:
    line = write_line(value, timestamp, carried)
    (of_line,) = DECODER.lines(line, 0, 1).arrivals
    (of_topic,) = DECODER.values([(value, None if timestamp < 0 else timestamp)], 0).arrivals
    assert of_line.event == of_topic.event
    # a tick whose time cannot be read is a bad record, under one reason here and another there
    bad_tick = isinstance(of_topic, Arrival) and of_topic.event is None
    assert isinstance(of_line, Rejection) == (isinstance(of_topic, Rejection) or bad_tick)
    if isinstance(of_line, Rejection) and isinstance(of_topic, Rejection):
        assert of_line.digest == of_topic.digest


@given(st.binary(max_size=80))
def test_any_line_is_something_in_the_topic(line: bytes) -> None:
    read = read_line(line)
    assert read.value is not None or read.carried is not None


@pytest.mark.parametrize(
    "line",
    [
        EVENT,
        b"no json",
        b"",
        b"null",
        b'{"event":null}',
        b'{"received":"soon","event":{}}',
        b'{"raw":"!"}',
        b'{"tick":"soon"}',
        b'{"tick":"2026-03-02T00:00:00"}',
        b'{"count":3,"sha256":""}',
    ],
)
def test_what_is_no_frame_is_the_record_itself(line: bytes) -> None:
    read = read_line(line)
    assert (read.value, read.timestamp, read.tick) == (line, NO_TIMESTAMP, None)


def test_a_tick_is_the_same_in_the_line_and_in_the_topic() -> None:
    read = read_line(b'{"tick":"1970-01-01T08:00:01+08:00"}')
    assert (read.value, read.timestamp, read.tick) == (b'{"tick":"1970-01-01T08:00:01+08:00"}', 1000, 1_000_000)
    assert tick_of(read.value) == 1_000_000
    assert tick_of(b'{"tick":"soon"}') is None
    assert tick_of(EVENT) is None
    assert tick_of(None) is None


def test_a_time_of_receipt_beyond_all_times_is_the_last_one() -> None:
    assert read_line(b'{"received":99999999999999999999,"event":{}}').timestamp == LATEST_TIMESTAMP
    assert read_line(b'{"received":-7,"event":{}}').timestamp == 0


def test_the_county_is_found_in_a_record_that_is_wrong_elsewhere() -> None:
    assert county_of(b'{"county":"west","nonsense":1}', COUNTIES) == "west"
    assert county_of(b'{"county":"north"}', COUNTIES) is None
    assert county_of(b'{"county":7}', COUNTIES) is None
    assert county_of(b"\xff", COUNTIES) is None
    assert county_of(None, COUNTIES) is None


def test_a_line_carries_only_what_its_record_does_not_suggest() -> None:
    def carried(value: bytes | None, key: bytes | None, partition: int, *headers: tuple[str, bytes]) -> Carried | None:
        return carried_of(value, key, partition, headers, COUNTIES, COUNTIES.index)

    west = b'{"county":"west"}'
    assert carried(west, b"west", 1) is None
    assert carried(west, b"west", 1, ("jiantu-record", b"7"), ("jiantu-recording", b"{}")) is None
    assert carried(west, b"east", 0) == Carried(key=b"east", partition=0)
    assert carried(west, None, 1) == Carried(key=None)
    assert carried(west, b"west", 1, ("trace", b"1")) == Carried(headers=(("trace", b"1"),))
    assert carried(b"no json", None, 0) is None
    assert carried(b"no json", b"west", 1) == Carried(key=b"west", partition=1)
    assert carried(None, b"", 0) == Carried(null=True)
