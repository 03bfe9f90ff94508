"""What a profile says of what a signal is counted out of."""

from pathlib import Path

from streams.core.exposure import residents
from streams.profile import load
from tests.profile.small_town import SMALL_TOWN, write

PEOPLED = SMALL_TOWN.replace("西区, ", "西区, residents_by_year: {2030: 900, 2020: 800}, ")


def test_an_offset_and_residents_by_year_reach_the_city(tmp_path: Path) -> None:
    text = PEOPLED.replace("    weight: 1.5", "    offset: population")
    city = load(str(write(tmp_path / "town", text))).city
    assert city.signals[0].offset == "population"
    east, west = city.counties
    assert [residents(east, year) for year in (2019, 2031)] == [1000, 1000]
    assert [residents(west, year) for year in (2019, 2020, 2029, 2030, 2031)] == [800, 800, 800, 900, 900]


def test_an_offset_is_part_of_the_version_and_its_absence_is_not(tmp_path: Path) -> None:
    """A profile without one keeps the version that it had before there were any."""
    plain = load(str(write(tmp_path / "plain", SMALL_TOWN)))
    peopled = load(str(write(tmp_path / "peopled", PEOPLED)))
    counted = load(str(write(tmp_path / "counted", PEOPLED.replace("    weight: 1.5", "    offset: population"))))
    assert len({plain.version, peopled.version, counted.version}) == 3
    assert plain.city.signals[0].offset is None
