"""Questions that go over all that a ledger holds: what nearly paged, and how the budget was kept."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import itemgetter

from detectors.registry import DETECTORS
from detectors.scan import LONGEST
from streams.core.alert import Raised, Shape, Transition
from streams.core.city import City, Size
from streams.core.clusters import ScannedDay
from streams.core.explain import Around, explain
from streams.core.explanation import PAGED, Explanation, Why
from streams.core.instant import Instant
from streams.core.judge import JudgePlan
from streams.core.levels import levels_of
from streams.core.outputs import ScoredWindow
from streams.core.quiet import Nearest, nearest, nearest_clusters
from streams.core.realised import Judged, Realised
from streams.core.realised import realised as account
from streams.core.recall import scans
from streams.core.worth import JudgedPage, Proposal, proposal
from streams.ledger.lifecycle import AlertState, DiscardReason
from streams.wiring.reading import Reading


def _plan(city: City) -> JudgePlan:
    return JudgePlan.of(city, levels_of(city), {name: made.version for name, made in DETECTORS.items()})


MOST_ALIKE = 3
"""Non-alerts of one reason, while there are others: ten that are below the minimum count would hide all else."""


def quiet(reading: Reading, most: int) -> list[Explanation]:
    """The largest non-alerts of a ledger, nearest to a page first, each explained: of a county's family in a window the
    nearest one, as alerts are, and none where another of it was part of an alert."""
    city, ledger = reading.profile.city, reading.ledger
    plan = _plan(city)
    best = Nearest(40 * most)  # so many, as those that did page come first
    for size in Size:
        for end in ledger.scored_ends(size):
            window = ledger.scored_window(size, end)
            if window is not None:
                best.take(nearest(plan, window, 2 * most))
    everything = ledger.transitions()
    scanned: dict[Instant, tuple[ScannedDay, ...]] = {}
    for window, days in _scans(reading, plan, everything):
        scanned[window.end] = days
        best.take(nearest_clusters(plan, window, days))
    found: list[tuple[int, Explanation]] = []
    alike: list[tuple[int, Explanation]] = []
    told: set[tuple[str, str | None, Size, Instant]] = set()
    seen: set[tuple[str, str | None, Why]] = set()
    """A level that has fallen is seen by the day and by the week, for weeks."""
    reasons: Counter[Why] = Counter()
    for number, one in enumerate(best.sorted()):
        same = (one.county, plan.layout.family_of(one.signal), one.size, one.start)
        if same in told:
            continue
        told.add(same)
        window = ledger.scored_window(one.size, plan.grid.window(one.size, one.start).end)
        days = () if window is None or one.size is not Size.DAY else scanned.get(window.end, ())
        answer = explain(plan, one.signal, one.county, one.size, one.start, window, everything, Around((), days))
        if answer.why in PAGED:
            continue
        again = (one.county, plan.layout.family_of(one.signal), answer.why) in seen
        seen.add((one.county, plan.layout.family_of(one.signal), answer.why))
        reasons[answer.why] += not again
        (alike if again or reasons[answer.why] > MOST_ALIKE else found).append((number, answer))
        if len(found) == most:
            break
    return [answer for _, answer in sorted((found + alike)[:most], key=itemgetter(0))]


def _scans(
    reading: Reading, plan: JudgePlan, everything: Sequence[Transition]
) -> Iterator[tuple[ScoredWindow, tuple[ScannedDay, ...]]]:
    """Every stored day with what the scan had before it, but for those whose own past is not kept any more."""
    ledger = reading.ledger
    if not plan.scans.signals:
        return
    days = (ledger.scored_window(Size.DAY, end) for end in ledger.scored_ends(Size.DAY))
    seen = scans(plan, (day for day in days if day is not None), everything)
    forgotten = ledger.retained().get("scores", (0, 0))[1]
    yield from islice(seen, LONGEST - 1 if forgotten else 0, None)


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
