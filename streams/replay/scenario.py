"""A scenario: a profile, the events of some days in a compact form, the alerts and the silences that are expected.

`load_scenario` reads one from YAML, or tells every mistake in it with its line and column; `run_scenario` of
`streams.replay.scenario_run` runs it through the three steps and compares.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from streams.profile.document import MOST_BYTES, Place, read
from streams.profile.explain import explain
from streams.profile.problems import Problem, ProfileError
from streams.replay.scenario_compile import Compiler
from streams.replay.scenario_model import Scenario
from streams.replay.scenario_profile import profile_of
from streams.replay.scenario_schema import ScenarioPart

__all__ = ["Scenario", "ScenarioError", "load_scenario", "load_scenarios", "scenario_files"]


class ScenarioError(ProfileError):
    """A scenario that cannot be run, with every problem that was found in it."""


def scenario_files(path: str | Path) -> list[Path]:
    """The file itself, or all *.yaml of a folder by name (not of folders in it). Raises ScenarioError."""
    path = Path(path)
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.glob("*.yaml") if p.is_file() and not p.name.startswith("."))
    if not found:
        zh, en = "文件夹里没有 .yaml 场景", "no *.yaml in this folder; give a scenario, or a folder of them"
        raise ScenarioError([Problem(str(path), 1, 1, zh, en)])
    return found


def load_scenarios(paths: Iterable[str | Path]) -> list[Scenario]:
    """Scenarios in the order of their files. Raises ScenarioError with the problems of all of them."""
    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            scenarios.append(load_scenario(path))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return scenarios


def load_scenario(path: str | Path) -> Scenario:
    """The scenario of a YAML file. Raises ScenarioError with every problem that was found."""
    shown = str(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        zh, en = f"读不了（{why}）；请给一个场景文件", f"cannot be read ({why}); give a scenario, or a folder of them"
        raise ScenarioError([Problem(shown, 1, 1, zh, en)]) from None
    return read_scenario(shown, content)


def read_scenario(shown: str, content: bytes) -> Scenario:
    """The scenario that a text describes; `shown` is its file's name. Raises ScenarioError."""
    document = read([(shown, content)], Place(shown, 1, 1))
    part: ScenarioPart | None
    sound: dict[str, list[int]] = {}
    try:
        part = ScenarioPart.model_validate(document.data)
    except ValidationError as error:
        explain(document, error, ScenarioPart)
        part, sound = _sound(document.data, error)
    profile = profile_of(document, Path(shown).parent) if "profile" in document.data else None
    scenario = None if part is None or profile is None else Compiler(document, part, profile, shown, sound).scenario()
    if document.problems or scenario is None:
        raise ScenarioError(document.problems)
    return scenario


def _sound(data: Mapping[str, object], error: ValidationError) -> tuple[ScenarioPart | None, dict[str, list[int]]]:
    """What is left of a scenario without the items that are wrong by themselves, so that one run tells of the others
    too; and for each list that lost some, the numbers of those that stay. None where too little is left."""
    bad: dict[str, set[int]] = {}
    for detail in error.errors(include_url=False):
        section, *rest = detail["loc"]
        items = data.get(str(section))
        number = rest[0] if rest and isinstance(rest[0], int) else None
        every = set(range(len(items))) if isinstance(items, list) else set()
        bad.setdefault(str(section), set()).update(every if number is None else {number})
    left: dict[str, object] = {"title": "-"}
    sound: dict[str, list[int]] = {}
    for name, value in data.items():
        if name not in bad:
            left[name] = value
        elif isinstance(value, list):
            sound[name] = [i for i in range(len(value)) if i not in bad[name]]
            left[name] = [value[i] for i in sound[name]]
    try:
        return ScenarioPart.model_validate(left), sound
    except ValidationError:
        return None, {}
