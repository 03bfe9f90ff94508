"""Neighbouring counties that are high together: one alert that names them, within the budget."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.observation import ScoreReason, Scores
from detectors.scan import LONGEST
from streams.core.alert import Ended, Joined, Raised, Shape, Transition
from streams.core.city import City, County, Direction, Size
from streams.core.clusters import CLUSTER, cluster_in
from streams.core.explain import Around, explain
from streams.core.explanation import Explanation, Together, Why
from streams.core.instant import DAY, WEEK, Instant
from streams.core.judge import JudgePlan, step
from streams.core.judge_state import JudgeState, restore, snapshot
from streams.core.levels import levels_of
from streams.core.outputs import ScoredWindow
from streams.core.recall import recall, scans
from streams.core.spending import UNIT
from tests.core.towns import START, signal, towns

CODES = ("a", "b", "c", "d", "e", "f")
"""In a row: each borders the next."""


def row(detectors: tuple[str, ...] = ("counts", "scan"), budget: float = 1.0) -> City:
    """Six counties in a row and one signal of days."""
    noise = signal("noise", {"kind": ["accepted"]}, (Size.DAY,), direction=Direction.HIGH, citywide=True)
    city = towns(signals=[replace(noise, detectors=detectors)], counties=CODES, budget=budget)
    near = {code: tuple(CODES[j] for j in (i - 1, i + 1) if 0 <= j < 6) for i, code in enumerate(CODES)}
    return replace(city, counties=tuple(County(c, c, c, neighbours=near[c]) for c in CODES))


class Bench:
    """A judge over days of ten expected events a county."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.plan = JudgePlan.of(city, levels_of(city), {"counts": "1"})
        self.state = JudgeState()
        self.made: list[Transition] = []
        self.windows: list[ScoredWindow] = []
        self.expected: dict[str, float] = {}
        """Of a day, of the counties that do not expect ten."""

    @property
    def end(self) -> Instant:
        return START + len(self.windows) * DAY

    def day(self, p: dict[str, float] | None = None, **counts: int) -> list[Transition]:
        """One more day; `p` is what the counts detector says of single counties."""
        seen = np.array([[*(counts.get(code, 10) for code in CODES), 0]], dtype=np.int64)
        seen[0, -1] = seen[0, :-1].sum()

        def full(value: float) -> np.ndarray:
            return np.full(seen.shape, value)

        high = full(0.4)
        for code, tail in (p or {}).items():
            high[0, CODES.index(code)] = tail
        expected, reason = full(10.0), np.full(seen.shape, ScoreReason.SCORED, dtype=np.uint8)
        expected[0, :-1] = [self.expected.get(code, 10.0) for code in CODES]
        expected[0, -1] = expected[0, :-1].sum()
        scores = Scores(expected, full(4), full(17), high, high, full(0.4), full(0.4), full(200.0), reason)
        window = ScoredWindow(Size.DAY, self.end, self.end + DAY, seen, {"counts": scores}, {})
        self.windows.append(window)
        self.state, made = step(self.plan, self.state, window)
        assert restore(snapshot(self.state)) == self.state
        self.made += made
        return list(made)

    def days(self, count: int, **counts: int) -> list[Transition]:
        return [one for _ in range(count) for one in self.day(None, **counts)]

    @property
    def raised(self) -> list[Raised]:
        return [one for one in self.made if isinstance(one, Raised)]


HIGH = {"b": 15, "c": 18, "d": 16}


def test_three_neighbours_that_are_each_a_little_high_are_one_alert_that_names_them() -> None:
    bench = Bench(row())
    bench.days(28)
    assert bench.made == []
    bench.days(6, **HIGH)
    (raised,) = bench.raised
    case = raised.evidence
    assert (raised.county, case.shape, case.detector, case.size) == ("c", Shape.CLUSTER, "scan", "day")
    counties, length = cluster_in(case.notes) or ((), 0)
    assert set(counties) >= {"b", "c", "d"} - {"e"}
    assert case.window_end - case.window_start == length * DAY
    assert case.count > (case.high or 0)
    assert case.p is not None
    assert case.level is not None
    assert case.p <= case.level
    later = bench.days(6, **HIGH)
    assert [one for one in later if isinstance(one, Raised)] == []


