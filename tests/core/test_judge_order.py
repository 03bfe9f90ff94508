"""What must hold whatever comes: order of arrival, restarts, the budget, bounded memory."""

import math
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.observation import ScoreReason
from streams.core.alert_log import alert_log
from streams.core.city import Size
from streams.core.guards import cost
from streams.core.instant import DAY, HOUR, WEEK, from_datetime
from streams.core.judge_state import JudgeState, restore, snapshot
from streams.core.levels import levels_of
from streams.core.outputs import ScoredWindow
from streams.core.spending import UNIT
from tests.core.courtroom import LENGTH, LEVEL, MONDAY, Courtroom, Seen, small_city

P = (0.0, LEVEL / 500, LEVEL / 4, LEVEL, 0.3)
SEEN = st.builds(Seen, st.integers(0, 80), st.sampled_from([5.0, 20.0, 40.0]), st.sampled_from(P))
SERIES = st.tuples(
    st.sampled_from(["total", "noise", "dust", "road", "accusation"]), st.sampled_from(["east", "west", "south"])
)
WINDOW = st.dictionaries(SERIES, SEEN, max_size=4)


def ends(court: Courtroom, hours: int) -> list[tuple[int, Size]]:
    """Every (end, size) of some hours up to midnight of the second Monday."""
    last = MONDAY + 7 * DAY
    return [
        (end, size)
        for end in range(last - hours * HOUR, last + 3 * HOUR, HOUR)
        for size in court.plan.grid.sizes_ending(end)
    ]


@settings(max_examples=30)
@given(data=st.data())
def test_the_order_in_which_the_sizes_of_an_end_arrive_does_not_matter(data: st.DataObject) -> None:
    straight = Courtroom()
    windows = [straight.window(end, size, data.draw(WINDOW)) for end, size in ends(straight, 30)]
    for window in windows:
        straight.hear(window)
    mixed = Courtroom()
    queues = {size: [window for window in windows if window.size is size] for size in Size}
    while any(queues.values()):
        size = data.draw(st.sampled_from([size for size in Size if queues[size]]))
        mixed.hear(queues[size].pop(0))
    assert mixed.made == straight.made
    assert snapshot(mixed.state) == snapshot(straight.state)


@settings(max_examples=20)
@given(data=st.data())
def test_a_restart_anywhere_goes_on_exactly(data: st.DataObject) -> None:
    straight, restarted = Courtroom(), Courtroom()
    windows = [straight.window(end, size, data.draw(WINDOW)) for end, size in ends(straight, 30)]
    for window in windows:
        straight.hear(window)
        restarted.state = restore(snapshot(restarted.state))
        restarted.hear(window)
    assert restarted.made == straight.made
    assert snapshot(restarted.state) == snapshot(straight.state)
    assert alert_log(restarted.made) == alert_log(straight.made)


def test_a_snapshot_between_two_sizes_of_one_end_keeps_the_window() -> None:
    court = Courtroom()
    midnight = MONDAY + DAY
    burst = {("noise", "east"): Seen(58, 21.0, LEVEL / 4), ("road", "east"): Seen(9, reason=ScoreReason.MISSING)}
    court.hear(court.window(midnight, Size.HOUR, burst))
    court.state = restore(snapshot(court.state))
    court.hear(court.window(midnight, Size.DAY, {}))
    (raised,) = court.raised
    assert raised.evidence.history == (9, 11, 10)
    assert raised.evidence.count == 58


def test_equal_states_give_equal_bytes_whatever_kind_of_nan_they_hold() -> None:
    states = []
    for nan in (math.nan, -math.nan):
        court = Courtroom()
        window = court.window(MONDAY + DAY, Size.HOUR, {("road", "east"): Seen(9, reason=ScoreReason.MISSING)})
        window.scores["counts"].p_high[3, 0] = nan
        court.hear(window)
        states.append(snapshot(court.state))
    assert states[0] == states[1]


def first_days() -> list[ScoredWindow]:
    """The windows of a stream that begins on a Saturday at eleven in the evening, up to the second Monday after it."""
    court = Courtroom()
    begins = MONDAY - DAY - HOUR
    return [
        court.window(end, size, {("noise", "east"): Seen(58, 21.0, LEVEL / 4)} if end == begins + HOUR else {})
        for end in range(begins + HOUR, MONDAY + WEEK + HOUR, HOUR)
        for size in court.plan.grid.sizes_ending(end)
        if end - LENGTH[size] >= begins
    ]


def test_a_first_day_and_a_first_week_that_began_before_the_stream_are_not_waited_for() -> None:
    court = Courtroom()
    court.state = JudgeState()
    for window in first_days():
        court.hear(window)
        assert court.state.judged_to in (window.end, window.end - HOUR)  # the second: its day or week is to come
        assert court.pages() == [("east", "environment")]  # at once, not a day later


