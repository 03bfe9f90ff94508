"""Chinese sentences on a terminal: wrapped between characters, where rich would wrap at spaces only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

_PIECE = re.compile(r"\s+|[0-9A-Za-z%][0-9A-Za-z%.,:/–+_-]*|.", re.DOTALL)
"""What is not torn apart: a word, a figure with its date or time, a single character."""
_NOT_FIRST = set("，。；：、！？）》”’】,.;:!?)]}%")
_NOT_LAST = set("（《“‘【([{")


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph that fills the width it is given."""

    text: str
    style: str = ""
    indent: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not console.is_terminal:  # a program reads it, or a file keeps it: one paragraph, one line
            yield Text(" " * self.indent + self.text, no_wrap=True, overflow="ignore")
            return
        for line in wrapped(self.text, max(options.max_width - self.indent, 8)):
            yield Text(" " * self.indent + line, style=self.style, no_wrap=True, overflow="ignore")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(8 + self.indent, options.max_width), options.max_width)


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells; no line begins with closing punctuation or ends with an opening one.

    >>> wrapped("预期 4.1 件（95% 区间），偏多。", 12)
    ['预期 4.1 件', '（95% 区', '间），偏多。']
    """
    lines: list[str] = []
    line = ""
    for unit in _units(text):
        if line and cell_len(line + unit.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line = (line + unit).lstrip() if not line else line + unit
        while cell_len(line.rstrip()) > width:  # a word longer than a line
            cut = next(n for n in range(len(line), 0, -1) if cell_len(line[:n]) <= width)
            lines.append(line[:cut])
            line = line[cut:]
    if line.strip():
        lines.append(line.rstrip())
    return lines


def _units(text: str) -> Iterator[str]:
    """Pieces with the punctuation that must stay with them."""
    unit = ""
    for found in _PIECE.finditer(text):
        piece = found[0]
        if unit and (piece[0] in _NOT_FIRST or unit[-1] in _NOT_LAST):
            unit += piece
            continue
        if unit:
            yield unit
        unit = piece
    if unit:
        yield unit
