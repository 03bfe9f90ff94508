"""Time zones from the pinned `tzdata` package alone: the machine's own database may be older, newer or absent,
and a replay must not depend on it."""

from functools import cache
from importlib.resources import files
from typing import Self
from zoneinfo import ZoneInfo


class PinnedZone(ZoneInfo):
    """A zone read from the package; pickles by its name."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return zone, (str(self.key),)

    def __deepcopy__(self, _: object) -> Self:
        return self


@cache
def zone_names() -> tuple[str, ...]:
    """Every zone that a profile may name, sorted."""
    return tuple(sorted(files("tzdata").joinpath("zones").read_text("ascii").split()))


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of a name in `zone_names()`; raises KeyError for any other."""
    if name not in zone_names():
        raise KeyError(name)
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return PinnedZone.from_file(file, key=name)
