"""A recording of a topic outlives being killed: the same bytes, wherever it was cut off."""

from pathlib import Path

import pytest

from streams.sources import topic_recording
from streams.sources.contract import SourceError
from streams.sources.recording import Header, RecordingReader
from streams.sources.topic_recording import TopicPosition, TopicRecording, next_position

HEADER = Header(profile="leshan", span=("2025-01-01T00:00:00+08:00", "2026-01-01T00:00:00+08:00"))
FRESH = TopicPosition("events", (1, 1))
LINES = [b'{"received":%d,"event":{"id":"%d"}}\n' % (n, n) for n in range(500)]


def write(recording: TopicRecording, begin: int, end: int) -> None:
    for number in range(begin, end):
        position = next_position(recording.position, [number % 2], None)
        recording.write(LINES[number], position)


def resumed_at(recording: TopicRecording) -> int:
    """Which line comes next, by where the partitions stand."""
    return sum(recording.position.offsets) - 2


@pytest.mark.parametrize("suffix", ["jsonl.zst", "jsonl"])
def test_cut_off_anywhere_it_goes_on_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(topic_recording, "_FRAME", 2_000)
    whole = tmp_path / f"whole.{suffix}"
    with TopicRecording(whole, FRESH) as recording:
        write(recording, 0, len(LINES))
        recording.finish(HEADER)
    cut = tmp_path / f"cut.{suffix}"
    reached = []
    for end in (130, 230, 330, 499):
        with TopicRecording(cut, FRESH) as recording:
            reached.append(resumed_at(recording))
            write(recording, resumed_at(recording), end)
        # what a kill leaves behind: half of a frame that no state knows of
        with (tmp_path / f".cut.{suffix}.part").open("ab") as part:
            part.write(b"half a frame")
    assert reached == sorted(set(reached))
    with TopicRecording(cut, FRESH) as recording:
        assert recording.resumed
        write(recording, resumed_at(recording), len(LINES))
        recording.finish(HEADER)
    assert cut.read_bytes() == whole.read_bytes()
    reader = RecordingReader(cut)
    assert b"".join(chunk.lines for chunk in reader.chunks()) == b"".join(LINES)
    assert reader.ending is not None
    assert (reader.ending.state, reader.ending.verified) == ("complete", True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"cut.{suffix}", f"whole.{suffix}"]


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    there = tmp_path / "there.jsonl"
    there.write_bytes(b"mine")
    with pytest.raises(SourceError, match="is there already"):
        TopicRecording(there, FRESH)
    assert there.read_bytes() == b"mine"


def test_another_streams_beginnings_are_not_gone_on_with(tmp_path: Path) -> None:
    with TopicRecording(tmp_path / "a.jsonl", FRESH) as recording:
        write(recording, 0, 10)
        recording.keep()
    for other in (TopicPosition("others", (1, 1)), TopicPosition("events", (1, 1, 1))):
        with pytest.raises(SourceError, match="another stream"):
            TopicRecording(tmp_path / "a.jsonl", other)
    with TopicRecording(tmp_path / "a.jsonl", FRESH) as recording:
        assert recording.records == 10
