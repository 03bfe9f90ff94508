"""Sentences on a terminal: nothing is lost, nothing is too wide, punctuation stays where it belongs."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from streams.cli.county_table import change, count
from streams.cli.prose import Prose, wrapped
from streams.ledger.measures import Change

SENTENCE = (
    "市中区 2025-03-10 12:00 至 2025-03-11 12:00 生态环境诉求 21 件，预期 4.1 件（95% 区间 1–9），"
    "这样多的机会约为 1/9,000。"
)


@given(st.text(alphabet="市中区诉求，。（）“”、ab1 –%", max_size=120), st.integers(8, 60))
def test_every_character_is_kept_and_no_line_is_too_wide(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= width for line in lines)


def test_figures_are_not_torn_apart_and_punctuation_does_not_begin_a_line() -> None:
    for width in range(24, 100):
        lines = wrapped(SENTENCE, width)
        for whole in ("2025-03-11", "12:00", "1/9,000", "95%", "1–9"):
            assert any(whole in line for line in lines)
        assert not any(line[0] in "，。）、" or line[-1] in "（“" for line in lines)


def test_a_file_gets_one_line_a_paragraph() -> None:
    for terminal, lines in ((True, 5), (False, 1)):
        out = io.StringIO()
        Console(file=out, width=30, force_terminal=terminal).print(Prose(SENTENCE, indent=2), crop=False)
        assert len(out.getvalue().splitlines()) == lines


def test_small_counts_are_never_shown() -> None:
    for value in range(1, 10):
        assert count(value, 10) == "<10"
        for other in (0, 5, 50):
            assert change(Change(value, other), 10) == "<10"
        assert change(Change(40, value), 10) == "<10"
    assert count(0, 10) == "0"
    assert change(Change(50, 40), 10) == "+25%"
    assert change(Change(50, 0), 10) == "新 new"
    assert change(Change(50, None), 10) == change(Change(5, None), 10) == change(Change(0, 0), 10) == "—"
