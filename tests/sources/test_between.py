"""A part of a source: exactly the records between two instants, however it is cut, and from where it is gone on."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.instant import HOUR, MINUTE, Instant, format_instant, parse_instant
from streams.sources.between import Between
from streams.sources.contract import START, Chunk, Ending, Position, SourceError

DAY_ONE = parse_instant("2025-03-01T00:00:00+08:00")
MILLISECOND = MINUTE // 60_000


class Lines:
    """A source of some lines in memory."""

    span = (DAY_ONE, DAY_ONE + 24 * HOUR)
    identity = "lines"

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.ending: Ending | None = None

    def continues(self, identity: str) -> bool:
        return identity == self.identity

    def chunks(self, position: Position = START, max_records: int = 8192):  # type: ignore[no-untyped-def]
        for first in range(position.record, len(self.lines), max_records):
            part = self.lines[first : first + max_records]
            yield Chunk(b"".join(part), len(part), Position(record=first + len(part)))
        self.ending = Ending("complete", len(self.lines), verified=True)


def received(at: Instant, event_at: Instant | None = None) -> bytes:
    text = format_instant(at if event_at is None else event_at)
    return msgspec.json.encode({"received": at // MILLISECOND, "event": {"at": text}}) + b"\n"


def tick(at: Instant) -> bytes:
    return msgspec.json.encode({"tick": format_instant(at)}) + b"\n"


def bare(at: Instant) -> bytes:
    return msgspec.json.encode({"id": "x", "at": format_instant(at)}) + b"\n"


def minutes(*values: int) -> list[bytes]:
    return [received(DAY_ONE + value * MINUTE) for value in values]


def taken(source: Between, position: Position = START, most: int = 8192) -> tuple[list[bytes], Position]:
    lines: list[bytes] = []
    for chunk in source.chunks(position, most):
        found = chunk.lines.splitlines(keepends=True)
        assert len(found) == chunk.records
        lines += found
        position = chunk.after
    return lines, position


def test_from_is_the_first_record_received_then_or_later_whatever_its_own_time_is() -> None:
    late = received(DAY_ONE + 61 * MINUTE, event_at=DAY_ONE)
    lines = [*minutes(0, 59), late, *minutes(62)]
    assert taken(Between(Lines(lines), DAY_ONE + 60 * MINUTE))[0] == lines[2:]


def test_to_ends_behind_its_own_tick() -> None:
    end = DAY_ONE + HOUR
    lines = [*minutes(0, 59), tick(end), *minutes(60, 61)]
    assert taken(Between(Lines(lines), None, end))[0] == lines[:3]


def test_to_ends_before_the_first_later_record_where_it_has_no_tick() -> None:
    lines = [*minutes(0, 59), tick(DAY_ONE + 61 * MINUTE), *minutes(62)]
    assert taken(Between(Lines(lines), None, DAY_ONE + HOUR))[0] == lines[:2]


def test_bare_events_count_by_their_own_time_and_what_has_none_stays_where_it_is() -> None:
    lines = [bare(DAY_ONE), b"broken\n", bare(DAY_ONE + HOUR), b'{"at":"never"}\n', bare(DAY_ONE + 2 * HOUR)]
    assert taken(Between(Lines(lines), DAY_ONE + HOUR, DAY_ONE + 2 * HOUR))[0] == lines[2:4]


def test_a_checkpoint_goes_on_with_another_end_and_not_with_another_beginning() -> None:
    whole = Lines(minutes(*range(0, 600, 7)))
    begin = DAY_ONE + 100 * MINUTE
    first, position = taken(Between(whole, begin, DAY_ONE + 200 * MINUTE))
    longer = Between(whole, begin, DAY_ONE + 400 * MINUTE)
    assert longer.continues(Between(whole, begin, DAY_ONE + 200 * MINUTE).identity)
    second, position = taken(longer, position)
    third, _ = taken(Between(whole, begin), position)
    assert first + second + third == taken(Between(whole, begin))[0]
    assert not longer.continues(Between(whole, DAY_ONE + 101 * MINUTE).identity)
    assert not longer.continues(whole.identity)
    assert Between(whole, None, begin).identity == Between(whole, DAY_ONE).identity == whole.identity


@given(
    st.lists(st.integers(0, 1439), max_size=60).map(sorted),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.integers(1, 7),
    st.integers(1, 7),
)
def test_any_cut_into_chunks_gives_the_same_records(
    at: list[int], start: int, length: int, one: int, other: int
) -> None:
    lines = [tick(DAY_ONE + m * MINUTE) if m % 60 == 0 else received(DAY_ONE + m * MINUTE) for m in at]
    begin, end = DAY_ONE + start * MINUTE, DAY_ONE + (start + length + 1) * MINUTE
    wanted = [m for m in at if start <= m <= start + length + 1]
    # one tick at the very end belongs to it, other records at that minute do not
    last = start + length + 1
    if last < 1440:
        wanted = [m for m in wanted if m < last] + ([last] if last % 60 == 0 and last in at else [])
    parts = [taken(Between(Lines(lines), begin, end), most=most)[0] for most in (one, other)]
    assert parts[0] == parts[1]
    assert len(parts[0]) == len(wanted)


@pytest.mark.parametrize(("start", "end"), [(24, None), (30, 40), (5, 5), (5, 4), (None, -1)])
def test_an_empty_part_is_refused(start: int | None, end: int | None) -> None:
    at = [None if hours is None else DAY_ONE + hours * HOUR for hours in (start, end)]
    with pytest.raises(SourceError, match="nothing between"):
        Between(Lines(minutes(1)), *at)


def test_a_part_that_was_cut_is_complete_and_says_how_far_it_was_read() -> None:
    source = Between(Lines(minutes(1, 2, 3, 4)), None, DAY_ONE + 3 * MINUTE)
    taken(source)
    assert source.ending == Ending("complete", 2, verified=False)
