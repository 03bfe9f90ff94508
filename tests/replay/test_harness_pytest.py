"""The pytest plugin, as another team has it: a folder of their own, a recording, ten lines, a real pytest process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from streams.sources.recorder import RecordingWriter
from streams.sources.recording import Header

LAKE = Path(__file__).parents[1] / "promises" / "lake_city"
WHAT = {"point": "hotline", "category": "threat", "kind": "accepted"}
THEIR_SUITE = """\
def test_our_recording_gives_the_alerts_it_gave(jiantu_replay):
    result = jiantu_replay("recording.jsonl.zst", profile="city/profile.yaml", expect="logs/kept.log")
    assert (result.accounting.counted, len(result.alerts)) == (2, 2)
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Their folder, which knows nothing of this project's."""
    (tmp_path / "suite" / "city").mkdir(parents=True)
    shutil.copy(LAKE / "profile.yaml", tmp_path / "suite" / "city")
    span = ("2025-02-03T00:00:00+08:00", "2025-02-05T00:00:00+08:00")
    with RecordingWriter(tmp_path / "suite" / "recording.jsonl.zst", Header("lake_city", span)) as writer:
        for day in (3, 4):
            name = f"{day:032x}"
            threat = {"id": name, "ticket": name, "at": f"2025-02-0{day}T10:00:00+08:00", "county": "c03"}
            writer.write(msgspec.json.encode(threat | WHAT), None)
    (tmp_path / "suite" / "test_theirs.py").write_text(THEIR_SUITE)
    return tmp_path


def pytest_in(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a pytest run, with warnings as errors."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ours = ("-p", "no:schemathesis", "-p", "no:hypothesispytest")  # which they do not have
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *ours, *arguments],
        cwd=folder,
        env=bare | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_a_log_is_kept_compared_shown_and_kept_again(theirs: Path) -> None:
    kept = theirs / "suite" / "logs" / "kept.log"
    code, said = pytest_in(theirs)
    assert code == 1
    assert "`pytest --jiantu-update` writes it" in said
    assert not kept.exists()

    kept.parent.mkdir()
    kept.write_bytes(b"of another time\n")
    code, said = pytest_in(theirs, "--jiantu-update", "-n", "1")
    assert (code, "jiantu: expected logs written" in said, str(kept) in said) == (0, True, True)
    log = kept.read_bytes()

    code, said = pytest_in(theirs, "suite/test_theirs.py")
    assert code == 0
    assert "written" not in said

    lines = log.splitlines(keepends=True)
    kept.write_bytes(b"".join(lines[1:]))
    code, said = pytest_in(theirs)
    assert code == 1
    assert "the alert log is not the expected one" in said
    assert "多了 unexpected" in said
    assert "Traceback" not in said
    assert kept.read_bytes() == b"".join(lines[1:]), "without the option nothing is written"


def test_what_is_wrong_with_their_files_fails_the_test_in_words(theirs: Path) -> None:
    suite = theirs / "suite"
    (suite / "cut.jsonl.zst").write_bytes((suite / "recording.jsonl.zst").read_bytes()[:-90])
    (suite / "no.log").write_text("hello\n")
    (suite / "test_theirs.py").write_text(
        "def test_cut(jiantu_replay):\n"
        "    jiantu_replay('cut.jsonl.zst', profile='city/profile.yaml')\n"
        "def test_no_log(jiantu_replay):\n"
        "    jiantu_replay('recording.jsonl.zst', profile='city/profile.yaml', expect='no.log')\n"
        "def test_bytes(jiantu_replay):\n"
        "    jiantu_replay([], profile='leshan', expect=b'')\n"
        "def test_bytes_that_differ(jiantu_replay):\n"
        '    jiantu_replay([], profile=\'leshan\', expect=b\'{"alert":"a","transition":"raised","at":"x"}\')\n'
    )
    code, said = pytest_in(theirs)
    assert code == 1
    assert "the recording is truncated" in said
    assert "no.log: line 1: no line of an alert log" in said
    assert "少了 missing" in said
    assert "3 failed, 1 passed" in said


def test_the_option_stands_in_pytests_help_and_the_fixture_in_its_list(tmp_path: Path) -> None:
    assert "--jiantu-update" in pytest_in(tmp_path, "--help")[1]
    assert "jiantu_replay" in pytest_in(tmp_path, "--fixtures")[1]
