"""Online FDR: what they call discoveries is false at most as often as aimed at, in batches too."""

import numpy as np
import pytest
from scipy.stats import norm

from detectors.fdr import RATE, Adaptive, LordPlusPlus, procedures, weights


def test_weights_sum_to_one_and_fall() -> None:
    made = weights(np.arange(-3, 200_000))
    assert made[:4].tolist() == [0, 0, 0, 0]
    assert made.sum() == pytest.approx(1.0, abs=5e-3)
    assert (np.diff(made[4:]) < 0).all()


@pytest.mark.parametrize("batch", [1, 40])
@pytest.mark.parametrize("name", ["LORD++", "SAFFRON", "ADDIS"])
def test_few_discoveries_are_false(name: str, batch: int) -> None:
    """Three in a hundred tests are signals of four standard deviations; the rest are null, or more than null."""
    random = np.random.default_rng(8)
    share, found = [], 0
    for _ in range(40 if batch > 1 else 8):
        real = random.random(4000) < 0.03
        p = norm.sf(random.standard_normal(4000) + np.where(real, 4.0, np.where(random.random(4000) < 0.5, 0, -1)))
        procedure = procedures()[name]
        hits = np.concatenate([procedure.take(p[i : i + batch]) for i in range(0, 4000, batch)])
        assert procedure.tests == 4000
        assert procedure.discoveries == hits.sum()
        share.append((hits & ~real).sum() / max(hits.sum(), 1))
        found += int((hits & real).sum())
    print(name, batch, np.mean(share), found)
    assert np.mean(share) <= RATE
    assert found > 0


def test_a_batch_knows_nothing_of_its_own_outcomes() -> None:
    p = np.array([1e-9, 0.02, 1e-9, 0.02])
    for make in (LordPlusPlus, Adaptive):
        one, other = make(), make()
        together = one.take(p)
        apart = [bool(other.take(p[i : i + 1])[0]) for i in range(4)]
        assert together.tolist() == [True, False, True, False]
        assert sum(apart) >= together.sum()


def test_nothing_is_discovered_in_nothing() -> None:
    for procedure in procedures().values():
        assert not procedure.take(np.ones(500)).any()
        assert not procedure.take(np.zeros(0)).any()


def test_addis_gains_where_nulls_are_conservative() -> None:
    random = np.random.default_rng(9)
    real = random.random(20_000) < 0.02
    p = norm.sf(random.standard_normal(20_000) + np.where(real, 3.5, -1.5))
    found = {
        name: sum(int(one.take(p[i : i + 50]).sum()) for i in range(0, 20_000, 50))
        for name, one in procedures().items()
    }
    assert found["ADDIS"] >= found["LORD++"]
