"""Checks that a text of the YAML names something that exists, with the nearest name where it does not."""

from collections.abc import Iterable

from streams.profile.document import Document, Path
from streams.profile.problems import Words, instead, quoted

WORD_SECTIONS = {
    "county": "counties",
    "point": "points",
    "category": "categories",
    "channel": "channels",
    "sector": "sectors",
}
"""Event field -> the section of the profile that holds its codes."""


def must_be_known(document: Document, path: Path, section: str, what: Words) -> bool:
    """The text at a path is a code of a section; a problem where it is not. Says nothing where there is no text, or
    where the section may be in a file that could not be read."""
    if section not in document.data:
        return False
    return must_be_one_of(document, path, document.mapping(section), what)


def must_be_one_of(document: Document, path: Path, known: Iterable[str], what: Words) -> bool:
    """The text at a path is one of these; a problem where it is not."""
    words = list(known)
    given = document.text(*path)
    if given is None or given in words:
        return given is not None
    zh, en = instead(given, words)
    words_said = f"没有{what[0]} {quoted(given)}；{zh}", f"there is no {what[1]} {quoted(given)}; {en}"
    document.at_value(path, words_said)
    return False
