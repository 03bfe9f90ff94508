"""A signal's detectors may differ by window size; each is a test of its own, on the sides that it judges."""

from dataclasses import replace

import numpy as np

from detectors.registry import DETECTORS
from streams.core.alert import Shape
from streams.core.city import City, Direction, Size
from streams.core.explain import explain
from streams.core.explanation import Why
from streams.core.guards import level_tables
from streams.core.instant import DAY, WEEK
from streams.core.levels import WINDOWS_PER_WEEK, levels_of, sides_judged
from streams.core.score import Score
from tests.core.courtroom import LEVEL, MONDAY, Courtroom, Seen, small_city
from tests.core.towns import signal

BY_SIZE = {Size.HOUR: ("counts",), Size.DAY: ("counts", "shift"), Size.WEEK: ("outbreak", "shift")}
NEXT_MONDAY = MONDAY + WEEK


def watched(direction: Direction = Direction.BOTH) -> City:
    noise = signal("noise", {"category": ["noise"]}, direction=direction)
    return small_city([replace(noise, detectors=("counts", "shift", "outbreak"), by_size=BY_SIZE)])


def test_every_size_has_its_own_detectors() -> None:
    city = watched()
    score = Score(city, detail_p=1e-9)
    assert {size: tuple(banks) for size, banks in score._banks.items()} == BY_SIZE
    assert {(size, name) for _, size, name in levels_of(city)} == {
        (s, n) for s, names in BY_SIZE.items() for n in names
    }
    assert {size: tuple(t.detector for t in made) for size, made in level_tables(city, levels_of(city)).items()} == {
        Size.HOUR: ("counts",),
        Size.DAY: ("counts", "shift"),
        Size.WEEK: ("shift", "outbreak"),  # as the signal first names them
    }


def test_a_size_that_names_none_has_all_of_them() -> None:
    noise = replace(signal("noise", {}, (Size.DAY, Size.WEEK)), detectors=("counts", "shift"), by_size={})
    assert noise.detectors_at(Size.DAY) == ("counts", "shift")
    assert noise.detectors_at(Size.HOUR) == ()


def test_a_detector_that_looks_for_too_many_only_spends_its_whole_level_on_that() -> None:
    assert sides_judged(Direction.BOTH, "outbreak") == (Direction.HIGH,)
    assert sides_judged(Direction.LOW, "outbreak") == ()
    assert sides_judged(Direction.BOTH, "counts") == (Direction.HIGH, Direction.LOW)
    city = watched()
    levels = levels_of(city)
    of_week = {table.detector: table for table in level_tables(city, levels)[Size.WEEK]}
    level = levels["noise", Size.WEEK, "outbreak"]
    assert of_week["outbreak"].high[0, 0] == level
    assert not of_week["outbreak"].low.any()
    assert of_week["shift"].high[0, 0] == of_week["shift"].low[0, 0] <= level / 2


def test_who_looks_for_too_few_gives_no_budget_to_a_detector_that_does_not() -> None:
    assert ("noise", Size.WEEK, "outbreak") not in levels_of(watched(Direction.LOW))
    assert ("noise", Size.WEEK, "shift") in levels_of(watched(Direction.LOW))


def test_all_levels_of_a_week_sum_to_the_budget() -> None:
    city = watched()
    spent = sum(
        int(table.cost.sum()) * WINDOWS_PER_WEEK[size]
        for size, tables in level_tables(city, levels_of(city)).items()
        for table in tables
    )
    assert 0.999 * city.budget_per_week <= spent * 1e-15 <= city.budget_per_week * (1 + 1e-9)


def test_what_builds_up_pages_once_it_is_more_than_expected() -> None:
    court = Courtroom(detectors=("outbreak",))
    window = court.window(NEXT_MONDAY, Size.WEEK, {("noise", "east"): Seen(19, 10.0, LEVEL / 4, "outbreak")})
    (raised,) = court.at(NEXT_MONDAY, {Size.WEEK: {("noise", "east"): Seen(19, 10.0, LEVEL / 4, "outbreak")}})
    assert raised.evidence.shape is Shape.BURST  # type: ignore[union-attr]  # a week that raises
    answer = explain(court.plan, "noise", "east", Size.WEEK, NEXT_MONDAY - DAY, window, court.made)
    assert (answer.why, answer.alert) == (Why.RAISED, raised.alert)


def test_what_has_built_up_before_is_no_news_in_a_week_like_any_other() -> None:
    """The weeks before were asked in their own time: a page would show a count that is no more than expected."""
    court = Courtroom(detectors=("outbreak",))
    seen = {("noise", "east"): Seen(10, 10.0, LEVEL / 4, "outbreak")}
    assert court.at(NEXT_MONDAY, {Size.WEEK: seen}) == []
    window = court.window(NEXT_MONDAY, Size.WEEK, seen)
    window.scores["outbreak"].p_high[:] = np.where(window.counts == 10, LEVEL / 4, 1.0)
    answer = explain(court.plan, "noise", "east", Size.WEEK, NEXT_MONDAY - DAY, window, court.made)
    assert (answer.why, answer.alert) == (Why.PAST, None)


def test_sides_are_named_as_directions_are() -> None:
    assert {side for made in DETECTORS.values() for side in made.sides} == {Direction.HIGH, Direction.LOW}
