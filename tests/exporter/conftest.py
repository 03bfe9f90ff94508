"""Ledgers to export: Lake City's recording, replayed once; copies of it to write to."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import LAKE, PATIENCE, RECORDING, command, environment


@pytest.fixture(scope="session")
def lake_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole recording, in a data directory. Only to be read."""
    folder = tmp_path_factory.mktemp("lake") / "data"
    words = command("replay", RECORDING, "--profile", LAKE, "--data-dir", folder, "--json")
    subprocess.run(words, env=environment(), stdout=subprocess.DEVNULL, check=True, timeout=PATIENCE)
    return folder


@pytest.fixture
def lake_copy(lake_data: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of it that may be written to."""

    def copied() -> Path:
        return shutil.copytree(lake_data, tmp_path / "copy")

    return copied
