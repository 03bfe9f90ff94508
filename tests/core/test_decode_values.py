"""A topic's values: many at once or one by one, each has the verdict that it has alone."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.decode import Batch
from streams.core.record import Reason, Rejection
from tests.core.test_decode import DECODER, FULL, asked, short, verdicts
from tests.core.towns import START, event

GOOD = [msgspec.json.encode(one) for one in (event(1, START), FULL, short(event(2, START)))]
TICK = b'{"tick":"2026-03-02T00:00:00Z"}'
BAD = [
    b"",
    b" ",
    b"null",
    b"{}",
    b"[" * 100,
    b'{"tick":5}',
    b'{"event":' + GOOD[0] + b"}",
    b"x" * 70_000,
    b"\xff",
]
REACHING = [
    GOOD[0] + b"," + GOOD[1],
    GOOD[0] + b",null",
    GOOD[0] + b',"2026-03-02T00:00:00Z"',
    GOOD[0] + b"]\n[1," + GOOD[1],
    GOOD[0] + b"],[1," + GOOD[1],
    GOOD[0] + b'},"event":' + GOOD[1],
    GOOD[0][:-1],
    GOOD[0][: GOOD[0].index(b",")],
    GOOD[0][GOOD[0].index(b",") + 1 :],
]
"""Values that would be something else, or make something else of their neighbours, were they only put into a text."""

values = st.lists(
    st.tuples(st.sampled_from([*GOOD * 8, *BAD, *REACHING, TICK]), st.none() | st.integers(0, 2**60)), max_size=60
)


def one_by_one(given_values: list[tuple[bytes, int | None]], first: int) -> list[object]:
    return [found for i, value in enumerate(given_values) for found in verdicts(DECODER.values([value], first + i))]


@given(values, st.integers(0, 2**50))
def test_values_together_have_the_verdicts_that_they_have_alone(
    together: list[tuple[bytes, int | None]], first: int
) -> None:
    batch = DECODER.values(together, first)
    assert verdicts(batch) == one_by_one(together, first) == asked(DECODER.values(together, first))
    rejected = [arrival for arrival in batch.arrivals if isinstance(arrival, Rejection)]
    assert [batch.digest(one.position) for one in rejected] == [one.digest for one in rejected]


@pytest.mark.parametrize("reaching", REACHING)
def test_no_value_reaches_out_of_its_own(reaching: bytes) -> None:
    for together in ([reaching], [GOOD[0], reaching, GOOD[1]], [reaching, reaching], [reaching, *GOOD] * 9):
        found = DECODER.values([(value, 7) for value in together], 0).arrivals
        assert [isinstance(one, Rejection) for one in found] == [value == reaching for value in together]


def test_ticks_are_told_from_events_wherever_they_stand() -> None:
    batch: Batch = DECODER.values([(TICK, None), (GOOD[1], 5), (TICK, 6), (b' {"tick" : 5}', 7), (b"{", 8)], 10)
    tick, full, again, bad_tick, bad = batch.arrivals
    assert not isinstance(tick, Rejection)
    assert tick.tick == "2026-03-02T00:00:00Z"
    assert verdicts(batch)[0] == verdicts(batch)[2]
    assert tick == again
    assert full.event is not None
    assert isinstance(bad_tick, Rejection)
    assert isinstance(bad, Rejection)
    assert [(bad_tick.reason, bad_tick.position), (bad.reason, bad.position)] == [
        (Reason.BAD_ENVELOPE, 13),
        (Reason.NOT_JSON, 14),
    ]
