"""Where PostgreSQL's programs are: Debian's package, or the same unpacked into a cache where it is not installed."""

import os
from pathlib import Path

from tests.debian import cache, found_or_fetched

INSTALLED = Path("/usr/lib/postgresql")
NAME = "postgresql"


def binaries(installed: Path = INSTALLED) -> Path:
    """The folder that holds `postgres` and `initdb`, newest version first. Raises NotFetchedError."""
    found = _newest(installed)
    if found is not None:
        return found
    return found_or_fetched(lambda folder: _newest(folder / "usr/lib/postgresql"), NAME, ["postgresql"])


def environment(programs: Path) -> dict[str, str]:
    """What the programs need around them: their libraries, where they were unpacked rather than installed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    if programs.is_relative_to(cache(NAME)):
        lib = sorted({str(path.parent) for path in (cache(NAME) / "usr/lib").rglob("*.so.*")})
        kept["LD_LIBRARY_PATH"] = ":".join(lib)
    return kept


def _newest(folder: Path) -> Path | None:
    found = [path.parent for path in folder.glob("*/bin/postgres")]
    return max(found, key=lambda path: float(path.parent.name), default=None)
