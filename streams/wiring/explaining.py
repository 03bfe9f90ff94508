"""Why there is an alert, or none: asked of a ledger."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from streams.core.alert import Transition
from streams.core.city import Size
from streams.core.instant import WEEK, Instant
from streams.core.window import WindowGrid
from streams.wiring.reading import Reading

if TYPE_CHECKING:  # numba takes a second to import: only what runs the steps waits for it
    from streams.core.clusters import ScannedDay
    from streams.core.explanation import Explanation
    from streams.core.judge import JudgePlan


def explanation(reading: Reading, county: str, signal: str, size: Size, at: Instant) -> "Explanation":
    """Why the window of a series that holds an instant did, or did not, lead to an alert: asked of the ledger."""
    from detectors.registry import DETECTORS
    from streams.core.explain import Around, explain
    from streams.core.judge import JudgePlan
    from streams.core.levels import levels_of

    city = reading.profile.city
    plan = JudgePlan.of(city, levels_of(city), {name: made.version for name, made in DETECTORS.items()})
    window = plan.grid.window(size, at)
    scored = reading.ledger.scored_window(size, window.end)
    week = [
        found
        for one in Size
        for end in _ends(plan.grid, one, window.end)
        if (found := reading.ledger.scored_window(one, end)) is not None
    ]
    transitions = reading.ledger.transitions()
    scanned = _scanned(reading, plan, window.end, transitions) if size is Size.DAY else ()
    return explain(
        plan, signal, county, size, at, scored, transitions, Around(week, scanned, _kept(reading, plan, size))
    )


def _kept(reading: Reading, plan: "JudgePlan", size: Size) -> tuple[Instant, Instant] | None:
    """From when to when windows of a size are stored."""
    ends = reading.ledger.scored_ends(size)
    return (plan.grid.window(size, ends[0] - 1).start, ends[-1]) if ends else None


def _scanned(
    reading: Reading, plan: "JudgePlan", end: Instant, transitions: Sequence[Transition]
) -> "tuple[ScannedDay, ...]":
    """What the scan had before it as a day ended; () where not all of it is kept any more."""
    from detectors.scan import LONGEST
    from streams.core.recall import scans

    ledger = reading.ledger
    ends = [one for one in ledger.scored_ends(Size.DAY) if one <= end][-LONGEST:]
    if not plan.scans.signals or (len(ends) < LONGEST and ledger.retained().get("scores", (0, 0))[1]):
        return ()
    days = (ledger.scored_window(Size.DAY, one) for one in ends)
    seen = [scanned for _, scanned in scans(plan, (day for day in days if day is not None), transitions)]
    return seen[-1] if seen else ()


def _ends(grid: WindowGrid, size: Size, until: Instant) -> Iterator[Instant]:
    """Ends of the windows of a size that end in the 7 days up to an instant, latest first."""
    window = grid.window(size, until)
    if window.end > until:
        window = grid.window(size, window.start - 1)
    while window.end > until - WEEK:
        yield window.end
        window = grid.window(size, window.start - 1)
