"""`jiantu scenario run`: exit codes, a readable diff, one JSON document, the same under any zone and hash seed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli.app import run
from tests.replay.scenario_texts import SMALL, changed


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["scenario", "run", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.yaml").write_text(SMALL)
    (tmp_path / "a.yaml").write_text(SMALL)
    return tmp_path


def test_what_holds_is_summed_up_in_the_order_of_the_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, str(folder))
    assert (code, err) == (0, "")
    assert out.index("✓ a.yaml") < out.index("✓ b.yaml")
    assert "2 passed" in out


def test_what_does_not_hold_is_a_diff_with_its_place_and_exit_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.yaml").write_text(changed("{county: west}", "{county: east}"))
    code, out, _ = said(capsys, str(folder))
    assert code == 1
    assert f"{folder / 'b.yaml'}:39:5" in out
    assert "not silent" in out
    assert "1 failed, 1 passed" in out


def test_json_is_one_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "b.yaml").write_text(changed("duplicate: 80", "duplicate: 3"))
    code, out, err = said(capsys, str(folder), "--json")
    found = json.loads(out)
    assert (code, err) == (1, "")
    assert (found["passed"], found["failed"]) == (1, 1)
    good, bad = found["scenarios"]
    assert good["passed"]
    assert good["received"] == good["counted"] + good["duplicate"] + good["late"] + good["rejected"]
    assert good["rejections"] == {"not_json": 1}
    assert len(good["alert_log_sha256"]) == 64
    (finding,) = bad["findings"]
    assert (finding["kind"], finding["line"], finding["found"]) == ("accounting", 42, "80")


def test_wrong_input_runs_nothing_and_exits_with_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "b.yaml").write_text(changed("per_day: 20", "per_day: many"))
    code, out, err = said(capsys, str(folder))
    assert (code, out) == (2, "")
    assert f"{folder / 'b.yaml'}:29:45:" in err
    assert "Traceback" not in err
    code, out, _ = said(capsys, str(folder / "nothing.yaml"), "--json")
    assert code == 2
    assert json.loads(out)["exit_code"] == 2


def test_the_result_is_the_same_under_any_zone_and_hash_seed(folder: Path) -> None:
    program = "import sys\nfrom streams.cli.app import run\nsys.exit(run(sys.argv[1:]))"
    logs = set()
    for zone, seed in (("Asia/Kathmandu", "1"), ("America/New_York", "2")):
        ran = subprocess.run(
            [sys.executable, "-c", program, "scenario", "run", str(folder / "a.yaml"), "--json"],
            env=os.environ | {"TZ": zone, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        logs.add(ran.stdout)
    assert len(logs) == 1
