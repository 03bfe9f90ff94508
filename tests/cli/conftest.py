"""The command line as a fixture, and a data directory that a replay has filled."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.commands import LAKE, PATIENCE, RECORDING, Cli, Lake, command, environment


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command; the environment's settings are none."""
    for name in ("JIANTU_DATA_DIR", "JIANTU_LANG", "JIANTU_USER", "JIANTU_TRACEBACK", "JIANTU_CHECKPOINT_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    return Cli(capsys)


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Lake City's recording, replayed by a process of its own."""
    folder = tmp_path_factory.mktemp("lake") / "data"

    def printed(*arguments: object) -> bytes:
        done = subprocess.run(
            command(*arguments), env=environment(), stdout=subprocess.PIPE, check=True, timeout=PATIENCE
        )
        return done.stdout

    figures = printed("replay", RECORDING, "--profile", LAKE, "--data-dir", folder, "--json")
    return Lake(folder, json.loads(figures), printed("alert-log", "--data-dir", folder))


@pytest.fixture(scope="session")
def lake_data(lake: Lake) -> Path:
    """Its data directory. Only to be read."""
    return lake.data
