"""The profile of a scenario: a bundled one, one in a file or folder beside it, or one written inside it."""

from pathlib import Path

from pydantic import ValidationError

from streams.profile.compile import compile_profile
from streams.profile.crosscheck import crosscheck
from streams.profile.document import Document
from streams.profile.explain import explain
from streams.profile.load import DETECTORS, bundled, load
from streams.profile.model import Profile
from streams.profile.problems import ProfileError, instead, quoted
from streams.profile.schema import ProfilePart

KEY = "profile"


def profile_of(document: Document, folder: Path) -> Profile | None:
    """The profile that a scenario's document names or holds; None where the document now has problems about it.

    `folder` is the scenario's own: paths are relative to it.
    """
    written = document.data[KEY]
    if isinstance(written, dict):
        return _inline(document)
    name = document.text(KEY)
    if not name:
        zh = f"{quoted(written)} 不是配置；写名称（如 leshan）、路径，或“名称: 值”的对照"
        en = f"{quoted(written)} is no profile; write a name such as leshan, a path, or a profile's own keys"
        document.at_value((KEY,), (zh, en))
        return None
    try:
        if name in bundled():
            return load(name)
        if (folder / name).exists():
            return load(folder / name)
    except ProfileError as error:
        document.problems += error.problems
        return None
    except (OSError, ValueError):  # a name too long for the file system, or with a NUL in it
        pass
    zh, en = instead(name, bundled())
    document.at_value(
        (KEY,),
        (
            f"没有名为 {quoted(name)} 的配置，{quoted(folder)} 下也没有这个路径；{zh}",
            f"no profile is called {quoted(name)} and there is no such path in {quoted(folder)}; {en}",
        ),
    )
    return None


def _inline(document: Document) -> Profile | None:
    """A profile that is a mapping in the scenario: checked like any other, its problems at their own places."""
    inner = Document(document.value_place((KEY,)), data=dict(document.mapping(KEY)))
    inner.keys = {path[1:]: place for path, place in document.keys.items() if path[0] == KEY and len(path) > 1}
    inner.values = {path[1:]: place for path, place in document.values.items() if path[0] == KEY and len(path) > 1}
    part: ProfilePart | None = None
    try:
        part = ProfilePart.model_validate(inner.data)
    except ValidationError as error:
        explain(inner, error)
    crosscheck(inner, DETECTORS)
    document.problems += inner.problems
    return None if inner.problems or part is None else compile_profile(part, inner.start.file)
