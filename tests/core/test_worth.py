"""Weights follow how often pages were right; the budget is kept whatever they are."""

from dataclasses import replace

import pytest

from streams.core.city import City, Size
from streams.core.guards import level_tables
from streams.core.levels import WINDOWS_PER_WEEK, levels_of
from streams.core.worth import FEWEST, MOST_TIMES, JudgedPage, Proposal, proposal
from tests.core.courtroom import small_city


def pages(signal: str, right: int, false: int, size: Size = Size.DAY) -> list[JudgedPage]:
    return [JudgedPage(signal, size, right=True)] * right + [JudgedPage(signal, size, right=False)] * false


def weight(found: Proposal, name: str) -> float:
    return next(one.proposed for one in (*found.signals, *found.sizes) if one.name == name)


def test_a_signal_whose_pages_are_right_gains_and_one_whose_are_not_loses() -> None:
    found = proposal(small_city(), pages("noise", 18, 2) + pages("road", 4, 16))
    assert weight(found, "noise") > 1.0 > weight(found, "road")
    assert weight(found, "dust") == 1.0  # none of its pages was judged
    assert found.says_something


def test_three_pages_say_little() -> None:
    many = pages("noise", 20, 20)
    few = weight(proposal(small_city(), many + pages("road", 0, 3)), "road")
    more = weight(proposal(small_city(), many + pages("road", 0, 30)), "road")
    assert 0.75 < few < 1.0
    assert more < 0.5


@pytest.mark.parametrize(
    "known", [pages("noise", 5, FEWEST - 6), pages("noise", FEWEST, 0), pages("noise", 0, FEWEST), []]
)
def test_too_little_or_all_the_same_proposes_nothing(known: list[JudgedPage]) -> None:
    found = proposal(small_city(), known)
    assert found.judged == len(known)
    assert not found.says_something


def test_sizes_are_weighed_likewise_and_nothing_changes_more_than_fourfold() -> None:
    found = proposal(small_city(), pages("noise", 1, 399, Size.HOUR) + pages("noise", 40, 0, Size.WEEK))
    assert weight(found, "hour") == 1.0 / MOST_TIMES
    assert weight(found, "week") == MOST_TIMES


def test_the_order_of_pages_does_not_matter() -> None:
    known = pages("noise", 9, 4) + pages("road", 2, 12, Size.WEEK)
    assert proposal(small_city(), known) == proposal(small_city(), known[::-1])


def test_levels_of_proposed_weights_sum_to_the_same_budget() -> None:
    city = small_city()
    found = proposal(city, pages("noise", 18, 2, Size.WEEK) + pages("road", 4, 16))
    signals = tuple(replace(s, weight=weight(found, s.name)) for s in city.signals)
    sizes = {size: weight(found, size.value) for size in Size}

    def spent(of: City) -> float:
        tables = level_tables(of, levels_of(of))
        return sum(int(t.cost.sum()) * 1e-15 * WINDOWS_PER_WEEK[size] for size in Size for t in tables[size])

    assert spent(replace(city, signals=signals, size_weights=sizes)) == pytest.approx(spent(city), rel=1e-4)
