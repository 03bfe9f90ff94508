"""Score: all counties together, from what was known then; neither order nor a restart changes a bit of it."""

from collections.abc import Iterable
from datetime import date, time
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.observation import ScoreReason, Slot, mixed_class
from streams.core.cells import Cell, CellCounts
from streams.core.city import City, Size
from streams.core.instant import DAY, HOUR, WEEK, Instant, parse_instant
from streams.core.outputs import ClosedWindow, ScoredWindow
from streams.core.score import HISTORY, Score
from streams.core.window import Window, WindowGrid
from tests.core.towns import START, PlainCalendar, signal, towns

CITY = towns(
    signals=(
        signal("complaints", {"kind": ["accepted"]}, (Size.DAY, Size.WEEK), citywide=True),
        signal("noise", {"kind": ["accepted"], "category": ["noise"]}, (Size.DAY,)),
    )
)
COUNTIES = tuple(county.code for county in CITY.counties)
NOISE = Cell("hotline", "noise", "accepted", None, None, None)
ROAD = Cell("petitions", "road", "accepted", None, None, None)
LENGTHS = {Size.HOUR: HOUR, Size.DAY: DAY, Size.WEEK: WEEK}


def closed(county: str, number: int, noise: int, road: int, size: Size = Size.DAY) -> ClosedWindow:
    """The closed window of one county, the `number`-th of its size since START."""
    start = START + number * LENGTHS[size]
    counts = np.array([noise + road, noise if size is Size.DAY else -1], dtype=np.int64)
    cells = CellCounts([NOISE, ROAD], np.array([noise, road], dtype=np.int64))
    return ClosedWindow(county, size, start, start + LENGTHS[size], counts, cells)


