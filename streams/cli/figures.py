"""Figures that several commands show in the same words."""

from collections.abc import Iterable

from rich.cells import cell_len
from rich.text import Text

from streams.core.outputs import Accounting

_LABEL_CELLS = 14


def balance(totals: Accounting) -> list[tuple[str, str]]:
    """The accounting as rows of (label, words): every record received has one verdict."""
    sides = [f"重复 duplicate {totals.duplicate:,}", f"迟到 late {totals.late:,}", f"拒收 rejected {totals.rejected:,}"]
    return [
        ("收到 received", f"{totals.received:,} = 计入 counted {totals.counted:,}"),
        ("", "+ " + " + ".join(sides)),
    ]


def rows_text(rows: Iterable[tuple[str, str]]) -> Text:
    """Rows of (label, words) below each other; a row without words is left out."""
    lines = [
        Text.assemble((label, "dim"), " " * max(1, _LABEL_CELLS - cell_len(label)), words)
        for label, words in rows
        if words
    ]
    return Text("\n", no_wrap=True, overflow="ignore").join(lines)
