"""Space-time scan: zones, the cluster found, and a p that has paid for the search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from detectors.observation import Floats
from detectors.scan import LONGEST, SPANS, find, find_all, searched, step_level, zones_of

RING = [[(i - 1) % 9, (i + 1) % 9] for i in range(9)]
MEAN = np.geomspace(0.5, 8.0, 9)[:, None] * np.ones((1, LONGEST))
NO_SPREAD = np.full(MEAN.shape, 1e12)


def test_zones_are_the_connected_sets_of_two_to_four() -> None:
    zones = zones_of(RING)
    assert len(zones) == 9 * 3  # arcs of a ring
    assert zones[0].tolist() == [0, 1, -1, -1]
    assert len(zones_of([[], []])) == 0
    star = zones_of([[1, 2, 3, 4], [0], [0], [0], [0]])
    assert all(0 in zone for zone in star.tolist())


@given(st.permutations(range(9)))
def test_the_order_in_which_neighbours_are_named_is_nothing(order: list[int]) -> None:
    shuffled = [sorted(near, key=order.index) for near in RING]
    assert zones_of(shuffled).tolist() == zones_of(RING).tolist()


def test_an_injected_cluster_is_found_with_its_places_and_days() -> None:
    random = np.random.default_rng(3)
    counts = random.poisson(MEAN).astype(float)
    counts[5:8, -7:] = random.poisson(2.2 * MEAN[5:8, -7:])
    found = find(counts, MEAN, NO_SPREAD, zones_of(RING))
    assert found is not None
    assert set(found.places) <= {5, 6, 7, 8, 4}
    assert {6, 7} <= set(found.places)
    assert 5 <= found.span <= 10
    assert found.p < 1e-3
    assert found.recurrence == pytest.approx(1 / found.p)
    assert found.low < found.expected < found.high < found.count


def test_its_tail_is_the_negative_binomials_of_the_sum() -> None:
    """One zone, so that there is no choice: the p is that of the search over spans, the tail below it exact."""
    mean, size = np.full((2, LONGEST), 4.0), np.full((2, LONGEST), 5.0)
    counts = mean.copy()
    counts[:, -1] = 25
    zones = zones_of([[1], [0]])
    found = find(counts, mean, size, zones)
    assert found is not None
    assert found.span == 1
    variance = 8 + 2 * 16 / 5
    exact = float(nbinom.sf(49, 64 / (variance - 8), 8 / variance))
    assert found.p == pytest.approx(searched(exact, zones), rel=1e-4)


@pytest.mark.parametrize(("scale", "spread"), [(0.1, 1.0), (1.0, 1.0), (10.0, 1.4)])
def test_p_has_paid_for_the_search(scale: float, spread: float) -> None:
    """Where nothing happens, p <= a in at most a share a of windows, for rare and common counts."""
    random = np.random.default_rng(11)
    mean = MEAN * scale
    size = mean / (spread - 1) if spread > 1 else NO_SPREAD
    zones = zones_of(RING)
    found = []
    for _ in range(1500):
        rate = random.gamma(size, mean / size) if spread > 1 else mean
        cluster = find(random.poisson(rate).astype(float), mean, size, zones)
        found.append(1.0 if cluster is None else cluster.p)
    for level in (0.1, 0.02, 0.005):
        share = float(np.mean(np.array(found) <= level))
        print(f"{scale=} {spread=} {level=} {share:.4f}")
        assert share <= level + 3 * np.sqrt(level / 1500)
    assert np.mean(np.array(found) <= 0.1) > 0.02  # and not idle


def test_clusters_of_one_window_share_no_place_and_each_is_found_as_if_it_were_alone() -> None:
    """What is expected is known beforehand: a cluster elsewhere swells no other one's figures, and hides none."""
    counts = MEAN.copy()
    counts[0:2, -3:] = 6 * MEAN[0:2, -3:]
    counts[5:7, -7:] = 2 * MEAN[5:7, -7:]
    alone = counts.copy()
    alone[5:7] = MEAN[5:7]
    zones = zones_of(RING)
    first, second, *rest = find_all(counts, MEAN, NO_SPREAD, zones, 0.01)
    assert rest == []
    assert not set(first.places) & set(second.places)
    assert {first.places, second.places} == {(0, 1), (5, 6)}
    assert first.p < second.p <= 0.01
    assert find(counts, MEAN, NO_SPREAD, zones) == first
    assert {(0, 1): first, (5, 6): second}[0, 1] == find(alone, MEAN, NO_SPREAD, zones)
    assert find_all(counts, MEAN, NO_SPREAD, zones, first.p) == [first]
    assert find_all(counts, MEAN, NO_SPREAD, zones, 0.0) == []
    assert find_all(counts, MEAN, NO_SPREAD, zones, 0.01, least=int(second.count) + 1) != [first, second]


@pytest.mark.parametrize("level", [0.2, 0.05])
def test_as_many_false_clusters_are_told_as_one_test_has_false_finds(level: float) -> None:
    """Where nothing happens, each held to level / (1 + level): also at levels at which second ones come."""
    random = np.random.default_rng(4)
    zones, mean = zones_of(RING), MEAN * 4
    told = np.array(
        [
            len(find_all(random.poisson(mean).astype(float), mean, NO_SPREAD, zones, step_level(level)))
            for _ in range(1500)
        ]
    )
    print(f"{level=} {told.mean():.4f} a window, {(told > 1).sum()} windows with two or more")
    assert told.mean() <= level + 3 * told.std() / np.sqrt(len(told))
    assert told.max() > 1 or level < 0.1


@given(st.floats(1e-12, 1.0), st.floats(1.0, 100.0))
def test_a_rarer_tail_never_has_a_larger_p_and_never_passes_bonferroni(tail: float, more: float) -> None:
    zones = zones_of(RING)
    rarer = searched(tail / more, zones)
    assert rarer <= searched(tail, zones) * (1 + 1e-9)
    assert rarer <= min(1.0, tail / more * len(zones) * len(SPANS)) * (1 + 1e-9)
    assert rarer >= tail / more * (1 - 1e-9)


def test_what_was_not_scored_is_in_no_cluster() -> None:
    unknown: Floats = np.where(np.arange(9)[:, None] == 6, np.nan, MEAN)
    counts = MEAN * 3
    found = find(np.round(counts), unknown, NO_SPREAD, zones_of(RING))
    assert found is not None
    assert 6 not in found.places
    assert find(MEAN, np.full(MEAN.shape, np.nan), NO_SPREAD, zones_of(RING)) is None
    assert find(np.zeros(MEAN.shape), MEAN, NO_SPREAD, zones_of(RING)) is None


def test_few_days_are_scanned_as_far_as_they_go() -> None:
    counts = MEAN[:, :3] * 4
    found = find(np.round(counts), MEAN[:, :3], NO_SPREAD[:, :3], zones_of(RING))
    assert found is not None
    assert found.span <= 3
