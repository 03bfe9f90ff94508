"""The laws that can be checked without running anything: purity, direction of imports, the folder map, house rules."""

import ast
import os
import re
import shutil
import subprocess
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))
PACKAGES = ("streams", "detectors", "dashboards")
PURE = ("streams/core/", "detectors/")


def project_files() -> list[PurePosixPath]:
    """What git tracks, where this is a checkout; else everything that is not hidden. Relative, sorted."""
    git = shutil.which("git")
    listed = git and subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed and listed.returncode == 0 and listed.stdout:
        names = [name for name in listed.stdout.split("\0") if name]
    else:
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
        names = [name for name in names if "__pycache__" not in name and not name.startswith(".venv")]
    return sorted(PurePosixPath(name) for name in names)


def contents(suffix: str = "", under: tuple[str, ...] = ("",)) -> Iterator[tuple[str, str]]:
    """Path and text of the project's text files."""
    for name in project_files():
        if name.suffix.endswith(suffix) and str(name).startswith(under):
            try:
                yield str(name), (ROOT / name).read_text(encoding="utf-8")
            except (UnicodeDecodeError, FileNotFoundError):  # a recording; a file removed and not yet committed
                continue


def syntax_trees(*under: str) -> Iterator[tuple[str, ast.AST]]:
    for path, text in contents(".py", under):
        yield path, ast.parse(text, path)


# ---- a planted violation is caught: the real tools with the real settings, on a small tree of the same shape ----


class Plant(NamedTuple):
    path: str
    code: str
    said: str
    """What the tool that catches it prints."""


IMPORTS = [
    Plant("streams/core/a.py", "import sqlite3", "streams.core.a -> sqlite3"),
    Plant("streams/core/b.py", "from pathlib import Path", "streams.core.b -> pathlib"),
    Plant("streams/core/c.py", "from streams import clock", "streams.core.c -> streams.clock"),
    Plant("streams/core/d.py", "def f() -> None:\n    import logging", "streams.core.d -> logging"),
    Plant("streams/ledger/a.py", "from streams.runtime import x", "streams.ledger.a -> streams.runtime.x"),
    Plant("streams/profile/a.py", "from streams import cli", "streams.profile.a -> streams.cli"),
    Plant("streams/utilities/__init__.py", "", "utilities"),
    Plant("detectors/a.py", "import random", "detectors.a -> random"),
    Plant("detectors/b.py", "from streams.core import alert", "detectors is not allowed to import streams"),
    Plant("dashboards/a.py", "from streams.ledger import x", "dashboards is not allowed to import streams.ledger"),
]

CALLS = [
    Plant("streams/core/t1.py", "import time\n\nNOW = time.time()", "`time.time` is banned"),
    Plant("streams/core/t2.py", "from time import monotonic as m\n\nNOW = m()", "`time.monotonic` is banned"),
    Plant("streams/runtime/t3.py", "import time as t\n\nt.sleep(1)", "`time.sleep` is banned"),
    Plant(
        "streams/runtime/t4.py", "from datetime import UTC, datetime\n\ndatetime.now(UTC)", "`datetime.datetime.now`"
    ),
    Plant("streams/runtime/t5.py", "import datetime as d\n\nd.date.today()", "`datetime.date.today` is banned"),
    Plant("detectors/t6.py", "import random\n\nrandom.shuffle([])", "`random.shuffle` is banned"),
    Plant("detectors/t7.py", "import numpy as np\n\nnp.random.rand(3)", "`numpy.random.rand` is banned"),
    Plant("streams/sinks/t8.py", "from uuid import uuid4\n\nuuid4()", "`uuid.uuid4` is banned"),
    Plant("streams/sinks/t9.py", "import os\n\nos.urandom(8)", "`os.urandom` is banned"),
    Plant("streams/core/t10.py", "print(open('x'))", "PTH123"),
    Plant("streams/core/t11.py", "print('x')", "T201"),
]

LAYERS = ("runtime", "sources", "sinks", "ledger", "profile", "core")
MODULES = ("cli", "clock", "wiring", "runtime/x", "core/alert")


