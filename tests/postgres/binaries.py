"""Where PostgreSQL's programs are: Debian's package, or the same unpacked into a cache where it is not installed."""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

INSTALLED = Path("/usr/lib/postgresql")
TO_DO = "install it: apt-get install postgresql (as root)"


class NoPostgresError(Exception):
    """PostgreSQL is not here and cannot be fetched; what to do."""


def cache() -> Path:
    """The folder that is jiantu's own for what was fetched once."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "jiantu/postgresql"


def binaries(installed: Path = INSTALLED) -> Path:
    """The folder that holds `postgres` and `initdb`, newest version first. Raises NoPostgresError."""
    for found in _newest(installed):
        return found
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # one at a time; who waited finds the work done
        fcntl.flock(lock, fcntl.LOCK_EX)
        for found in _newest(folder / "usr/lib/postgresql"):
            return found
        _unpack(folder)
    for found in _newest(folder / "usr/lib/postgresql"):
        return found
    raise NoPostgresError(f"the packages hold no PostgreSQL; {TO_DO}")


def environment(programs: Path) -> dict[str, str]:
    """What the programs need around them: their libraries, where they were unpacked rather than installed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    if programs.is_relative_to(cache()):
        lib = sorted({str(path.parent) for path in (cache() / "usr/lib").rglob("*.so.*")})
        kept["LD_LIBRARY_PATH"] = ":".join(lib)
    return kept


def _newest(folder: Path) -> Iterator[Path]:
    found = [path.parent for path in folder.glob("*/bin/postgres")]
    yield from sorted(found, key=lambda path: float(path.parent.name), reverse=True)


def _unpack(folder: Path) -> None:
    """Fetch the package with what it needs that is not installed, and unpack it: needs no root, starts nothing."""
    apt = shutil.which("apt-get")
    if apt is None:
        raise NoPostgresError(f"PostgreSQL is not here, nor apt-get to fetch it with; {TO_DO}")
    plan = _said(apt, "--simulate", "--no-install-recommends", "install", "postgresql", at=folder)
    packages = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    part = folder / "part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    _said(apt, "download", *packages, at=part)
    for package in sorted(part.glob("*.deb")):
        _said("dpkg", "-x", str(package), str(folder), at=part)
    shutil.rmtree(part)


def _said(*command: str, at: Path) -> str:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoPostgresError(f"{' '.join(command[:2])} failed; {TO_DO}\n{done.stderr}")
    return done.stdout
