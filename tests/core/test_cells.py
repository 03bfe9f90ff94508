"""Cells: every event is counted once, on its finest cell; signals are sums of cells and say what is behind them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.cells import MEASURES, Cell, CellCounts, CellRegistry, matches
from streams.core.city import FILTER_FIELDS, Measure, Signal
from streams.core.event import INTAKE_KINDS, KINDS, OUTCOMES
from tests.core.towns import SIGNALS, signal

NOISE = Cell("hotline", "noise", "accepted", "phone", None, None)
ROAD = Cell("hotline", "road", "accepted", "web", "school", None)
REPLY = Cell("petitions", "noise", "replied", None, None, None)

cells = st.builds(
    Cell,
    st.sampled_from(["hotline", "petitions"]),
    st.sampled_from(["noise", "road", "threat"]),
    st.sampled_from(["accepted", "closed", "petition_filed", "called_back"]),
    st.sampled_from(["phone", "web", None]),
    st.sampled_from(["school", "hospital", None]),
    st.sampled_from([*OUTCOMES[:2], None]),
)
many_cells = st.lists(cells, max_size=40)


@pytest.mark.parametrize("field", FILTER_FIELDS)
def test_a_filter_may_name_any_field_of_a_cell(field: str) -> None:
    cell = Cell("hotline", "noise", "called_back", "phone", "school", "satisfied")
    value = getattr(cell, field)
    assert matches(signal("s", {field: [value, "other"]}), cell)
    assert not matches(signal("s", {field: ["other"]}), cell)


def test_a_filter_without_fields_takes_everything_and_one_with_two_wants_both() -> None:
    assert matches(signal("s", {}), REPLY)
    both = signal("s", {"category": ["noise"], "kind": ["accepted"]})
    assert [matches(both, cell) for cell in (NOISE, ROAD, REPLY)] == [True, False, False]


def test_a_field_that_an_event_lacks_matches_no_filter_on_it() -> None:
    assert not matches(signal("s", {"sector": ["school", "hospital"]}), NOISE)


def test_cells_are_numbered_in_the_order_of_their_first_event() -> None:
    registry = CellRegistry(SIGNALS)
    assert [registry.code(cell) for cell in (NOISE, ROAD, NOISE, REPLY, ROAD)] == [0, 1, 0, 2, 1]
    assert CellRegistry(SIGNALS, registry.cells).codes == registry.codes


def wide(number: int) -> Cell:
    return NOISE._replace(category=f"category {number}")


def test_any_number_of_cells_is_counted() -> None:
    everything = (signal("all", {}), signal("even", {"category": [f"category {n}" for n in range(0, 1000, 2)]}))
    registry = CellRegistry(everything)
    codes = np.array([registry.code(wide(n)) for n in range(1000)], dtype=np.int64)
    assert registry.event_counts(codes).tolist() == [1000, 500]


@given(many_cells)
def test_a_signal_counts_the_events_that_its_filter_takes(events: list[Cell]) -> None:
    registry = CellRegistry(SIGNALS)
    codes = np.array([registry.code(cell) for cell in events], dtype=np.int64)
    expected = [sum(matches(one, cell) for cell in events) if one.measure is Measure.EVENTS else 0 for one in SIGNALS]
    assert registry.event_counts(codes).tolist() == expected


def test_callers_matters_and_repeats_are_of_what_comes_in_not_of_what_is_done_about_it() -> None:
    everything = tuple(
        signal(measure, {}, measure=measure)
        for measure in (Measure.DISTINCT_CALLERS, Measure.DISTINCT_MATTERS, Measure.REPEATS)
    )
    registry = CellRegistry(everything, [NOISE._replace(kind=kind) for kind in KINDS])
    for code, kind in enumerate(KINDS):
        measures = [MEASURES[one.measure] for one in everything]
        assert registry.counted_as[code].tolist() == (measures if kind in INTAKE_KINDS else [0, 0, 0])


def test_a_cell_names_the_signals_that_it_is_missing_from_when_it_is_late() -> None:
    registry = CellRegistry(SIGNALS, [ROAD, REPLY])
    assert registry.signals_of(0) == ("complaints", "callers", "matters", "repeats")
    assert registry.signals_of(1) == ()


@given(many_cells, st.sampled_from(FILTER_FIELDS), st.none() | st.just(INTAKE_KINDS) | st.just(frozenset({"closed"})))
def test_a_margin_is_the_events_by_one_field(events: list[Cell], field: str, kinds: frozenset[str] | None) -> None:
    registry = CellRegistry(SIGNALS)
    codes = [registry.code(cell) for cell in events]
    expected: dict[str, int] = {}
    for cell in events:
        value = getattr(cell, field)
        if value is not None and (kinds is None or cell.kind in kinds):
            expected[value] = expected.get(value, 0) + 1
    found = registry.margin(np.bincount(np.array(codes, dtype=np.int64)), field, kinds)
    assert found == expected
    assert list(found) == sorted(found)


def test_a_margin_of_counts_from_before_the_last_cells_came_is_still_right() -> None:
    registry = CellRegistry(SIGNALS, [NOISE])
    counts = np.array([3], dtype=np.int64)
    assert registry.margin(counts, "category") == {"noise": 3}
    registry.code(ROAD)
    assert registry.margin(counts, "category") == {"noise": 3}
    assert registry.margin(np.array([3, 2], dtype=np.int64), "category") == {"noise": 3, "road": 2}


@given(many_cells)
def test_a_windows_cells_are_the_same_counted_now_or_when_somebody_asks(events: list[Cell]) -> None:
    registry = CellRegistry(SIGNALS)
    codes = np.array([registry.code(cell) for cell in events], dtype=np.int64)
    later = CellCounts.of_events(registry.cells, codes)
    now = CellCounts(registry.cells, np.bincount(codes))
    registry.code(wide(1))
    assert later.items() == now.items() == later.items()
    assert dict(now.items()) == {cell: events.count(cell) for cell in events}


ALL = signal("all", {})


@given(many_cells, st.randoms(use_true_random=False), st.integers(1, 4))
def test_the_top_contributions_do_not_depend_on_the_order_of_events(
    events: list[Cell], shuffle: st.DataObject, most: int
) -> None:
    def top(given: list[Cell]) -> tuple[tuple[str, int], ...]:
        registry = CellRegistry(SIGNALS)
        codes = np.array([registry.code(cell) for cell in given], dtype=np.int64)
        (of_category,) = CellCounts.of_events(registry.cells, codes).top(ALL, ["category"], most)
        return of_category

    mixed = list(events)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    found = top(events)
    assert found == top(mixed)
    assert len(found) <= most
    assert list(found) == sorted(found, key=lambda item: (-item[1], item[0]))


@pytest.mark.parametrize(
    ("of", "field", "expected"),
    [
        (ALL, "category", (("noise", 5), ("road", 4))),
        (ALL, "sector", (("school", 4),)),
        (signal("s", {"kind": ["accepted"]}), "category", (("road", 4), ("noise", 3))),
        (signal("s", {"kind": ["closed"]}), "category", ()),
    ],
)
def test_the_top_contributions_to_a_signal_are_its_own(of: Signal, field: str, expected: object) -> None:
    counts = CellCounts([NOISE, ROAD, REPLY], np.array([3, 4, 2], dtype=np.int64))
    assert counts.top(of, [field, "kind"], 5)[0] == expected
