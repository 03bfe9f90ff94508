"""`jiantu power`: the smallest burst of each county that is found, from the profile or at a data directory's scale."""

from pathlib import Path
from statistics import mean

import pytest

from streams.core.city import Size
from streams.wiring.reading import open_reading
from tests.cli.commands import LAKE, Cli

FEW = ("--replicates", "4", "--seed", "3")


def test_every_county_and_the_city_are_answered(cli: Cli) -> None:
    made = cli("power", "-p", LAKE, "--signal", "劳动", *FEW, "--json").document
    assert made["signal"] == "work"
    assert (made["scale"], made["seed"], made["replicates"], made["power"]) == ("profile", 3, 4, 0.8)
    assert made["budget_per_week"] == 24
    assert len(made["counties"]) > 1
    for one in made["counties"]:
        assert one["expected_per_day"] > 0
        assert one["within_week"] is None or one["within_day"] is None or one["within_week"] <= one["within_day"]
    assert any(one["within_week"] for one in made["counties"])
    assert cli("power", "-p", LAKE, "--signal", "work", *FEW, "--json").document == made


def test_a_data_directory_gives_profile_and_scale(cli: Cli, lake_data: Path) -> None:
    found = cli("power", "-d", lake_data, "--signal", "work", *FEW, "--json").document
    assert (found["scale"], found["profile"]) == ("data_dir", "lake_city")
    with open_reading(lake_data) as reading:
        for one in found["counties"]:
            scores = [window.detectors["counts"] for window in reading.ledger.series(one["county"], "work", Size.DAY)]
            expected = [score.expected for score in scores if score.expected is not None]
            assert one["expected_per_day"] == pytest.approx(mean(expected), abs=0.001)


def test_a_person_gets_one_county_as_a_table(cli: Cli) -> None:
    code = cli("power", "-p", LAKE, "--signal", "work", *FEW, "--json").document["counties"][0]["county"]
    said = cli("power", "-p", LAKE, "--signal", "work", "--county", code, "--hours", "6", *FEW).said
    assert "6 小时的突增 a burst of 6 hours" in said
    assert said.count("×)") <= 2
    assert "80% of 4 histories" in said


def test_wrong_input_is_told(cli: Cli, tmp_path: Path) -> None:
    assert "choose a signal that counts events" in cli.refused("power", "-p", LAKE, "--signal", "repeats")
    assert "did you mean" in cli.refused("power", "-p", LAKE, "--signal", "ordr").lower()
    assert "replicates" in cli.refused("power", "-p", LAKE, "--signal", "work", "--replicates", "1")
    assert cli("power", "-d", tmp_path / "none", "--signal", "work").code in (1, 2)
