"""Arrays that grow keep what they hold; texts move towards the front whatever lies beside them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.compiled import compiled
from streams.core.columns import Bytes, Wide
from streams.core.growing import eights_of, grown, is_worth_moving, move, next_look, slots_for


@compiled
def moved(text: Bytes, eights: Wide, begin: int, end: int, place: int) -> None:
    move(text, eights, begin, end, place)


@given(st.integers(0, 30), st.integers(0, 40), st.integers(0, 30))
def test_a_text_moves_towards_the_front_and_what_lies_behind_it_stays(place: int, by: int, length: int) -> None:
    text = np.arange(1, 110, dtype=np.uint8)
    before, begin = text.copy(), place + by
    moved(text, eights_of(text), begin, begin + length, place)
    assert text[place : place + length].tolist() == before[begin : begin + length].tolist()
    assert text[begin + length :].tolist() == before[begin + length :].tolist()
    assert text[:place].tolist() == before[:place].tolist()


def test_an_array_grows_once_in_a_long_while_and_keeps_what_is_used() -> None:
    held = np.zeros((0, 2), dtype=np.int64)
    arrays = set()
    for used in range(10_000):
        held = grown(held, used, used + 1)
        arrays.add(id(held))
        held[used] = used, -used
    assert held[:10_000, 0].tolist() == list(range(10_000))
    assert len(arrays) < 8


def test_the_dead_are_looked_for_now_and_then_and_moved_for_where_they_are_many() -> None:
    assert [is_worth_moving(100, live) for live in (0, 74, 75, 100)] == [True, True, False, False]
    assert (next_look(1000, 10), next_look(1000, 800)) == (1500, 1800)
    assert [slots_for(entries) for entries in (1, 2, 3, 1024, 1025)] == [2, 4, 8, 2048, 4096]
