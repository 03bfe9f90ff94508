"""Programs of Debian's packages, unpacked into a cache of jiantu's own: no root, nothing installed, nothing started."""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class NotFetchedError(Exception):
    """Packages that are not here and cannot be fetched; what to do."""


def cache(name: str) -> Path:
    """The folder for what was fetched once under this name."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "jiantu" / name


def found_or_fetched(find: Callable[[Path], T | None], name: str, packages: Sequence[str], *, alone: bool = False) -> T:
    """What `find` finds in the cache of this name, into which the packages are unpacked where it finds nothing.

    `alone`: without what they depend on. Raises NotFetchedError, which says what to install by hand.
    """
    folder = cache(name)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # one at a time; who waited finds the work done
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = find(folder)
        if found is None:
            _unpack(folder, packages, alone=alone)
            found = find(folder)
    if found is None:
        raise NotFetchedError(f"the packages do not hold what was looked for; {_by_hand(packages)}")
    return found


def _by_hand(packages: Sequence[str]) -> str:
    return f"install it: apt-get install {' '.join(packages)} (as root)"


def _unpack(folder: Path, packages: Sequence[str], *, alone: bool) -> None:
    apt = shutil.which("apt-get")
    if apt is None:
        raise NotFetchedError(f"{packages[0]} is not here, nor apt-get to fetch it with; {_by_hand(packages)}")
    part = folder / "part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        _download([apt], packages, part, alone=alone)
    except NotFetchedError:  # the system's lists are old, or empty as in an image: fetch our own
        for kind in ("lists/partial", "archives/partial"):
            (folder / "apt" / kind).mkdir(parents=True, exist_ok=True)
        state = folder / "apt"
        ours = [apt, "-o", "Debug::NoLocking=1", "-o", f"Dir::State::lists={state}/lists", "-o", f"Dir::Cache={state}"]
        _said(*ours, "update", at=part, packages=packages)
        _download(ours, packages, part, alone=alone)
    for package in sorted(part.glob("*.deb")):
        _said("dpkg", "-x", str(package), str(folder), at=part, packages=packages)
    shutil.rmtree(part)


def _download(apt: Sequence[str], packages: Sequence[str], part: Path, *, alone: bool) -> None:
    wanted = list(packages)
    if not alone:
        plan = _said(*apt, "--simulate", "--no-install-recommends", "install", *packages, at=part, packages=packages)
        wanted = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    _said(*apt, "download", *wanted, at=part, packages=packages)


def _said(*command: str, at: Path, packages: Sequence[str]) -> str:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotFetchedError(f"{' '.join(command[:2])} failed; {_by_hand(packages)}\n{done.stderr}")
    return done.stdout
