"""Lasting changes: since when, and what may only have been filed elsewhere."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.core.alert import Evidence, Shape
from streams.core.city import Direction, Size
from streams.core.instant import DAY
from streams.core.level_change import change_at, change_point, is_plain
from streams.core.outputs import SeriesDetail
from tests.core.courtroom import LEVEL, MONDAY, SIGNALS, Courtroom, Seen, small_city

FIRE = LEVEL / 4
END = MONDAY + 7 * DAY
RISE = (10, 12, 9, 11, 10, 10, 11, 40, 41, 39, 40, 41, 38, 40)
FALL = (60, 59, 62, 61, 60, 58, 61, 31, 30, 32, 30, 31, 29, 30)


def shifted(others: Mapping[str, tuple[int, ...]], rise: tuple[int, ...] = RISE, **changes: object) -> Evidence:
    """What the alert says when road shifts in the east over this fortnight, while others did theirs."""
    city = small_city((replace(s, **changes) if s.name == "noise" else s) for s in SIGNALS)  # type: ignore[arg-type]  # a test's own
    court = Courtroom(city, detectors=("counts", "shift"))
    up = (Seen(rise[-1], 10.0), Seen(rise[-1], 10.0, FIRE, detector="shift"))
    window = court.window(END, Size.DAY, {("road", "east"): up})
    details = {}
    for name, counts in {"road": rise, **others}.items():
        i = court.signals.index(name)
        window.counts[i, 0] = counts[-1]
        details[i, 0] = SeriesDetail(counts[:-1], (), ())
    court.at(END - DAY, {})
    for size in (Size.HOUR, Size.DAY, Size.WEEK):
        court.hear(replace(window, details=details) if size is Size.DAY else court.window(END, size, {}))
    (raised,) = court.raised
    return raised.evidence


def test_the_change_is_dated_and_the_category_that_fell_is_named() -> None:
    case = shifted({"noise": FALL})
    assert case.shape is Shape.SHIFT
    assert case.notes == (f"since:{END - 7 * DAY}", "possible_reclassification:noise")


def test_nothing_is_named_that_did_not_move_by_as_much_the_other_way_at_the_same_time() -> None:
    unlike: tuple[Mapping[str, tuple[int, ...]], ...] = (
        {},
        {"noise": (60,) * 14},  # did not move
        {"noise": RISE},  # moved the same way
        {"noise": (60, 61, 59, 60, 60, 61, 60, 55, 54, 55, 54, 55, 56, 55)},  # 5 are not 30
        {"noise": (90, 10, 95, 5, 99, 1, 90, 20, 80, 1, 5, 70, 2, 9)},  # too restless to tell
        {"total": FALL},  # a total is no category
    )
    for others in unlike:
        assert shifted(others).notes == (f"since:{END - 7 * DAY}",), others


def test_what_the_county_must_not_know_is_never_named() -> None:
    assert shifted({"noise": FALL}, compartmented=True).notes == (f"since:{END - 7 * DAY}",)


def test_a_signal_that_counts_the_same_category_too_is_not_another_one() -> None:
    both = {"category": frozenset({"noise", "road"})}
    assert shifted({"noise": FALL}, where=both).notes == (f"since:{END - 7 * DAY}",)


def test_the_best_fit_of_several_is_named() -> None:
    half = (60, 59, 62, 61, 60, 58, 61, 48, 49, 48, 48, 49, 48, 48)
    assert shifted({"noise": half, "dust": FALL}).notes[1] == "possible_reclassification:dust"


def test_a_burst_is_not_dated() -> None:
    court = Courtroom()
    court.at(END, {Size.DAY: {("road", "east"): Seen(58, 21.0, FIRE)}})
    assert court.raised[0].evidence.notes == ()


def test_too_short_a_history_tells_nothing() -> None:
    assert change_point((5, 5, 50), Direction.HIGH, 1) is None
    assert change_point((), Direction.HIGH, 1) is None
    assert change_point((5, 5, 5, 5, 5), Direction.HIGH, 1) is None
    assert change_point((5, 5, 5, 5, 50), Direction.HIGH, 2) is None


@given(st.integers(4, 20), st.integers(1, 8), st.integers(1, 40), st.integers(50, 90), st.booleans())
def test_a_clean_step_is_found_where_it_is(before: int, after: int, low: int, high: int, up: bool) -> None:
    old, new = (low, high) if up else (high, low)
    side = Direction.HIGH if up else Direction.LOW
    counts = (old,) * before + (new,) * after
    change = change_point(counts, side, 1)
    assert change is not None
    assert (change.windows, change.before, change.after) == (after, old, new)
    assert is_plain(counts, change)


def test_noise_alone_is_rarely_plain() -> None:
    random = np.random.default_rng(3)
    plain = 0
    for _ in range(400):
        counts = random.poisson(20, 28).tolist()
        plain += is_plain(counts, change_at(counts, 7))
    assert plain < 0.08 * 400