def small_tree(at: Path, plants: list[Plant]) -> Path:
    shutil.copy(ROOT / "pyproject.toml", at)
    for package in (*PACKAGES, *(f"streams/{layer}" for layer in LAYERS)):
        (at / package).mkdir()
        (at / package / "__init__.py").write_text('"""A package."""\n')
    for module in MODULES:
        (at / f"streams/{module}.py").write_text('"""A module."""\n')
    (at / "streams/clock.py").write_text('"""The clock."""\n\nimport time\n\nNOW = time.time()\n')
    for plant in plants:
        (at / plant.path).parent.mkdir(exist_ok=True)
        (at / plant.path).write_text(f'"""Planted."""\n\n{plant.code}\n')
    return at


def lint(tool: str, *arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("RUFF_", "PYTHON"))}
    return subprocess.run(
        [SCRIPTS / tool, *arguments], cwd=at, env=bare | {"COLUMNS": "200"}, capture_output=True, text=True, check=False
    )


def import_linter(at: Path) -> subprocess.CompletedProcess[str]:
    return lint("lint-imports", "--no-cache", "--no-logo", at=at)


def ruff(at: Path) -> subprocess.CompletedProcess[str]:
    return lint("ruff", "check", "--no-cache", "--output-format=concise", ".", at=at)


