"""Every mistake in a scenario is told at its line and column, with what to write instead; all in one go."""

import re
from pathlib import Path
from typing import get_args

import pytest

from streams.profile.problems import Problem
from streams.replay.scenario import ScenarioError, load_scenario, load_scenarios, read_scenario, scenario_files
from streams.replay.scenario_run import run_scenario
from streams.replay.scenario_schema import ScenarioPart
from tests.replay.scenario_texts import SMALL, changed, marked, scenario

EVENT = "{name: burst, at: 2026-06-10T13:00, over: 4h, county: east, category: noise, count: 80}"
ALERT = "{county: east, family: order, signal: total, raised: 2026-06-10T15:00/2026-06-10T20:00, direction: high}"
COUNT = "{county: east, signal: total, size: day, at: 2026-06-11, count: 90..120}"

MISTAKES = [
    ("category: noise, per_day: 20", "category: §nose, per_day: 20", "did you mean noise?"),
    ("category: noise, per_day: 20", "category: noise, per_day: 20, §spred: 0", "did you mean spread?"),
    ("per_day: 20", "per_day: §-1", "write 0.0 or more"),
    ("spread: 1.05", "spread: §0.5", "write 0 (every day the same) or 1.05 to 10"),
    ("county: all", "county: [east, §wset]", "did you mean west?"),
    (EVENT, EVENT.replace("county: east", "county: §eats"), "did you mean east?"),
    (EVENT, EVENT.replace("count: 80", "count: §0"), "write 1 or more"),
    (EVENT, EVENT.replace("over: 4h", "over: §4"), "a number with its unit"),
    (EVENT, EVENT.replace("at: 2026-06-10T13:00", "at: §2026-06-31T13:00"), "is no time"),
    (EVENT, EVENT.replace("at: 2026-06-10T13:00", "at: §2026-06-10"), "2026-06-10T09:00"),
    (EVENT, EVENT.replace("at: 2026-06-10T13:00", "at: §2027-06-10T13:00"), "outside start and end"),
    (EVENT, EVENT.replace("count: 80", "kind: §acepted"), "did you mean accepted?"),
    (EVENT, EVENT.replace("count: 80", "point: §hotlin"), "did you mean hotline?"),
    (EVENT, EVENT.replace("count: 80", "channel: §fone"), "did you mean phone?"),
    (EVENT, EVENT.replace("count: 80", "delay: 3h, ahead: §6min"), "not both"),
    (
        EVENT,
        "§{name: burst, at: 2026-06-10T13:00, county: east}",
        "category is missing; write for example category: noise",
    ),
    (EVENT, EVENT + "\n  - " + EVENT.replace("name: burst", "name: §burst"), "burst is taken"),
    ("{events: burst, at", "{events: §brust, at", "did you mean burst?"),
    ("at: 2026-06-11T10:00, text: hello}", "at: 2026-06-11T10:00, base64: §hello}", "no base64"),
    (ALERT, ALERT.replace("family: order", "family: §oder"), "did you mean order?"),
    (ALERT, ALERT.replace("signal: total", "signal: §totl"), "did you mean total?"),
    (ALERT, ALERT.replace("direction: high", "direction: §up"), "write one of: high, low"),
    (ALERT, ALERT.replace("direction: high", "shape: §brust"), "did you mean burst?"),
    (ALERT, ALERT.replace("direction: high", "ended: §opne"), "or open"),
    (ALERT, ALERT.replace("direction: high", "count: §9..3"), "for example 40 or 38..45"),
    (ALERT, ALERT.replace("direction: high", "joined: [total, §callers]"), "unknown signal"),
    (ALERT, ALERT.replace("2026-06-10T15:00/", "§2026-06-12T15:00/"), "swap the two"),
    (ALERT, ALERT.replace("2026-06-10T15:00/2026-06-10T20:00", "§2027-06-10"), "outside the scenario"),
    ("{county: west}", "{county: §wset}", "did you mean west?"),
    (COUNT, COUNT.replace("size: day", "size: §week"), "write one of: hour, day"),
    (COUNT, COUNT.replace("size: day, at: 2026", "size: hour, at: §2026"), "the time of day too"),
    (COUNT, COUNT.replace("at: 2026-06-11", "at: §2026-07-11"), "outside the scenario"),
    ("{not_json: 1}", "{§notjson: 1}", "did you mean not_json?"),
    ("end: 2026-06-18", "end: §2026-05-01", "later than start"),
    ("end: 2026-06-18", "end: §2036-06-18", "five years"),
    ("seed: 7", "seed: §many", "a whole number"),
    ("seed: 7", "ticks: {every: §1}", "for example 1h, or never"),
    ("seed: 7", "§sead: 7", "did you mean seed?"),
    ("zone: Asia/Shanghai", "zone: §Asia/Shanghia", "did you mean Asia/Shanghai?"),
    ("family: order, points: [hotline, desk]", "family: §odrer, points: [hotline, desk]", "did you mean order?"),
]


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as caught:
        read_scenario("small.yaml", text.encode())
    return caught.value.problems


