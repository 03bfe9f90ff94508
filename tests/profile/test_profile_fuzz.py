"""Whatever bytes a profile holds: it loads, or says what is wrong. Nothing else comes out."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.profile import check, load
from tests.profile.small_town import SMALL_TOWN, write

quick = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LINES = SMALL_TOWN.splitlines(keepends=True)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["east", "noise", "hour", "2h", "CN", "US", "2027-02-30", "fair", "[", "{a: b}", "*a", "!x", "<<"]),
)


def loads_or_tells(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), content)
        problems = check(folder)
        if not problems:
            load(folder)
        for problem in problems:
            assert problem.file.endswith("profile.yaml")
            assert 1 <= problem.line <= content.count(b"\n") + content.count(b"\r") + 2
            assert problem.column >= 1
            assert "\n" not in str(problem)


@quick
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    loads_or_tells(content)


@quick
@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`,?\n\t 0123x", max_size=60))
def test_anything_like_yaml(text: str) -> None:
    loads_or_tells(text.encode())


@quick
@given(st.data())
def test_a_good_profile_with_bytes_put_in_or_cut_out(data: st.DataObject) -> None:
    content = bytearray(SMALL_TOWN.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 30))
        content[start : start + length] = data.draw(st.binary(max_size=6))
    loads_or_tells(bytes(content))


@quick
@given(st.data())
def test_a_good_profile_with_one_value_replaced(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(LINES) - 1))
    key = LINES[number].partition(":")[0]
    value = data.draw(SCALARS)
    loads_or_tells("".join([*LINES[:number], f"{key}: {value}\n", *LINES[number + 1 :]]).encode("utf-8", "replace"))


@pytest.mark.parametrize("number", range(len(LINES)))
def test_a_good_profile_without_one_line(number: int) -> None:
    loads_or_tells("".join([*LINES[:number], *LINES[number + 1 :]]).encode())
