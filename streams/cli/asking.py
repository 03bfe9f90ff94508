"""Questions that go over all that a ledger holds: what nearly paged, and how the budget was kept."""

from detectors.registry import DETECTORS
from streams.core.alert import Shape
from streams.core.city import City, Size
from streams.core.explain import PAGED, Explanation, explain
from streams.core.judge import JudgePlan
from streams.core.levels import levels_of
from streams.core.quiet import Nearest, nearest
from streams.core.realised import Judged, Realised
from streams.core.realised import realised as account
from streams.ledger.lifecycle import AlertState, DiscardReason
from streams.wiring import Reading


def _plan(city: City) -> JudgePlan:
    return JudgePlan.of(city, levels_of(city), {name: made.version for name, made in DETECTORS.items()})


def quiet(reading: Reading, most: int) -> list[Explanation]:
    """The largest non-alerts of a ledger, nearest to a page first, each explained."""
    city, ledger = reading.profile.city, reading.ledger
    plan = _plan(city)
    best = Nearest(40 * most)  # so many, as those that did page come first
    for size in Size:
        for end in ledger.scored_ends(size):
            window = ledger.scored_window(size, end)
            if window is not None:
                best.take(nearest(plan, window, 2 * most))
    everything = list(ledger.transitions())
    found: list[Explanation] = []
    for one in best.sorted():
        window = ledger.scored_window(one.size, plan.grid.window(one.size, one.start).end)
        answer = explain(plan, one.signal, one.county, one.size, one.start, window, everything)
        if answer.why not in PAGED:
            found.append(answer)
        if len(found) == most:
            break
    return found


def realised(reading: Reading) -> Realised:
    """How a ledger's page budget was kept, over everything that it still holds."""
    city, ledger = reading.profile.city, reading.ledger
    plan = _plan(city)
    outside = (Shape.ALWAYS_PAGE, Shape.RULE)
    pages = {one.id: one.state for one in ledger.alerts() if one.raised.evidence.shape not in outside}
    right = sum(state in (AlertState.DISPOSED, AlertState.RESOLVED) for state in pages.values())
    false = {taken.alert for taken in ledger.steps() if taken.step.reason == DiscardReason.FALSE_PAGE}
    discarded = sum(name in false and state is AlertState.DISCARDED for name, state in pages.items())
    ends = sorted((end, place, size) for place, size in enumerate(Size) for end in ledger.scored_ends(size))
    found = (ledger.scored_window(size, end) for end, _, size in ends)
    windows = (window for window in found if window is not None)
    return account(plan, windows, Judged(len(pages), right, discarded))
