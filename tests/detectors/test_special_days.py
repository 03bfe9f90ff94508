"""Windows whose dates are of several calendar classes: what a class is, is learned from parts, and said of parts."""

import numpy as np
import pytest

from detectors.contract import Detector
from detectors.counts import CountBank
from detectors.observation import CLASSES, MOST_PARTS, mixed_class
from detectors.outbreak import OutbreakBank
from detectors.shift import ShiftBank
from detectors.special_days import share_of_class
from tests.detectors.streams_of_counts import DAYS, WEEKS, noisy, slot

MEAN, HOLIDAY, FEAST = 200.0, 5, 7
FACTOR = {0: 1.0, HOLIDAY: 0.4, FEAST: 1.5}
FULL = MOST_PARTS * [HOLIDAY]


def factor(parts: list[int]) -> float:
    return float(np.mean([FACTOR[part] for part in parts]))


def after(calendar: list[list[int]], size: int, made: Detector) -> Detector:
    """The detector after windows of these parts, every other one ordinary."""
    random = np.random.default_rng(3)
    windows = [parts for special in calendar for parts in ([0], special)]
    for index, parts in enumerate(windows):
        counts = noisy(np.full(9, MEAN * factor(parts)), 1.0, random)
        made.learn(counts, slot(index, size, 9, day_class=mixed_class(parts)))
    return made


def expected(made: Detector, parts: list[int], size: int) -> float:
    here = slot(1000 * size, size, 9, day_class=mixed_class(parts))
    return float(np.mean(made.score(np.full(9, int(MEAN)), here).expected))


def test_a_window_of_one_class_is_that_class_and_others_say_which_parts_they_have() -> None:
    assert mixed_class([HOLIDAY, HOLIDAY]) == HOLIDAY
    assert mixed_class([0] * MOST_PARTS) == 0
    week = mixed_class([0, HOLIDAY, HOLIDAY, FEAST] + [0] * 10)
    assert float(week) == week < 2**53
    assert [share_of_class(week, which) * MOST_PARTS for which in (0, HOLIDAY, FEAST, 1)] == [11, 2, 1, 0]
    assert share_of_class(mixed_class([CLASSES + 3, 0]), CLASSES - 1) == 0.5  # a class too many is the last one


@pytest.mark.parametrize("made", [CountBank, OutbreakBank, ShiftBank])
def test_half_a_holiday_is_half_of_its_effect(made: type[Detector]) -> None:
    learned = after([[HOLIDAY]] * 60, DAYS, made.fresh(9, DAYS))
    ordinary = expected(learned, [0], DAYS)
    assert expected(learned, [HOLIDAY], DAYS) / ordinary == pytest.approx(0.4, abs=0.04)
    assert expected(learned, [0, HOLIDAY], DAYS) / ordinary == pytest.approx(0.7, abs=0.04)


def test_halves_alone_teach_what_a_whole_holiday_is() -> None:
    learned = after([[0, HOLIDAY], [HOLIDAY, 0]] * 40, DAYS, CountBank.fresh(9, DAYS))
    assert expected(learned, [HOLIDAY], DAYS) / expected(learned, [0], DAYS) == pytest.approx(0.4, abs=0.08)


def test_two_classes_in_one_window_are_told_apart() -> None:
    learned = after([[HOLIDAY, FEAST], [0, FEAST], [HOLIDAY, 0]] * 30, DAYS, CountBank.fresh(9, DAYS))
    for which in (HOLIDAY, FEAST):
        assert expected(learned, [which], DAYS) / expected(learned, [0], DAYS) == pytest.approx(FACTOR[which], abs=0.1)


def test_weeks_with_a_day_or_two_teach_what_a_week_of_them_is_and_how_little_is_known_of_it() -> None:
    few = [[HOLIDAY] * (2 * days) + [0] * (MOST_PARTS - 2 * days) for days in (1, 2, 3)]
    learned = after(few * 12, WEEKS, CountBank.fresh(9, WEEKS))
    assert expected(learned, FULL, WEEKS) / expected(learned, [0], WEEKS) == pytest.approx(0.4, abs=0.12)
    unknown = after([[0]] * 36, WEEKS, CountBank.fresh(9, WEEKS))
    full = slot(1000, WEEKS, 9, day_class=HOLIDAY)
    one = slot(1000, WEEKS, 9, day_class=mixed_class(few[0]))
    wide, narrow = (made.high - made.low for made in (unknown.score(np.full(9, 80), at) for at in (full, one)))
    assert (wide > 3 * narrow).all()
    assert (unknown.score(np.full(9, int(MEAN * 0.4)), full).p_low > 1e-3).all()  # a first holiday is no drought
