"""Signals that are counted out of something, on their way through score, judge and explain."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.observation import ScoreReason
from streams.core.alert import Raised
from streams.core.alert_log import log_lines
from streams.core.cells import CellCounts
from streams.core.city import City, Size
from streams.core.explain import explain
from streams.core.explanation import Why
from streams.core.exposure import POPULATION, Exposures, residents
from streams.core.instant import DAY, Instant, parse_instant
from streams.core.judge import JudgePlan, step
from streams.core.judge_state import JudgeState
from streams.core.levels import levels_of
from streams.core.outputs import ClosedWindow, ScoredWindow
from streams.core.score import Score
from tests.core.towns import START, signal, towns

REQUESTS = replace(signal("requests", {"kind": ["accepted"]}, (Size.DAY,), citywide=True), detectors=())
RETURNED = replace(signal("returned", {"kind": ["returned"]}, (Size.DAY,), citywide=True), offset="requests")
ILL = replace(signal("ill", {"kind": ["petition"]}, (Size.DAY,), citywide=True), offset=POPULATION)
TOWNS = towns(signals=(REQUESTS, RETURNED, ILL))
RESIDENTS = {"east": 100, "west": 200, "south": 400}
CITY = replace(TOWNS, counties=tuple(replace(one, population=RESIDENTS[one.code]) for one in TOWNS.counties))
USUAL = (400, 40, 30)


def closed(county: str, start: Instant, counts: tuple[int, ...]) -> ClosedWindow:
    none = np.zeros(0, dtype=np.int64)
    return ClosedWindow(county, Size.DAY, start, start + DAY, np.array(counts, np.int64), CellCounts([], none))


def fed(score: Score, days: range, east: tuple[int, ...] = USUAL) -> list[ScoredWindow]:
    """Usual days everywhere but in the east; each once the last county has closed it."""
    found = []
    for day in days:
        scored = None
        for county in CITY.counties:
            scored = score.step(closed(county.code, START + day * DAY, east if county.code == "east" else USUAL))
        assert scored is not None
        found.append(scored)
    return found


def expected(window: ScoredWindow, name: str, series: int) -> float:
    row = [one.name for one in CITY.signals].index(name)
    return float(window.scores["counts"].expected[row, series])


def test_what_is_expected_goes_by_todays_denominator() -> None:
    score = Score(CITY, detail_p=0.01)
    fed(score, range(120))
    usual, busy = fed(score, range(120, 121))[0], fed(score, range(121, 122), (800, 80, 30))[0]
    assert expected(busy, "returned", 0) == pytest.approx(2 * expected(usual, "returned", 0), rel=0.02)
    assert expected(busy, "returned", 1) == pytest.approx(expected(usual, "returned", 1), rel=0.02)
    assert expected(busy, "returned", 3) == pytest.approx(120 * 1600 / 1200, rel=0.05), "the city's is of all requests"
    assert busy.scores["counts"].p_high[1, 0] > 0.1, "twice the returns of twice the requests are no news"


def test_a_denominator_that_fails_is_an_alert_of_the_rate_and_evidence_says_of_how_many() -> None:
    plan, state, score = JudgePlan.of(CITY, levels_of(CITY), {"counts": "1"}), JudgeState(), Score(CITY, detail_p=0.01)
    for window in fed(score, range(120)):
        state, made = step(plan, state, window)
        assert not made
    (window,) = fed(score, range(120, 121), (100, 60, 30))
    _, made = step(plan, state, window)
    raised = [one for one in made if isinstance(one, Raised) and one.evidence.signal == "returned"]
    assert [(one.county, one.evidence.exposure) for one in raised] == [("east", 100.0)]
    assert [line["exposure"] for line in log_lines(raised)] == [100.0]
    said = explain(plan, "returned", "east", Size.DAY, window.start, window, made)
    assert (said.exposure, said.why) == (100.0, Why.RAISED)
    assert explain(plan, "requests", "east", Size.DAY, window.start, window).exposure is None


def test_a_day_without_requests_says_nothing_of_returns_and_says_why() -> None:
    plan, score = JudgePlan.of(CITY, levels_of(CITY), {"counts": "1"}), Score(CITY, detail_p=0.01)
    fed(score, range(120))
    (window,) = fed(score, range(120, 121), (0, 7, 30))
    assert window.scores["counts"].reason[1].tolist()[:2] == [ScoreReason.NO_EXPOSURE, ScoreReason.SCORED]
    assert explain(plan, "returned", "east", Size.DAY, window.start, window).why is Why.NO_EXPOSURE
    (after,) = fed(score, range(121, 122))
    assert expected(after, "returned", 0) == pytest.approx(40, rel=0.1)


def test_residents_by_year_move_what_is_expected_and_nothing_is_news() -> None:
    """The east takes in a neighbouring town at New Year: three times the residents, three times the ill."""
    east = replace(CITY.counties[0], residents_by_year=((2020, 100), (2027, 300)))
    grown = replace(CITY, counties=(east, *CITY.counties[1:]))
    score = Score(grown, detail_p=0.01)
    new_year = (parse_instant("2027-01-01T00:00:00Z") - START) // DAY
    fed(score, range(new_year - 150, new_year))
    first, second = fed(score, range(new_year, new_year + 2), (400, 40, 90))
    for window in (first, second):
        assert expected(window, "ill", 0) == pytest.approx(90, rel=0.1)
        assert window.scores["counts"].p_high[2, 0] > 0.05
    assert [residents(east, year) for year in (2019, 2020, 2026, 2027, 2040)] == [100, 100, 100, 300, 300]


def test_a_county_without_residents_has_no_exposure_and_the_city_has_none_either() -> None:
    unknown = replace(CITY.counties[1], population=None)
    city: City = replace(CITY, counties=(CITY.counties[0], unknown, CITY.counties[2]))
    counts = np.tile(np.array(USUAL, np.int64)[:, None], (1, 4))
    found = Exposures(city).of(counts, START, START + DAY)
    assert found is not None
    assert found[2].tolist()[0::2] == [100.0, 400.0]
    assert np.isnan(found[2, [1, 3]]).all()
    assert Exposures(city).of_series(counts, START, START + DAY, 2, 1) is None
    assert Exposures(towns()).of(counts, START, START + DAY) is None


def test_a_score_step_restored_goes_on_with_the_exposures_that_are_held_back() -> None:
    one, other = Score(CITY, detail_p=0.01), Score(CITY, detail_p=0.01)
    fed(one, range(100))
    fed(one, range(100, 103), (100, 10, 30))
    other.restore({name: chunk for name, chunk in one.snapshot().items() if chunk is not None})
    for first, second in zip(fed(one, range(103, 130)), fed(other, range(103, 130)), strict=True):
        np.testing.assert_array_equal(first.scores["counts"].p_high, second.scores["counts"].p_high)
    assert one.snapshot() == other.snapshot()
