"""Who contributed how much, without a cell below k people (law 6)."""

from collections.abc import Callable, Sequence

from streams.wording.catalog import Speech
from streams.wording.figures import number

MOST_NAMED = 3


def contributors(
    speech: Speech,
    cells: Sequence[tuple[str, int]],
    total: int,
    k: int,
    name: Callable[[str], str],
    counted: Callable[[str], str],
) -> list[str]:
    """The largest cells as "name count", largest first. A cell below k is "name (fewer than k)"; and where the
    rest of the total would give such a cell away, the smallest count that is shown is held back too.

    `total` is what the cells are parts of: the alert's own count. Units: events.
    """
    shown = [(code, n) for code, n in cells if n > 0][:MOST_NAMED]
    exact = [n for _, n in shown if n >= k]
    whole = max(total, sum(n for _, n in cells))
    if exact and 0 < whole - sum(exact) < k:
        exact.pop()  # cells come largest first: the smallest of the exact ones
    said = []
    for place, (code, n) in enumerate(shown):
        if place < len(exact):
            said.append(speech.say("{name} {count}", name=name(code), count=counted(number(speech, n))))
        elif n < k:
            said.append(speech.say("{name}（不足{k}）", name=name(code), k=number(speech, k)))
        else:
            said.append(name(code))
    return said
