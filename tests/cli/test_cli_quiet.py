"""`replay --explain-quiet`: ten non-alerts that differ, none of them part of an alert; `detectors list` says how."""

from collections import Counter
from pathlib import Path

from streams.cli.asking import MOST_ALIKE
from streams.profile import load
from tests.cli.commands import Cli


def test_the_largest_non_alerts_are_of_several_reasons_and_none_is_part_of_an_alert(cli: Cli, tmp_path: Path) -> None:
    recording = tmp_path / "rec.jsonl"
    small = ("--days", 90, "--scale", 0.05, "--incidents", 2, "--seed", 5)
    assert cli("simulate", *small, "-o", recording).code == 0
    found = cli(
        "replay", recording, "--profile", "leshan", "--data-dir", tmp_path / "data", "--explain-quiet", "--json"
    ).document["quiet"]
    assert len(found) == 10
    assert all(one["alert"] is None and one["why"] not in ("raised", "joined", "continued") for one in found)
    reasons = Counter(one["why"] for one in found)
    assert len(reasons) > 1
    family = {signal.name: signal.family for signal in load("leshan").city.signals}
    places = [(one["county"], family[one["signal"]], one["size"], one["window_start"]) for one in found]
    assert len(set(places)) == 10
    assert sum(number > MOST_ALIKE for number in reasons.values()) <= 1


def test_the_list_of_detectors_says_at_which_windows_and_how_a_profile_names_them(cli: Cli) -> None:
    listed = {one["name"]: one["windows"] for one in cli("detectors", "list", "--json").document}
    assert listed["counts"] == ["hour", "day", "week"]
    assert listed["scan"] == ["day"]
    assert "detectors: {day: [counts, scan], week: outbreak}" in cli("detectors", "list").out
