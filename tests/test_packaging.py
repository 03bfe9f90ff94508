"""What `pip install jiantu` gives: the packages with their data, working commands, nothing else."""

import subprocess
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("streams", "detectors", "dashboards")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Built offline: the build backend comes with uv."""
    out = tmp_path_factory.mktemp("wheel")
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    built = subprocess.run(
        [uv, "build", "--quiet", "--offline", "--no-cache", "--wheel", "--out-dir", out, ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(out.glob("*.whl"))) as opened:
        yield opened


def test_the_wheel_holds_the_packages_with_their_data(wheel: zipfile.ZipFile) -> None:
    data = {".yaml", ".yml", ".json", ".po", ".mo", ".csv", ".typed", ".sql"}
    on_disk = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", *data}
    }
    missing = {name for name in on_disk - set(wheel.namelist()) if (ROOT / name).exists()}
    assert missing == set()


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    allowed = (*(f"{package}/" for package in PACKAGES), "jiantu-")
    assert [name for name in wheel.namelist() if not name.startswith(allowed) or name.endswith((".pyc", ".nbc"))] == []


def test_every_entry_point_leads_somewhere() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = settings["project"]
    targets = [*project["scripts"].values(), *project["entry-points"]["pytest11"].values()]
    modules = [target.partition(":")[0].replace(".", "/") for target in targets]
    assert [m for m in modules if not any((ROOT / f"{m}{end}").is_file() for end in (".py", "/__init__.py"))] == []
    assert "no:jiantu" not in settings["tool"]["pytest"]["ini_options"]["addopts"], (
        "our own suite leaves the plugin out"
    )


def test_the_build_backend_is_the_pinned_uv() -> None:
    """The only build dependency ships inside uv, so that a set-up needs no package that the lock file does not name."""
    pinned = (ROOT / "deploy/setup/uv.txt").read_text().split()[0].removeprefix("uv==")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["tool"]["uv"]["build-constraint-dependencies"] == [f"uv_build=={pinned}"]


def requirement(locked: dict[str, Any]) -> str:
    """An entry of the lock file as pyproject.toml writes it."""
    extras = f"[{','.join(locked['extras'])}]" if "extras" in locked else ""
    return str(locked["name"] + extras + locked.get("specifier", ""))


def test_the_lock_file_is_of_this_pyproject() -> None:
    """A set-up takes the lock file as it stands; a dependency that was added and not locked would be missing."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    own = next(package for package in locked if package["name"] == settings["project"]["name"])["metadata"]
    asked = {"dependencies": settings["project"]["dependencies"], **settings["dependency-groups"]}
    found = {"dependencies": own["requires-dist"], **own["requires-dev"]}
    assert {group: sorted(wanted) for group, wanted in asked.items()} == {
        group: sorted(requirement(one) for one in listed) for group, listed in found.items()
    }, "run `make lock`"
