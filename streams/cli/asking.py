"""Questions that go over all that a ledger holds: what nearly paged, and how the budget was kept."""

from detectors.registry import DETECTORS
from streams.core.alert import Raised, Shape
from streams.core.city import City, Size
from streams.core.explain import PAGED, Explanation, explain
from streams.core.judge import JudgePlan
from streams.core.levels import levels_of
from streams.core.quiet import Nearest, nearest
from streams.core.realised import Judged, Realised
from streams.core.realised import realised as account
from streams.core.worth import JudgedPage, Proposal, proposal
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


def _verdicts(reading: Reading) -> list[tuple[Raised, bool | None]]:
    """Every page, always-page alerts and rules aside, and whether it was right; None where nobody has said."""
    outside = (Shape.ALWAYS_PAGE, Shape.RULE)
    false = {taken.alert for taken in reading.ledger.steps() if taken.step.reason == DiscardReason.FALSE_PAGE}
    said: list[tuple[Raised, bool | None]] = []
    for one in reading.ledger.alerts():
        if one.raised.evidence.shape not in outside:
            right = one.state in (AlertState.DISPOSED, AlertState.RESOLVED)
            wrong = one.id in false and one.state is AlertState.DISCARDED
            said.append((one.raised, True if right else False if wrong else None))
    return said


def proposed_weights(reading: Reading) -> Proposal:
    """Weights that follow how often the pages of a ledger were right."""
    pages = [
        JudgedPage(raised.evidence.signal, Size(raised.evidence.size), right)
        for raised, right in _verdicts(reading)
        if right is not None
    ]
    return proposal(reading.profile.city, pages)


def realised(reading: Reading) -> Realised:
    """How a ledger's page budget was kept, over everything that it still holds."""
    city, ledger = reading.profile.city, reading.ledger
    plan = _plan(city)
    pages = _verdicts(reading)
    right, discarded = (sum(said is told for _, said in pages) for told in (True, False))
    ends = sorted((end, place, size) for place, size in enumerate(Size) for end in ledger.scored_ends(size))
    found = (ledger.scored_window(size, end) for end, _, size in ends)
    windows = (window for window in found if window is not None)
    return account(plan, windows, Judged(len(pages), right, discarded))
