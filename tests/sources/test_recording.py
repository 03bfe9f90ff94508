"""A recording gives back what was written, from any position, in any batch, and says when it is not whole."""

import random
import tempfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.sources.contract import START, Chunk, Position, SourceError
from streams.sources.recorder import RecordingWriter, record_line, tick_line
from streams.sources.recording import Header, RecordingReader

HEADER = Header(profile="leshan", span=("2025-01-01T00:00:00+08:00", "2026-01-01T00:00:00+08:00"), seed=7)


def some_lines(count: int, width: int = 0) -> list[bytes]:
    return [record_line(b'{"id":"%d","pad":"%s"}' % (i, b"x" * width), 1_000_000 * i) for i in range(count)]


def record(path: Path, lines: list[bytes]) -> Path:
    with RecordingWriter(path, HEADER) as writer:
        for line in lines:
            writer.write_lines(line)
    return path


def read(path: Path, position: Position = START, batch: int = 8192) -> tuple[list[bytes], list[Chunk], RecordingReader]:
    reader = RecordingReader(path)
    chunks = list(reader.chunks(position, batch))
    lines = [line + b"\n" for chunk in chunks for line in chunk.lines.split(b"\n")[:-1]]
    return lines, chunks, reader


@pytest.mark.parametrize("name", ["r.jsonl.zst", "r.jsonl"])
def test_everything_written_is_read_back_in_order(tmp_path: Path, name: str) -> None:
    lines = [*some_lines(20_000, 300), tick_line("2025-01-01T01:00:00+08:00"), record_line(b"\xff\x00", 5)]
    got, _, reader = read(record(tmp_path / name, lines))
    assert got == lines
    assert reader.header == HEADER
    assert reader.ending is not None
    assert (reader.ending.state, reader.ending.records, reader.ending.verified) == ("complete", 20_002, True)


@pytest.mark.parametrize("name", ["r.jsonl.zst", "r.jsonl"])
@pytest.mark.parametrize("batch", [1, 7, 5000])
def test_reading_resumes_at_every_position_it_gave(tmp_path: Path, name: str, batch: int) -> None:
    lines = some_lines(12_000 if batch > 100 else 300, 1000 if batch > 100 else 0)
    path = record(tmp_path / name, lines)
    _, chunks, _ = read(path, batch=batch)
    assert all(chunk.records <= batch for chunk in chunks)
    for chunk in chunks[:: max(1, len(chunks) // 20)]:
        rest, _, reader = read(path, chunk.after, batch)
        assert rest == lines[chunk.after.record :]
        assert reader.ending is not None
        assert reader.ending.state == "complete"


def test_resuming_in_a_long_recording_does_not_read_it_from_the_start(tmp_path: Path) -> None:
    _, chunks, _ = read(record(tmp_path / "r.jsonl.zst", some_lines(12_000, 1000)))
    last = chunks[-1].after
    assert last.frame > 0
    assert last.before > 9_000


def test_one_big_frame_of_the_zstd_tool_is_read_and_resumed(tmp_path: Path) -> None:
    lines = some_lines(5_000, 100)
    plain = record(tmp_path / "r.jsonl", lines).read_bytes()
    path = tmp_path / "big.jsonl.zst"
    path.write_bytes(zstandard.ZstdCompressor(write_content_size=False).compress(plain))
    got, chunks, _ = read(path, batch=1000)
    assert got == lines
    assert read(path, chunks[2].after)[0] == lines[3_000:]


def test_frames_that_cut_lines_in_two_are_read_and_resumed(tmp_path: Path) -> None:
    lines = some_lines(1_000, 50)
    plain = record(tmp_path / "r.jsonl", lines).read_bytes()
    path = tmp_path / "pieces.jsonl.zst"
    compressor = zstandard.ZstdCompressor()
    path.write_bytes(b"".join(compressor.compress(plain[i : i + 777]) for i in range(0, len(plain), 777)))
    got, chunks, reader = read(path, batch=9)
    assert got == lines
    assert reader.ending is not None
    assert reader.ending.state == "complete"
    for chunk in chunks[::10]:
        assert read(path, chunk.after)[0] == lines[chunk.after.record :]


@settings(max_examples=60, deadline=None)
@given(
    payloads=st.lists(st.binary(max_size=40) | st.sampled_from([b'{"id":"1"}', b"[]", b"", b"\n", b'{"count":1}'])),
    batch=st.integers(1, 9),
    suffix=st.sampled_from([".jsonl", ".jsonl.zst"]),
    data=st.data(),
)
def test_any_bytes_round_trip_at_any_batch_and_position(
    payloads: list[bytes], batch: int, suffix: str, data: st.DataObject
) -> None:
    lines = [record_line(payload, None) for payload in payloads]
    with tempfile.TemporaryDirectory() as folder:
        path = record(Path(folder) / f"r{suffix}", lines)
        got, chunks, reader = read(path, batch=batch)
        assert got == lines
        assert reader.ending is not None
        assert reader.ending.state == "complete"
        if chunks:
            chunk = data.draw(st.sampled_from(chunks))
            assert read(path, chunk.after, batch)[0] == lines[chunk.after.record :]


@settings(max_examples=80, deadline=None)
@given(data=st.data(), suffix=st.sampled_from([".jsonl", ".jsonl.zst"]))
def test_a_file_cut_at_any_byte_gives_the_records_before_the_cut(data: st.DataObject, suffix: str) -> None:
    lines = some_lines(400, 10)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"r{suffix}"
        with RecordingWriter(path, HEADER) as writer:
            for line in lines:
                writer.write_lines(line)
                writer.end_frame()
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole) - 1))
        path.write_bytes(whole[:cut])
        try:
            got, chunks, reader = read(path)
        except SourceError:
            assert cut < 200  # inside the header: there is nothing to read
            return
        assert got == lines[: len(got)]
        assert reader.ending is not None
        whole_but_for_a_newline = suffix == ".jsonl" and cut == len(whole) - 1
        assert reader.ending.state == ("complete" if whole_but_for_a_newline else "truncated")
        assert reader.ending.records == len(got)
        # The whole recording goes on where the cut one ended.
        path.write_bytes(whole)
        after = chunks[-1].after if chunks else START
        assert got + read(path, after)[0] == lines


