"""The units for systemd: well-formed, hardened, watched, and each starts a command that there is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.commands import parsed

FOLDER = Path(__file__).parents[2] / "deploy/systemd"
UNITS = sorted(FOLDER.glob("*.service"))
SERVICES = [unit for unit in UNITS if unit.stem != "jiantu-retention"]
PROGRAM = "/opt/jiantu/bin/jiantu"


def settings(unit: Path) -> dict[str, list[str]]:
    """Key -> its values, of all sections."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_every_part_has_one() -> None:
    parts = ("deadman", "exporter", "ledger", "paging", "retention", "run", "ticker", "worker@")
    assert [unit.stem for unit in UNITS] == [f"jiantu-{part}" for part in parts]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
class TestEveryUnit:
    def test_starts_a_command_that_there_is(self, unit: Path) -> None:
        found = settings(unit)
        variables = dict(word.split("=", 1) for value in found["Environment"] for word in value.split())
        (line,) = found["ExecStart"]
        words = re.sub(r"\$\{(\w+)\}", lambda one: variables[one[1]], line).split()
        assert words[0] == PROGRAM
        parsed(words[1:])

    def test_may_do_little(self, unit: Path) -> None:
        found = settings(unit)
        for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictSUIDSGID"):
            assert found[key] == ["yes"], key
        assert found["ProtectSystem"] == ["strict"]
        assert found["CapabilityBoundingSet"] == [""]
        assert found["User"] == ["jiantu"]
        assert "MemoryDenyWriteExecute" not in found, "numba makes machine code"

    def test_data_lie_where_it_may_write(self, unit: Path) -> None:
        found = settings(unit)
        data = [w for v in found["Environment"] for w in v.split() if w.startswith("JIANTU_DATA_DIR=")]
        assert found["StateDirectory"] == ["jiantu"]
        assert all(one.startswith("JIANTU_DATA_DIR=/var/lib/jiantu/") for one in data)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_is_watched_and_started_again_but_not_when_it_refused(unit: Path) -> None:
    found = settings(unit)
    assert found["Type"] == ["notify"]
    assert found["WatchdogSec"] == ["60s"]
    assert found["Restart"] == ["on-failure"]
    assert found["RestartPreventExitStatus"] == ["2 3"]
    assert found["SuccessExitStatus"] == ["130 143"], "told to stop is no failure"


def test_brokers_may_be_away_for_hours_and_who_needs_them_is_still_started_again() -> None:
    """Ticker and ledger end while nobody answers; a worker's supervisor goes on, and it alone knows a third failure."""
    for part in ("ticker", "ledger"):
        found = settings(FOLDER / f"jiantu-{part}.service")
        assert found["StartLimitIntervalSec"] == ["0"]
        assert "StartLimitBurst" not in found
    assert "--alone" not in settings(FOLDER / "jiantu-worker@.service")["ExecStart"][0]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd to ask")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    for unit in (*UNITS, *FOLDER.glob("*.timer")):
        name = unit.name.replace("@", "@1")
        (tmp_path / name).write_text(unit.read_text().replace(PROGRAM, "/bin/true"))
    names = sorted(str(path) for path in tmp_path.iterdir())
    said = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")
