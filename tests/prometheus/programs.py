"""Prometheus, Alertmanager and their tools: what is installed, or Debian's packages unpacked into a cache."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.debian import cache as cache_folder
from tests.debian import found_or_fetched

PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
}
"""Program -> its package. What else the packages ask for are scripts of web pages."""
_DEBIAN_NAMES = {"alertmanager": ("prometheus-alertmanager", "alertmanager")}
_TEMPLATES = "usr/share/prometheus/alertmanager"
"""Where Debian's Alertmanager looks for its own templates: a path that is written into the program."""


@cache
def program(name: str) -> Path:
    """One of the four. Raises NotFetchedError, which says what to install by hand."""
    names = _DEBIAN_NAMES.get(name, (name,))
    for one in names:
        if (found := shutil.which(one)) is not None:
            return Path(found)

    def unpacked(folder: Path) -> Path | None:
        found = next((path for one in names if (path := folder / "usr/bin" / one).is_file()), None)
        return _at_home(found, folder) if found is not None and name == "alertmanager" else found

    return found_or_fetched(unpacked, "prometheus", sorted(set(PACKAGES.values())), alone=True)


def working_directory(name: str) -> Path | None:
    """Where a program is to be started; None: anywhere."""
    folder = cache_folder("prometheus")
    return folder / _TEMPLATES if name == "alertmanager" and program(name).is_relative_to(folder) else None


def _at_home(found: Path, folder: Path) -> Path:
    """A copy that looks for its templates in its working directory, by a path of the same length: unpacked is not
    installed, and where it looks by itself only root may put them."""
    moved = folder / "alertmanager"
    if not moved.is_file():
        place = f"/{_TEMPLATES}".encode()
        here = b"./" * (len(place) // 2)
        assert len(here) == len(place)
        part = moved.with_name("alertmanager.part")
        part.write_bytes(found.read_bytes().replace(place, here))
        part.chmod(0o755)
        part.rename(moved)
    return moved


def tool(name: str, *arguments: object, at: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run promtool or amtool to its end; its exit status is the caller's to look at."""
    command = [str(program(name)), *map(str, arguments)]
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=120)
