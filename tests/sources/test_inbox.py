"""An inbox: every record that was acknowledged, once, in order, whatever was cut off behind it."""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from streams.core.instant import parse_instant
from streams.sources.contract import START, Position, SourceError
from streams.sources.inbox import InboxFullError, InboxHeader, InboxReader, InboxWriter, is_live, segments
from streams.sources.recording import RecordingReader

BEGIN = parse_instant("2025-06-02T12:00:00+08:00")
NOISE = "".join(chr(33 + (n * n) % 90) for n in range(200))


def line(number: int) -> bytes:
    return b'{"event":{"id":"%d %b"}}\n' % (number, NOISE[number % 100 :].encode())


def begun(folder: Path, *, segment: int = 1 << 26, pages: bool = True) -> InboxWriter:
    return InboxWriter.begin(folder, InboxHeader.of("leshan", BEGIN, pages=pages), segment=segment)


def filled(folder: Path, groups: Sequence[int], *, segment: int = 1 << 26) -> list[bytes]:
    """An inbox of so many records in each append; all of its lines."""
    writer = begun(folder, segment=segment)
    lines: list[bytes] = []
    for records in groups:
        new = [line(len(lines) + n) for n in range(records)]
        assert writer.append(new).record == len(lines)
        lines += new
    writer.close()
    return lines


def read(folder: Path, position: Position = START, most: int = 7) -> list[bytes]:
    reader = InboxReader(folder)
    found = [one for chunk in reader.chunks(position, most) for one in chunk.lines.splitlines(keepends=True)]
    assert reader.ending is not None
    assert reader.ending.state == "complete", reader.ending
    return found


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    lines = filled(tmp_path, [3, 1, 50, 1])
    assert read(tmp_path) == lines


def test_a_large_append_is_several_frames_and_read_as_one(tmp_path: Path) -> None:
    big = [b'{"event":{"id":"' + b"x" * 300_000 + b'"}}\n' for _ in range(12)]
    writer = begun(tmp_path)
    writer.append(big)
    writer.close()
    assert read(tmp_path, most=1) == big


@pytest.mark.parametrize("segment", [1, 2_000, 1 << 26])
def test_every_position_is_one_to_go_on_from(tmp_path: Path, segment: int) -> None:
    lines = filled(tmp_path, [4] * 10, segment=segment)
    positions = [START] + [chunk.after for chunk in InboxReader(tmp_path).chunks(max_records=3)]
    for position in positions:
        assert read(tmp_path, position) == lines[position.record :], position


@pytest.mark.parametrize("segment", [1, 2_000, 1 << 26])
def test_the_writers_positions_are_too(tmp_path: Path, segment: int) -> None:
    """A checkpoint holds where an append began, and which record comes next."""
    writer = begun(tmp_path, segment=segment)
    lines = [line(n) for n in range(30)]
    positions = []
    for first in range(0, 30, 3):
        start = writer.append(lines[first : first + 3])
        positions += [Position(start.frame, start.before, first + n) for n in range(4)]
        positions.append(writer.position)
    writer.close()
    for position in positions:
        assert read(tmp_path, position) == lines[position.record :], position


def test_a_full_segment_is_a_recording_of_its_own(tmp_path: Path) -> None:
    lines = filled(tmp_path, [5] * 6, segment=1)
    found = segments(tmp_path)
    assert [first for _, first in found] == [0, 5, 10, 15, 20, 25]
    for path, first in found[:-1]:
        reader = RecordingReader(path)
        assert b"".join(chunk.lines for chunk in reader.chunks()) == b"".join(lines[first : first + 5])
        assert reader.ending is not None
        assert (reader.ending.state, reader.ending.verified) == ("complete", True)


@pytest.mark.parametrize("segment", [1, 1 << 26])
def test_opened_again_it_goes_on(tmp_path: Path, segment: int) -> None:
    lines = filled(tmp_path, [5, 5], segment=segment)
    for _ in range(3):
        writer = InboxWriter(tmp_path, segment=segment)
        assert (writer.record, writer.cut) == (len(lines), 0)
        new = [line(len(lines) + n) for n in range(2)]
        writer.append(new)
        lines += new
        writer.close()
    assert read(tmp_path) == lines


def test_cut_anywhere_it_keeps_what_is_whole_and_puts_the_rest_aside(tmp_path: Path) -> None:
    """Of a write that was cut short nobody had been answered for."""
    lines = filled(tmp_path / "whole", [3, 2])
    path = segments(tmp_path / "whole")[0].path
    content = path.read_bytes()
    ends = [0, 0, 0]
    for records, target in ((0, 0), (3, 1), (5, 2)):
        ends[target] = _end_of(content, records, tmp_path)
    for size in range(ends[0], len(content) + 1):
        folder = tmp_path / f"cut {size}"
        folder.mkdir()
        (folder / path.name).write_bytes(content[:size])
        kept = 5 if size >= ends[2] else 3 if size >= ends[1] else 0
        writer = InboxWriter(folder)
        assert writer.record == kept, size
        assert writer.cut == size - {0: ends[0], 3: ends[1], 5: ends[2]}[kept]
        writer.append([line(1000)])
        writer.close()
        assert read(folder) == [*lines[:kept], line(1000)]
        aside = b"".join(one.read_bytes() for one in folder.iterdir() if "cut-at" in one.name)
        assert len(aside) == writer.cut


