"""A simulated stream is valid, ordered, the same everywhere, and tells the truth about its incidents."""

import hashlib
import importlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean, variance
from typing import Any

import msgspec
import pytest

from streams.core.decode import RecordDecoder
from streams.core.instant import DAY, HOUR, SECOND, parse_instant
from streams.core.record import Rejection
from streams.profile.load import load
from streams.profile.model import Profile
from streams.replay.incidents import CATALOGUE, SimulationError
from streams.replay.labels import EVERY, Label, Shape
from streams.replay.simulate import Simulation, simulate
from tests.replay.river_town import PROFILE, river_town

PINNED = "8733c20a6087ca28aa9aa64f607f0cc9577c9c87f4bdd62ff72490bab9a5b46b"
"""SHA-256 of ten days of river_town, seed 3, two incidents: the same on every machine."""

Record = dict[str, Any]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return river_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def year(town: Profile) -> tuple[list[Record], tuple[Label, ...], Simulation]:
    """A year of the town with twelve incidents, decoded."""
    simulation = simulate(town, 365, 7, incidents=12)
    return records(simulation), simulation.labels, simulation


def text(simulation: Simulation) -> bytes:
    return b"".join(block.lines for block in simulation.blocks())


def records(simulation: Simulation) -> list[Record]:
    return [msgspec.json.decode(line) for line in text(simulation).splitlines()]


def events(all_records: list[Record]) -> list[Record]:
    """Every event once, resends left out."""
    return list({r["event"]["id"]: r["event"] for r in all_records if "event" in r}.values())


def local_day(event: Record) -> date:
    return datetime.fromisoformat(event["at"]).date()


@pytest.mark.parametrize(("name", "scale"), [("leshan", 0.1), ("boston311", 0.2), ("chicago311", 50)])
def test_every_line_is_an_event_of_its_city_or_a_tick(name: str, scale: float) -> None:
    profile = load(name)
    simulation = simulate(profile, 5, 1, scale=scale)
    decoder = RecordDecoder(profile.city)
    counted = ticks = 0
    for block in simulation.blocks():
        batch = decoder.lines(block.lines, 0, block.events + block.ticks)
        assert not [a for a in batch.arrivals if isinstance(a, Rejection)]
        counted += sum(1 for a in batch.arrivals if not isinstance(a, Rejection) and a.event is not None)
        ticks += block.ticks
    assert counted > 50
    assert ticks == 5 * 24 + profile.city.allowed_lateness // HOUR


def test_records_are_in_the_order_in_which_they_are_received_and_ticks_are_a_live_clocks(
    town: Profile, year: tuple[list[Record], tuple[Label, ...], Simulation]
) -> None:
    all_records, _, simulation = year
    last = 0
    ticks = []
    for record in all_records:
        if "tick" in record:
            tick = parse_instant(record["tick"])
            assert last < tick // 1000
            ticks.append(tick)
        else:
            assert record["received"] >= last
            last = record["received"]
            assert not ticks or last >= ticks[-1] // 1000
            assert parse_instant(record["event"]["at"]) <= last * 1000
    start, end = simulation.span
    assert ticks == list(range(start + HOUR, end + town.city.allowed_lateness + 1, HOUR))


def test_the_span_holds_whole_reporting_days() -> None:
    profile = load("leshan")
    simulation = simulate(profile, 3, 1, scale=0.05, start=date(2025, 3, 3))
    first = datetime.fromtimestamp(simulation.span[0] / SECOND, UTC).astimezone(profile.city.zone)
    assert first.time() == profile.city.day_start
    assert first.date() == (date(2025, 3, 2) if profile.city.day_start.hour else date(2025, 3, 3))
    assert simulation.span[1] - simulation.span[0] == 3 * DAY