@pytest.fixture(scope="module")
def planted_imports(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = import_linter(small_tree(tmp_path_factory.mktemp("imports"), IMPORTS))
    assert found.returncode == 1, found.stdout + found.stderr
    return " ".join(found.stdout.split())


@pytest.fixture(scope="module")
def planted_calls(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = ruff(small_tree(tmp_path_factory.mktemp("calls"), CALLS))
    assert found.returncode == 1, found.stdout + found.stderr
    return found.stdout


def test_a_tree_without_violations_passes(tmp_path: Path) -> None:
    small_tree(tmp_path, [])
    for found in (import_linter(tmp_path), ruff(tmp_path)):
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("plant", IMPORTS, ids=lambda plant: plant.path)
def test_import_linter_catches(plant: Plant, planted_imports: str) -> None:
    assert plant.said in planted_imports


@pytest.mark.parametrize("plant", CALLS, ids=lambda plant: plant.path)
def test_ruff_catches(plant: Plant, planted_calls: str) -> None:
    lines = [line for line in planted_calls.splitlines() if line.startswith(f"{plant.path}:")]
    assert any(plant.said in line for line in lines), planted_calls


# ---- the settings themselves have no holes -----------------------------------------------------------------------


def test_no_module_is_exempt() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert "overrides" not in tool["mypy"]
    assert not any("ignore_imports" in contract for contract in tool["importlinter"]["contracts"])
    excused = [path for path, rules in tool["ruff"]["lint"]["per-file-ignores"].items() if "TID251" in rules]
    assert excused == ["streams/clock.py", "streams/service/token_secret.py", "tests/**"]


def test_no_line_excuses_itself_from_the_clock_rule() -> None:
    # DTZ007 is about strptime, which reads no clock: a source gives the time its zone in the next step.
    excuse = re.compile(r"#\s*(ruff|flake8)\s*:\s*noqa|#\s*noqa.*\b(TID|DTZ(?!007)|NPY)\d")
    said = [path for path, text in contents(".py", PACKAGES) if excuse.search(text)]
    assert said == []


def test_two_files_import_faust() -> None:
    """What it is pinned for, and what a new one would change, is in them."""
    importing = set()
    for path, tree in syntax_trees("streams/", "detectors/"):
        names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        if any(name.partition(".")[0] in {"faust", "mode"} for name in names):
            importing.add(path)
    assert importing == {"streams/runtime/faust_transport.py", "streams/runtime/faust_worker.py"}


def test_the_core_calls_no_builtin_that_reaches_out() -> None:
    banned = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}
    banned |= {"hash"}  # differs from process to process
    used = [
        f"{path}:{node.lineno} {node.func.id}"
        for path, tree in syntax_trees(*PURE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in banned
    ]
    assert used == []


def test_randomness_has_a_seed_and_a_time_its_zone() -> None:
    """What ruff cannot see: default_rng() and Random() seed themselves, astimezone() asks the machine."""
    asks = {"default_rng", "Random", "astimezone", "RandomState"}
    used = [
        f"{path}:{node.lineno} {name}()"
        for path, tree in syntax_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and not node.args and not node.keywords
        for name in [getattr(node.func, "attr", getattr(node.func, "id", ""))]
        if name in asks
    ]
    assert used == []


# ---- the folder map in README -------------------------------------------------------------------------------------


def folder_map() -> set[str]:
    """The paths of the block under `## Folder map`; a folder ends with a slash, its contents are indented."""
    readme = (ROOT / "README.md").read_text()
    block = re.search(r"^## (?:Folder map|目录)[^\n]*\n.*?^```[a-z]*\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert block, "README.md has no fenced block under a heading `## Folder map`"
    paths: set[str] = set()
    inside: list[tuple[int, str]] = []  # the folders above the current line, each with its indent
    for line in block[1].splitlines():
        names = re.split(r"\s{2,}", line.strip())[0].split()
        if not names:
            continue
        indent = len(line) - len(line.lstrip())
        while inside and inside[-1][0] >= indent:
            inside.pop()
        above = inside[-1][1] if inside else ""
        paths |= {above + name for name in names}
        if names[-1].endswith("/"):
            inside.append((indent, above + names[-1]))
    return paths


def test_what_the_folder_map_lists_is_there() -> None:
    missing = [
        path
        for path in sorted(folder_map())
        if not ((ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).is_file())
    ]
    assert missing == []


def test_the_folder_map_lists_every_folder_and_top_level_module() -> None:
    listed = folder_map()
    files = [name for name in project_files() if (ROOT / name).exists() and not str(name).startswith(".")]
    top = {name.parts[0] + ("/" if len(name.parts) > 1 else "") for name in files}
    code = [name for name in files if name.parts[0] in PACKAGES and name.suffix == ".py"]
    folders = {f"{name.parent}/" for name in code}
    modules = {str(name) for name in code if len(name.parts) == 2 and not name.stem.startswith("__")}
    assert (top | folders | modules) - listed == set()


# ---- house rules --------------------------------------------------------------------------------------------------

TOP_LEVEL = {
    "streams", "detectors", "deploy", "dashboards", "tests",
    "pyproject.toml", "uv.lock", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile",
}  # fmt: skip


def test_the_top_level_holds_only_what_the_design_gives_it() -> None:
    assert {name.parts[0] for name in project_files() if not name.parts[0].startswith(".")} <= TOP_LEVEL


def test_no_file_is_named_after_nothing() -> None:
    empty = {"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "shared", "base_classes"}
    assert [str(name) for name in project_files() if empty & {part.split(".")[0] for part in name.parts}] == []


def test_no_python_file_is_too_long() -> None:
    long = {path: lines for path, text in contents(".py") if (lines := text.count("\n")) > 450}
    assert long == {}, "a file that passes about 400 lines is asking to be two"


def test_nothing_names_the_machine_it_was_written_on() -> None:
    """No path of a developer's machine and no private package index: it all has to work elsewhere."""
    places = ["/" + "work", "/" + "root", "/" + "home/[a-z]+", r"\.py" + "env", "/opt/" + "wheels", r"\.lib" + "rary"]
    local = re.compile(r"(?<![\w.$}/-])(?:" + "|".join(places) + r")(?=/|\b)")
    named = [
        f"{path}: {found[0]}"
        for path, text in contents()
        if path not in {"LICENSE", "uv.lock"}
        for found in [local.search(text)]
        if found
    ]
    assert named == []


def test_the_lock_file_names_one_public_index_and_nothing_else() -> None:
    lock = (ROOT / "uv.lock").read_text()
    assert len(set(re.findall(r'registry = "([^"]+)"', lock))) == 1
    addresses = re.findall(r'(?:url|registry) = "([^"]+)"', lock)
    assert len({re.split("/", address)[2] for address in addresses}) == 2  # the index and its downloads
    assert [a for a in addresses if not re.match(r"https://[a-z]+(\.[a-z]+)+/", a)] == []
