"""The boards as they were built: JSON beside this file, one folder a language, in one order everywhere.

`python -m dashboards.build` writes them. What is here needs nothing but the files, so that an installed jiantu has it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal

Lang = Literal["zh", "en"]
LANGS: Final[tuple[Lang, ...]] = ("zh", "en")
NAMES: Final = ("city", "county", "signal", "desk", "pipeline")
"""Boards, from the widest look to the nearest; the last is about jiantu itself."""
FOLDERS: Final[Mapping[Lang, str]] = MappingProxyType({"zh": "监土", "en": "jiantu (English)"})
"""Titles of Grafana's folders."""


@dataclass(frozen=True, slots=True)
class Built:
    """One board in one language, as Grafana takes it."""

    name: str
    lang: Lang
    document: Mapping[str, Any]

    @property
    def uid(self) -> str:
        """What it is called in Grafana for good."""
        return uid(self.name, self.lang)

    @property
    def title(self) -> str:
        """What people see."""
        return str(self.document["title"])


def uid(name: str, lang: Lang) -> str:
    """The uid of a board: links and bookmarks hold on to it, so it never changes.

    >>> uid("city", "zh")
    'jiantu-city-zh'
    """
    return f"jiantu-{name}-{lang}"


def folder_uid(lang: Lang) -> str:
    """The uid of the folder with a language's boards."""
    return f"jiantu-{lang}"


def built(lang: Lang) -> tuple[Built, ...]:
    """A language's boards."""
    folder = files("dashboards") / "built" / lang
    return tuple(Built(name, lang, json.loads((folder / f"{name}.json").read_bytes())) for name in NAMES)