def test_the_same_seed_is_the_same_stream_whatever_the_machine(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text(PROFILE, encoding="utf-8")
    program = (
        "import hashlib, sys\n"
        "from streams.profile.load import load\n"
        "from streams.replay.simulate import simulate\n"
        "s = simulate(load(sys.argv[1]), 10, 3, incidents=2)\n"
        "print(hashlib.sha256(b''.join(b.lines for b in s.blocks())).hexdigest())\n"
    )
    machines: list[dict[str, str]] = [
        {"TZ": "Australia/Lord_Howe", "PYTHONHASHSEED": "1"},
        {"TZ": "America/New_York", "PYTHONHASHSEED": "77", "NPY_DISABLE_CPU_FEATURES": wide_cpu_features()},
    ]
    for machine in machines:
        run = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env={**os.environ, **machine, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == PINNED


def wide_cpu_features() -> str:
    """The names of what numpy found beyond its baseline on this machine."""
    numpy_c = importlib.import_module("numpy._core._multiarray_umath")
    return " ".join(name for name in numpy_c.__cpu_dispatch__ if numpy_c.__cpu_features__.get(name))


def test_another_seed_is_another_stream(town: Profile) -> None:
    streams = {hashlib.sha256(text(simulate(town, 3, seed))).hexdigest() for seed in range(3)}
    assert len(streams) == 3


def test_an_incident_adds_its_tickets_and_changes_nothing_else(town: Profile) -> None:
    quiet = simulate(town, 120, 5)
    calm = {e["id"]: e for e in events(records(quiet))}
    busy = simulate(town, 120, 5, incidents=6)
    stormy = {e["id"]: e for e in events(records(busy))}
    assert len(busy.labels) == 6
    assert all(calm[i] == stormy[i] for i in calm.keys() & stormy.keys())
    for label in busy.labels:
        inside = [
            [
                e
                for i, e in these.items()
                if i not in others
                and e["kind"] == "accepted"
                and e["county"] in label.counties
                and e["category"] == label.category
                and label.start <= parse_instant(e["at"]) < label.end
            ]
            for these, others in ((stormy, calm), (calm, stormy))
        ]
        added, missing = (len(found) for found in inside)
        assert (missing if label.shape == Shape.DROUGHT else added) == label.size > 0
        assert (added if label.shape == Shape.DROUGHT else missing) == 0
    changed = [e for i, e in {**calm, **stormy}.items() if (i in calm) != (i in stormy) and e["kind"] == "accepted"]
    assert len(changed) == sum(label.size for label in busy.labels)


def test_where_satisfaction_falls_the_answers_change_and_nothing_else(town: Profile) -> None:
    """By fifteen of a hundred, in one county, for four weeks."""
    calm = {e["id"]: e for e in events(records(simulate(town, 120, 5)))}
    sour = simulate(town, 120, 5, incidents=1, shapes=(Shape.SATISFACTION,))
    stormy = {e["id"]: e for e in events(records(sour))}
    (label,) = sour.labels
    assert (label.shape, label.category, label.end - label.start) == (Shape.SATISFACTION, EVERY, 28 * DAY)
    assert label.signals == tuple(s.name for s in town.city.signals if "outcome" in s.where and s.detectors)
    changed = {i: (calm[i]["outcome"], e["outcome"]) for i, e in stormy.items() if calm[i] != e}
    assert calm.keys() == stormy.keys()
    assert len(changed) == label.size
    assert {after for _, after in changed.values()} == {"dissatisfied"}
    assert {before for before, _ in changed.values()} == {"satisfied", "basically_satisfied"}
    assert all({**calm[i], "outcome": "dissatisfied"} == stormy[i] for i in changed)
    assert all(stormy[i]["county"] == label.counties[0] for i in changed)
    assert all(label.start <= parse_instant(stormy[i]["at"]) < label.end for i in changed)

    def share(of: dict[str, Record]) -> float:
        answers = [
            e["outcome"]
            for e in of.values()
            if e["kind"] == "called_back"
            and e["county"] == label.counties[0]
            and label.start <= parse_instant(e["at"]) < label.end
            and e["outcome"] != "unreachable"
        ]
        return sum(answer in {"satisfied", "basically_satisfied"} for answer in answers) / len(answers)

    assert -0.21 < share(stormy) - share(calm) < -0.09


def test_only_the_shapes_that_are_asked_for_are_planned(town: Profile) -> None:
    simulation = simulate(town, 200, 5, incidents=3, shapes=(Shape.BURST, Shape.DROUGHT))
    records(simulation)
    assert {label.shape for label in simulation.labels} == {Shape.BURST, Shape.DROUGHT}


def test_all_shapes_appear_after_the_warm_up_and_never_beside_each_other(
    town: Profile, year: tuple[list[Record], tuple[Label, ...], Simulation]
) -> None:
    _, labels, simulation = year
    families = {category.code: category.family for category in town.city.categories}
    assert {label.shape for label in labels} == {design.shape for design in CATALOGUE}
    assert all(label.start >= simulation.span[0] + 56 * DAY and label.end <= simulation.span[1] for label in labels)
    for one in labels:
        for other in labels:
            same = families[one.category] == families[other.category] and set(one.counties) & set(other.counties)
            if same and one.id < other.id:
                assert one.end + 14 * DAY <= other.start or other.end + 14 * DAY <= one.start


def test_labels_name_the_signals_that_count_the_incident(
    year: tuple[list[Record], tuple[Label, ...], Simulation],
) -> None:
    for label in year[1]:
        own = "order" if label.category in {"noise", "parking"} else "work"
        flood = label.shape == Shape.CALLER_FLOOD
        assert label.signals == tuple(
            name for name in ("total", own, "callers", "repeats") if not (flood and name == "callers")
        )


def test_a_flood_is_one_caller_who_calls_fifty_times(
    year: tuple[list[Record], tuple[Label, ...], Simulation],
) -> None:
    all_records, labels, _ = year
    flood = next(label for label in labels if label.shape == Shape.CALLER_FLOOD)
    calls = Counter(
        (e["caller"], e["matter"])
        for e in events(all_records)
        if e["kind"] == "accepted" and flood.start <= parse_instant(e["at"]) < flood.end
    )
    assert calls.most_common(1)[0][1] == flood.size
    assert 48 <= flood.size <= 60


def test_a_cluster_is_of_neighbours(town: Profile, year: tuple[list[Record], tuple[Label, ...], Simulation]) -> None:
    neighbours = {county.code: set(county.neighbours) for county in town.city.counties}
    for label in year[1]:
        if label.shape == Shape.CLUSTER:
            assert len(label.counties) >= 2
            assert any(set(label.counties) - {code} <= neighbours[code] for code in label.counties)


def test_volumes_are_the_profiles_and_counts_are_overdispersed(town: Profile) -> None:
    accepted = [e for e in events(records(simulate(town, 200, 11))) if e["kind"] == "accepted"]
    per_day = len(accepted) / 200
    assert 0.8 * 120 < per_day < 1.1 * 120
    by_county = Counter(e["county"] for e in accepted)
    assert 14 < by_county["101"] / by_county["104"] < 28
    # Same weekday, same season, nearly: what is left is chance, and more than Poisson's.
    series = Counter((local_day(e), e["category"]) for e in accepted if e["county"] == "101")
    mondays = [date(2025, 3, 3) + timedelta(weeks=i) for i in range(12)]
    ratios = [
        variance([series[day, category] for day in mondays]) / mean([series[day, category] for day in mondays])
        for category in ("noise", "parking", "wages", "training")
    ]
    assert 1.05 < mean(ratios) < 4


def test_people_call_less_at_night_at_weekends_and_on_holidays_and_work_on_make_up_days(town: Profile) -> None:
    accepted = [e for e in events(records(simulate(town, 60, 2, start=date(2025, 1, 1)))) if e["kind"] == "accepted"]
    days = Counter(local_day(e) for e in accepted)
    workdays = mean(days[date(2025, 1, d)] for d in (6, 7, 8, 9, 10, 13, 14, 15, 16, 17))
    assert mean(days[date(2025, 1, d)] for d in (11, 12, 18, 19)) < 0.8 * workdays
    assert mean(days[date(2025, 1, d)] for d in (29, 30, 31)) < 0.8 * workdays  # Spring Festival
    assert days[date(2025, 1, 26)] > 0.8 * workdays  # a Sunday that is worked
    hours = Counter(datetime.fromisoformat(e["at"]).hour for e in accepted)
    assert hours[3] * 10 < hours[10]


def test_lateness_and_resends_are_there_but_rare(
    town: Profile, year: tuple[list[Record], tuple[Label, ...], Simulation]
) -> None:
    received = [r for r in year[0] if "event" in r]
    seen: dict[str, Record] = {}
    resent = late = 0
    for record in received:
        event = record["event"]
        if event["id"] in seen:
            assert seen[event["id"]] == event
            resent += 1
            continue
        seen[event["id"]] = event
        hour_closes = (parse_instant(event["at"]) // HOUR + 1) * HOUR + town.city.allowed_lateness
        late += record["received"] * 1000 > hour_closes + HOUR
    assert 0.003 < resent / len(received) < 0.007
    assert 0.0001 < late / len(received) < 0.001


def test_a_ticket_lives_as_a_hotline_ticket_does(town: Profile) -> None:
    tickets: defaultdict[str, list[Record]] = defaultdict(list)
    simulation = simulate(town, 60, 4)
    for event in events(records(simulation)):
        tickets[event["ticket"]].append(event)
    kinds: Counter[str] = Counter()
    for steps in tickets.values():
        steps.sort(key=lambda e: parse_instant(e["at"]))
        names = [e["kind"] for e in steps]
        kinds.update(names)
        assert len({(e["county"], e["point"], e["category"]) for e in steps}) == 1
        if "accepted" in names:
            assert names[0] == "accepted"
            assert names.count("accepted") == 1
        if "dispatched" in names and "accepted" in names:
            assert "due" in steps[0]
        assert all(("outcome" in e) == (e["kind"] == "called_back") for e in steps)
        assert all(("caller" in e) == (e["kind"] in {"accepted", "opinion_post"}) for e in steps)
        assert names.count("signed") <= names.count("dispatched") or "accepted" not in names
    life = ("accepted", "dispatched", "signed", "returned", "extended", "replied", "called_back", "closed", "reopened")
    assert all(kinds[kind] for kind in life)
    assert kinds["closed"] > kinds["called_back"] > kinds["reopened"] > 0
    hexes = {value for steps in tickets.values() for e in steps for value in (e["id"], e["ticket"])}
    assert all(len(value) == 32 and set(value) <= set("0123456789abcdef") for value in hexes)


def test_some_people_call_again(year: tuple[list[Record], tuple[Label, ...], Simulation]) -> None:
    accepted = [e for e in events(year[0]) if e["kind"] == "accepted"]
    pairs = len({(e["caller"], e["matter"]) for e in accepted})
    assert 0.8 < pairs / len(accepted) < 0.95


def test_threats_are_few_whatever_the_volume(town: Profile) -> None:
    # By its share alone it would be more than one a day.
    assert 0 < text(simulate(town, 200, 3)).count(b'"category":"threat","kind":"accepted"') < 20


def test_what_waits_does_not_grow_with_the_length_of_the_stream(town: Profile) -> None:
    simulation = simulate(town, 330, 1, scale=0.7)
    waiting = []
    simulation_blocks = simulation.blocks(lambda done, _: waiting.append(sum(map(len, pending(simulation)))))
    for _ in simulation_blocks:
        pass
    assert max(waiting[240:]) < 1.25 * max(waiting[150:240])


def pending(simulation: Simulation) -> list[Any]:
    return [rows for parts in simulation._pending.values() for rows in parts]


@pytest.mark.parametrize(
    ("days", "seed", "incidents", "scale", "says"),
    [
        (0, 1, 0, 1.0, "at least 1"),
        (1, -1, 0, 1.0, "seed"),
        (1, 1, -1, 1.0, "incidents"),
        (1, 1, 0, 0.0, "scale"),
        (1, 1, 0, float("nan"), "scale"),
        (2, 1, 1, 1.0, "too short"),
        (60, 1, 200, 1.0, "fit beside"),
        (10**7, 1, 0, 1.0, "calendar"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_what_to_ask_for(
    town: Profile, days: int, seed: int, incidents: int, scale: float, says: str
) -> None:
    with pytest.raises(SimulationError, match=says):
        simulate(town, days, seed, incidents=incidents, scale=scale)


def test_labels_are_not_known_before_the_stream_has_been_made(town: Profile) -> None:
    simulation = simulate(town, 1, 1)
    with pytest.raises(RuntimeError):
        _ = simulation.labels
    assert list(simulation.blocks())
    assert simulation.labels == ()
