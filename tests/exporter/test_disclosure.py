"""Which numbers of one table are shown: small tables that can be thought through."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streams.exporter.disclosure import Mask, Window, shown

K = 10


def _window(cells: list[list[int]], rest: list[int] | None = None, *, exhaustive: bool = True) -> Window:
    """A table from its cells: county by part."""
    inner = np.array(cells, dtype=np.int64)
    whole = inner.sum(axis=1) + (0 if rest is None else np.array(rest))
    table = np.concatenate([inner, whole[:, None]], axis=1)
    return Window(np.concatenate([table, table.sum(axis=0, keepdims=True)]), K, exhaustive)


def _decided(window: Window) -> Mask:
    may = np.ones(window.counts.shape, dtype=np.bool_)
    return shown(window, may, window.counts < K)


def test_where_nothing_is_small_everything_is_shown() -> None:
    assert _decided(_window([[20, 30], [40, 50]])).all()


def test_a_single_small_part_takes_others_with_it() -> None:
    window = _window([[4, 30, 40], [25, 35, 45]])
    found = _decided(window)
    assert not found[0, 0]
    # Its county's total less the others, and the city's less the other county, would be it.
    assert not found[0, 1:].all()
    assert not (found[1, 0] and found[2, 0])


def test_two_small_parts_that_sum_to_few_do_not_hide_each_other() -> None:
    found = _decided(_window([[4, 3, 40], [25, 35, 45]]))
    hidden = int((~found[0]).sum())
    assert hidden >= 3


def test_a_city_of_small_counties_still_has_its_sum() -> None:
    found = _decided(_window([[4], [5], [3], [7], [6]]))
    assert not found[:-1].any()
    assert found[-1].any()


def test_what_is_in_no_part_is_a_cell_too() -> None:
    found = _decided(_window([[30, 40], [25, 35]], rest=[3, 0], exhaustive=False))
    assert not found[0].all(), "the total less its parts is 3"


def test_nothing_is_shown_of_a_table_that_does_not_add_up() -> None:
    window = _window([[20, 30], [40, 50]])
    window.counts[0, -1] = 10
    assert not _decided(window).any()


TABLES = st.integers(1, 3).flatmap(
    lambda parts: arrays(np.int64, (3, parts), elements=st.sampled_from([0, 1, 3, 9, 10, 11, 14, 40]))
)


@given(TABLES)
def test_no_small_cell_is_told_by_any_difference_of_two_numbers(cells: np.ndarray) -> None:
    window = _window(cells.tolist())
    found = _decided(window)
    counts = window.counts
    assert not found[counts < K].any()
    parts, counties = counts.shape[1] - 1, counts.shape[0] - 1
    for row in range(counties + 1):
        if found[row, parts] and np.count_nonzero(~found[row, :parts]) == 1:
            assert not 0 < counts[row, :parts][~found[row, :parts]].sum() < K
    for column in range(parts + 1):
        if found[counties, column] and np.count_nonzero(~found[:counties, column]) == 1:
            assert not 0 < counts[:counties, column][~found[:counties, column]].sum() < K
