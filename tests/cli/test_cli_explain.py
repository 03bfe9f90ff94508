"""`jiantu explain` of a day: the neighbours too, as long as all that they were judged by is kept."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.commands import Cli


@pytest.fixture
def a_month(cli: Cli, tmp_path: Path) -> Path:
    """Leshan, small, for as long as a scan looks back."""
    recording = tmp_path / "rec.jsonl"
    small = ("--days", 30, "--scale", 0.03, "--incidents", 0, "--seed", 5)
    assert cli("simulate", *small, "-o", recording).code == 0
    assert cli("replay", recording, "--profile", "leshan", "--data-dir", tmp_path / "data").code == 0
    return tmp_path / "data"


def scan_of(cli: Cli, data: Path) -> list[dict[str, object]]:
    asked = ("--county", "511102", "--signal", "environment", "--at", "2025-01-29T13:00", "--size", "day")
    (window,) = cli("explain", *asked, "--data-dir", data, "--json").document["windows"]
    return [test for test in window["tests"] if test["detector"] == "scan"]


def test_what_the_scan_saw_is_told_until_retention_has_let_go_of_it(cli: Cli, a_month: Path) -> None:
    (seen,) = scan_of(cli, a_month)
    cluster = seen["cluster"]
    assert isinstance(cluster, dict)
    assert "511102" in cluster["counties"]
    assert 2 <= len(cluster["counties"]) <= 4
    assert seen["why"] == "above_level"
    assert isinstance(seen["p"], float)
    assert isinstance(seen["level"], float)
    assert seen["p"] > seen["level"] > 0
    with sqlite3.connect(a_month / "jiantu.db") as ledger:
        (end,) = ledger.execute("SELECT window_end FROM scored WHERE size = 'day' ORDER BY window_end").fetchone()
        ledger.execute("DELETE FROM scored WHERE size = 'day' AND window_end < ?", (end + 20 * 86_400_000_000,))
        gone = ledger.total_changes
        ledger.execute("INSERT OR REPLACE INTO retained (history, since, removed) VALUES ('scores', ?, ?)", (end, gone))
    assert gone >= 19
    assert scan_of(cli, a_month) == []
