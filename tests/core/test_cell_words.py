"""Cells by their words: the same whatever their numbers, each half said once, in the order in which it is needed."""

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.core.cell_words import CellsByWords
from streams.core.cells import Cell, CellCounts, NumberedCells

words = st.sampled_from(["a", "b", "ab", "乐山", 'q"', "\n", ""])
cells = st.builds(Cell, words, words, words, st.none() | words, st.none() | words, st.none() | words)
counted = st.lists(st.tuples(cells, st.integers(0, 3)), max_size=30, unique_by=lambda one: one[0])


def said(sent: CellsByWords) -> list[tuple[Cell, int]]:
    pairs = zip(sent.head_of, sent.tail_of, strict=True)
    made = [Cell(*sent.heads[head], *sent.tails[tail]) for head, tail in pairs]
    return list(zip(made, sent.events, strict=True))


@given(counted, st.integers(0, 30), st.data())
def test_what_is_sent_is_the_cells_with_events_by_their_words_however_they_are_numbered(
    given_cells: list[tuple[Cell, int]], known: int, data: st.DataObject
) -> None:
    numbered = NumberedCells()
    numbered.extend(cell for cell, _ in given_cells[:known])
    numbered.words.learn(numbered)
    numbered.extend(cell for cell, _ in given_cells[known:])
    sent = CellCounts(numbered, np.array([n for _, n in given_cells], dtype=np.int64)).by_words()

    plainly = sorted(((cell, n) for cell, n in given_cells if n), key=lambda one: msgspec.json.encode(one[0]))
    assert said(sent) == plainly
    assert list(sent.heads) == list(dict.fromkeys(cell[:3] for cell, _ in plainly))
    assert list(sent.tails) == list(dict.fromkeys(cell[3:] for cell, _ in plainly))
    otherwise = data.draw(st.permutations(given_cells))
    others = CellCounts([cell for cell, _ in otherwise], np.array([n for _, n in otherwise], dtype=np.int64))
    assert others.by_words() == sent
