"""Texts by number: one number a text as long as somebody holds it, whatever else is let go."""

from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.compiled import compiled
from streams.core.names import NOTHING, Names, Numbers, Table, comes_before

texts = st.one_of(
    st.text(min_size=1, max_size=128), st.integers(0, 30).map("{:032x}".format), st.integers(0, 300).map(str)
)


class Holder:
    """Holds numbers of texts."""

    def __init__(self, size: int) -> None:
        self.numbers = np.zeros(size, dtype=np.int64)
        self.names = Names(self._held)

    def _held(self) -> Iterator[Numbers]:
        yield self.numbers[::2]
        yield self.numbers[1::2]


@compiled
def before(names: Table, one: int, other: int) -> bool:
    return comes_before(names, one, other)


@given(st.lists(st.tuples(st.integers(0, 9), st.none() | texts, st.booleans()), max_size=60), st.integers(1, 3000))
def test_a_text_that_is_held_keeps_its_number_until_room_is_made_and_its_text_then(
    visits: list[tuple[int, str | None, bool]], room: int
) -> None:
    holder = Holder(10)
    names = holder.names
    held: dict[int, str | None] = {}
    for place, text, looked_up in visits:
        names.make_room(room, 4 * 128 * room)
        number = names.number(text, looked_up=looked_up)
        assert (number == NOTHING) == (text is None)
        if looked_up:
            assert names.number(text) == number
        holder.numbers[place] = number
        held[place] = text
    assert {place: names.text(int(holder.numbers[place])) for place in held} == {
        place: text or "" for place, text in held.items()
    }
    ordered = [(held.get(i) or "", int(holder.numbers[i])) for i in range(10)]
    for one, number in ordered:
        for other, other_number in ordered:
            assert before(names.table, number, other_number) == (one < other)
    again = Holder(10)
    packed = names.pack(holder.numbers)
    again.names.make_room(10, len(packed))
    again.numbers[:] = again.names.unpack(packed, 10)
    assert [again.names.text(number) for number in again.numbers.tolist()] == [held.get(i) or "" for i in range(10)]
    assert again.names.pack(again.numbers) == packed


def test_what_nobody_holds_is_let_go() -> None:
    holder = Holder(1000)
    for n in range(50_000):
        holder.names.make_room(1, 32)
        holder.numbers[n % 1000] = holder.names.number(f"{n:032}")
    assert np.count_nonzero(holder.names.table.hashes) < 2500  # what was never written to takes no memory
    assert [holder.names.text(int(holder.numbers[n])) for n in range(1000)] == [
        f"{49_000 + n:032}" for n in range(1000)
    ]
