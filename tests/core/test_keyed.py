"""Rows by key, in the order of their last touch: what a dict of records does, with some of them forgotten."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.compiled import compiled
from streams.core.keyed import FIELDS, KEY, OTHER_KEY, Keyed, Table, add, find, touch

OWNERS, LISTS = 3, 2


@compiled
def put(table: Table, key: int, other: int, owner: int, on_list: int, value: int) -> bool:
    """Set a key's value and put it at the end of one of its owner's lists; whether it was there."""
    row = find(table, key, other, owner)
    if row < 0:
        new = add(table, key, other, 2 * owner + on_list)
        table.rows[new, FIELDS] = value
        return False
    table.rows[row, FIELDS] = value
    touch(table, row, 2 * owner + on_list)
    return True


visits = st.lists(
    st.tuples(
        st.integers(1, 40), st.integers(0, 3), st.integers(0, OWNERS - 1), st.integers(0, LISTS - 1), st.integers(0, 3)
    ),
    max_size=400,
)


def listed(keyed: Keyed, on_list: int) -> list[tuple[int, int, int]]:
    return [(row[KEY], row[OTHER_KEY], row[FIELDS]) for row in keyed.listed(on_list).tolist()]


@given(visits, st.integers(1, 20))
def test_rows_are_those_of_a_dict_by_key_in_the_order_of_their_last_touch(
    given_visits: list[tuple[int, int, int, int, int]], kept: int
) -> None:
    keyed = Keyed(OWNERS, LISTS, 1)
    plain: dict[tuple[int, int, int], tuple[int, int]] = {}
    now = 0
    for key, other, owner, on_list, later in given_visits:
        now += later
        keyed.make_room(1)
        place = (key, other, owner)
        assert put(keyed.table, key, other, owner, on_list, now) == (plain.pop(place, None) is not None)
        plain[place] = on_list, now
        if later == 3:
            for number in range(OWNERS * LISTS):
                keyed.forget(number, FIELDS, now - kept)
            plain = {at: known for at, known in plain.items() if known[1] >= now - kept}
    for number in range(OWNERS * LISTS):
        expected = [
            (key, other, value)
            for (key, other, owner), (on_list, value) in plain.items()
            if (owner, on_list) == divmod(number, LISTS)
        ]
        assert listed(keyed, number) == expected
        again = Keyed(OWNERS, LISTS, 1)
        again.add_all(number, keyed.listed(number))
        assert listed(again, number) == expected


def test_what_is_forgotten_gives_its_place_to_what_comes() -> None:
    """So that what is kept for a while takes as much memory after a hundred times as long; and all is found."""
    keyed = Keyed(1, 1, 1)
    for n in range(30_000):
        keyed.make_room(1)
        assert not put(keyed.table, n + 1, n % 7, 0, 0, n)
        keyed.forget(0, FIELDS, n - 999)
        if n % 97 == 0:
            assert all(put(keyed.table, m + 1, m % 7, 0, 0, m) for m in range(max(0, n - 999), n + 1))
    assert len(keyed.rows) < 1100
    assert np.count_nonzero(keyed.table.slots) == 1000


def test_keys_that_change_are_found_by_their_new_numbers() -> None:
    keyed = Keyed(1, 1, 1)
    for key in range(1, 100):
        put(keyed.table, key, 0, 0, 0, key)
    keyed.table.rows[:, KEY] *= 3
    keyed.rehash()
    assert all(put(keyed.table, 3 * key, 0, 0, 0, key) for key in range(1, 100))
