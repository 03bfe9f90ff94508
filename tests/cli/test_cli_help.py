"""Every command says what it does and how it is called; every --json is one document; nothing ends in a traceback."""

import importlib
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer

from streams.cli import ending
from streams.cli.app import app, run
from tests.cli.commands import LAKE, RECORDING, Cli, Lake, process

VERDICTS = ("received", "counted", "duplicate", "late", "rejected")


def every_command() -> Iterator[tuple[str, ...]]:
    """The words of every command and every group."""

    def below(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield words
        for name, sub in sorted(getattr(command, "commands", {}).items()):
            yield from below(sub, (*words, name))

    yield from below(typer.main.get_command(app), ())


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_help_has_an_example_that_names_the_command(cli: Cli, words: tuple[str, ...]) -> None:
    ended = cli(*words, "--help")
    assert ended.code == 0
    after = re.split("examples?:|start here:", ended.said)[1]
    assert " ".join(("jiantu", *words)) in after


def test_the_version_is_said_where_everybody_asks_for_it(cli: Cli) -> None:
    ended = cli("--version")
    assert (ended.code, ended.said.strip()) == (0, f"jiantu {version('jiantu')}")


def test_every_command_stands_under_a_heading(cli: Cli) -> None:
    said = cli("--help").said
    assert "Commands" not in said
    assert said.index("先看") < said.index("实时 ·") < said.index("On Kafka")


def test_a_flag_asks_for_no_value(cli: Cli) -> None:
    said = cli("version", "--help").said
    assert "bool" not in said[said.index("--json") : said.index("--help")]


HEAVY = ("numba", "numpy", "scipy", "pydantic", "sqlalchemy", "fastapi", "kafka", "confluent_kafka", "faust", "httpx")


@pytest.mark.parametrize(
    ("module", "none_of"),
    [
        ("streams.cli.app", HEAVY),
        ("streams.cli.sending", ("numba", "scipy", "sqlalchemy", "fastapi")),
        ("streams.wiring.reading", ("numba", "scipy", "fastapi", "kafka")),
    ],
    ids=["--help", "send", "alerts"],
)
def test_a_command_waits_for_nothing_that_it_does_not_use(module: str, none_of: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {none_of} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_commands_of_the_contract_are_there() -> None:
    found = {" ".join(words) for words in every_command()}
    assert found >= {
        "demo",
        "simulate",
        "replay",
        "alerts list",
        "alerts show",
        "alerts acknowledge",
        "alerts dispose",
        "alerts discard",
        "alerts resolve",
        "alert-log",
        "explain",
        "evaluate",
        "profile check",
        "profile show",
        "doctor",
        "version",
    }


def test_without_a_command_there_is_help_and_no_error(cli: Cli) -> None:
    for words in ((), ("alerts",), ("profile",), ("scenario",)):
        ended = cli(*words)
        assert ended.code == 2
        assert "Options" in ended.out
        assert not ended.err


def test_usage_errors_point_to_the_help(cli: Cli) -> None:
    assert "Did you mean 'replay'?" in cli.refused("reply")
    assert "jiantu version --help" in cli.refused("version", "--jsn")
    assert "--county" in cli.refused("explain", "--at", "2025-01-01", "--signal", "total")


@pytest.mark.parametrize(
    "arguments",
    [
        ("version",),
        ("detectors", "list"),
        ("profile", "show", "leshan"),
        ("profile", "check", "boston311"),
        ("doctor",),
        ("recording", "info", str(RECORDING)),
        ("alerts", "list", "DATA"),
        ("alert-log", "DATA"),
        ("metrics", "DATA"),
        ("metrics", "--size", "day", "DATA"),
        ("explain", "--county", "c01", "--signal", "total", "--at", "2025-03-01", "DATA"),
        ("doctor", "DATA"),
    ],
    ids=" ".join,
)
def test_json_is_one_document_and_nothing_else(cli: Cli, lake_data: Path, arguments: tuple[str, ...]) -> None:
    given = [word for one in arguments for word in (("--data-dir", lake_data) if one == "DATA" else (one,))]
    ended = cli(*given, "--json")
    assert ended.code == 0
    assert not ended.err
    assert ended.document
    assert cli(*given).code == 0  # and in words


def test_wrong_input_with_json_is_one_document_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["replay", str(tmp_path / "none"), "-p", "leshan", "-d", str(tmp_path), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["exit_code"] == 2
    assert "no such file" in found["error"]


def test_every_error_with_an_exit_code_of_its_own_exists() -> None:
    for name in ending.EXIT_CODES:
        module, _, kind = name.rpartition(".")
        assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_what_nobody_foresaw_is_one_line_and_a_report(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("[/bold] of all things")

    monkeypatch.setattr("streams.cli.version.versions", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = cli("version")
    assert ended.code == 1
    assert ended.err.count("\n") == 1
    (report,) = tmp_path.glob("jiantu-report-*.txt")
    assert str(report) in ended.err
    assert "Traceback" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0


def test_a_traceback_is_there_for_who_asks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("streams.cli.version.versions", lambda: 1 / 0)
    monkeypatch.setenv("JIANTU_TRACEBACK", "1")
    assert run(["version"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_wrong_setting_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANTU_LANG", "fr")
    assert "JIANTU_LANG" in cli.refused("alerts", "list", "--data-dir", "x")


def test_ctrl_c_outside_of_a_run_is_quiet(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("streams.cli.version.versions", interrupted)
    ended = cli("version")
    assert (ended.code, ended.out, ended.err) == (130, "", "")


def test_a_terminal_without_chinese_and_a_reader_that_leaves_are_no_failures(lake_data: Path) -> None:
    ascii_only = process("alerts", "list", "--data-dir", lake_data, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ascii_only.code == 0
    assert "Traceback" not in ascii_only.err


def test_profile_check_lists_every_mistake_with_its_place(cli: Cli, tmp_path: Path) -> None:
    text = (LAKE / "profile.yaml").read_text()
    (tmp_path / "profile.yaml").write_text(
        text.replace("zone: America", "zone: Amerika").replace("family: work,", "family: wrk,")
    )
    ended = cli("profile", "check", tmp_path)
    assert ended.code == 2
    places = [line.split(" ")[0] for line in ended.out.splitlines() if not line.startswith(" ")]
    assert len(places) >= 2
    assert all(re.fullmatch(r".*profile\.yaml:\d+:\d+:", place) for place in places)
    document = cli("profile", "check", tmp_path, "--json")
    assert document.code == 2
    assert document.document["ok"] is False
    assert len(document.document["problems"]) == len(places)


def test_doctor_finds_what_is_broken(cli: Cli, lake: Lake, tmp_path: Path) -> None:
    sound = cli("doctor", "--data-dir", lake.data, "--json").document
    assert sound["ok"] is True
    received, *parts = (f"{lake.figures[verdict]:,}" for verdict in VERDICTS)
    assert any(f"{received} = {' + '.join(parts)}" in check["found"] for check in sound["checks"])
    target = tmp_path / "data"
    target.mkdir()
    with sqlite3.connect(lake.data / "jiantu.db") as db, sqlite3.connect(target / "jiantu.db") as copy:
        db.backup(copy)
        copy.execute("DELETE FROM rejection_total")
        copy.commit()
    broken = cli("doctor", "--data-dir", target)
    assert broken.code == 1
    assert "✗ fail" in broken.out
    assert "replay" in broken.out
    assert cli("doctor", "--data-dir", tmp_path / "nowhere").code == 1


def test_doctor_warns_before_the_calendar_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.cli.checks import all_checks
    from streams.clock import FixedClock
    from streams.core.instant import DAY, parse_instant

    last = parse_instant("2026-12-31T00:00:00+08:00")
    for days, status in ((46, "ok"), (45, "warn"), (-10, "warn")):
        found = next(c for c in all_checks("leshan", None, FixedClock(last - days * DAY)) if c.name == "profile leshan")
        assert (found.status, bool(found.todo)) == (status, status == "warn")


def test_version_names_every_format(cli: Cli) -> None:
    assert set(cli("version", "--json").document) == {
        "jiantu",
        "python",
        "ledger_schema",
        "recording_format",
        "event_schema",
    }
