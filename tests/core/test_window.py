"""Windows partition time on a city's clock, whatever the clock does: no gap, no overlap, no name twice."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.city import Size
from streams.core.instant import DAY, HOUR, MINUTE, Instant, format_instant, from_datetime, parse_instant
from streams.core.window import QUARTER, Window, WindowGrid
from tests.core.towns import START

ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kathmandu",  # +05:45
    "America/St_Johns",  # -03:30, changed at one minute past midnight
    "Pacific/Apia",  # had no 30 December 2011
    "Africa/Casablanca",  # changes twice a year more, for Ramadan
    "America/Nuuk",  # changes at an hour before midnight
    "America/Sao_Paulo",  # changed at midnight
)
DAY_STARTS = (time(0), time(12), time(2, 30), time(23, 30))


@cache
def clock_changes(zone: str) -> list[Instant]:
    """Noons (UTC), 1970 to 2040, before which the zone's offset changed within a day."""
    noon, clock, found = datetime(1970, 1, 1, 12, tzinfo=UTC), ZoneInfo(zone), []
    while noon.year < 2040:
        if noon.astimezone(clock).utcoffset() != (noon - timedelta(days=1)).astimezone(clock).utcoffset():
            found.append(from_datetime(noon))
        noon += timedelta(days=1)
    return found


@st.composite
def grids_and_instants(draw: st.DrawFn) -> tuple[WindowGrid, Instant]:
    """A grid, and an instant that is often a few days from a change of its clock."""
    zone = draw(st.sampled_from(ZONES))
    anywhere = st.integers(parse_instant("1970-01-20T00:00:00Z"), parse_instant("2040-01-01T00:00:00Z"))
    near = st.builds(int.__add__, st.sampled_from(clock_changes(zone)), st.integers(-4 * DAY, 3 * DAY))
    return WindowGrid(ZoneInfo(zone), draw(st.sampled_from(DAY_STARTS))), draw(near | anywhere)


def walk(grid: WindowGrid, size: Size, start: Instant, end: Instant) -> Iterator[Window]:
    """The windows of a size from the one that holds `start` up to `end`, each found by the end of the one before."""
    while start < end:
        window = grid.window(size, start)
        yield window
        start = window.end


@given(grids_and_instants())
def test_every_instant_lies_in_one_window_of_each_size(case: tuple[WindowGrid, Instant]) -> None:
    grid, at = case
    for size in Size:
        window = grid.window(size, at)
        assert window.start <= at < window.end
        assert grid.window(size, window.start) == grid.window(size, window.end - 1) == window
        assert grid.window(size, window.end).start == window.end
        assert window.start % QUARTER == window.end % QUARTER == 0


@given(grids_and_instants())
def test_hours_make_up_days_and_days_make_up_weeks(case: tuple[WindowGrid, Instant]) -> None:
    grid, at = case
    week = grid.week(at)
    days = list(walk(grid, Size.DAY, week.start, week.end))
    assert (days[0].start, days[-1].end) == (week.start, week.end)
    for day in days:
        hours = list(walk(grid, Size.HOUR, day.start, day.end))
        assert (hours[0].start, hours[-1].end) == (day.start, day.end)
        assert all(a.end == b.start for a, b in pairwise(hours))
        assert all(hour.end - hour.start == HOUR for hour in hours[:-1])


@pytest.mark.parametrize("day_start", DAY_STARTS)
@pytest.mark.parametrize("zone", ZONES)
def test_days_are_named_in_order_by_the_date_they_end_on_and_weeks_start_with_a_monday(
    zone: str, day_start: time
) -> None:
    """Around every change of the clock since 1970."""
    grid = WindowGrid(ZoneInfo(zone), day_start)
    for change in clock_changes(zone):
        days = list(walk(grid, Size.DAY, change - 4 * DAY, change + 4 * DAY))
        names = [grid.name(day) for day in days]
        assert all(a < b for a, b in pairwise(names))
        assert all(a.end == b.start for a, b in pairwise(days))
        mondays = [day.start for day, name in zip(days, names, strict=True) if monday(name)]
        weeks = sorted({(week.start, week.end) for week in map(grid.week, (day.start for day in days))})
        assert all(a_end == b_start for (_, a_end), (b_start, _) in pairwise(weeks))
        assert mondays == [start for start, _ in weeks if start >= days[0].start]


def monday(day: date) -> bool:
    return day.weekday() == 0


@given(grids_and_instants())
def test_the_sizes_that_end_at_an_instant_are_those_with_a_window_up_to_it(case: tuple[WindowGrid, Instant]) -> None:
    grid, at = case
    week = grid.week(at)
    ends = {size: {window.end for window in walk(grid, size, week.start, week.end)} for size in Size}
    for end in sorted(ends[Size.HOUR]):
        assert grid.sizes_ending(end) == tuple(size for size in Size if end in ends[size])
        assert grid.sizes_ending(end + MINUTE) == ()


