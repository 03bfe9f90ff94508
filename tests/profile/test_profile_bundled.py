"""The profiles that come with jiantu: what they promise of their cities."""

import json
import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from streams.core.city import Direction, Size
from streams.core.instant import DAY, HOUR
from streams.profile import Profile, bundled, check, describe, load
from streams.profile.zone import zone, zone_names
from tests.benchmarks.outbreaks import DEFAULT
from tests.profile.small_town import SMALL_TOWN, write

FOLDER = Path(str(files("streams") / "profiles"))


@pytest.fixture(scope="module", params=["boston311", "chicago311", "leshan"])
def profile(request: pytest.FixtureRequest) -> Profile:
    profile = load(request.param)
    assert isinstance(profile, Profile)
    return profile


def test_they_are_found_and_have_no_problem() -> None:
    assert bundled() == ("boston311", "chicago311", "leshan")
    for name in bundled():
        assert check(name) == []
        assert load(name).name == name


def test_neighbours_are_mutual(profile: Profile) -> None:
    neighbours = {county.code: county.neighbours for county in profile.city.counties}
    for code, others in neighbours.items():
        assert all(code in neighbours[other] for other in others)


def test_every_category_is_counted_by_a_signal_or_pages_at_once(profile: Profile) -> None:
    for category in profile.city.categories:
        assert category.always_page or any(
            category.code in signal.where.get("category", {category.code}) for signal in profile.city.signals
        )


def test_nobody_learns_of_an_accusation_from_an_open_signal(profile: Profile) -> None:
    for signal in profile.city.signals:
        if not signal.compartmented:
            counted = signal.where.get("category", {category.code for category in profile.city.categories})
            assert not counted & set(profile.compartmented), signal.name


def test_it_can_be_described(profile: Profile) -> None:
    said = json.loads(json.dumps(describe(profile)))
    assert said["version"] == profile.version == profile.city.profile_version
    assert [county["code"] for county in said["counties"]] == [county.code for county in profile.city.counties]
    assert said["zone"] == profile.city.zone.tzname(None) or said["zone"] == str(profile.city.zone)


def test_leshan_is_as_the_design_has_it() -> None:
    leshan = load("leshan")
    city = leshan.city
    assert [county.code for county in city.counties] == [
        "511102", "511111", "511112", "511113", "511123", "511124", "511126", "511129", "511132", "511133", "511181",
    ]  # fmt: skip
    people = [county.population for county in city.counties if county.population]
    assert max(people) / min(people) > 19
    assert 3_100_000 < sum(people) < 3_300_000
    assert list(city.points.values()) == [
        "市心连心服务中心", "市委群工局", "市网信办", "市委督查室", "市委巡察办", "市纪委信访室",
    ]  # fmt: skip
    assert list(city.sectors.values()) == ["机关", "学校", "医院", "企业", "中介", "村社", "家庭"]
    assert len(city.categories) >= 14
    assert leshan.always_page == ("life_threat", "public_hazard")
    assert leshan.compartmented == ("accusation",)
    assert 20 <= len(city.signals) <= 40
    assert city.day_start == time(12)
    assert city.allowed_lateness == 2 * HOUR
    assert city.dedup_horizon == 35 * DAY
    assert city.privacy_k == 10
    assert leshan.simulation.tickets_per_day == 1759
    assert abs(sum(leshan.simulation.category_share.values()) - 1) < 1e-9


def test_neighbours_of_the_mountain_counties() -> None:
    neighbours = {county.name: county.neighbours for county in load("leshan").city.counties}
    assert neighbours["马边彝族自治县"] == ("511129", "511132")
    assert neighbours["金口河区"] == ("511132", "511181")


def test_boston_has_days_of_23_and_25_hours() -> None:
    city = load("boston311").city

    def hours(year: int, month: int, day: int) -> float:
        start = datetime(year, month, day, tzinfo=city.zone)
        end = (start.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=city.zone)
        return (end.astimezone(UTC) - start.astimezone(UTC)) / timedelta(hours=1)

    assert [hours(2015, 3, 8), hours(2015, 11, 1), hours(2015, 7, 1)] == [23, 25, 24]
    assert city.day_start == time(0)
    assert city.budget_per_week == 2


def test_signals_of_boston() -> None:
    signals = {signal.name: signal for signal in load("boston311").city.signals}
    assert list(signals) == ["complaints_total", "snow", "illegal_parking", "abandoned_vehicle", "other"]
    assert signals["complaints_total"].sizes == tuple(Size)
    assert signals["complaints_total"].direction is Direction.BOTH
    assert "shift" in signals["illegal_parking"].detectors


