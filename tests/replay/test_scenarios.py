"""Every scenario in tests/scenarios holds: they say what the product does, in an analyst's words."""

from pathlib import Path

import pytest

from streams.replay.scenario import load_scenario
from streams.replay.scenario_run import run_scenario

FOLDER = Path(__file__).parents[1] / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_scenario(path: Path) -> None:
    result = run_scenario(load_scenario(path))
    assert result.accounting.balanced()
    assert result.passed, "\n".join(str(finding) for finding in result.findings)


def test_there_are_scenarios() -> None:
    assert len(FILES) >= 12
