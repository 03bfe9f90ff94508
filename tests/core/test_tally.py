"""Every record gets one verdict, every event counts once, in its window, whatever the cut or the spread."""

from datetime import time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.city import City, Size
from streams.core.instant import DAY, HOUR, MINUTE, Instant
from streams.core.outputs import ClosedWindow
from streams.core.tally import Tally, TallyOutputs
from tests.core.towns import START, batch, event, tick, towns

Records = list[dict[str, str] | bytes]
Shown = tuple[str, str, int, int, tuple[int, ...]]


def run(city: City, records: Records, cut: int = 1000) -> tuple[Tally, TallyOutputs]:
    """A tally over all records, `cut` at a time."""
    tally = Tally(city, START)
    total = TallyOutputs()
    for first in range(0, len(records), cut):
        out = tally.step(batch(city, records[first : first + cut], first))
        total.emitted += out.emitted
        total.corrections += out.corrections
        total.rejections += out.rejections
    assert tally.accounting.balanced()
    return tally, total


def shown(windows: list[ClosedWindow]) -> list[Shown]:
    """Closed windows as plain values, sorted: which county closed first is not part of the promise."""
    return sorted((w.county, str(w.size), w.start, w.end, tuple(w.counts.tolist())) for w in windows)


def hours(windows: list[ClosedWindow], county: str = "east") -> list[ClosedWindow]:
    return [w for w in windows if w.county == county and w.size is Size.HOUR]


def test_an_event_counts_in_the_hour_it_lies_in() -> None:
    _, out = run(towns(), [event(1, START + 90 * MINUTE), tick(START + 5 * HOUR)])
    assert [int(w.counts[0]) for w in hours(out.closed)] == [0, 1, 0]


def test_windows_close_by_watermark_for_every_county_seen_or_not() -> None:
    _, out = run(towns(), [tick(START + 3 * HOUR)])
    assert [(w.county, w.start) for w in out.closed] == [("east", START), ("west", START), ("south", START)]


def test_a_county_waits_for_its_own_events_not_for_its_neighbours() -> None:
    _, out = run(towns(), [event(1, START), event(2, START + 4 * HOUR, county="west")])
    assert {w.county for w in out.closed} == {"west"}


def test_nothing_closes_before_the_allowed_lateness_has_passed() -> None:
    _, out = run(towns(), [event(1, START), tick(START + 3 * HOUR - 1)])
    assert out.closed == []


def test_days_are_sums_of_hours_and_weeks_of_days() -> None:
    records: Records = [event(n, START + n * 3 * HOUR) for n in range(56)]
    _, out = run(towns(), [*records, tick(START + 8 * DAY)])
    days = [w for w in out.closed if w.county == "east" and w.size is Size.DAY]
    weeks = [w for w in out.closed if w.county == "east" and w.size is Size.WEEK]
    assert [int(w.counts[0]) for w in days] == [8] * 7
    assert [int(w.counts[0]) for w in weeks] == [56]
    assert sum(int(w.counts[0]) for w in hours(out.closed)) == 56


def test_windows_that_began_before_the_stream_are_not_reported() -> None:
    city = towns(day_start=time(12))
    _, out = run(city, [tick(START + 3 * DAY)])
    first = min(w.start for w in out.closed if w.size is Size.DAY)
    assert first == START + 12 * HOUR


