"""Law 6, attacked: whoever keeps every scrape narrows no cell below k people."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from streams.exporter import figures as figures_module
from tests.exporter.attack import narrowed, scrapes
from tests.exporter.worlds import CATEGORIES, WEEKS, World, town

K = town().city.privacy_k
COUNTIES = len(town().city.counties)
RATES = st.lists(
    st.sampled_from([0.5, 2, 5, 9, 12, 18, 30, 60, 150]),
    min_size=COUNTIES * len(CATEGORIES),
    max_size=COUNTIES * len(CATEGORIES),
)

SMALL_PART = [30.0, 5, 18, 150, 18, 2, 60, 150, 2, 5, 150, 30, 18, 60, 0.5, 60]
"""A part of one county that counts hardly anything a day: of a week it was told that it is not 1."""


def _world(seed: int, rates: Sequence[float], quiet: float) -> World:
    return World.of(seed, np.array(rates).reshape(COUNTIES, len(CATEGORIES)), quiet)


@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])  # a world is not shrunk in minutes
@given(
    seed=st.integers(0, 2**32 - 1),
    rates=RATES,
    quiet=st.sampled_from([0.0, 0.02, 0.2]),
    weeks=st.sets(st.integers(0, WEEKS - 1), min_size=2, max_size=2),
)
@example(seed=3424825176, rates=SMALL_PART, quiet=0.0, weeks={6})
def test_seven_weeks_of_scrapes_narrow_no_cell_below_k(
    seed: int, rates: list[float], quiet: float, weeks: set[int]
) -> None:
    world = _world(seed, rates, quiet)
    assert list(narrowed(world, scrapes(world), K, sorted(weeks))) == []


MIDDLING = [150, 60, 30, 60, 60, 30, 12, 30, 30, 18, 9, 12, 12, 9, 5, 9]


def test_the_attack_finds_what_a_mere_threshold_gives_away(monkeypatch: pytest.MonkeyPatch) -> None:
    world = _world(7, MIDDLING, 0.02)
    monkeypatch.setattr(figures_module, "shown", lambda window, may, _small: may & (window.counts >= window.k))
    assert len(list(narrowed(world, scrapes(world), K, [5, 6]))) > 20
