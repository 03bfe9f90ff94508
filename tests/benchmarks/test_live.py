"""The live benchmark measures what it says; nothing here looks at how long anything took."""

from pathlib import Path

from tests.benchmarks import live
from tests.benchmarks.recordings import record


def test_every_figure_is_there_and_counts_what_was_asked_for(tmp_path: Path) -> None:
    recording = tmp_path / "r.jsonl.zst"
    record(str(recording), scale=0.3, events=4_000)
    (tmp_path / "data").mkdir()
    figures = live.drive(recording, tmp_path / "data", 3_000, None, rest=0)
    assert figures["events"] >= 2_500
    assert figures["cpu_microseconds_per_event"] > 0
    lines = live.table({"fast": figures, "steady": figures})
    assert all(line.value for line in lines)
