"""How large a burst must be to be found: the answer holds on other counts, and moves with the budget and the county."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.observation import ScoreReason, Slot
from detectors.registry import create
from streams.core.city import Direction, Measure, Signal, Size
from streams.core.levels import levels_of
from streams.profile.model import Profile
from streams.replay.power import (
    Expected,
    Power,
    PowerError,
    Trial,
    Usual,
    power_of,
    usual_of,
    usual_of_expected,
)
from tests.replay.river_town import river_town

TRIAL = Trial(seed=3, replicates=20, weeks=30)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return river_town(tmp_path_factory.mktemp("town"))


def signal(town: Profile, name: str) -> Signal:
    return next(one for one in town.city.signals if one.name == name)


def flat(per_day: tuple[float, ...]) -> Usual:
    """As many in every hour."""
    hours = np.repeat(np.array(per_day)[:, None] / 24, 168, axis=1)
    return Usual(hours, np.full(len(per_day), 1.3), np.full(len(per_day), 0.1))


@pytest.fixture(scope="module")
def orders(town: Profile) -> tuple[Power, ...]:
    return power_of(town.city, signal(town, "order"), flat((100.0, 40.0, 10.0, 2.0)), TRIAL)


def test_the_same_seed_gives_the_same_answer(town: Profile, orders: tuple[Power, ...]) -> None:
    order, usual = signal(town, "order"), flat((100.0, 40.0, 10.0, 2.0))
    assert power_of(town.city, order, usual, TRIAL) == orders
    assert power_of(town.city, order, usual, replace(TRIAL, seed=4)) != orders


def test_a_larger_county_needs_more_but_a_smaller_share(orders: tuple[Power, ...]) -> None:
    assert [one.county for one in orders] == ["101", "102", "103", "104"]
    found = [one.within_week for one in orders]
    assert None not in found
    sizes = [extra for extra in found if extra is not None]
    assert sizes == sorted(sizes, reverse=True)
    shares = [extra / one.expected_per_day for extra, one in zip(sizes, orders, strict=True)]
    assert shares == sorted(shares)
    for one in orders:
        assert one.within_day is None or one.within_week is None or one.within_week <= one.within_day


def test_one_county_is_answered_alone(town: Profile) -> None:
    found = power_of(town.city, signal(town, "order"), flat((100.0, 40.0, 10.0, 2.0)), TRIAL, [1])
    assert [one.county for one in found] == ["102"]
    assert found[0].expected_per_day == pytest.approx(40.0)


def test_a_larger_budget_finds_smaller_bursts(town: Profile, orders: tuple[Power, ...]) -> None:
    rich = replace(town.city, budget_per_week=10 * town.city.budget_per_week)
    found = power_of(rich, signal(town, "order"), flat((100.0, 40.0, 10.0, 2.0)), TRIAL)
    for many, few in zip(found, orders, strict=True):
        assert many.within_week is not None
        assert few.within_week is not None
        assert many.within_week < few.within_week


def test_nothing_below_the_minimum_count_is_found(town: Profile) -> None:
    order = replace(signal(town, "order"), minimum_count=60)
    city = replace(town.city, signals=tuple(order if one.name == "order" else one for one in town.city.signals))
    found = power_of(city, order, flat((10.0, 10.0, 10.0, 2.0)), TRIAL)
    assert all(one.within_week is not None and one.within_week > 40 for one in found)


def test_the_answer_holds_on_counts_drawn_by_someone_else(town: Profile) -> None:
    """Four of five such bursts in fresh histories meet a day that the detector pages on."""
    usual = flat((20.0, 20.0, 20.0, 20.0))
    trial = Trial(seed=5, replicates=300, weeks=30)
    extra = power_of(town.city, signal(town, "order"), usual, trial, [0])[0].within_week
    assert extra is not None
    histories, days = 400, 7 * 30
    random = np.random.default_rng(8)
    level = levels_of(town.city)["order", Size.DAY, "counts"]
    detector = create("counts", histories, 7)

    def counts() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        means = 20.0 * np.maximum(random.normal(1.0, 0.1, histories), 0.2)
        return random.negative_binomial(means / 0.3, 1 / 1.3).astype(np.int64)

    def slot(day: int) -> Slot:
        return Slot(day, day % 7 * 24, day / 365 % 1, 1.0, np.zeros(histories, np.int64))

    for day in range(days):
        detector.learn(counts(), slot(day))
    found = np.zeros(histories, np.bool_)
    first = (random.random(histories) * extra).astype(np.int64)  # the burst starts at any hour of the first day
    for day, more in ((days, first), (days + 1, extra - first)):
        today = counts() + more
        scores = detector.score(today, slot(day))
        found |= (scores.p_high <= level) & (scores.reason == ScoreReason.SCORED) & (today >= 5)
        detector.learn(today, slot(day))
    assert 0.7 < found.mean() < 0.9


def test_the_usual_counts_are_the_simulators(town: Profile) -> None:
    total = usual_of(town, signal(town, "total"), 7)
    per_day = total.hours.sum(axis=1) / 7
    assert per_day.sum() == pytest.approx(0.95 * 120, rel=0.15)  # 95 % reach the hotline
    assert (np.diff(per_day) < 0).all()
    order, callers = (usual_of(town, signal(town, name), 7).hours.sum() for name in ("order", "callers"))
    assert order == pytest.approx(0.65 * total.hours.sum(), rel=0.15)
    assert callers == pytest.approx(total.hours.sum(), rel=0.05)
    posts = usual_of(town, signal(town, "posts"), 7).hours.sum(axis=0).reshape(7, 24)
    assert posts[:, 20].sum() > posts[:, 4].sum()


def test_what_detectors_expected_is_the_scale_where_it_is_known() -> None:
    simulated = flat((8.0, 8.0))
    days = [Expected(county, Size.DAY, 24, 50.0 * (county + 1), 25.0) for county in (0, 1) for _ in range(5)]
    usual = usual_of_expected(simulated, days)
    assert usual.hours.sum(axis=1) / 7 == pytest.approx([50.0, 100.0])
    assert usual.dispersion == pytest.approx([3.0, 5.0])  # a day's variance is m + m*m/25
    hours = [Expected(county, Size.HOUR, hour, float(hour % 24), None) for county in (0, 1) for hour in range(168)]
    usual = usual_of_expected(simulated, [*hours, *days])
    assert usual.hours[1, 30] == 6.0
    assert usual.dispersion == pytest.approx([3.0, 5.0])
    with pytest.raises(PowerError, match="replay more weeks"):
        usual_of_expected(simulated, days[:5])


def test_what_no_burst_is_found_by_is_refused(town: Profile) -> None:
    order = signal(town, "order")
    for wrong in (
        replace(order, measure=Measure.BACKLOG),
        replace(order, of="total"),
        replace(order, direction=Direction.LOW),
        replace(order, detectors=()),
    ):
        with pytest.raises(PowerError, match="choose a signal"):
            usual_of(town, wrong, 1)
    for numbers in ({"replicates": 1}, {"weeks": 2}, {"burst_hours": 0}, {"seed": -1}):
        with pytest.raises(PowerError):
            Trial(**numbers)
