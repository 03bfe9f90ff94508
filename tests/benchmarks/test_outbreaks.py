"""The benchmark on simulated outbreaks: the same numbers as the reference, and no look ahead."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from detectors.registry import DETECTORS
from tests.benchmarks import outbreaks
from tests.benchmarks import outbreaks_oracle as oracle
from tests.benchmarks.outbreaks_report import markdown
from tests.benchmarks.outbreaks_simulation import FIRST_SCORED, PAST_STRENGTHS, SCENARIOS, WEEKS, Simulation, simulate

REFERENCE = Path(os.environ.get("JIANTU_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")).parent
REFERENCE = REFERENCE / "bench" / "outbreaks"


@pytest.fixture(scope="module")
def simulated() -> Simulation:
    return simulate(5)


def reference(name: str) -> ModuleType:
    """A script of the reference, where it lies beside the recordings."""
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # the scripts import each other by name
    spec.loader.exec_module(module)
    return module


def test_the_scheme_has_every_scenario_and_every_pair_of_strengths_once(simulated: Simulation) -> None:
    assert simulated.quiet.shape == (2100, WEEKS)
    assert np.bincount(simulated.scenario)[1:].tolist() == [50] * SCENARIOS
    assert not simulated.cases[:, :FIRST_SCORED].any()
    assert (simulated.start >= FIRST_SCORED).all()
    some = simulated.some(420)
    assert np.bincount(some.scenario)[1:].tolist() == [10] * SCENARIOS
    assert len(PAST_STRENGTHS) * 10 == 50
    assert simulated.some(9999) is simulated


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference lies beside the recordings, which are not here")
def test_simulator_and_oracle_give_the_numbers_of_the_reference(simulated: Simulation) -> None:
    theirs = reference("simulate").simulate(5)
    np.testing.assert_array_equal(theirs["counts_quiet"], simulated.quiet)
    np.testing.assert_array_equal(theirs["counts_outbreak"], simulated.with_outbreak)
    np.testing.assert_array_equal(theirs["start"], simulated.start)
    np.testing.assert_array_equal(theirs["mean"], simulated.mean)
    np.testing.assert_array_equal(reference("score").outbreak_window(theirs), simulated.outbreak_weeks())

    some = simulated.some(42)
    mean, counts = some.mean[:, FIRST_SCORED:], some.with_outbreak[:, FIRST_SCORED:]
    odds, lagged = reference("oracle").in_chunks(counts, mean, np.broadcast_to(some.phi[:, None], mean.shape))
    ours = oracle.of_simulation(some)[0]
    kept = lagged > -40
    np.testing.assert_allclose(ours[kept], lagged[kept], atol=1e-4)  # the reference keeps single precision
    np.testing.assert_allclose(oracle.odds(ours), odds, atol=1e-4)
    for threshold in (-1.0, 0.0, 2.0):
        theirs_alarmed = reference("oracle").reset_alarms(lagged.astype(float), threshold)
        assert (oracle.alarms_with_reset(ours, threshold) == theirs_alarmed).mean() > 0.999


def test_a_future_change_moves_no_past_score(simulated: Simulation) -> None:
    some = simulated.some(42)
    changed = some.with_outbreak.copy()
    changed[:, FIRST_SCORED + 20 :] += 1000
    for name in outbreaks.ALONE:
        known = outbreaks.learned(name, some.quiet[:, :FIRST_SCORED]).snapshot()
        one, other = (
            outbreaks.p_values(DETECTORS[name].restore(known), counts, FIRST_SCORED)
            for counts in (some.with_outbreak, changed)
        )
        np.testing.assert_array_equal(one[:, :20], other[:, :20])
        assert not np.array_equal(one[:, 20:], other[:, 20:], equal_nan=True)


def test_a_few_series_already_reach_most_of_the_oracle_and_do_not_pass_it() -> None:
    found = outbreaks.measure(5, 210, 0)
    for rate, (pod, sensitivity) in outbreaks.TARGETS.items():
        ours, limit = found["jiantu"][rate], found["oracle"][rate]
        assert pod - 0.04 < ours.pod / limit.pod < 1.06, "210 series are few: the report has all"
        assert sensitivity - 0.05 < ours.sensitivity / limit.sensitivity < 1.0, "above the oracle is a mistake"
        assert abs(ours.false_alarms - rate) < 0.1 * rate
        assert found["EARS C1"][rate].pod < ours.pod


def test_the_document_is_json_and_markdown() -> None:
    means = outbreaks.mean_of_seeds([outbreaks.measure(seed, 42, 0) for seed in (1, 2)])
    assert set(means) > {"oracle", "jiantu", "counts", "outbreak", "shift", "EARS C3", outbreaks.FARRINGTON}
    assert means["oracle"]["0.05"]["pod_share"] == 1.0
    json.dumps(means, allow_nan=False)
    document = {"command": "c", "seeds": [1, 2], "series": 42, "targets": {"0.05": (1, 1)}, "default": ("a", "b")}
    assert "| jiantu |" in markdown({**document, "figures": means, "calibration": []})