@settings(max_examples=20)
@given(data=st.data())
def test_a_beginning_is_judged_alike_in_whatever_order_its_sizes_come(data: st.DataObject) -> None:
    straight, mixed = Courtroom(), Courtroom()
    straight.state = mixed.state = JudgeState()
    windows = first_days()
    for window in windows:
        straight.hear(window)
    queues = {size: [window for window in windows if window.size is size] for size in Size}
    while any(queues.values()):
        size = data.draw(st.sampled_from([size for size in Size if queues[size]]))
        for _ in range(data.draw(st.integers(1, 40))):
            if queues[size]:
                mixed.hear(queues[size].pop(0))
    assert mixed.made == straight.made
    assert snapshot(mixed.state) == snapshot(straight.state)


def test_a_state_that_did_not_note_its_beginning_waits_for_every_size() -> None:
    court = Courtroom()
    court.state = JudgeState(arrived={Size.HOUR: MONDAY - HOUR}, judged_to=MONDAY - HOUR)
    court.hear(court.window(MONDAY, Size.HOUR, {}))
    assert court.state.judged_to == MONDAY - HOUR
    court.hear(court.window(MONDAY, Size.DAY, {}))
    court.hear(court.window(MONDAY, Size.WEEK, {}))
    assert court.state.judged_to == MONDAY


def spent_in(court: Courtroom, end: int) -> float:
    account = court.state.account
    ends = [units for at, units in account.ends if end - WEEK < at <= end]
    assert sum(ends) == account.total
    return account.total * UNIT


def test_the_levels_of_any_seven_days_sum_to_at_most_the_budget() -> None:
    city = small_city(budget_per_week=2.0)
    court = Courtroom(city, levels=levels_of(city))
    spent = []
    for n in range(1, 24 * 20):
        end = MONDAY + n * HOUR
        court.hour(end)
        spent.append(spent_in(court, end))
    assert max(spent) <= 2.0
    assert spent[-1] > 1.99


@pytest.mark.parametrize(("changed", "pays_less"), [("2026-03-08", True), ("2026-11-01", False)])
def test_the_budget_holds_when_the_clock_is_changed(changed: str, pays_less: bool) -> None:
    zone = ZoneInfo("America/New_York")
    city = small_city(zone=zone, day_start=time(0), budget_per_week=2.0)
    levels = levels_of(city)
    court = Courtroom(city, levels=levels)
    sunday = datetime.fromisoformat(changed).replace(tzinfo=zone)
    start, its_end = from_datetime(sunday) - 8 * DAY, from_datetime(sunday + timedelta(days=1))
    for n in range(1, 24 * 17):
        end = start + n * HOUR
        court.at(end, {Size.DAY: {("road", "east"): Seen(90, 21.0, 0.0)}} if end == its_end else {})
        assert spent_in(court, end) <= 2.0
    (raised,) = court.raised
    usual = levels["road", Size.DAY, "counts"] / 2
    assert raised.evidence.level is not None
    assert (raised.evidence.level < 0.99 * usual) is pays_less


@settings(max_examples=25)
@given(data=st.data())
def test_the_levels_of_all_verdicts_in_seven_days_never_exceed_the_budget(data: st.DataObject) -> None:
    city = small_city(budget_per_week=0.5)
    court = Courtroom(city, levels=levels_of(city))
    for end, size in ends(court, 40):
        court.hear(court.window(end, size, data.draw(WINDOW)))
    cases = [one.evidence for one in court.raised] + [one.evidence for one in court.joined]
    assert math.fsum(case.level for case in cases if case.level is not None) <= 0.5


def test_what_warms_up_spends_nothing() -> None:
    court = Courtroom()
    everything: dict[tuple[str, str], Seen] = {
        (s.name, county): Seen(10, reason=ScoreReason.WARMING_UP) for s in court.city.signals for county in court.series
    }
    window = court.window(MONDAY + HOUR, Size.HOUR, everything)
    assert cost(window, court.plan.tables[Size.HOUR]) == 0


def test_what_was_low_long_ago_is_forgotten() -> None:
    court = Courtroom()
    court.hour(MONDAY + HOUR, {("noise", "east"): Seen(0, 20.0, LEVEL / 4)})
    assert [low.signal for low in court.state.lows] == ["noise"]
    court.quiet(MONDAY + HOUR, 8 * 24)
    assert [low.signal for low in court.state.lows] == []


def test_the_state_stays_small_however_long_it_runs() -> None:
    court = Courtroom()
    sizes = []
    for n in range(1, 24 * 40):
        p = LEVEL / 4
        seen: dict[tuple[str, str], Seen] = {}
        if n % 40 < 3:
            seen = {("noise", "east"): Seen(58, 21.0, p), ("road", "west"): Seen(0, 21.0, p)}
        court.hour(MONDAY + n * HOUR, seen)
        if n % 240 == 0:
            sizes.append(len(snapshot(court.state)))
    assert len(court.raised) > 20
    assert max(sizes) <= 1.2 * sizes[0] + 500
