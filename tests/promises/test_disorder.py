"""The alert log does not depend on the order within the allowed lateness, on repeats, or on the partitions (law 2)."""

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.promises.disorder import (
    WAYS,
    Sent,
    disorders,
    displaced,
    episodes,
    in_time,
    recorded,
    repeated,
    warm_chunks,
    warm_pipeline,
)
from tests.promises.lake import Outcome, city_profile, piped
from tests.promises.partitions import Partitions

COUNTIES = len(city_profile().city.counties)


def in_order(episode: tuple[Sent, ...]) -> Outcome:
    """What an episode leads to when all of it comes once, at its time, to one process."""
    outcome = piped([one.line for one in episode], pipeline=warm_pipeline())
    event(f"{min(outcome.log.count(b'raised'), 5)} alerts or more")
    return outcome


# ---- order ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_the_recording_in_any_order_within_the_allowed_lateness(way: str, undisturbed: Outcome) -> None:
    outcome = piped([one.line for one in displaced(in_time(), (way, 20250309))])
    assert outcome.log_sha256 == undisturbed.log_sha256
    assert outcome.accounting.late == 0


@settings(max_examples=40)
@given(episode=episodes(), disorder=disorders)
def test_an_episode_in_any_order_within_the_allowed_lateness(
    episode: tuple[Sent, ...], disorder: tuple[str, int]
) -> None:
    outcome = piped([one.line for one in displaced(episode, disorder)], pipeline=warm_pipeline())
    assert outcome.log == in_order(episode).log
    assert outcome.accounting.late == 0


# ---- repeats -------------------------------------------------------------------------------------------------


def test_the_recording_with_every_event_sent_one_to_a_hundred_times(undisturbed: Outcome) -> None:
    times = np.random.default_rng(100).permutation(np.arange(1, 101)).tolist()
    lines = repeated(recorded(), times, seed=1)
    assert len(lines) > 40 * len(recorded())
    outcome = piped(lines)
    once = undisturbed.accounting
    assert outcome.log_sha256 == undisturbed.log_sha256
    assert outcome.accounting.counted == once.counted
    assert outcome.accounting.late == once.late
    assert outcome.accounting.duplicate == once.duplicate + outcome.accounting.received - once.received


@settings(max_examples=25)
@given(episode=episodes(), times=st.lists(st.integers(1, 100), min_size=1, max_size=7), seed=st.integers(0, 1000))
def test_an_episode_with_every_event_sent_one_to_a_hundred_times(
    episode: tuple[Sent, ...], times: list[int], seed: int
) -> None:
    outcome = piped(repeated(episode, times, seed), pipeline=warm_pipeline())
    straight = in_order(episode)
    assert outcome.log == straight.log
    assert outcome.accounting.counted == straight.accounting.counted


# ---- partitions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partitions", [1, 3, 12])
def test_the_recording_over_partitions(partitions: int, undisturbed: Outcome) -> None:
    spread = [i * 7 % partitions for i in range(COUNTIES)]
    outcome = Partitions(spread).run(recorded(), seed=partitions)
    assert outcome.log_sha256 == undisturbed.log_sha256
    # One partition may be far ahead of the others, yet every county keeps its own time: the same verdicts.
    assert outcome.accounting == undisturbed.accounting


@settings(max_examples=40)
@given(
    episode=episodes(),
    disorder=disorders,
    times=st.integers(1, 4),
    spread=st.lists(st.integers(0, 11), min_size=COUNTIES, max_size=COUNTIES),
    seed=st.integers(0, 1000),
)
def test_an_episode_over_any_partitions_at_any_pace(
    episode: tuple[Sent, ...], disorder: tuple[str, int], times: int, spread: list[int], seed: int
) -> None:
    """Late events among them: what is late does not depend on what other counties share the partition."""
    mixed = displaced(episode, disorder, times)
    straight = piped([one.line for one in mixed], pipeline=warm_pipeline())
    outcome = Partitions(spread, warm_chunks()).run(mixed, seed, cut=30)
    event(f"late: {min(straight.accounting.late, 10)} or more")
    assert outcome.log == straight.log
    assert outcome.accounting == straight.accounting