def test_as_much_in_places_that_do_not_touch_is_no_cluster() -> None:
    bench = Bench(row())
    bench.days(28)
    bench.days(4, a=14, d=14, f=14)
    assert bench.raised == []


def test_it_ends_when_its_counties_are_quiet_again() -> None:
    bench = Bench(row())
    bench.days(28)
    bench.days(5, b=18, c=20)
    assert not any(isinstance(one, Ended) for one in bench.made)
    bench.days(40)
    (ended,) = (one for one in bench.made if isinstance(one, Ended))
    assert ended.alert == bench.raised[0].alert


def test_what_was_told_once_is_no_cluster_later() -> None:
    """The burst of one county, and a cluster, lie within reach of the scan for four weeks after they are over."""
    bench = Bench(row())
    bench.days(28)
    bench.day({"c": 1e-9}, c=90)
    bench.days(20, b=12)
    assert [one.evidence.shape for one in bench.raised] == [Shape.BURST]
    other = Bench(row())
    other.days(28)
    other.days(5, b=18, c=20)
    other.days(30)
    assert [one.evidence.shape for one in other.raised] == [Shape.CLUSTER]
    assert sum(isinstance(one, Ended) for one in other.made) == 1


def test_what_one_county_carries_joins_that_countys_alert() -> None:
    """The burst of one county lifts every zone that it is in: that is no cluster."""
    bench = Bench(row())
    bench.days(28)
    bench.day({"c": 1e-9}, c=60)
    bench.days(3)
    assert [(one.county, one.evidence.shape) for one in bench.raised] == [("c", Shape.BURST)]
    assert {one.evidence.shape for one in bench.made if isinstance(one, Joined)} <= {Shape.CLUSTER}


def test_a_county_of_an_open_cluster_raises_no_alert_of_its_own() -> None:
    bench = Bench(row())
    bench.days(28)
    bench.days(5, b=18, c=20)
    (raised,) = bench.raised
    (joined,) = (one for one in bench.day({"b": 1e-9}, b=45, c=20) if isinstance(one, Joined))
    assert (joined.alert, joined.evidence.county) == (raised.alert, "b")
    assert len(bench.raised) == 1
    window = bench.windows[-1]
    answer = explain(bench.plan, "noise", "b", Size.DAY, window.start, window, bench.made, Around(bench.windows[-7:]))
    assert (answer.why, answer.alert) == (Why.JOINED, raised.alert)
    assert recall(bench.plan, bench.made, bench.end)[0].apart.startswith(CLUSTER)
    far = [one for one in bench.day({"f": 1e-9}, f=45, b=18, c=20) if isinstance(one, Raised)]
    assert [one.county for one in far] == ["f"]


@pytest.mark.parametrize("budget", [0.5, 7.0])
def test_what_a_week_spends_stays_within_the_budget_the_scan_included(budget: float) -> None:
    bench = Bench(row(budget=budget))
    levels = levels_of(bench.city)
    assert set(levels) == {("noise", Size.DAY, "counts"), ("noise", Size.DAY, "scan")}
    bench.days(20)
    spent = UNIT * sum(bench.plan.cost(window) for window in bench.windows[-7:])
    assert spent <= budget + 1e-9
    assert spent == pytest.approx(budget, rel=1e-3)
    assert bench.state.account.total * UNIT <= budget + 1e-9
    assert WEEK == 7 * DAY


def test_without_neighbours_or_without_scan_there_is_none() -> None:
    for city in (row(("counts",)), replace(row(), counties=tuple(County(c, c, c) for c in CODES))):
        bench = Bench(city)
        bench.days(28)
        bench.days(6, **HIGH)
        assert bench.raised == []
        assert bench.plan.scans.cost == 0


