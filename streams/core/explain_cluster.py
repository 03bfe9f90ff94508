"""The scan's part of an explanation: the clusters that a county is part of, and what they led to."""

from collections.abc import Sequence

from detectors.scan import Cluster, Scan, smallest_count
from streams.core.alert import Ended, Raised, Shape, Transition
from streams.core.city import Direction
from streams.core.clusters import ScannedDay, cluster_in, counties_of
from streams.core.explanation import Test, Together, Why
from streams.core.judge import JudgePlan
from streams.core.outputs import ScoredWindow
from streams.core.recall import recall


def scan_tests(plan: JudgePlan, scanned: tuple[ScannedDay, ...], i: int, j: int) -> list[Test]:
    """The scan's test of a signal, as it looks from one county: of the cluster that the day tells of with it, else of
    the most unlikely one that it is part of; from the city as a whole of all that the day tells of, most unlikely
    first."""
    scans = plan.scans
    if i not in scans.signals:
        return []
    level = scans.levels[scans.signals.index(i)]
    told = scans.apart(scanned, i, level)
    whole = j == plan.layout.whole
    mine = [cluster for cluster in told if whole or j in cluster.places]
    if mine:
        return [_test(plan, i, level, cluster) for cluster in mine]
    best = scans.most_unlikely(scanned, i, None if whole else j)
    if best is None:
        return [Test(Scan.name, Direction.HIGH, Why.ABOVE_LEVEL, p=1.0, level=level)]
    return [_test(plan, i, level, best, told)]


def _test(plan: JudgePlan, i: int, level: float, cluster: Cluster, told: Sequence[Cluster] = ()) -> Test:
    """The test of one cluster; `told`: those that the day tells of instead, where it is none of them."""
    smallest, minimum = smallest_count(cluster, level, plan.scans.zones), int(plan.minimum[i])
    unlikely = cluster.p <= level
    instead = next((one for one in told if set(one.places) & set(cluster.places)), None) if unlikely else None
    if not unlikely:
        why = Why.ABOVE_LEVEL
    elif cluster.count < minimum:
        why = Why.MINIMUM_COUNT
    else:
        why = Why.VERDICT if instead is None else Why.OTHER_CLUSTER
    return Test(
        detector=Scan.name,
        side=Direction.HIGH,
        why=why,
        expected=cluster.expected,
        low=cluster.low,
        high=cluster.high,
        p=cluster.p,
        level=level,
        turning_count=max(min(smallest, cluster.count) if unlikely else smallest, minimum),
        tells_counts=True,
        cluster=Together(
            plan.scans.codes(cluster),
            cluster.span,
            cluster.count,
            () if instead is None else plan.scans.codes(instead),
        ),
    )


def cluster_outcome(
    plan: JudgePlan, window: ScoredWindow, i: int, together: Together, transitions: Sequence[Transition]
) -> tuple[Why, str | None]:
    """What a cluster that is improbable enough led to: its alert, one that it joined, or one that is on it already."""
    name, family = plan.city.signals[i].name, plan.city.signals[i].family
    for one in transitions:
        if not isinstance(one, Ended) and one.evidence.shape == Shape.CLUSTER:
            case = one.evidence
            counties, _ = cluster_in(case.notes) or ((), 0)
            if (case.signal, case.window_end, counties) == (name, window.end, together.counties):
                return (Why.RAISED if isinstance(one, Raised) else Why.JOINED), one.alert
    mine = set(together.counties)
    for alert in recall(plan, transitions, window.end):
        on_it = mine & set(counties_of(alert.apart)) or alert.county in mine or alert.county == plan.city.code
        if not alert.ended and alert.family == family and alert.side is Direction.HIGH and on_it:
            return Why.CONTINUED, alert.alert
    return Why.EXPLAINED, None
