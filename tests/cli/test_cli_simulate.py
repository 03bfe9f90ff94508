"""`jiantu simulate`, `evaluate` and `demo`: a recording with labels, held against what was found, and the report."""

import re
import shlex
from pathlib import Path

import pytest

from streams.cli.demo import _folder
from tests.cli.commands import LAKE, Cli


def simulated(cli: Cli, folder: Path, *more: object) -> dict[str, object]:
    """A small recording of Lake City with its labels."""
    given = (
        "--days",
        70,
        "--scale",
        3,
        "--incidents",
        3,
        "-o",
        folder / "rec.jsonl.zst",
        "--labels",
        folder / "labels",
    )
    ended = cli("simulate", "--profile", LAKE, *given, *more, "--json")
    assert ended.code == 0, ended
    document: dict[str, object] = ended.document
    return document


def test_the_same_seed_gives_the_same_files(cli: Cli, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    first = simulated(cli, tmp_path / "a", "--seed", 5)
    assert first["events"]
    assert first["incidents"] == 3
    simulated(cli, tmp_path / "b", "--seed", 5)
    simulated(cli, tmp_path / "c", "--seed", 6)
    for file in ("rec.jsonl.zst", "labels"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
        assert (tmp_path / "a" / file).read_bytes() != (tmp_path / "c" / file).read_bytes()


def test_evaluate_has_every_key_of_the_contract(cli: Cli, tmp_path: Path) -> None:
    simulated(cli, tmp_path)
    assert cli("replay", tmp_path / "rec.jsonl.zst", "-p", LAKE, "-d", tmp_path / "d", "--json").code == 0
    found = cli("evaluate", "--data-dir", tmp_path / "d", "--labels", tmp_path / "labels", "--json").document
    assert {"incidents", "found", "median_delay_hours", "false_pages_per_week", "budget_per_week"} <= set(found)
    assert found["incidents"] == 3
    assert found["budget_per_week"] == 24
    # The first windows are judged after the warm-up: not before a week, and well before the end.
    assert 4 <= found["weeks"] <= 9
    words = cli("evaluate", "--data-dir", tmp_path / "d", "--labels", tmp_path / "labels").said
    assert f"发现 found {found['found']} / 3" in words
    for label in found["labels"]:
        assert label["start"][:10] in words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--days", "0"], "ask for at least 1"),
        (["--scale", "0"], "ask for more than 0"),
        (["--seed", "-1"], "a whole number from 0"),
        (["--incidents", "2001"], "ask for 0 to 2000"),
        (["--profile", "lesha"], "did you mean leshan?"),
        (["--start", "2025-13-01"], "--start"),
        (["-o", "no/such/folder/rec.zst"], "cannot be written"),
    ],
)
def test_what_cannot_be_simulated_is_said_and_leaves_nothing(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    output = [] if "-o" in arguments else ["-o", "rec.zst"]
    assert said in cli.refused("simulate", "--days", 2, "--incidents", 0, *output, *arguments)
    assert not list(tmp_path.iterdir())


def test_labels_that_are_none_are_wrong_input(cli: Cli, lake_data: Path, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("{}\n")
    assert f"{tmp_path / 'labels'}:1" in cli.refused("evaluate", "-d", lake_data, "--labels", tmp_path / "labels")
    assert "no such file" in cli.refused("evaluate", "-d", lake_data, "--labels", tmp_path / "none")


def test_the_demo_reports_all_of_it_and_what_it_says_to_try_works(cli: Cli, tmp_path: Path) -> None:
    ended = cli("demo", "--days", 75, "--scale", 0.05, "--incidents", 3, "--data-dir", tmp_path / "demo")
    assert ended.code == 0, ended
    words = ended.said
    received, counted, duplicate, late, rejected = (
        int(re.search(rf"{name} ([\d,]+)", words)[1].replace(",", ""))  # type: ignore[index]  # it is there, or the test fails
        for name in ("received", "counted", "duplicate", "late", "rejected")
    )
    assert received == counted + duplicate + late + rejected > 0
    for part in ("预警与理由 alerts, and why", "running metrics", "无数据 no data", "事件 incidents", "median delay"):
        assert part in words
    assert re.search(r"false pages \d+\.\d\d / 周 week（预算 budget 7", words)
    assert re.search(r"预警日志 log [0-9a-f]{64}", words)
    for county in ("市中区", "马边彝族自治县"):
        assert county in words
    commands = [line.strip() for line in ended.out.splitlines() if line.startswith("  jiantu ")]
    assert len(commands) >= 4
    for line in commands:
        tried = cli(*shlex.split(line)[1:])
        assert tried.code == 0, (line, tried)


def test_a_demo_leaves_nothing_behind_unless_asked(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    small = ("--days", 3, "--scale", 0.02, "--incidents", 0, "--json")
    assert cli("demo", *small).document["evaluation"]["incidents"] == 0
    assert not list(tmp_path.iterdir())
    with _folder(None, keep=True) as folder:
        pass
    assert folder.parent == tmp_path
    assert folder.is_dir()