def test_who_names_no_detectors_gets_those_that_find_most() -> None:
    """Of weeks, the set that `make bench-detectors` calls jiantu's; the same where only days are written."""
    boston = {signal.name: signal for signal in load("boston311").city.signals}
    for name in ("complaints_total", "other"):
        assert boston[name].detectors_at(Size.WEEK) == DEFAULT
    assert boston["complaints_total"].detectors_at(Size.DAY) == ("counts",)
    assert boston["snow"].detectors_at(Size.WEEK) == ("counts",)
    assert boston["other"].detectors_at(Size.DAY) == ("counts", "shift")
    leshan = {signal.name: signal for signal in load("leshan").city.signals}
    weekly = {s.detectors_at(Size.WEEK) for s in leshan.values() if Size.WEEK in s.sizes}
    assert weekly == {DEFAULT, ("rates",), ()}  # shares are judged as shares, wholes not at all


def test_a_profile_may_name_detectors_by_size(tmp_path: Path) -> None:
    text = SMALL_TOWN.replace("detectors: [counts]", "detectors: {hour: [], day: [shift, counts]}")
    total = load(write(tmp_path / "town", text)).city.signals[0]
    assert (total.detectors_at(Size.HOUR), total.detectors_at(Size.DAY)) == ((), ("shift", "counts"))
    assert total.detectors == ("shift", "counts")


def test_a_csv_row_of_boston_finds_its_codes() -> None:
    mapping = load("boston311").csv
    assert mapping is not None
    assert mapping.code("county", "South Boston / South Boston Waterfront") == "south_boston"
    assert mapping.code("county", " Mattapan ") == "greater_mattapan"
    assert mapping.code("county", "") == "unknown"
    assert mapping.code("category", "Sidewalk Not Shoveled") == "snow"
    # What nobody knows goes through as it is, for the decoder to reject and count.
    assert mapping.code("county", "Atlantis") == "Atlantis"
    assert mapping.code("category", "Noise") == "Noise"


def test_a_profile_may_say_where_the_unknown_goes(tmp_path: Path) -> None:
    text = SMALL_TOWN + "  otherwise: {category: noise}\n  values: {county: {Ost: east}}\n"
    mapping = load(write(tmp_path / "town", text)).csv
    assert mapping is not None
    assert mapping.code("category", "whatever") == "noise"
    assert mapping.code("county", "Ost") == "east"
    assert mapping.code("county", "Nord") == "Nord"
    assert mapping.constants == {"channel": "phone", "point": "hotline"}


def test_chicago_is_short_and_sees_days_and_weeks_only() -> None:
    chicago = load("chicago311")
    assert {size for signal in chicago.city.signals for size in signal.sizes} == {Size.DAY, Size.WEEK}
    assert len(chicago.city.counties) == 51
    lines = (FOLDER / "chicago311" / "profile.yaml").read_text("utf-8").splitlines()
    assert len(lines) <= 60


# --- version ---------------------------------------------------------------------------------------------------


def test_version_is_of_the_data_not_of_how_it_is_written(tmp_path: Path) -> None:
    version = load(write(tmp_path / "one")).version
    parts = SMALL_TOWN.split("\n\n")
    split = tmp_path / "split"
    for number, part in enumerate(reversed(parts)):
        write(split, f"# {number}\n\n" + part.replace(": ", ":   ") + "\n\n", f"{number}.yaml")
    assert load(split).version == version
    swapped = SMALL_TOWN.replace("name: 东区, population: 1000", "population: 1000, name: 东区")
    assert load(write(tmp_path / "swapped", swapped)).version == version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("weight: 1.5", "weight: 1.6"),
        ("[2027-01-30]", "[2027-01-31]"),
        ("name: 西区", "name: 西城"),
        ("scores: 400d", "scores: 401d"),
        ("  danger:", "  zdanger:"),
    ],
)
def test_version_changes_with_the_data(old: str, new: str, tmp_path: Path) -> None:
    changed = SMALL_TOWN.replace(old, new)
    assert load(write(tmp_path / "new", changed)).version != load(write(tmp_path / "old")).version


def test_version_is_the_same_in_every_process() -> None:
    code = "from streams.profile import load; print(load('leshan').version)"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "TZ": name, "PATH": "/usr/bin", "PYTHONPATH": str(FOLDER.parent.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed, name in (("1", "Asia/Kathmandu"), ("2", "America/New_York"))
    }
    assert seen == {load("leshan").version}


# --- zones -----------------------------------------------------------------------------------------------------


def test_zones_come_from_the_package_not_from_the_machine(tmp_path: Path) -> None:
    """A machine whose database says something else about New York."""
    (tmp_path / "America").mkdir()
    utc = (files("tzdata") / "zoneinfo" / "UTC").read_bytes()
    (tmp_path / "America" / "New_York").write_bytes(utc)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    try:
        summer = datetime(2015, 7, 1)  # noqa: DTZ001  # the zone is what the test is about
        zone.cache_clear()
        assert summer.replace(tzinfo=zoneinfo.ZoneInfo.no_cache("America/New_York")).utcoffset() == timedelta(0)
        assert summer.replace(tzinfo=zone("America/New_York")).utcoffset() == timedelta(hours=-4)
    finally:
        zoneinfo.reset_tzpath(to=before)


def test_every_zone_that_is_offered_can_be_read() -> None:
    assert "Asia/Shanghai" in zone_names()
    assert len(zone_names()) > 400
    for name in zone_names():
        assert str(zone(name)) == name