def quiet_days(days: int, seed: int = 1) -> list[ClosedWindow]:
    """Days of ordinary counts, and weeks with them, in the order in which one partition would close them."""
    random = np.random.default_rng(seed)
    made = []
    for day in range(days):
        for county, size in zip(COUNTIES, (4, 20, 80), strict=True):
            made.append(closed(county, day, int(random.poisson(size)), int(random.poisson(size))))
        if day % 7 == 6:
            made += [closed(county, day // 7, 100, 100, Size.WEEK) for county in COUNTIES]
    return made


def scored(windows: Iterable[ClosedWindow], into: Score | None = None) -> list[ScoredWindow]:
    score = Score(CITY, detail_p=0.01) if into is None else into
    return [made for made in map(score.step, windows) if made is not None]


Plain = tuple[Size, Instant, Instant, bytes, list[tuple[str, list[bytes]]], object]


def plain(window: ScoredWindow) -> Plain:
    """Every bit of a scored window."""
    scores = [
        (name, [getattr(s, field).tobytes() for field in type(s).__dataclass_fields__])
        for name, s in window.scores.items()
    ]
    return (window.size, window.start, window.end, window.counts.tobytes(), scores, dict(window.details))


def in_order(windows: list[ScoredWindow]) -> list[Plain]:
    return sorted(map(plain, windows), key=lambda window: window[:3])


# ---- every county ----


def test_a_window_is_scored_when_its_last_county_has_closed_it() -> None:
    score = Score(CITY, detail_p=0.01)
    assert [score.step(closed(county, 0, 1, 1)) is None for county in COUNTIES] == [True, True, False]


def test_each_size_and_each_end_waits_for_itself() -> None:
    score = Score(CITY, detail_p=0.01)
    for county in COUNTIES[:2]:
        for number in range(3):
            assert score.step(closed(county, number, 1, 1)) is None
        assert score.step(closed(county, 0, 1, 1, Size.WEEK)) is None
    ends = [made.end for number in range(3) if (made := score.step(closed(COUNTIES[2], number, 1, 1))) is not None]
    assert ends == [START + DAY, START + 2 * DAY, START + 3 * DAY]
    week = score.step(closed(COUNTIES[2], 0, 1, 1, Size.WEEK))
    assert week is not None
    assert (week.size, week.end) == (Size.WEEK, START + WEEK)


def test_the_city_as_a_whole_is_the_sum_of_its_counties() -> None:
    (made,) = scored([closed("east", 0, 1, 2), closed("west", 0, 3, 4), closed("south", 0, 5, 6)])
    assert made.counts.tolist() == [[3, 7, 11, 21], [1, 3, 5, 9]]


def test_a_signal_without_the_size_has_no_count_and_is_not_judged() -> None:
    (made,) = scored([closed(county, 0, 1, 2, Size.WEEK) for county in COUNTIES])
    assert made.counts.tolist() == [[3, 3, 3, 9], [-1, -1, -1, -1]]
    (scores,) = made.scores.values()
    assert set(scores.reason[1].tolist()) == {ScoreReason.NOT_JUDGED}
    assert np.isnan(scores.p_high[1]).all()


def test_only_a_citywide_signal_is_judged_for_the_city_as_a_whole() -> None:
    made = scored(quiet_days(120))[-1]
    (scores,) = made.scores.values()
    assert scores.reason[0, -1] == ScoreReason.SCORED
    assert scores.reason[1, -1] == ScoreReason.NOT_JUDGED


def test_it_says_that_it_is_warming_up_until_it_has_seen_enough() -> None:
    days = [made.scores["counts"] for made in scored(quiet_days(120)) if made.size is Size.DAY]
    reasons = [int(day.reason[0, 0]) for day in days]
    assert reasons[0] == ScoreReason.WARMING_UP
    assert reasons[-1] == ScoreReason.SCORED
    assert reasons == sorted(reasons, reverse=True)
    assert all(np.isfinite(day.p_high[0, 0]) == (day.reason[0, 0] == ScoreReason.SCORED) for day in days)


# ---- order ----


@st.composite
def merges(draw: st.DrawFn) -> list[ClosedWindow]:
    """Each county's windows in their own order, the counties' merged in any."""
    queues = {county: [w for w in quiet_days(21) if w.county == county] for county in COUNTIES}
    merged = []
    while left := [county for county in COUNTIES if queues[county]]:
        county = draw(st.sampled_from(left))
        taken = draw(st.integers(1, 9))
        merged += queues[county][:taken]
        del queues[county][:taken]
    return merged


@settings(max_examples=20)
@given(merges())
def test_the_order_in_which_counties_and_partitions_come_does_not_matter(merged: list[ClosedWindow]) -> None:
    straight, mixed = Score(CITY, detail_p=1.0), Score(CITY, detail_p=1.0)
    assert in_order(scored(merged, mixed)) == in_order(scored(quiet_days(21), straight))
    assert mixed.snapshot() == straight.snapshot()


def test_what_waits_is_the_same_in_whatever_order_it_came() -> None:
    windows = [closed(county, number, 1, 2) for county in COUNTIES[:2] for number in range(3)]
    one, other = Score(CITY, detail_p=1.0), Score(CITY, detail_p=1.0)
    assert scored(windows, one) == scored(reversed(windows), other) == []
    assert one.snapshot() == other.snapshot()


def test_the_windows_of_one_size_are_scored_in_their_order_however_they_come() -> None:
    by_county = sorted(quiet_days(21), key=lambda window: COUNTIES.index(window.county))
    ends = [made.end for made in scored(by_county) if made.size is Size.DAY]
    assert ends == sorted(ends)


# ---- score, then learn ----


@pytest.mark.parametrize("changed", [0, 60, 100, 119])
def test_a_window_changes_no_score_before_its_own_nor_what_was_expected_of_itself(changed: int) -> None:
    usual = quiet_days(120)
    unusual = [
        closed(w.county, changed, 5000, 0) if (w.start, w.size) == (START + changed * DAY, Size.DAY) else w
        for w in usual
    ]
    before, after = scored(usual), scored(unusual)
    own = START + (changed + 1) * DAY
    assert [plain(w) for w in before if w.end < own] == [plain(w) for w in after if w.end < own]
    (then,), (instead,) = ([w for w in made if w.end == own and w.size is Size.DAY] for made in (before, after))
    for name, said in then.scores.items():
        for field in ("expected", "low", "high", "size", "reason"):
            assert getattr(said, field).tobytes() == getattr(instead.scores[name], field).tobytes()
    if changed < 119:
        assert plain(before[-1]) != plain(after[-1])


# ---- restart ----


@settings(max_examples=20)
@given(st.integers(0, 3 * 70 + 30), st.booleans())
def test_it_goes_on_from_a_snapshot_at_any_window_as_if_nothing_had_happened(stop: int, by_county: bool) -> None:
    """Also while some counties are weeks ahead of others."""
    windows = quiet_days(70)
    if by_county:
        windows.sort(key=lambda window: (window.start // (3 * WEEK), COUNTIES.index(window.county)))
    whole = Score(CITY, detail_p=1.0)
    expected = scored(windows, whole)
    before, after = Score(CITY, detail_p=1.0), Score(CITY, detail_p=1.0)
    first = scored(windows[:stop], before)
    chunks = {name: chunk for name, chunk in before.snapshot().items() if chunk is not None}
    after.restore(chunks)
    assert after.snapshot() == chunks
    assert list(map(plain, first + scored(windows[stop:], after))) == list(map(plain, expected))
    assert after.snapshot() == whole.snapshot()


# ---- the makings of evidence ----


def burst() -> list[ScoredWindow]:
    """120 quiet days, then one on which the west has ten times its usual noise, over its road complaints."""
    days = quiet_days(120)
    days += [closed("east", 120, 4, 4), closed("west", 120, 200, 20), closed("south", 120, 80, 80)]
    return scored(days)


def test_a_series_far_from_what_was_expected_carries_what_is_behind_it() -> None:
    made = burst()[-1]
    west = made.details[0, 1]
    assert west.by_category == (("noise", 200), ("road", 20))
    assert west.by_point == (("hotline", 200), ("petitions", 20))
    assert made.details[1, 1].by_category == (("noise", 200),)
    assert (0, 0) not in made.details
    assert (0, 2) not in made.details


def test_the_city_as_a_whole_has_all_its_counties_behind_it() -> None:
    whole = burst()[-1].details[0, 3]
    assert whole.by_category == (("noise", 284), ("road", 104))


def test_the_history_is_the_windows_before_not_the_one_itself() -> None:
    made = burst()
    days = [window for window in made if window.size is Size.DAY]
    past = [int(window.counts[0, 1]) for window in days[:-1]]
    assert days[-1].details[0, 1].history == tuple(past[-HISTORY:])
    assert int(days[-1].counts[0, 1]) == 220


def test_a_short_past_is_a_short_history() -> None:
    score = Score(CITY, detail_p=1.0)
    days = [window for window in scored(quiet_days(120), score) if window.size is Size.DAY]
    told = [window.details[0, 0].history for window in days if (0, 0) in window.details]
    assert told
    assert all(len(history) == min(HISTORY, len(days[: -len(told)]) + n) for n, history in enumerate(told))


# ---- where a window lies in time ----


def slot(city: City, size: Size, at: str) -> Slot:
    """Slot of the window of a size that an instant lies in, as the first window seen."""
    window: Window = WindowGrid(city.zone, city.day_start).window(size, parse_instant(at))
    return Score(city, detail_p=0.0)._slot(size, window)


SHANGHAI = towns(zone=ZoneInfo("Asia/Shanghai"))
NEW_YORK = towns(zone=ZoneInfo("America/New_York"))
NOON = towns(zone=ZoneInfo("Asia/Shanghai"), day_start=time(12))


@pytest.mark.parametrize(
    ("city", "size", "at", "hour_of_week"),
    [
        (SHANGHAI, Size.HOUR, "2026-03-02T00:30:00+08:00", 0),
        (SHANGHAI, Size.HOUR, "2026-03-08T23:59:00+08:00", 167),
        (SHANGHAI, Size.DAY, "2026-03-08T23:59:00+08:00", 144),
        (SHANGHAI, Size.WEEK, "2026-03-08T23:59:00+08:00", 0),
        (NOON, Size.HOUR, "2026-03-01T12:30:00+08:00", 156),  # Sunday noon, though the reporting day is Monday
        (NOON, Size.DAY, "2026-03-01T12:30:00+08:00", 0),
        (NEW_YORK, Size.HOUR, "2026-11-01T01:30:00-04:00", 145),
        (NEW_YORK, Size.HOUR, "2026-11-01T01:30:00-05:00", 145),  # shown twice
    ],
)
def test_a_window_has_its_place_in_the_week_by_the_local_clock(
    city: City, size: Size, at: str, hour_of_week: int
) -> None:
    assert slot(city, size, at).hour_of_week == hour_of_week


@pytest.mark.parametrize(
    ("city", "size", "at", "length"),
    [
        (NEW_YORK, Size.DAY, "2026-03-08T12:00:00-04:00", 23 / 24),
        (NEW_YORK, Size.DAY, "2026-11-01T12:00:00-05:00", 25 / 24),
        (NEW_YORK, Size.WEEK, "2026-03-08T12:00:00-04:00", 167 / 168),
        (NEW_YORK, Size.DAY, "2026-03-09T12:00:00-04:00", 1.0),
        (towns(zone=ZoneInfo("Australia/Lord_Howe")), Size.HOUR, "2026-10-04T23:45:00+11:00", 0.5),
    ],
)
def test_a_window_that_the_clock_made_shorter_or_longer_says_so(city: City, size: Size, at: str, length: float) -> None:
    assert slot(city, size, at).length == length


def test_the_place_in_the_year_runs_from_nought_to_one() -> None:
    first, last = (
        slot(SHANGHAI, Size.HOUR, f"2028-{day}+08:00").year_phase for day in ("01-01T00:10:00", "12-31T23:50:00")
    )
    assert 0 <= first < 0.001
    assert 0.999 < last < 1
    assert slot(SHANGHAI, Size.DAY, "2027-07-02T12:00:00+08:00").year_phase == 0.5


class Holidays(PlainCalendar):
    """The east keeps 4 to 7 March 2026, class 5, of which the last is a local feast, class 6, and Monday the 16th."""

    def day_class(self, county: str, day: date) -> int:
        if county == "east" and date(2026, 3, 4) <= day <= date(2026, 3, 7):
            return 5 + (day.day == 7)
        return 5 if county == "east" and day == date(2026, 3, 16) else 0


def test_a_window_has_the_classes_of_the_dates_that_it_lies_on_in_each_county() -> None:
    city = City(**{**vars(NOON), "calendar": Holidays()})
    for size, at, east in (
        (Size.HOUR, "2026-03-03T13:00:00+08:00", [0]),  # an hour has its own date's
        (Size.DAY, "2026-03-03T13:00:00+08:00", [0, 5]),  # a reporting day ends on another date than it starts on
        (Size.DAY, "2026-03-04T13:00:00+08:00", [5]),
        (Size.DAY, "2026-03-07T11:00:00+08:00", [5, 6]),
        (Size.DAY, "2026-03-07T13:00:00+08:00", [6, 0]),
        (Size.DAY, "2026-03-08T13:00:00+08:00", [0]),
        (Size.WEEK, "2026-03-07T13:00:00+08:00", [0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5, 6, 6, 0]),
        (Size.WEEK, "2026-03-08T13:00:00+08:00", [0]),
        (Size.WEEK, "2026-03-18T13:00:00+08:00", [0, 5, 5] + [0] * 11),
    ):
        assert slot(city, size, at).day_class.tolist() == [mixed_class(east), 0, 0, 0], (size, at)
    midnight = City(**{**vars(city), "day_start": time(0)})
    assert slot(midnight, Size.DAY, "2026-03-04T01:00:00+08:00").day_class.tolist() == [5, 0, 0, 0]
