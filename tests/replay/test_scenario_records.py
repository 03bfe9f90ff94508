"""The records of a scenario: what comes in is what was written, in the order in which it is received, every time."""

import dataclasses
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from streams.core.instant import HOUR, format_instant, parse_instant
from streams.replay.scenario_records import record_lines
from tests.replay.scenario_texts import changed, scenario

NO_BACKGROUND = ("background:\n  - {county: all, category: noise, per_day: 20, spread: 1.05}\n", "")


def records(*changes: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in record_lines(scenario(*changes))]


def events(*changes: str) -> list[dict[str, Any]]:
    return [record["event"] for record in records(*changes) if "event" in record]


def test_a_scenario_gives_the_same_bytes_every_time() -> None:
    assert record_lines(scenario()) == record_lines(scenario())
    assert record_lines(scenario()) != record_lines(scenario("seed: 7", "seed: 8"))


def test_a_group_is_spread_evenly_each_event_of_its_own() -> None:
    made = events(*NO_BACKGROUND)[:80]
    times = [parse_instant(event["at"]) for event in made]
    assert times[0] == parse_instant("2026-06-10T13:00:00+08:00")
    assert {later - earlier for earlier, later in pairwise(times)} == {4 * HOUR // 80}
    for name in ("id", "ticket", "caller", "matter"):
        assert len({event[name] for event in made}) == 80
    assert {(event["county"], event["category"], event["kind"], event["point"]) for event in made} == {
        ("east", "noise", "accepted", "hotline")
    }


def test_a_word_for_caller_ticket_or_matter_makes_them_one() -> None:
    one = "category: noise, count: 80}"
    made = events(*NO_BACKGROUND, one, one.replace("}", ", caller: 张某, matter: m, ticket: t}"))
    assert [len({event[name] for event in made}) for name in ("id", "ticket", "caller", "matter")] == [80, 1, 1, 1]


def test_a_point_brings_the_kind_by_which_a_matter_first_reaches_it() -> None:
    one = "category: noise, count: 80}"
    (kind,) = {event["kind"] for event in events(*NO_BACKGROUND, one, one.replace("}", ", point: desk}"))}
    assert kind == "petition_filed"


def test_a_resend_is_the_very_same_events_received_again() -> None:
    made = [record for record in records(*NO_BACKGROUND) if "event" in record]
    first, again = made[:80], made[80:]
    assert [record["event"] for record in first] == [record["event"] for record in again]
    assert {record["received"] for record in again} == {parse_instant("2026-06-11T09:00:00+08:00") // 1000}


@pytest.mark.parametrize(
    ("extra", "minutes"), [("", [0]), ("delay: 3h", [180]), ("ahead: 6min", [-6]), ("sent: 3", [0, 1, 2])]
)
def test_received_is_when_it_comes_in(extra: str, minutes: list[int]) -> None:
    one = "over: 4h, county: east, category: noise, count: 80}"
    made = records(*NO_BACKGROUND, one, f"county: east, category: noise, {extra}}}".replace(", }", "}"))
    sent = [record for record in made if "event" in record][: len(minutes)]
    at = parse_instant("2026-06-10T13:00:00+08:00") // 1000
    assert [(record["received"] - at) // 60_000 for record in sent] == minutes


def test_records_stand_in_the_order_of_reception_and_a_last_tick_closes_all() -> None:
    made = records()
    known = [
        record.get("received", parse_instant(record["tick"]) // 1000 if "tick" in record else 0) for record in made
    ]
    assert known == sorted(known)
    assert made[-1] == {"tick": "2026-06-18T14:00:00+08:00"}
    assert made[0] == {"tick": "2026-05-11T13:00:00+08:00"} or "event" in made[0]


def test_ticks_come_every_hour_or_as_written() -> None:
    def ticks(written: str) -> list[str]:
        return [record["tick"] for record in records("seed: 7", written) if "tick" in record]

    assert len(ticks("seed: 7")) == 38 * 24 + 2
    assert ticks("ticks: {every: never, at: 2026-06-10T15:30}") == [
        "2026-06-10T15:30:00+08:00",
        "2026-06-18T14:00:00+08:00",
    ]
    assert len(ticks("ticks: {every: 1d}")) == 38 + 1


def test_a_background_has_its_mean_and_its_spread_and_stays_in_its_stretch() -> None:
    def days(written: str) -> list[int]:
        per_day: dict[str, int] = {}
        for event in events("{county: all, category: noise, per_day: 20, spread: 1.05}", written):
            if event["county"] == "west":
                at = parse_instant(event["at"]) + 12 * HOUR
                name = format_instant(at + 8 * HOUR)[:10]
                per_day[name] = per_day.get(name, 0) + 1
        return [per_day[name] for name in sorted(per_day)]

    assert days("{county: west, category: noise, per_day: 20, spread: 0}") == [20] * 38
    drawn = days("{county: west, category: noise, per_day: 20}")
    assert len(drawn) == 38
    assert 18 < sum(drawn) / 38 < 22
    assert len(set(drawn)) > 5
    assert days("{county: west, category: noise, per_day: 20, spread: 0, between: 2026-06-01/2026-06-02}") == [
        10,
        20,
        10,
    ]


def test_what_is_added_to_a_scenario_does_not_change_the_rest() -> None:
    whole = "{county: all, category: noise, per_day: 20, spread: 1.05}"
    before = {event["id"]: event for event in events()}
    after = {event["id"]: event for event in events(whole, whole + "\n  - {category: danger, per_day: 1}")}
    assert before.items() <= after.items()
    assert len(after) > len(before)


def test_every_record_goes_by_its_profile_alone() -> None:
    made = scenario()
    renamed = dataclasses.replace(made, file="elsewhere.yaml", title="other")
    assert record_lines(made) == record_lines(renamed)
    assert changed() == changed()
