"""What is wrong with a profile, where, and what to write instead: all of it at once, never a traceback."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to put right; sorts by file, line, column. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    text: str
    """In Chinese: what is wrong, and what to write instead."""
    text_en: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text} | {self.text_en}"


class ProfileError(ValueError):
    """A profile that cannot be used, with every problem that was found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type["ProfileError"], tuple[tuple[Problem, ...]]]:
        return ProfileError, (self.problems,)


Words = tuple[str, str]
"""One message in Chinese and in English."""


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant.

    >>> nearest("neigbours", ["name", "neighbours"])
    'neighbours'
    """
    words = list(known)
    folded = {word.casefold(): word for word in reversed(words)}
    close = get_close_matches(given.strip().casefold(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def instead(given: object, known: Iterable[str], most: int = 12) -> Words:
    """The end of a message about an unknown word: the nearest known one, or which there are."""
    words = list(known)
    meant = nearest(str(given), words)
    if meant is not None:
        return f"是否想写 {meant}？", f"did you mean {meant}?"
    if not words:
        return "这里还没有可用的值", "there is none to choose from yet"
    shown = ", ".join(words[:most]) + (", …" if len(words) > most else "")
    return f"可写：{shown}", f"write one of: {shown}"


def printable(text: str) -> str:
    """The text on one line, whatever it is."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def quoted(value: object, most: int = 60) -> str:
    """A value as it is shown in a message: short, on one line, printable."""
    text = printable(value if isinstance(value, str) else "null" if value is None else str(value))
    return f'"{text if len(text) <= most else text[: most - 1] + "…"}"'
