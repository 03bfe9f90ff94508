"""Remembered ids: exact, by county, forgotten by day, and one snapshot whatever was forgotten before."""

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.core.columns import Text, hash_of, string_at
from streams.core.instant import DAY, Instant
from streams.core.remembered import Remembered
from streams.core.window import QUARTER

names = st.one_of(
    st.text(min_size=1, max_size=128), st.integers(0, 30).map("{:032x}".format), st.integers(0, 300).map(str)
)
visits = st.lists(st.tuples(st.integers(0, 2), names, st.integers(0, 3)), max_size=80)


def lists(chunks: dict[tuple[int, Instant], bytes | None]) -> dict[tuple[int, Instant], list[str] | None]:
    """Chunks as what they hold."""
    return {
        key: None if chunk is None else msgspec.msgpack.decode(chunk, type=list[str]) for key, chunk in chunks.items()
    }


@given(visits)
def test_an_id_is_known_to_its_county_until_its_day_is_forgotten(given_visits: list[tuple[int, str, int]]) -> None:
    """Against a plain dict."""
    remembered = Remembered(3)
    plain: dict[tuple[int, str], Instant] = {}
    day = 0
    for county, name, later in given_visits:
        day += later * DAY
        for other in range(3):
            remembered.forget(other, day - 5 * DAY)
        plain = {key: first for key, first in plain.items() if first >= day - 5 * DAY}
        assert remembered.knows(county, name) == ((county, name) in plain)
        assert remembered.remember(county, name, day) == ((county, name) not in plain)
        plain.setdefault((county, name), day)
    expected: dict[tuple[int, Instant], list[str]] = {}
    for (county, name), first in plain.items():
        expected.setdefault((county, first), []).append(name)
    chunks = remembered.chunks(whole=True)
    assert lists(chunks) == expected
    again = Remembered(3)
    for county in range(3):
        again.forget(county, day - 5 * DAY)
    again.restore({key: chunk for key, chunk in chunks.items() if chunk is not None})
    assert again.chunks(whole=True) == chunks
    assert all(again.knows(*key) for key in plain)


def test_room_is_made_without_forgetting_anything_but_what_is_past() -> None:
    remembered = Remembered(1)
    for day in range(40):
        remembered.forget(0, (day - 9) * DAY)
        for n in range(1000):
            assert remembered.remember(0, f"{day}-{n}", day * DAY)
        if day % 7 == 0:
            remembered.chunks(whole=False)
    assert np.count_nonzero(remembered.table.hashes) < 2 * 10_000  # what was never written to takes no memory
    held = lists(remembered.chunks(whole=True))
    assert held == {(0, day * DAY): [f"{day}-{n}" for n in range(1000)] for day in range(30, 40)}
    assert not remembered.remember(0, "31-5", 40 * DAY)
    assert remembered.remember(0, "29-5", 40 * DAY)


def test_a_snapshot_holds_the_days_that_changed_and_names_those_that_are_gone() -> None:
    remembered = Remembered(2)
    for day in range(3):
        remembered.remember(0, "a", day * DAY) or remembered.remember(0, f"a{day}", day * DAY)
        remembered.remember(1, f"b{day}", day * DAY)
    assert len(remembered.chunks(whole=False)) == 6
    assert remembered.chunks(whole=False) == {}
    remembered.remember(1, "new", 2 * DAY)
    remembered.forget(0, 2 * DAY)
    assert lists(remembered.chunks(whole=False)) == {(0, 0): None, (0, DAY): None, (1, 2 * DAY): ["b2", "new"]}
    assert set(remembered.chunks(whole=True)) == {(0, 2 * DAY), (1, 0), (1, DAY), (1, 2 * DAY)}


@given(st.binary(max_size=140))
def test_a_text_has_one_hash_whichever_way_it_is_read(text: bytes) -> None:
    until = len(text)
    for i, byte in enumerate(text):
        if byte < 32 or byte > 127 or byte in b'"\\':
            until = i
            break
    for around in (b"", b"left"):
        padded = Text.of(around + text)
        end, found = string_at(padded.eights, len(around))
        assert end == len(around) + until
        assert found == hash_of(padded.eights, len(around), len(around) + until)
        assert found == hash_of(Text.of(text[:until]).eights, 0, until)


def test_days_before_1970_are_days() -> None:
    remembered = Remembered(1)
    day = -400 * DAY
    remembered.forget(0, day)
    remembered.remember(0, "old", day)
    assert list(remembered.chunks(whole=False)) == [(0, day)]
    assert day % QUARTER == 0