def test_a_day_has_23_hours_when_the_clock_springs_forward() -> None:
    zone = ZoneInfo("America/New_York")
    _, out = run(towns(zone=zone), [tick(START + 12 * DAY)])
    lengths = {(w.end - w.start) // HOUR for w in out.closed if w.size is Size.DAY}
    assert lengths == {23, 24}
    assert all(a.end == b.start for a, b in pairwise(hours(out.closed)))


def test_a_resend_is_a_duplicate_even_after_its_window_closed() -> None:
    tally, out = run(towns(), [event(1, START), tick(START + 9 * HOUR), event(1, START)])
    assert (tally.accounting.counted, tally.accounting.duplicate, tally.accounting.late) == (1, 1, 0)
    assert out.corrections == []


def test_a_resend_past_the_horizon_is_late() -> None:
    tally, _ = run(towns(horizon=2 * DAY), [event(1, START), tick(START + 4 * DAY), event(1, START)])
    assert (tally.accounting.duplicate, tally.accounting.late) == (0, 1)


def test_the_same_id_in_two_counties_is_two_events() -> None:
    tally, _ = run(towns(), [event(1, START), event(1, START, county="west")])
    assert tally.accounting.counted == 2


def test_a_late_event_is_a_correction_and_the_closed_window_stands() -> None:
    tally, out = run(towns(), [tick(START + 3 * HOUR), event(1, START + 10 * MINUTE), tick(START + 6 * HOUR)])
    assert tally.accounting.late == 1
    assert [int(w.counts[0]) for w in hours(out.closed)] == [0, 0, 0, 0]
    (correction,) = out.corrections
    assert (correction.window_start, correction.signals) == (
        START,
        ("complaints", "noise", "callers", "matters", "repeats"),
    )


def test_an_always_page_event_passes_straight_on_late_or_not_once() -> None:
    threat = event(1, START, category="threat", ticket="t" * 32)
    _, out = run(towns(), [threat, threat, tick(START + 9 * HOUR), event(2, START, category="threat")])
    assert [(page.event, page.ticket) for page in out.always_page] == [(f"{1:032x}", "t" * 32), (f"{2:032x}", None)]


def test_an_event_of_a_county_of_another_partition_is_rejected() -> None:
    city = towns()
    tally = Tally(city, START, ["west"])
    out = tally.step(batch(city, [event(1, START)]))
    assert [(r.reason, r.position) for _, r in out.rejections] == [("wrong_partition", 0)]


def test_a_mistyped_year_closes_no_windows_and_makes_nothing_late() -> None:
    """Where nobody knows when it was received, only the stream itself says what cannot be."""
    tally, out = run(towns(), [event(1, START), event(2, START + 367 * DAY), event(3, START + MINUTE)])
    assert [(r.reason, r.position) for _, r in out.rejections] == [("future", 1)]
    assert (tally.accounting.counted, tally.accounting.late, out.closed) == (2, 0, [])


def test_one_caller_is_one_caller_and_a_second_call_on_a_matter_is_a_repeat() -> None:
    caller, matter = "c" * 32, "m" * 32
    calls: Records = [event(n, START + n * HOUR, caller=caller, matter=matter) for n in range(5)]
    _, out = run(towns(), [*calls, tick(START + 2 * DAY)])
    (day,) = (w for w in out.closed if w.county == "east" and w.size is Size.DAY)
    assert dict(zip(["complaints", "noise", "callers", "matters", "repeats"], day.counts.tolist(), strict=True)) == {
        "complaints": 5,
        "noise": 5,
        "callers": 1,
        "matters": 1,
        "repeats": 4,
    }


@pytest.mark.parametrize("cut", [1, 2, 7])
def test_how_the_stream_is_cut_changes_nothing(cut: int) -> None:
    records: Records = [event(n % 40, START + (n * 7919 % 200) * 11 * MINUTE) for n in range(120)]
    records.insert(60, b"not json")
    whole, out = run(towns(), [*records, tick(START + 3 * DAY)])
    parts, cut_out = run(towns(), [*records, tick(START + 3 * DAY)], cut)
    assert shown(out.closed) == shown(cut_out.closed)
    assert out.rejections == cut_out.rejections
    assert whole.snapshot(whole=True) == parts.snapshot(whole=True)


arrivals = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 40 * 60), st.sampled_from(["east", "west", "south"])), max_size=60
)


