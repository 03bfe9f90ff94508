"""Feeds: who has never sent is not heard yet, who stops is dead and teaches nothing, who comes back is as usual."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from detectors.observation import ScoreReason
from streams.core.alert import Ended, Raised, Shape, Transition
from streams.core.cells import Cell, CellCounts
from streams.core.city import City, Size
from streams.core.drought import silent_points_in
from streams.core.explain import explain
from streams.core.explanation import Explanation, Why
from streams.core.instant import DAY
from streams.core.judge import JudgePlan, step
from streams.core.judge_state import JudgeState
from streams.core.levels import levels_of
from streams.core.outputs import ClosedWindow, ScoredWindow
from streams.core.score import Score
from tests.core.towns import START, signal, towns

BEGINS = 60
"""The day on which what is odd begins."""


def city() -> City:
    """Three towns; one signal of days, of the whole city too."""
    noise = signal("noise", {"kind": ["accepted"]}, (Size.DAY,), citywide=True)
    return towns(signals=[replace(noise, detectors=("counts", "shift"))])


class Watch:
    """Days through score and judge: each town's calls at the hotline, and what petitions it sent."""

    def __init__(self) -> None:
        self.city = city()
        self.score = Score(self.city, detail_p=1e-2)
        self.plan = JudgePlan.of(self.city, levels_of(self.city), {})
        self.state = JudgeState()
        self.made: list[Transition] = []
        self.windows: list[ScoredWindow] = []

    def day(self, petitions: int = 2, **calls: int) -> ScoredWindow:
        number = len(self.windows)
        start = START + number * DAY
        window = None
        for code in ("east", "west", "south"):
            count = calls.get(code, 20 + (7 * number + len(code)) % 5)
            cells = [Cell("hotline", "noise", "accepted", None, None, None)] * bool(count)
            cells += [Cell("petitions", "road", "closed", None, None, None)] * bool(petitions)
            events = np.array([n for n in (count, petitions) if n], dtype=np.int64)
            counts = np.array([count], dtype=np.int64)
            made = ClosedWindow(code, Size.DAY, start, start + DAY, counts, CellCounts(cells, events))
            window = self.score.step(made)
        assert window is not None
        self.windows.append(window)
        self.state, transitions = step(self.plan, self.state, window)
        self.made += transitions
        return window

    def days(self, number: int, petitions: int = 2, **calls: int) -> None:
        for _ in range(number):
            self.day(petitions, **calls)

    def asked(self, county: str, day: int) -> Explanation:
        window = self.windows[day]
        stored = replace(window, details={})
        return explain(self.plan, "noise", county, Size.DAY, window.start, stored, self.made)

    @property
    def raised(self) -> list[Raised]:
        return [one for one in self.made if isinstance(one, Raised)]

    def expected(self, county: str) -> Iterator[float]:
        place = self.plan.layout.series[county]
        return (float(window.scores["counts"].expected[0, place]) for window in self.windows)


def test_a_county_that_begins_to_send_is_no_outbreak_of_it_or_of_the_city() -> None:
    watch = Watch()
    for _ in range(BEGINS):
        watch.day(0, south=0)
    watch.days(60, south=60)
    assert watch.made == []
    assert watch.asked("south", BEGINS - 1).why is Why.NOT_HEARD
    assert watch.asked("south", BEGINS + 1).why is Why.WARMING_UP
    assert watch.asked("towns-all", BEGINS + 1).why is Why.NEWCOMER
    assert watch.asked("south", BEGINS + 50).why is Why.ABOVE_LEVEL
    assert list(watch.expected("south"))[-1] > 15


def test_one_event_of_any_kind_is_enough_to_be_heard() -> None:
    watch = Watch()
    watch.days(BEGINS, south=0)  # petitions come from it
    assert watch.windows[0].scores["counts"].reason[0, 2] == ScoreReason.WARMING_UP
    assert watch.asked("south", BEGINS - 1).why is not Why.NOT_HEARD


def test_a_county_that_stops_is_paged_once_as_a_dead_feed_until_it_sends_again() -> None:
    watch = Watch()
    watch.days(BEGINS)
    watch.days(40, south=0, petitions=0)
    (raised,) = watch.raised
    assert (raised.county, raised.evidence.shape) == ("south", Shape.SILENT_FEED)
    assert raised.evidence.window_end == START + (BEGINS + 1) * DAY
    assert not any(isinstance(one, Ended) for one in watch.made)
    watch.days(20)
    for day in (1, 35):
        answer = watch.asked("south", BEGINS + day)
        assert (answer.why, answer.alert) == (Why.SILENT_FEED, raised.alert)
    assert watch.asked("south", BEGINS).why is Why.RAISED
    assert watch.asked("south", BEGINS + 41).why is not Why.SILENT_FEED
    assert watch.asked("east", BEGINS + 35).why is not Why.SILENT_FEED
    assert watch.raised == [raised]
    assert [one.alert for one in watch.made if isinstance(one, Ended)] == [raised.alert]


def test_what_is_expected_after_an_outage_is_what_was_before_it_in_the_county_and_the_city() -> None:
    broken, whole = Watch(), Watch()
    for watch in (broken, whole):
        watch.days(BEGINS)
    broken.days(40, south=0, petitions=0)
    whole.days(40)
    for watch in (broken, whole):
        watch.day()
    for county in ("south", "towns-all"):
        usual = list(whole.expected(county))[-1]
        assert abs(list(broken.expected(county))[-1] - usual) < 0.1 * usual


def test_one_point_that_stops_is_named_though_another_goes_on() -> None:
    watch = Watch()
    watch.days(BEGINS)
    watch.days(5, south=0)
    (raised,) = watch.raised
    assert (raised.county, raised.evidence.shape) == ("south", Shape.SILENT_FEED)
    assert silent_points_in(raised.evidence.notes) == ("hotline",)


def test_who_pauses_every_weekend_is_not_silent_on_the_next_one() -> None:
    watch = Watch()
    for day in range(BEGINS):
        resting = {"south": 0} if day % 7 >= 5 else {}
        watch.day(**resting)
    place = watch.plan.layout.series["south"]
    assert all(detail.silent == () for window in watch.windows for detail in window.details.values())
    watch.day()
    saturday = watch.day(south=0)
    assert saturday.scores["counts"].expected[0, place] < 20  # it learned its quiet days


def test_a_quiet_county_is_not_a_dead_one() -> None:
    """Far fewer, but some: a drought, if anything, and the days are learned."""
    watch = Watch()
    watch.days(BEGINS)
    watch.days(60, south=6)
    assert Shape.SILENT_FEED not in {one.evidence.shape for one in watch.raised}
    assert list(watch.expected("south"))[-1] < 10


def test_it_goes_on_from_a_snapshot_as_if_it_had_not_stopped() -> None:
    watch = Watch()
    watch.days(BEGINS)
    watch.days(3, south=0, petitions=0)
    again = Score(watch.city, detail_p=1e-2)
    again.restore({name: chunk for name, chunk in watch.score.snapshot().items() if chunk is not None})
    assert again.snapshot() == watch.score.snapshot()