def test_a_longer_copy_continues_a_shorter_one_and_another_recording_does_not(tmp_path: Path) -> None:
    short = RecordingReader(record(tmp_path / "a.jsonl.zst", some_lines(10, 200)))
    long_path = record(tmp_path / "b.jsonl.zst", some_lines(20_000, 200))
    long = RecordingReader(long_path)
    assert long.continues(short.identity)
    assert long.continues(long.identity)
    assert not short.continues(long.identity)
    other = RecordingReader(record(tmp_path / "c.jsonl", [record_line(b"[]", 1)] * 10))
    assert not other.continues(short.identity)
    # A position from the shorter copy works in the longer one.
    last = list(short.chunks(max_records=4))[-1].after
    assert len(read(long_path, last)[0]) == 19_990


def test_a_changed_record_is_reported_as_altered(tmp_path: Path) -> None:
    path = record(tmp_path / "r.jsonl", some_lines(100))
    path.write_bytes(path.read_bytes().replace(b'"id":"50"', b'"id":"51"'))
    got, _, reader = read(path)
    assert len(got) == 100
    assert reader.ending is not None
    assert reader.ending.state == "altered"
    assert "digest" in reader.ending.message


def test_a_removed_record_is_reported_as_altered(tmp_path: Path) -> None:
    path = record(tmp_path / "r.jsonl", some_lines(100))
    path.write_bytes(path.read_bytes().replace(some_lines(51)[50], b""))
    _, _, reader = read(path)
    assert reader.ending is not None
    assert reader.ending.state == "altered"
    assert "99 were read" in reader.ending.message


def test_a_flipped_bit_never_hands_on_a_changed_record(tmp_path: Path) -> None:
    chance = random.Random(1)  # what does not compress well is stored as it is: only the checksum tells
    lines = [record_line(b'{"id":"%s"}' % chance.randbytes(150).hex().encode(), i) for i in range(12_000)]
    path = record(tmp_path / "r.jsonl.zst", lines)
    whole = path.read_bytes()
    for place in range(len(whole) // 20, len(whole), len(whole) // 12):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        got, _, reader = read(path)
        assert got == lines[: len(got)]
        assert reader.ending is not None
        assert reader.ending.state == "altered"


def test_a_line_longer_than_any_record_is_one_record_and_not_fatal(tmp_path: Path) -> None:
    lines = [*some_lines(2), b"y" * 20_000_000 + b"\n", *some_lines(2)]
    got, _, reader = read(record(tmp_path / "r.jsonl", lines))
    assert (got[:2], got[3:], len(got)) == (lines[:2], lines[3:], 5)
    assert len(got[2]) < 12_000_000
    assert reader.ending is not None
    assert reader.ending.state == "complete"
    assert not reader.ending.verified


def test_the_same_lines_make_the_same_file_however_they_are_handed_in(tmp_path: Path) -> None:
    lines = some_lines(9_000, 400)
    one = record(tmp_path / "a.jsonl.zst", lines).read_bytes()
    other = record(tmp_path / "b.jsonl.zst", [b"".join(lines)]).read_bytes()
    assert one == other


def test_a_recording_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.zst"

    def fail() -> None:
        with RecordingWriter(path, HEADER) as writer:
            writer.write(b"[]", 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("r.jsonl", b"", "empty"),
        ("r.jsonl", b"hello\n", "not JSON"),
        ("r.jsonl", b'{"id":"1","at":"2025-01-01T00:00:00Z"}\n', "no recording header"),
        ("r.jsonl", b'{"recording":1,"schema":2,"profile":"leshan"}\n', "newer"),
        ("r.jsonl", b'{"recording":1,"schema":1,"profile":"leshan"}\n', "span"),
        ("r.jsonl", HEADER.line().replace(b"2025-01-01T00", b"2027-01-01T00"), "ends before"),
        ("r.jsonl.zst", b"hello\n", "not zstd"),
        ("r.jsonl.zst", b"\x28\xb5\x2f\xfdgarbage", "no recording"),
        ("r.jsonl.gz", b"\x1f\x8b\x08", "gzip"),
    ],
)
def test_what_is_no_recording_is_refused_with_what_to_do(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=says) as refused:
        RecordingReader(path)
    assert str(path) in str(refused.value)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        RecordingReader(tmp_path / "r.jsonl")
    with pytest.raises(SourceError, match="directory"):
        RecordingReader(tmp_path)
    with pytest.raises(SourceError, match="cannot be written"):
        RecordingWriter(tmp_path / "missing" / "r.jsonl.zst", HEADER)