def _end_of(content: bytes, records: int, tmp_path: Path) -> int:
    """The fewest bytes of a segment that hold so many records."""
    for size in range(len(content) + 1):
        path = tmp_path / "part.jsonl.zst"
        path.write_bytes(content[:size])
        try:
            reader = RecordingReader(path, growing=True)
        except SourceError:
            continue
        list(reader.chunks())
        if reader.ending is not None and reader.ending.state == "complete" and reader.ending.records == records:
            return size
    raise AssertionError(records)


def test_zeros_at_the_end_as_a_power_cut_leaves_them_are_cut_off(tmp_path: Path) -> None:
    lines = filled(tmp_path, [4])
    path = segments(tmp_path)[0].path
    with path.open("ab") as file:
        file.write(bytes(4096))
    writer = InboxWriter(tmp_path)
    assert (writer.record, writer.cut) == (4, 4096)
    writer.close()
    assert read(tmp_path) == lines


def test_killed_between_two_segments_it_begins_the_next(tmp_path: Path) -> None:
    lines = filled(tmp_path, [5, 5], segment=1)
    segments(tmp_path)[-1].path.unlink()
    writer = InboxWriter(tmp_path, segment=1)
    writer.append([line(1)])
    writer.close()
    assert read(tmp_path) == [*lines[:5], line(1)]


def test_without_room_nothing_is_there_and_it_goes_on_when_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk takes half of a write, and then no more; tests/service fills a real one."""
    lines = filled(tmp_path, [3])
    writer = InboxWriter(tmp_path)
    real = os.write
    full = OSError(errno.ENOSPC, "No space left on device")

    def half(file: int, data: bytes) -> int:
        if len(data) < 40:
            raise full
        return real(file, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    for _ in range(2):
        with pytest.raises(InboxFullError, match="no space left; what was sent was not taken in"):
            writer.append([line(n) for n in range(3, 9)])
    monkeypatch.undo()
    writer.append([line(99)])
    writer.close()
    assert read(tmp_path) == [*lines, line(99)]


@pytest.mark.parametrize("segment", [1, 1 << 26])
def test_what_was_appended_is_on_the_disk_and_so_is_its_name(
    segment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only with the system, as a killed process leaves it: a power cut takes that away."""
    on_disk: dict[int, int] = {}

    def noting(sync: Callable[[int], None]) -> Callable[[int], None]:
        def noted(file: int) -> None:
            sync(file)
            on_disk[os.fstat(file).st_ino] = os.fstat(file).st_size

        return noted

    monkeypatch.setattr(os, "fsync", noting(os.fsync))
    monkeypatch.setattr(os, "fdatasync", noting(os.fdatasync))
    writer = begun(tmp_path, segment=segment)
    for number in range(4):
        writer.append([line(number)])
        for path, _ in segments(tmp_path):
            assert on_disk[path.stat().st_ino] == path.stat().st_size, path
        assert tmp_path.stat().st_ino in on_disk
    writer.close()


def test_what_retention_let_go_is_said_and_the_rest_can_be_read(tmp_path: Path) -> None:
    lines = filled(tmp_path, [5] * 4, segment=1)
    segments(tmp_path)[0].path.unlink()
    assert read(tmp_path, Position(record=5)) == lines[5:]
    with pytest.raises(SourceError, match="record 0 is gone; the oldest kept is 5"):
        list(InboxReader(tmp_path).chunks())
    writer = InboxWriter(tmp_path)
    assert writer.record == 20
    writer.close()


def test_no_inbox_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no inbox of a live service"):
        InboxReader(tmp_path)
    (tmp_path / "000000000000000000.jsonl.zst").write_bytes(b"once upon a time")
    with pytest.raises(SourceError, match="is not zstd"):
        InboxReader(tmp_path)


def test_an_inbox_is_known_by_its_name_and_by_whose_data_it_holds(tmp_path: Path) -> None:
    for name, pages in (("a", True), ("b", False)):
        begun(tmp_path / name, pages=pages).close()
    one, other = InboxReader(tmp_path / "a"), InboxReader(tmp_path / "b")
    assert (is_live(one.identity), is_live(other.identity)) == (True, False)
    assert one.continues(one.identity)
    assert not one.continues(other.identity)
    assert one.span[0] == BEGIN


def test_an_inbox_is_not_for_everybody_on_the_machine(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        filled(tmp_path, [1, 1], segment=1)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path, _ in segments(tmp_path)} == {0o640}