def test_days_that_were_not_scored_are_no_part_of_it() -> None:
    bench = Bench(row())
    bench.days(3)
    (window,) = bench.windows[-1:]
    scores = window.scores["counts"]
    unscored = replace(scores, reason=np.full_like(scores.reason, ScoreReason.WARMING_UP))
    made = bench.plan.scans.remember((), replace(window, scores={"counts": unscored}))
    assert bench.plan.scans.finds(made, 1.0) == []


def asked(bench: Bench, county: str, day: int) -> Explanation:
    """Why, of a day, by what is stored of it and the 27 before."""
    days = [(window, scanned) for window, scanned in scans(bench.plan, bench.windows[: day + 1][-LONGEST:], bench.made)]
    window, scanned = days[-1]
    return explain(bench.plan, "noise", county, Size.DAY, window.start, window, bench.made, Around((), scanned))


def test_what_the_scan_had_before_it_is_recalled_from_what_is_stored() -> None:
    """Through bursts that were told, clusters that ended, and quiet: day by day what the judge remembers itself."""
    bench = Bench(row())
    remembered = []
    for day in range(120):
        told = {"c": 1e-9} if day in (40, 41) else {}
        counts = {40: {"c": 90}, 41: {"c": 70, "d": 14}}.get(day, HIGH if 60 <= day < 66 else {"e": 9 + day % 4})
        bench.day(told, **counts)
        remembered.append(bench.state.scanned)
    assert {one.evidence.shape for one in bench.raised} == {Shape.BURST, Shape.CLUSTER}
    assert any(isinstance(one, Ended) for one in bench.made)
    recalled = [scanned for _, scanned in scans(bench.plan, bench.windows, bench.made)]
    ends = {one.at for one in bench.made if isinstance(one, Ended)}
    for window, mine, judges in zip(bench.windows, recalled, remembered, strict=True):
        if window.end + bench.city.allowed_lateness not in ends:  # what ends is settled after the scan
            assert mine == judges
    last = [scanned for _, scanned in scans(bench.plan, bench.windows[-LONGEST:], bench.made)][-1]
    assert last == remembered[-1]


def test_the_cluster_that_raised_an_alert_is_the_answer_in_every_county_of_it() -> None:
    bench = Bench(row())
    bench.days(28)
    bench.days(8, **HIGH)
    (raised,) = bench.raised
    case = raised.evidence
    day = (case.window_end - START) // DAY - 1
    counties, length = cluster_in(case.notes) or ((), 0)
    for county in (*counties, bench.city.code):
        answer = asked(bench, county, day)
        assert (answer.why, answer.alert) == (Why.RAISED, raised.alert)
        test = next(test for test in answer.tests if test.detector == "scan")
        assert test.cluster == Together(counties, length, case.count)
        assert (test.expected, test.low, test.high, test.p, test.level) == (
            case.expected,
            case.low,
            case.high,
            case.p,
            case.level,
        )
    assert asked(bench, counties[0], day + 1).why is Why.CONTINUED
    assert asked(bench, "a", 20).why is Why.ABOVE_LEVEL


def test_neighbours_that_were_not_unlikely_enough_say_how_many_would_have_been() -> None:
    bench = Bench(row())
    bench.days(28)
    bench.day(b=13, c=14)
    answer = asked(bench, "c", 28)
    (test,) = (test for test in answer.tests if test.detector == "scan")
    assert (answer.why, test.why, test.cluster) == (Why.ABOVE_LEVEL, Why.ABOVE_LEVEL, Together(("b", "c"), 1, 27))
    assert test.p is not None
    assert test.level is not None
    assert test.p > test.level
    needed = test.turning_count or 0

    def paged(count: int) -> bool:
        other = Bench(row())
        other.days(28)
        other.day(b=13, c=count - 13)
        return any(one.evidence.shape == Shape.CLUSTER for one in other.raised)

    assert not paged(needed - 1)
    assert paged(needed)


