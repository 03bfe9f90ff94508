"""Which windows have numbers, and what numbers they are."""

import numpy as np
import pytest

from streams.core.city import Size
from streams.core.instant import Instant
from streams.exporter.figures import FigureMaker, Figures
from streams.exporter.relations import relations
from streams.wiring.inputs import open_profile
from tests.exporter.worlds import CATEGORIES, WEEKS, World, town

SIGNALS = [signal.name for signal in town().city.signals]
LARGE = np.full((4, len(CATEGORIES)), 60)


def _all(world: World) -> dict[tuple[Size, int], Figures]:
    windows = world.windows()
    maker, made = FigureMaker(town().city), dict[tuple[Size, int], Figures]()
    number = dict.fromkeys(Size, 0)

    def read(size: Size, end: Instant) -> object:
        return windows.get((size, end))

    for size, end in windows:
        figures = maker.figures(read, size, end)  # type: ignore[arg-type]  # a window or none
        assert figures is not None
        made[size, number[size]] = figures
        number[size] += 1
    return made


@pytest.fixture(scope="module")
def large() -> dict[tuple[Size, int], Figures]:
    """Days and weeks of a world in which every count is large."""
    return _all(World.of(1, LARGE, 0.0))


def _place(signal: str) -> int:
    return SIGNALS.index(signal)


def test_large_counts_are_shown_as_they_are_once_a_week_has_been_seen(large: dict[tuple[Size, int], Figures]) -> None:
    world = World.of(1, LARGE, 0.0)
    for day in range(7 * WEEKS):
        shown = large[Size.DAY, day].shown[_place("total")]
        assert shown.all() == (day >= 7)
        if day >= 7:
            counted = world.counts(day, day + 1)[_place("total")]
            assert list(large[Size.DAY, day].count[_place("total")]) == list(counted)


def test_weeks_that_are_sums_of_shown_days_are_shown(large: dict[tuple[Size, int], Figures]) -> None:
    assert [large[Size.WEEK, week].shown[_place("noise")].all() for week in range(WEEKS)] == [False] + [True] * 6
    assert not large[Size.WEEK, 6].shown[_place("callers")].any(), "a week's callers are no sum of days"


def test_shares_are_of_weeks(large: dict[tuple[Size, int], Figures]) -> None:
    assert not large[Size.DAY, 40].shown[_place("satisfied")].any()
    week = large[Size.WEEK, 6]
    assert list(week.shown[_place("satisfied")]) == [True, True, True, True, False], "and not of the city"
    ratio = week.count[_place("satisfied")] / week.count[_place("answered")]
    assert list(week.ratio[_place("satisfied")])[:-1] == list(ratio)[:-1]


def test_compartmented_signals_are_not_there(large: dict[tuple[Size, int], Figures]) -> None:
    for figures in large.values():
        assert not figures.asked[_place("accusations")].any()
        assert np.isnan(figures.count[_place("accusations")]).all()


def test_signals_that_cross_are_not_both_shown(large: dict[tuple[Size, int], Figures]) -> None:
    assert not any(figures.shown[_place("by_phone")].any() for figures in large.values())


def test_what_stands_open_is_rounded_down_to_k(large: dict[tuple[Size, int], Figures]) -> None:
    count = large[Size.DAY, 20].count[_place("backlog")]
    assert (count[:-1] % town().city.privacy_k == 0).all()
    assert (count[:-1] > 0).all()


def test_there_is_no_band_where_there_is_no_number_and_p_is_a_power_of_ten() -> None:
    rates = np.array([[150, 60, 30, 12], [30, 12, 9, 5], [12, 5, 2, 2], [5, 2, 2, 1]])
    for figures in _all(World.of(5, rates, 0.1)).values():
        for numbers in (figures.expected, figures.low, figures.high, figures.p, figures.ratio):
            assert np.isnan(numbers[~figures.shown]).all()
        assert np.isnan(figures.count[~figures.shown]).all()
        told = figures.p[~np.isnan(figures.p)]
        assert np.allclose(np.log10(told), np.round(np.log10(told)))
        for numbers in (figures.expected, figures.low, figures.high):
            told = numbers[~np.isnan(numbers)]
            assert (told == np.round(told)).all()


def test_after_a_count_below_k_nothing_is_expected_for_a_week() -> None:
    world = World.of(3, LARGE, 0.0)
    world.events[20, 0] = 0
    made = _all(world)
    total = _place("total")
    assert made[Size.DAY, 19].shown[total, 0]
    for day in range(20, 28):
        assert not made[Size.DAY, day].shown[total, 0]
        assert np.isnan(made[Size.DAY, day].expected[total, 0])
    assert made[Size.DAY, 28].shown[total, 0]


@pytest.mark.parametrize("name", ["leshan", "boston311", "chicago311"])
def test_signals_of_different_tables_share_no_event(name: str) -> None:
    city = open_profile(name).city
    made = relations(city)
    places = [i for table in made.tables if table.hangs_on is None for i in (table.whole, *table.parts)]
    assert len(places) == len(set(places))
    assert not set(places) & made.hidden
    assert any(table.parts for table in made.tables)


def test_leshan_knows_that_its_families_make_up_the_total() -> None:
    city = open_profile("leshan").city
    first = relations(city).tables[0]
    assert city.signals[first.whole].name == "complaints_total"
    assert len(first.parts) == 12
    assert first.exhaustive
