"""Whatever is written in a scenario, it is a scenario or a list of problems with their places: never a traceback."""

import base64

from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.profile.problems import Problem
from streams.replay.scenario import ScenarioError, read_scenario
from streams.replay.scenario_records import record_lines
from tests.replay.scenario_texts import SMALL

LINES = SMALL.splitlines()
WORDS = [
    "", "null", "0", "-1", "1e999", ".nan", "true", "[]", "{}", "[1, [2]]", "2026-06-10", "9999-12-31", "1970-01-01",
    "2026-06-10T25:00", "2026-06-10/2026-06-01", "all", "city", "open", "never", "999999w", "1..2",
    "\u202e", "*a", "<<: 1",
]  # fmt: skip


def checked(text: str | bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        made = record_lines(read_scenario("x.yaml", text.encode() if isinstance(text, str) else text))
    except ScenarioError as error:
        made, problems = [], error.problems
    assert bool(made) is not bool(problems)
    assert all(problem.line >= 1 and problem.column >= 1 and problem.text for problem in problems)


@settings(max_examples=60)
@given(st.integers(0, len(LINES) - 1), st.sampled_from(WORDS), st.integers(0, 3))
@example(LINES.index("end: 2026-06-18"), "9999-12-31", 1)
def test_any_value_in_place_of_any_other(number: int, word: str, which: int) -> None:
    lines = list(LINES)
    parts = lines[number].split(": ")
    place = min(which, len(parts) - 1)
    parts[place] = word + parts[place][parts[place].find(",") :] if "," in parts[place] else word
    lines[number] = ": ".join(parts)
    checked("\n".join(lines))


@settings(max_examples=40)
@given(st.data())
def test_lines_lost_doubled_and_swapped(data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(range(len(LINES))), max_size=len(LINES)))
    checked("\n".join(LINES[number] for number in (kept if data.draw(st.booleans()) else sorted(kept))))


@settings(max_examples=20)
@given(st.binary(max_size=60), st.integers(0, len(SMALL)))
def test_any_bytes_in_the_middle(junk: bytes, place: int) -> None:
    checked(SMALL.encode()[:place] + junk + SMALL.encode()[place:])
    checked(SMALL.replace("text: hello", f"base64: {base64.b64encode(junk).decode()!r}"))
