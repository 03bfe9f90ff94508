"""`load`: a profile by name or folder, or every problem that it has."""

from collections.abc import Collection, Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from streams.profile.compile import compile_profile
from streams.profile.crosscheck import crosscheck
from streams.profile.document import MOST_BYTES, Document, Place, read
from streams.profile.explain import explain
from streams.profile.model import Profile
from streams.profile.problems import Problem, ProfileError, instead, quoted
from streams.profile.schema import ProfilePart

_MAIN = "profile.yaml"

DETECTORS = (
    "counts",
    "outbreak",
    "shift",
    "scan",
    "rates",
    "half_space_trees",
    "gaussian_scorer",
    "snarimax",
    "adwin",
    "page_hinkley",
)
"""The names in detectors.registry, held to it by a test: importing them all would slow every reading of a profile."""


def bundled() -> tuple[str, ...]:
    """Names of the profiles that come with jiantu, sorted."""
    folder = files("streams") / "profiles"
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name.isidentifier()))


def load(name_or_dir: str | Path, detectors: Collection[str] = DETECTORS) -> Profile:
    """The profile of a name that comes with jiantu, of a folder of YAML files, or of a single YAML file.

    `detectors` are the names that signals may use. Raises ProfileError, with every problem of every file.
    """
    document, part, profile = _read(name_or_dir, detectors)
    if document.problems or part is None or profile is None:
        raise ProfileError(document.problems)
    return profile


def check(name_or_dir: str | Path, detectors: Collection[str] = DETECTORS) -> list[Problem]:
    """Every problem of a profile, sorted by file, line and column; [] for none."""
    try:
        load(name_or_dir, detectors)
    except ProfileError as error:
        return list(error.problems)
    return []


def _read(name_or_dir: str | Path, detectors: Collection[str]) -> tuple[Document, ProfilePart | None, Profile | None]:
    origin, folder, problems = _locate(str(name_or_dir))
    if folder is None:
        document = Document(Place(origin, 1, 1), problems=problems)
        return document, None, None
    contents, start = _contents(origin, folder, problems)
    document = read(contents, start)
    document.problems += problems
    if problems:
        document.broken = True
    part = _validate(document)
    crosscheck(document, detectors)
    if document.problems or part is None:
        return document, None, None
    return document, part, compile_profile(part, origin)


def _validate(document: Document) -> ProfilePart | None:
    try:
        return ProfilePart.model_validate(document.data)
    except ValidationError as error:
        explain(document, error)
        return None


def _locate(name: str) -> tuple[str, Traversable | None, list[Problem]]:
    """Where a profile is, as shown to people, and its folder or file."""
    names = bundled()
    if name in names:
        folder = files("streams") / "profiles" / name
        return (str(folder) if isinstance(folder, Path) else name), folder, []
    try:
        path = Path(name)
        if name and path.exists():
            return name, path, []
    except (OSError, ValueError):  # a name too long for the file system, or with a NUL in it
        pass
    zh, en = instead(name, names)
    shown = quoted(name)
    problem = Problem(
        name if name.isprintable() and name else shown,
        1,
        1,
        f"没有名为 {shown} 的配置，也没有这个文件夹；{zh}",
        f"no profile and no folder is called {shown}; {en}",
    )
    return name, None, [problem]


def _contents(origin: str, folder: Traversable, problems: list[Problem]) -> tuple[list[tuple[str, bytes]], Place]:
    """The YAML files of a folder, by name, with what cannot be read among the problems."""
    if folder.is_file():
        found: Iterable[Traversable] = [folder]
        shown = {folder.name: origin}
    else:
        try:
            entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(_unreadable(origin, error))
            entries = []
        found = [entry for entry in entries if entry.name.endswith(".yaml") and not entry.name.startswith(".")]
        shown = {entry.name: str(Path(origin) / entry.name) for entry in entries}
        for entry in entries:
            if entry.name.endswith((".yml", ".YAML", ".YML")):
                zh, en = "文件名请以 .yaml 结尾", "the name must end in .yaml; rename the file"
                problems.append(Problem(shown[entry.name], 1, 1, zh, en))
    contents: list[tuple[str, bytes]] = []
    for entry in found:
        try:
            with entry.open("rb") as file:
                contents.append((shown[entry.name], file.read(MOST_BYTES + 1)))
        except OSError as error:
            problems.append(_unreadable(shown[entry.name], error))
    if not contents and not problems:
        zh = "这里没有 .yaml 文件；照 streams/profiles/leshan 写一份"
        problems.append(Problem(origin, 1, 1, zh, "no .yaml file here; write one as in streams/profiles/leshan"))
    names = [name for name, _ in contents]
    main = next((name for name in names if Path(name).name == _MAIN), names[0] if names else origin)
    return contents, Place(main, 1, 1)


def _unreadable(shown: str, error: OSError) -> Problem:
    why = error.strerror or type(error).__name__
    return Problem(shown, 1, 1, f"读不了（{why}）；检查权限", f"cannot be read ({why}); check its permissions")