def test_the_small_scenario_itself_is_fine() -> None:
    assert scenario().title_en == "A small scenario"


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[new[:60] for _, new, _ in MISTAKES])
def test_a_mistake_is_told_at_its_place_with_what_to_write(old: str, new: str, said: str) -> None:
    text, line, column = marked(changed(old, new))
    (problem,) = problems_of(text)
    assert (problem.file, problem.line, problem.column) == ("small.yaml", line, column)
    assert said in problem.text_en
    assert problem.text


def test_all_mistakes_of_all_kinds_are_told_at_once() -> None:
    text = changed(
        "per_day: 20", "per_day: many",
        "{events: burst, at", "{events: brust, at",
        ALERT, ALERT.replace("family: order", "family: oder"),
        "seed: 7", "sead: 7",
    )  # fmt: skip
    said = [problem.text_en for problem in problems_of(text)]
    assert [any(word in one for one in said) for word in ("many", "brust", "oder", "sead")] == [True] * 4


def test_a_broken_item_does_not_move_the_places_of_the_others() -> None:
    text, line, column = marked(changed(EVENT, "{at: 2026}\n  - " + EVENT.replace("county: east", "county: §eats")))
    assert (line, column) in [(problem.line, problem.column) for problem in problems_of(text)]


def test_a_local_time_that_is_not_or_is_twice_needs_its_offset() -> None:
    boston = changed("zone: Asia/Shanghai", "zone: America/New_York", 'day_start: "12:00"', 'day_start: "00:00"')
    for at, wanted in (("2026-03-08T02:30", False), ("2026-11-01T01:30", False), ("2026-11-01T01:30-05:00", True)):
        text = boston.replace("start: 2026-05-12", "start: 2026-03-01").replace("end: 2026-06-18", "end: 2026-11-30")
        text = text.replace("{at: 2026-06-11T10:00, text: hello}", f'{{at: "{at}", text: hello}}')
        if wanted:
            read_scenario("small.yaml", text.encode())
        else:
            assert "write an offset" in problems_of(text)[0].text_en


def test_profiles_come_by_name_from_beside_the_file_and_from_within(tmp_path: Path) -> None:
    inner = SMALL[SMALL.index("  name: small_town") : SMALL.index("start: 2026")]
    (tmp_path / "towns").mkdir()
    (tmp_path / "towns" / "small.yaml").write_text("\n".join(line[2:] for line in inner.splitlines()))
    beside = SMALL.replace("profile:\n" + inner, "profile: towns/small.yaml\n")
    (tmp_path / "a.yaml").write_text(beside)
    assert load_scenario(tmp_path / "a.yaml").profile.city == scenario().profile.city
    (tmp_path / "b.yaml").write_text("title: b\nprofile: leshan\nstart: 2026-01-05\nend: 2026-01-05\n")
    assert load_scenario(tmp_path / "b.yaml").profile.name == "leshan"
    text, line, column = marked(SMALL.replace("profile:\n" + inner, "profile: §leshna\n"))
    (problem,) = problems_of(text)
    assert (problem.line, problem.column) == (line, column)
    assert "did you mean leshan?" in problem.text_en


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"title: [", b"\xff\xfe", b"title: x\ttab: y\n\t- z", b"null"])
def test_what_is_no_scenario_at_all_is_told_without_a_traceback(content: bytes) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario("x.yaml", content)
    assert all(problem.file == "x.yaml" for problem in caught.value.problems)


def test_the_problems_of_all_files_are_told_together(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml"):
        (tmp_path / name).write_text("title: x\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenarios([*scenario_files(tmp_path), tmp_path / "missing.yaml"])
    assert [Path(problem.file).name[0] for problem in caught.value.problems] == ["a"] * 3 + ["b"] * 3 + ["m"]


def test_a_folder_without_scenarios_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"no \*\.yaml"):
        scenario_files(tmp_path)


def test_the_reference_names_every_key_and_no_other() -> None:
    text = (Path(__file__).parents[1] / "scenarios" / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", text, re.MULTILINE))
    sections = {name: field.annotation for name, field in ScenarioPart.model_fields.items()}
    for name in ("background", "events", "resend", "raw", "ticks", "alerts", "silences", "counts", "accounting"):
        part = next((a for a in (sections[name], *get_args(sections[name])) if hasattr(a, "model_fields")), None)
        assert part is not None, name
        words = set(re.findall(r"`([a-z_0-9]+)`", rows[name])) - {"open", "never", "resend", "at"}
        assert words == set(part.model_fields) - {"at"}, name
    assert set(rows) == set(sections) - {"title", "title_en", "about", "profile", "start", "end", "seed"}


def test_the_example_of_the_reference_holds() -> None:
    text = (Path(__file__).parents[1] / "scenarios" / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    result = run_scenario(read_scenario("README.md", example[1].encode()))
    assert result.passed, "\n".join(str(finding) for finding in result.findings)
