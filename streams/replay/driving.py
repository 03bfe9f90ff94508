"""Records through the three steps in memory: what a scenario and a replay without a data directory do.

No checkpoint, no ledger: what the steps emit is handed back. The state at the end is the one that the embedded
runtime has after the same records.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from streams.core.alert import Transition
from streams.core.city import City
from streams.core.instant import Instant
from streams.core.outputs import Accounting, ScoredWindow
from streams.core.pipeline import Pipeline
from streams.core.record import Reason


@dataclass(slots=True)
class Driven:
    """What some records led to."""

    accounting: Accounting = field(default_factory=Accounting)
    transitions: list[Transition] = field(default_factory=list)
    """What the judge did, in the order in which it did it."""
    reasons: Counter[Reason] = field(default_factory=Counter)
    """Rejections by reason."""
    scored: list[ScoredWindow] = field(default_factory=list)
    """The scored windows that were asked for."""
    state: Mapping[str, bytes] = field(default_factory=dict)
    """The whole state at the end, as named chunks."""


class _Chunk(Protocol):
    @property
    def lines(self) -> bytes:
        """Whole lines."""

    @property
    def records(self) -> int:
        """How many."""


class _Ending(Protocol):
    @property
    def state(self) -> str:
        """complete, truncated or altered."""

    @property
    def message(self) -> str:
        """What is wrong, for a person."""


class ReadableSource(Protocol):
    """As much of a source as a replay in memory needs; `streams.sources.contract.Source` is one."""

    @property
    def span(self) -> tuple[Instant, Instant]:
        """Event time covered, [start, end)."""

    @property
    def ending(self) -> _Ending | None:
        """How it ended, once it was read to its end."""

    def chunks(self, *, max_records: int) -> Iterable[_Chunk]:
        """All records from the first on."""


def drive(
    city: City,
    start: Instant,
    chunks: Iterable[tuple[bytes, int]],
    keep: Callable[[ScoredWindow], bool] | None = None,
) -> Driven:
    """Take all records in: chunks are (whole lines of a recording, how many). `start`: where windows start;
    `keep`: which scored windows to hand back."""
    pipeline = Pipeline(city, start)
    driven = Driven()
    first = 0
    for lines, records in chunks:
        out = pipeline.step(pipeline.decoder.lines(lines, first, records))
        first += records
        driven.transitions += out.transitions
        driven.reasons.update(rejection.reason for _, rejection in out.rejections)
        if keep is not None:
            driven.scored += [window for window in out.scored if keep(window)]
    driven.accounting = pipeline.accounting
    driven.state = {name: chunk for name, chunk in pipeline.snapshot().items() if chunk is not None}
    return driven
