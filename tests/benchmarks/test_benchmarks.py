"""The harness measures what it says and fills every key; nothing here looks at how long anything took."""

import json
from pathlib import Path
from typing import Any

from tests.benchmarks import embedded
from tests.benchmarks.measures import MEASURES

TINY = embedded.Plan(0.1, 3_000, 1_000, 1, 0.1, (1_000, 12_000), 0.01, 20, 8, 12)


def in_this_process(name: str, **arguments: object) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(json.dumps(MEASURES[name](**arguments)))
    return figures


def test_every_figure_is_there_and_counts_what_was_asked_for(tmp_path: Path) -> None:
    figures = embedded.measure(TINY, tmp_path, in_this_process)

    assert set(figures) == {
        "recording", "longest_recording", "year_recording", "replay", "single", "memory", "restart", "scoring", "year",
    }  # fmt: skip
    assert figures["longest_recording"]["events"] >= 12_000
    assert figures["replay"]["events"] >= 3_000
    assert figures["restart"]["events_behind"] >= figures["replay"]["events"]
    assert figures["year"]["events"] == figures["year_recording"]["events"]
    assert all(run["events"] >= asked for run, asked in zip(figures["memory"]["runs"], (1_000, 12_000), strict=True))
    assert all(line.value for line in embedded.table(figures))
    report = {"command": "c", "commit": embedded.commit(), "machine": embedded.machine(), "figures": figures}
    assert "| target |" in embedded.markdown(report)


def test_a_measure_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    figures = embedded.apart("record", path=str(tmp_path / "r.jsonl.zst"), scale=0.01, days=7)

    assert figures["events"] > 0
    assert (tmp_path / "r.jsonl.zst").stat().st_size == figures["bytes"]
