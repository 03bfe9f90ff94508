"""Labels are written and read back; a wrong line is named with what to do."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.replay.labels import Label, LabelError, Shape, read_labels, write_labels

ZONE = ZoneInfo("Asia/Shanghai")
GOOD = (
    '{"id":"1","shape":"burst","counties":["511102"],"category":"noise","signals":["total"],'
    '"start":"2025-03-01T00:00:00+08:00","end":"2025-03-02T00:00:00+08:00","size":40}'
)
words = st.text(min_size=1, max_size=8)
labels = st.builds(
    Label,
    id=words,
    shape=st.sampled_from([shape.value for shape in Shape]),
    counties=st.lists(words, min_size=1, max_size=3).map(tuple),
    category=words,
    signals=st.lists(words, max_size=3).map(tuple),
    start=st.integers(0, 10**15),
    end=st.integers(10**15 + 1, 2 * 10**15),
    size=st.integers(0, 10**6),
)


@given(given_labels=st.lists(labels, unique_by=lambda label: label.id, max_size=6))
def test_labels_round_trip(tmp_path_factory: pytest.TempPathFactory, given_labels: list[Label]) -> None:
    path = tmp_path_factory.mktemp("labels") / "labels.jsonl"
    write_labels(path, given_labels, ZONE)
    assert read_labels(path) == tuple(sorted(given_labels, key=lambda label: (label.start, label.id)))


def test_times_are_written_on_the_citys_clock(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(GOOD + "\n\n", encoding="utf-8")
    write_labels(path, read_labels(path), ZONE)
    assert path.read_text(encoding="utf-8") == GOOD + "\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not a label"),
        (GOOD.replace('"size":40', '"size":"forty"'), "size"),
        (GOOD.replace(',"size":40', ""), "size"),
        (GOOD.replace('"size"', '"text":1,"size"'), "text"),
        (GOOD.replace("2025-03-01T00:00:00+08:00", "2025-03-01T00:00:00"), "zone"),
        (GOOD.replace("2025-03-01T00:00:00+08:00", "last week"), "not a time"),
        (GOOD.replace("2025-03-02", "2025-03-01"), "ends before"),
        (GOOD.replace('["511102"]', "[]"), "county"),
        (GOOD.replace('"id":"1"', '"id":"0"'), "line 1"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(GOOD.replace('"id":"1"', '"id":"0"') + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(LabelError, match=says) as refused:
        read_labels(path)
    assert str(refused.value).startswith(f"{path}:2: ")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no such file"):
        read_labels(tmp_path / "none.jsonl")
    with pytest.raises(LabelError, match="cannot be read"):
        read_labels(tmp_path)
