"""The map of tiles, and periods of what nobody counts by: no part of a profile's version."""

from pathlib import Path

import pytest

from streams.core.instant import DAY
from streams.profile import ProfileError, bundled, load
from tests.profile.small_town import SMALL_TOWN, write

EAST, WEST = "neighbours: [west]}", "neighbours: [east], aliases: [Westend]}"


def town(folder: Path, east: str = "", west: str = "", retention: str = "") -> Path:
    """The small town with tiles of its counties."""
    text = SMALL_TOWN.replace(EAST, EAST[:-1] + east + "}").replace(WEST, WEST[:-1] + west + "}")
    return write(folder, text.replace("  scores: 400d\n", f"  scores: 400d\n{retention}"))


def test_counties_lie_where_they_are_written(tmp_path: Path) -> None:
    profile = load(town(tmp_path, ", tile: [3, 0]", ", tile: [0, 1]"))
    assert profile.tiles == {"east": (3, 0), "west": (0, 1)}


@pytest.mark.parametrize("east", ["", ", tile: [3, 0]"])
def test_without_a_tile_for_each_they_lie_in_a_square(east: str, tmp_path: Path) -> None:
    assert load(town(tmp_path, east)).tiles == {"east": (0, 0), "west": (1, 0)}


@pytest.mark.parametrize("name", bundled())
def test_every_county_has_a_tile_of_its_own(name: str) -> None:
    profile = load(name)
    assert list(profile.tiles) == [county.code for county in profile.city.counties]
    assert len(set(profile.tiles.values())) == len(profile.tiles)


def test_what_is_only_shown_or_let_go_does_not_change_the_version(tmp_path: Path) -> None:
    plain = load(town(tmp_path / "plain"))
    shown = load(town(tmp_path / "shown", ", tile: [3, 0]", ", tile: [0, 1]", "  inbox: 30d\n  receipts: 60d\n"))
    assert shown.version == plain.version
    assert (plain.retention.inbox, plain.retention.receipts) == (180 * DAY, 800 * DAY)
    assert (shown.retention.inbox, shown.retention.receipts) == (30 * DAY, 60 * DAY)


@pytest.mark.parametrize(
    ("tile", "said"),
    [
        ("[0, 1]", "east has this tile already"),
        ("[1]", "2"),
        ("[1, 2, 3]", "2"),
        ("[-1, 0]", "0 or more"),
        ("3", "list"),
    ],
)
def test_mistakes_are_told(tile: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as told:
        load(town(tmp_path, ", tile: [0, 1]", f", tile: {tile}"))
    assert said in str(told.value)
