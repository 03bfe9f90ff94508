"""What pages were worth: weights of signals and window sizes that follow how often their pages were right.

A proposal and no more: people write weights into a profile, or do not. The budget is kept whatever they are, as levels
are made from the weights and sum to it; what changes is where it is spent.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from streams.core.city import City, Size

FEWEST = 20
"""Judged pages before anything is proposed."""
PRIOR_PAGES = 10.0
"""A signal or a size is believed to be like all of them until it has shown otherwise: so many pages' worth."""
MOST_TIMES = 4.0
"""No weight changes more at once."""


class JudgedPage(NamedTuple):
    """A page that people have judged, by the test that raised it."""

    signal: str
    size: Size
    right: bool


class Worth(NamedTuple):
    """What the pages of one signal, or of one window size, were worth."""

    name: str
    right: int
    judged: int
    weight: float
    """In the profile now."""
    proposed: float
    """The same where nothing is known of it."""


class Proposal(NamedTuple):
    """Weights that follow the pages of a city."""

    judged: int
    signals: tuple[Worth, ...]
    """In the profile's order, those that are tested at all."""
    sizes: tuple[Worth, ...]

    @property
    def says_something(self) -> bool:
        """Whether any weight is to change."""
        return any(one.proposed != one.weight for one in (*self.signals, *self.sizes))


def proposal(city: City, pages: Iterable[JudgedPage]) -> Proposal:
    """Weights in proportion to the share of pages that were right, of a signal and of a size: their share, drawn
    towards that of all pages (PRIOR_PAGES), over that of all pages. Fewer than FEWEST judged pages propose nothing,
    and so do pages that were all right, or none."""
    known = list(pages)
    of_signals = {signal.name: signal.weight for signal in city.signals if signal.detectors}
    of_sizes = {size.value: city.size_weights[size] for size in Size}
    by_signal = _worths(of_signals, [(page.signal, page.right) for page in known])
    return Proposal(len(known), by_signal, _worths(of_sizes, [(page.size.value, page.right) for page in known]))


def _worths(weights: Mapping[str, float], pages: list[tuple[str, bool]]) -> tuple[Worth, ...]:
    overall = sum(right for _, right in pages) / len(pages) if pages else 0.0
    found = []
    for name, weight in weights.items():
        mine = [right for whose, right in pages if whose == name]
        proposed = weight
        if len(pages) >= FEWEST and 0.0 < overall < 1.0 and mine:
            share = (sum(mine) + PRIOR_PAGES * overall) / (len(mine) + PRIOR_PAGES)
            times = min(max(share / overall, 1.0 / MOST_TIMES), MOST_TIMES)
            proposed = float(f"{weight * times:.2g}")
        found.append(Worth(name, sum(mine), len(mine), weight, proposed))
    return tuple(found)