def day_of(zone: str, day_start: time, at: str) -> tuple[str, str, str]:
    """Local start and end of the reporting day that an instant lies in, and its name."""
    grid = WindowGrid(ZoneInfo(zone), day_start)
    day = grid.day(parse_instant(at))
    return format_instant(day.start, grid.zone), format_instant(day.end, grid.zone), str(grid.name(day))


@pytest.mark.parametrize(
    ("zone", "at", "hours"),
    [
        ("America/New_York", "2026-03-08T12:00:00-04:00", 23),
        ("America/New_York", "2026-11-01T12:00:00-05:00", 25),
        ("America/New_York", "2026-11-02T12:00:00-05:00", 24),
        ("Australia/Lord_Howe", "2026-10-04T12:00:00+11:00", 23.5),
        ("Asia/Shanghai", "2026-03-08T12:00:00+08:00", 24),
    ],
)
def test_a_day_has_as_many_hours_as_the_clock_gives_it(zone: str, at: str, hours: float) -> None:
    grid = WindowGrid(ZoneInfo(zone), time(0))
    day = grid.day(parse_instant(at))
    windows = list(walk(grid, Size.HOUR, day.start, day.end))
    assert (day.end - day.start) / HOUR == hours
    assert len(windows) == -(-hours // 1)
    assert windows[-1].end - windows[-1].start == (HOUR if hours == len(windows) else HOUR // 2)


def test_a_noon_to_noon_day_is_named_by_the_date_it_ends_on() -> None:
    assert day_of("Asia/Shanghai", time(12), "2026-03-01T12:00:00+08:00") == (
        "2026-03-01T12:00:00+08:00",
        "2026-03-02T12:00:00+08:00",
        "2026-03-02",
    )
    assert day_of("Asia/Shanghai", time(12), "2026-03-01T11:59:59.999999+08:00")[2] == "2026-03-01"


def test_a_week_of_noon_to_noon_days_begins_on_sunday_noon() -> None:
    grid = WindowGrid(ZoneInfo("Asia/Shanghai"), time(12))
    week = grid.week(parse_instant("2026-03-04T00:00:00+08:00"))
    assert format_instant(week.start, grid.zone) == "2026-03-01T12:00:00+08:00"


@pytest.mark.parametrize(
    ("day_start", "at", "start", "end", "name"),
    [
        (time(0), "2011-12-29T23:59:59-10:00", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-29"),
        (time(0), "2011-12-31T00:00:00+14:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00", "2011-12-31"),
        (time(12), "2011-12-31T02:00:00+14:00", "2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00", "2011-12-31"),
        (time(12), "2011-12-29T11:00:00-10:00", "2011-12-28T12:00:00-10:00", "2011-12-29T12:00:00-10:00", "2011-12-29"),
    ],
)
def test_a_date_that_never_was_has_no_day(day_start: time, at: str, start: str, end: str, name: str) -> None:
    """Samoa went from 29 December 2011 straight to the 31st."""
    assert day_of("Pacific/Apia", day_start, at) == (start, end, name)


def test_times_from_before_standard_time_have_their_windows_too() -> None:
    """1 January 1900 is what some databases write for nothing; Shanghai was at +08:05:43."""
    for day_start in DAY_STARTS:
        grid = WindowGrid(ZoneInfo("Asia/Shanghai"), day_start)
        at = parse_instant("1900-01-01T00:00:00+08:00")
        for size in Size:
            window = grid.window(size, at)
            assert window.start <= at < window.end
            assert window.start % QUARTER == 0


@pytest.mark.parametrize("day_start", [time(0, 10), time(12, 0, 1), time(0, 0, 0, 1)])
def test_a_day_start_off_the_quarter_is_refused_at_once(day_start: time) -> None:
    with pytest.raises(ValueError, match="quarter of an hour"):
        WindowGrid(UTC, day_start)


@given(st.lists(grids_and_instants(), min_size=2, max_size=80))
def test_the_grid_does_not_remember_what_it_was_asked(cases: list[tuple[WindowGrid, Instant]]) -> None:
    grid, _ = cases[0]
    asked = [grid.week(at) for _, at in cases]
    assert asked == [WindowGrid(grid.zone, grid.day_start).week(at) for _, at in cases]


def test_the_grid_keeps_a_few_days_however_many_it_was_asked_for() -> None:
    grid = WindowGrid(ZoneInfo("Asia/Shanghai"), time(0))
    for day in range(1000):
        grid.week(START + day * DAY)
    assert len(grid._starts) < 100
