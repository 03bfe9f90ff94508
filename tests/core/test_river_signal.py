"""A signal that river's models watch: named in a profile, scored and judged like any other."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.observation import ScoreReason
from detectors.registry import DETECTORS, SCANS
from streams.core.cells import CellCounts
from streams.core.city import City, Size
from streams.core.evidence import LASTING
from streams.core.instant import DAY
from streams.core.levels import levels_of
from streams.core.outputs import ClosedWindow, ScoredWindow
from streams.core.score import Score
from streams.profile.load import DETECTORS as NAMES
from tests.core.towns import START, signal, towns

RIVER = ("half_space_trees", "gaussian_scorer", "snarimax", "adwin", "page_hinkley")


def watched_by(*detectors: str) -> City:
    """Two counties and one signal of days."""
    complaints = replace(signal("complaints", {"kind": ["accepted"]}, (Size.DAY,)), detectors=detectors)
    return towns(signals=[complaints], counties=("east", "west"))


def days(city: City, count: int, last: int) -> list[ClosedWindow]:
    """Some twenty a day in both counties, and `last` on the last day in the east."""
    random = np.random.default_rng(14)
    made = []
    for day in range(count):
        for county in city.counties:
            n = last if (day, county.code) == (count - 1, "east") else int(random.poisson(20))
            start = START + day * DAY
            counts = np.array([n], dtype=np.int64)
            made.append(ClosedWindow(county.code, Size.DAY, start, start + DAY, counts, CellCounts([], counts[:0])))
    return made


def run(score: Score, windows: list[ClosedWindow]) -> list[ScoredWindow]:
    return [made for window in windows if (made := score.step(window)) is not None]


def test_a_profile_may_name_every_detector_that_there_is() -> None:
    assert set(NAMES) == {*DETECTORS, *SCANS}
    assert set(RIVER) | LASTING <= set(DETECTORS)


@pytest.mark.parametrize("detector", RIVER[:3])
def test_a_burst_is_as_improbable_as_the_past_allows(detector: str) -> None:
    city = watched_by("counts", detector)
    last = run(Score(city, detail_p=0.01), days(city, 250, last=90))[-1]
    scores = last.scores[detector]
    assert scores.p_high[0].tolist()[0] == pytest.approx(1 / 222, rel=0.2)  # more than any day that it has judged
    assert scores.p_high[0, 1] > 0.01
    assert scores.reason[0].tolist() == [ScoreReason.SCORED, ScoreReason.SCORED, ScoreReason.NOT_JUDGED]


def test_each_of_them_is_a_test_of_its_own_in_the_budget() -> None:
    levels = levels_of(watched_by("counts", *RIVER))
    assert [detector for _, _, detector in levels] == ["counts", *RIVER]
    assert len(set(levels.values())) == 1


def test_a_score_step_restored_from_its_chunks_goes_on_with_the_same_models() -> None:
    city = watched_by(*RIVER)
    windows = days(city, 130, last=60)
    one, other = Score(city, detail_p=0.01), Score(city, detail_p=0.01)
    run(one, windows[:200])
    other.restore({name: chunk for name, chunk in one.snapshot().items() if chunk is not None})
    for left, right in zip(run(one, windows[200:]), run(other, windows[200:]), strict=True):
        for name in RIVER:
            np.testing.assert_array_equal(left.scores[name].p_high, right.scores[name].p_high)
    assert one.snapshot() == other.snapshot()
