"""The benchmark of the page budget: its windows are the tally's, the promise is kept on two small seeds, and it would
be noticed if it were not."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from streams.core.city import Size
from streams.core.decode import RecordDecoder
from streams.core.instant import DAY, HOUR
from streams.core.outputs import ClosedWindow
from streams.core.tally import Tally
from streams.profile import load
from streams.profile.model import Profile
from streams.replay.intensity import first_instant
from streams.replay.power import Trial
from streams.replay.simulate import simulate
from tests.benchmarks import budget, power
from tests.benchmarks import budget_boston as boston
from tests.benchmarks import budget_incidents as incidents
from tests.benchmarks.budget_judging import Judged, judged
from tests.benchmarks.budget_report import TOLERANCE, document, interval, markdown
from tests.benchmarks.budget_windows import windows_of
from tests.replay.river_town import river_town

MONDAY = date(2022, 1, 3)
WEEKS = 20
BUDGET = 7.0


def counts_of(windows: Iterator[ClosedWindow]) -> dict[tuple[int, Size, str], tuple[list[int], dict[str, int]]]:
    return {
        (w.end, w.size, w.county): (w.counts.tolist(), {str(cell): events for cell, events in w.cells.items()})
        for w in windows
    }


def test_windows_are_those_that_the_tally_closes() -> None:
    profile = load("leshan")
    ours = counts_of(windows_of(simulate(profile, 9, 3, start=MONDAY, scale=0.5)))

    def theirs() -> Iterator[ClosedWindow]:
        simulation = simulate(profile, 9, 3, start=MONDAY, scale=0.5)
        decoder = RecordDecoder(profile.city)
        tally = Tally(profile.city, simulation.span[0])
        number = 0
        for block in simulation.blocks():
            records = block.events + block.ticks
            out = tally.step(decoder.lines(block.lines, number, records))
            number += records
            yield from (made for made in out.emitted if isinstance(made, ClosedWindow))

    assert ours == counts_of(theirs())
    assert {size for _, size, _ in ours} == set(Size)


def flat_boston() -> boston.SeasonalModel:
    """A city of its own making: more by day, areas and categories of all sizes, days that differ."""
    hours = 1.0 + np.sin((np.arange(168) % 24 - 6) / 24 * 2 * np.pi) * 0.9
    sizes = np.geomspace(40.0, 2.0, 18)[:, None] * np.array([0.5, 1.0, 0.5, 3.0])
    means = hours[:, None, None] / 168 * sizes
    return boston.SeasonalModel(means, np.ones((53, 18, 4)), np.full(4, 0.03), np.full(4, 0.02))


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load("boston311")


def quiet(profile: Profile, seed: int, levels_times: float = 1.0) -> Judged:
    drawn = flat_boston().drawn(date(2016, 1, 4), 7 * WEEKS, seed)
    return judged(profile.city, boston.windows_of(profile, drawn), [BUDGET], levels_times)[BUDGET]


def test_false_pages_stay_within_the_budget_and_ten_times_the_levels_would_be_noticed(profile: Profile) -> None:
    runs = [quiet(profile, seed) for seed in (1, 2)]
    kept = [one.evaluated() for one in runs]
    weeks = sum(one.weeks for one in kept)
    assert 0 < weeks < 2 * WEEKS
    assert 0 < sum(one.false_pages for one in kept) <= BUDGET * weeks
    assert sum(one.false_pages for one in kept) <= sum(one.verdicts() for one in runs) <= BUDGET * weeks

    broken = quiet(profile, 1, levels_times=10.0)
    assert broken.verdicts() > TOLERANCE * BUDGET * broken.evaluated().weeks
    assert broken.evaluated().false_pages > 3 * kept[0].false_pages


def test_what_is_spent_is_never_more_than_the_budget(profile: Profile) -> None:
    one = quiet(profile, 3)
    assert 0.9 * BUDGET < one.most_spent <= BUDGET + 1e-9


def test_days_and_weeks_are_sums_of_hours_and_nothing_is_lost(profile: Profile) -> None:
    drawn = flat_boston().drawn(date(2016, 3, 7), 14, 1)  # the clock springs forward within
    windows = list(boston.windows_of(profile, drawn))
    total = [signal.name for signal in profile.city.signals].index("complaints_total")
    by_size = {size: sum(int(w.counts[total]) for w in windows if w.size is size) for size in Size}
    lost = int(drawn.counts[6, 2].sum())
    assert by_size[Size.HOUR] == by_size[Size.DAY] == by_size[Size.WEEK] == drawn.counts.sum() - lost
    assert {w.end - w.start for w in windows if w.size is Size.DAY} == {DAY, DAY - HOUR}


def test_the_seasonal_model_gives_back_what_it_is_fitted_to() -> None:
    truth = flat_boston()
    model = boston.SeasonalModel.fitted(truth.drawn(date(2013, 1, 7), 1085, 5))
    np.testing.assert_allclose(model.hour_of_week.sum(axis=0), truth.hour_of_week.sum(axis=0), rtol=0.2)
    np.testing.assert_allclose(model.city_day, truth.city_day, rtol=0.5)
    assert (model.area_day < 0.06).all()


def test_permuted_fortnights_are_the_same_fortnights() -> None:
    counted = flat_boston().drawn(date(2013, 1, 7), 26 * 14 * 2, 6)
    other = boston.permuted(counted, 1)
    blocks = [sorted(c.counts.reshape(52, -1).sum(axis=1).tolist()) for c in (counted, other)]
    assert blocks[0] == blocks[1]
    assert not np.array_equal(counted.counts, other.counts)
    assert np.array_equal(boston.permuted(counted, 1).counts, other.counts)


def test_every_kind_of_incident_is_placed_once_in_a_county_of_every_size() -> None:
    leshan = load("leshan")
    plan = incidents.plan(leshan, first_instant(leshan, MONDAY), 730, 4)
    placed = {(one.case, one.size) for one in plan.placed}
    assert placed == {(case.name, size) for case in incidents.CASES for size in incidents.SIZES}
    assert len(plan.placed) == len(placed)
    assert len(plan.answers) == len(incidents.SIZES)
    assert all(one.label.signals and one.label.counties for one in plan.placed)
    assert {len(one.label.counties) for one in plan.placed if "cluster" in one.case} == {3}
    assert plan == incidents.plan(leshan, first_instant(leshan, MONDAY), 730, 4)


def test_fewer_are_satisfied_where_it_says_so() -> None:
    leshan = load("leshan")
    signals = [signal.name for signal in leshan.city.signals]
    happy, valid = signals.index("satisfaction"), signals.index("valid_callbacks")
    start = first_instant(leshan, MONDAY)
    shares = []
    for change in (0.0, -0.15):
        simulation = simulate(leshan, 8, 2, start=MONDAY)
        rows = incidents.dissatisfied(simulation.rows(), [(0, start, start + 8 * DAY, change)], 2)
        days = [w.counts for w in windows_of(simulation, rows) if w.size is Size.DAY and w.county == "511102"]
        shares.append(sum(day[happy] for day in days) / sum(day[valid] for day in days))
    assert shares[1] - shares[0] == pytest.approx(-0.15, abs=0.05)


def test_a_run_goes_on_from_its_results_and_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def world(seed: int, years: float, budgets: object) -> dict[str, object]:
        asked.append(seed)
        page = {
            "false_pages": 40 * seed,
            "verdicts": 50 * seed,
            "weeks": 10 * years,
            "most_spent_in_7_days": 7.0,
            "by_signal": {"snow": seed},
            "by_kind": {"day counts high": (3.0, 2.0, 1.0 * seed), "day scan high": (0.5, 0.0, 0.25)},
        }
        return {"7": {**page, "by_chance": {"found": 1, "labels": 24}}}

    monkeypatch.setattr(budget, "WORLDS", {"leshan_quiet": world})
    budget.run((1,), 1.0, (7.0,), tmp_path / "results.jsonl", ["leshan_quiet"])
    found = budget.run((1, 2, 3), 1.0, (7.0,), tmp_path / "results.jsonl", ["leshan_quiet"])
    assert asked == [1, 2, 3]
    made = document({"command": "c", "commit": "d", "machine": {"cores": 2, "processor": "p", "python": "3"}}, found)
    of = made["false_pages"]["leshan_quiet"]["7"]
    assert of["per_week"] == 8.0
    assert tuple(of["interval"]) == interval([4.0, 8.0, 12.0])
    assert of["met"] is False
    assert made["met"] is False
    assert "**missed**" in markdown(made)
    assert "| day counts high | 3.000 | 2.000 | 2.000 |" in markdown(made)
    assert "| day scan high | 0.500 |  | 0.250 |" in markdown(made)
    assert "Seeds 1, 2, 3" in markdown(made)


def test_an_interval_needs_two_seeds() -> None:
    assert interval([1.0]) is None
    assert interval([2.0, 2.0]) == (2.0, 2.0)


def test_found_incidents_are_reported_with_the_interval_of_their_rate() -> None:
    rows = [
        {"case": case.name, "size": size, "hours": 10.0 if size == "large" else None}
        for case in incidents.CASES
        for size in incidents.SIZES
    ]
    found = [
        {"seed": seed, "world": "leshan_incidents", "years": 1.0, "budgets": [7.0], "result": {"7": rows}}
        for seed in range(10)
    ]
    made = document({"command": "c", "commit": "d", "machine": {"cores": 2, "processor": "p", "python": "3"}}, found)
    shown = markdown(made)
    assert f"| {incidents.CASES[0].name} | large | 10 / 10 (72–100) | 10 |" in shown
    assert f"| {incidents.CASES[0].name} | small | 0 / 10 (0–28) |  |" in shown
    assert "| any | any | 80 / 240 (28–40) | 10 |" in shown


def test_the_power_of_every_countable_signal_is_reported(tmp_path_factory: pytest.TempPathFactory) -> None:
    river_town(folder := tmp_path_factory.mktemp("town"))
    found = power.measure(str(folder), Trial(replicates=2, weeks=8))
    assert list(found["signals"]) == ["total", "order", "work", "callers", "unhappy", "posts"]
    about = {"command": "c", "commit": "d", "machine": {"cores": 2, "processor": "p", "python": "3"}}
    shown = power.markdown({**about, **found})
    assert shown.count("| 东 |") == len(found["signals"])
    assert "2 histories a county of 8 weeks" in shown
