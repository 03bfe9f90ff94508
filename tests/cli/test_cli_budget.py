"""`jiantu budget`: what was spent, never more than the budget; what people made of the pages; and FDR beside it."""

from pathlib import Path

from tests.cli.commands import LAKE, RECORDING, Cli

ON = "2025-03-20T09:00:00-04:00"


def test_the_account_is_kept_and_what_people_say_is_counted(cli: Cli, tmp_path: Path) -> None:
    cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--json")
    before = cli("budget", "-d", tmp_path / "d", "--json").document
    assert before["budget_per_week"] == 24
    assert 0 < before["spent_per_week"] <= before["most_in_a_week"] <= 24 + 1e-9
    assert before["tests"] > 1000
    assert before["verdicts"] > 0
    assert set(before["discoveries"]) == {"LORD++", "SAFFRON", "ADDIS"}
    assert all(0 <= found <= before["verdicts"] for found in before["discoveries"].values())
    assert sum(before["discoveries"].values()) > 0
    assert before["false_share"] is None
    pages = [
        one["id"]
        for one in cli("alerts", "list", "-d", tmp_path / "d", "--json").document
        if one["shape"] not in ("always_page", "rule")
    ]
    assert before["judged"] == {"pages": len(pages), "right": 0, "false": 0}
    cli("alerts", "discard", pages[3], "-d", tmp_path / "d", "--by", "li", "--reason", "known_cause")
    for alert in pages[:3]:
        cli("alerts", "discard", alert, "-d", tmp_path / "d", "--by", "li", "--reason", "false_page")
    after = cli("budget", "-d", tmp_path / "d", "--json").document
    assert after["judged"]["false"] == 3
    assert after["false_share"][0] == 1.0
    assert after["false_share"][1] < 0.5  # three say little
    assert after["false_pages_per_week"] > 0
    said = cli("budget", "-d", tmp_path / "d").said
    assert "误报比例 false share 100%" in said
    assert "ADDIS (FDR 10%)" in said
    none = cli("budget", "-d", tmp_path / "d", "--propose-weights", "--json").document
    assert (none["judged"], {one["proposed"] == one["weight"] for one in none["signals"]}) == (3, {True})
    assert "nothing to propose" in cli("budget", "-d", tmp_path / "d", "--propose-weights").said