def test_where_no_neighbours_are_above_the_expected_there_is_no_cluster_to_tell_of() -> None:
    bench = Bench(row())
    bench.days(30)
    (test,) = (test for test in asked(bench, "c", 29).tests if test.detector == "scan")
    assert (test.why, test.cluster, test.p) == (Why.ABOVE_LEVEL, None, 1.0)
    unknown = explain(bench.plan, "noise", "c", Size.DAY, bench.windows[-1].start, bench.windows[-1], bench.made)
    assert not [test for test in unknown.tests if test.detector == "scan"]


def two_at_once() -> Bench:
    """Two pairs of neighbours on one day, with two ordinary counties between them."""
    bench = Bench(row())
    bench.days(28)
    bench.day(a=30, b=30, e=40, f=40)
    return bench


def test_two_clusters_on_one_day_are_two_alerts_each_with_its_own_evidence() -> None:
    bench = two_at_once()
    told = [cluster_in(one.evidence.notes) for one in bench.raised]
    assert told == [(("e", "f"), 1), (("a", "b"), 1)]  # the more unlikely first
    assert len({one.alert for one in bench.raised}) == 2
    for one, count in zip(bench.raised, (80, 60), strict=True):
        case = one.evidence
        assert (case.count, case.expected, case.window_start) == (count, 20.0, bench.end - DAY)
        assert case.p is not None
        assert case.level is not None
        assert case.p <= case.level
    days = scans(bench.plan, bench.windows, bench.made)
    assert [scanned for _, scanned in days][-1] == bench.state.scanned
    later = bench.days(4, a=30, b=30, e=40, f=40)
    assert later == []


def test_each_of_them_ends_by_its_own() -> None:
    bench = two_at_once()
    bench.days(30, a=30, b=30)
    (ended,) = (one for one in bench.made if isinstance(one, Ended))
    assert ended.alert == bench.raised[0].alert
    bench.days(40)
    assert {one.alert for one in bench.made if isinstance(one, Ended)} == {one.alert for one in bench.raised}


def test_explain_names_both_clusters_and_what_became_of_them() -> None:
    bench = two_at_once()
    alerts = {cluster_in(one.evidence.notes): one.alert for one in bench.raised}
    for county, cluster in (("f", ("e", "f")), ("a", ("a", "b"))):
        answer = asked(bench, county, 28)
        assert (answer.why, answer.alert) == (Why.RAISED, alerts[cluster, 1])
        assert [test.cluster and test.cluster.counties for test in answer.tests if test.detector == "scan"] == [cluster]
    whole = asked(bench, bench.city.code, 28)
    seen = [test.cluster and test.cluster.counties for test in whole.tests if test.detector == "scan"]
    assert seen == [("e", "f"), ("a", "b")]
    assert (whole.why, whole.alert) == (Why.RAISED, alerts[("e", "f"), 1])


def test_neighbours_that_overlap_with_a_more_unlikely_cluster_name_it() -> None:
    bench = two_at_once()
    answer = asked(bench, "d", 28)
    (test,) = (test for test in answer.tests if test.detector == "scan")
    assert (answer.why, answer.alert) == (Why.OTHER_CLUSTER, None)
    assert test.cluster is not None
    assert "d" in test.cluster.counties
    assert test.cluster.instead == ("e", "f")


def test_a_cluster_too_small_for_a_page_hides_none() -> None:
    """Twelve where one is expected are more unlikely than forty-two where twenty are, but below the minimum count."""
    plain = row()
    bench = Bench(replace(plain, signals=tuple(replace(one, minimum_count=35) for one in plain.signals)))
    bench.days(28)
    bench.expected = {"a": 0.5, "b": 0.5}
    bench.day(a=6, b=6, e=20, f=22)
    assert [cluster_in(one.evidence.notes) for one in bench.raised] == [(("e", "f"), 1)]
    assert asked(bench, "a", 28).why is Why.MINIMUM_COUNT
