"""A profile kept with a run, as YAML: names stay readable whatever becomes of the profile that it was copied from."""

import shutil
from importlib.resources import files
from pathlib import Path

from streams.profile import Profile, bundled

KEPT_PROFILE = "profile"
"""Folder of a data directory with the profile of its run."""


def kept_profile(data_dir: Path) -> Path | None:
    """Where a data directory keeps its profile; None where it has none."""
    folder = data_dir / KEPT_PROFILE
    return folder if folder.is_dir() else None


def keep_profile(data_dir: Path, profile: Profile) -> None:
    """Copy a profile's YAML into a data directory, whole or not at all. The caller holds the directory's lock."""
    folder, unfinished = data_dir / KEPT_PROFILE, data_dir / f".{KEPT_PROFILE}.part"
    written = yaml_of(profile)
    if folder.is_dir() and {p.name: p.read_bytes() for p in folder.glob("*.yaml")} == written:
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name, content in written.items():
        (unfinished / name).write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def yaml_of(profile: Profile) -> dict[str, bytes]:
    """A profile's files, by name."""
    if profile.name in bundled() and profile.origin.endswith(profile.name):
        folder = files("streams") / "profiles" / profile.name
        return {e.name: e.read_bytes() for e in folder.iterdir() if e.name.endswith(".yaml")}
    origin = Path(profile.origin)
    found = [origin] if origin.is_file() else sorted(origin.glob("*.yaml"))
    return {path.name: path.read_bytes() for path in found}
