"""The scan's part of an explanation: the most unlikely cluster that a county is part of, and what it led to."""

from collections.abc import Sequence

from detectors.scan import Scan, smallest_count
from streams.core.alert import Ended, Raised, Shape, Transition
from streams.core.city import Direction
from streams.core.clusters import ScannedDay, counties_of
from streams.core.explanation import Test, Together, Why
from streams.core.judge import JudgePlan
from streams.core.outputs import ScoredWindow
from streams.core.recall import recall


def scan_tests(plan: JudgePlan, scanned: tuple[ScannedDay, ...], i: int, j: int) -> list[Test]:
    """The scan's test of a signal, as it looks from one county, or from the city as a whole."""
    scans = plan.scans
    if i not in scans.signals:
        return []
    level = scans.levels[scans.signals.index(i)]
    best = scans.most_unlikely(scanned, i, None)
    mine = best if j == plan.layout.whole else scans.most_unlikely(scanned, i, j)
    if best is None or mine is None:
        return [Test(Scan.name, Direction.HIGH, Why.ABOVE_LEVEL, p=1.0, level=level)]
    why = Why.ABOVE_LEVEL
    if mine.p <= level:
        why = Why.VERDICT if mine.count >= plan.minimum[i] else Why.MINIMUM_COUNT
        if mine.places != best.places and why is Why.VERDICT:
            why = Why.OTHER_CLUSTER
    smallest = smallest_count(mine, level, scans.zones)
    return [
        Test(
            detector=Scan.name,
            side=Direction.HIGH,
            why=why,
            expected=mine.expected,
            low=mine.low,
            high=mine.high,
            p=mine.p,
            level=level,
            turning_count=max(min(smallest, mine.count) if mine.p <= level else smallest, int(plan.minimum[i])),
            tells_counts=True,
            cluster=Together(scans.codes(mine), mine.span, mine.count),
        )
    ]


def cluster_outcome(
    plan: JudgePlan, window: ScoredWindow, i: int, together: Together, transitions: Sequence[Transition]
) -> tuple[Why, str | None]:
    """What a cluster that is improbable enough led to: its alert, one that it joined, or one that is on it already."""
    name, family = plan.city.signals[i].name, plan.city.signals[i].family
    for one in transitions:
        if not isinstance(one, Ended) and one.evidence.shape == Shape.CLUSTER:
            case = one.evidence
            if (case.signal, case.window_end) == (name, window.end):
                return (Why.RAISED if isinstance(one, Raised) else Why.JOINED), one.alert
    mine = set(together.counties)
    for alert in recall(plan, transitions, window.end):
        on_it = mine & set(counties_of(alert.apart)) or alert.county in mine or alert.county == plan.city.code
        if not alert.ended and alert.family == family and alert.side is Direction.HIGH and on_it:
            return Why.CONTINUED, alert.alert
    return Why.EXPLAINED, None