@given(arrivals, st.randoms(use_true_random=False))
def test_any_order_within_the_allowed_lateness_gives_the_same_windows(
    rows: list[tuple[int, int, str]], shuffle: st.DataObject
) -> None:
    """Events of one id agree, are sorted, then displaced by less than the allowed lateness."""
    unique = {(n, c): event(n, START + m * MINUTE, county=c) for n, m, c in rows}
    in_order = sorted(unique.values(), key=lambda record: record["at"])
    displaced = sorted(in_order, key=lambda record: (_minutes(record["at"]) + shuffle.randrange(119), record["id"]))  # type: ignore[attr-defined]
    end = tick(START + 4 * DAY)
    _, straight = run(towns(), [*in_order, end])
    tally, moved = run(towns(), [*displaced, end])
    assert tally.accounting.late == 0
    assert shown(straight.closed) == shown(moved.closed)


def _minutes(text: str) -> Instant:
    day, clock = int(text[8:10]), text[11:16].split(":")
    return (day * 24 + int(clock[0])) * 60 + int(clock[1])


@given(arrivals, st.lists(st.integers(1, 5), min_size=60, max_size=60))
def test_sending_everything_several_times_counts_it_once(rows: list[tuple[int, int, str]], times: list[int]) -> None:
    once: Records = [event(n, START + m * MINUTE, county=c) for (n, c), m in {(n, c): m for n, m, c in rows}.items()]
    again: Records = [record for record, n in zip(once, times, strict=False) for _ in range(n)]
    end = tick(START + 4 * DAY)
    tally, out = run(towns(lateness=3 * DAY), [*once, end])
    repeated, out_again = run(towns(lateness=3 * DAY), [*again, end])
    assert shown(out.closed) == shown(out_again.closed)
    assert repeated.accounting.duplicate == len(again) - len(once)
    assert repeated.accounting.counted == tally.accounting.counted


@given(arrivals, st.integers(0, 60))
def test_a_tally_goes_on_from_a_snapshot_as_if_nothing_had_happened(
    rows: list[tuple[int, int, str]], stop: int
) -> None:
    city = towns()
    kinds = ("accepted", "closed", "reopened", "extended", "called_back")
    records: Records = [
        event(
            i,
            START + m * MINUTE,
            county=c,
            kind=kinds[n % 5],
            ticket=f"t{n // 5:030}",
            caller="c" * 32,
            matter=f"m{n % 3:030}",
            due="2026-03-03T00:00:00Z",
        )
        for i, (n, m, c) in enumerate(rows)
    ]
    records.append(tick(START + 9 * DAY))
    whole, out = run(city, records)
    before = Tally(city, START)
    first = before.step(batch(city, records[:stop]))
    after = Tally(city, START)
    after.restore({name: chunk for name, chunk in before.snapshot(whole=True).items() if chunk is not None})
    second = after.step(batch(city, records[stop:], min(stop, len(records))))
    assert shown(out.closed) == shown(first.closed + second.closed)
    assert whole.snapshot(whole=True) == after.snapshot(whole=True)
    assert whole.accounting == after.accounting


def test_a_snapshot_leaves_out_books_that_did_not_change() -> None:
    """Tickets change when an hour closes, or by a late step: between, a checkpoint holds what is new, no more."""
    city, tally, number = towns(), Tally(towns(), START), 0
    stored: dict[str, bytes] = {}

    def changed(*records: dict[str, str]) -> set[str]:
        nonlocal number
        tally.step(batch(city, records, number))
        number += len(records)
        chunks = tally.snapshot(whole=False)
        for name, chunk in chunks.items():
            if chunk is None:
                del stored[name]
            else:
                stored[name] = chunk
        assert stored == tally.snapshot(whole=True)
        return {name.split("/")[1] for name in chunks if name.endswith("/books")}

    everyone = {county.code for county in city.counties}
    assert changed(event(1, START, ticket="1")) == everyone
    assert changed(event(2, START, ticket="2")) == changed() == set()
    assert "east" in changed(tick(START + 5 * HOUR))
    assert changed(event(3, START + 4 * HOUR, ticket="1", kind="closed")) == set()
    assert changed(event(4, START, ticket="2", kind="closed")) == {"east"}
    assert changed(tick(START + 2 * DAY)) == everyone
