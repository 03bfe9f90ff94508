"""What the judge knew at a window end, recalled from what it did and from the windows that are stored.

Its alerts as they stood then, and the days that its scan had before it: nothing of either is stored for itself.
"""

from collections.abc import Iterable, Iterator, Sequence

from streams.core.alert import Ended, Evidence, Joined, Raised, Shape, Transition
from streams.core.city import Direction, Size
from streams.core.cluster_alerts import told_by, told_by_cluster
from streams.core.clusters import CLUSTER, ScannedDay, cluster_in, counties_of
from streams.core.drought import silent_points_in
from streams.core.incident import COMPARTMENTED, QUIET_WINDOWS, SILENT
from streams.core.instant import Instant
from streams.core.judge import JudgePlan
from streams.core.judge_state import OpenAlert, TrackedSeries
from streams.core.outputs import ScoredWindow
from streams.core.window import NOMINAL


def recall(plan: JudgePlan, transitions: Iterable[Transition], at: Instant) -> list[OpenAlert]:
    """The judge's alerts as they stood when it had judged the window end `at`, from what it did until then."""
    lateness = plan.city.allowed_lateness
    known = [one for one in transitions if one.at <= at + lateness]
    more: dict[str, list[Evidence]] = {}
    ended: dict[str, Instant] = {}
    for one in known:
        if isinstance(one, Joined):
            more.setdefault(one.alert, []).append(one.evidence)
        elif isinstance(one, Ended) and one.at < at + lateness:
            ended[one.alert] = one.at - lateness
    alerts = []
    for one in sorted((one for one in known if isinstance(one, Raised)), key=lambda one: (one.at, one.alert)):
        if one.evidence.shape in (Shape.ALWAYS_PAGE, Shape.RULE) or one.evidence.signal not in plan.layout.signal:
            continue
        alerts.append(_recalled(plan, one, more.get(one.alert, []), ended.get(one.alert)))
    return alerts


def _recalled(plan: JudgePlan, raised: Raised, joined: list[Evidence], ended: Instant | None) -> OpenAlert:
    case = raised.evidence
    size = Size(case.size)
    hidden = plan.layout.compartmented[plan.layout.signal[case.signal]]
    cluster = cluster_in(case.notes) if case.shape == Shape.CLUSTER else None
    together = f"{CLUSTER}{','.join(cluster[0])}" if cluster else ""
    points = silent_points_in(case.notes)
    silent = (f"{SILENT}:{','.join(points)}" if points else SILENT) if case.shape == Shape.SILENT_FEED else ""
    own = [one for one in joined if not one.county and plan.layout.belongs(one.signal, raised.family)]
    tracked = tuple(
        TrackedSeries(one.signal, Size(one.size), one.detector, one.county or raised.county, Direction(one.direction))
        for one in (case, *own)
    )
    quiet_for = QUIET_WINDOWS[size] * NOMINAL[size]
    return OpenAlert(
        alert=raised.alert,
        county=raised.county,
        family=raised.family,
        apart=together or silent or (COMPARTMENTED if hidden else ""),
        side=Direction(case.direction),
        size=size,
        raised_by=tracked[0],
        start=case.window_start,
        last_near=case.window_end if ended is None else ended - quiet_for,
        quiet=0,
        excess=max(abs(one.count - (one.expected or 0.0)) for one in (case, *own)),
        tracked=tracked,
        joined=tuple((one.signal, str(one.size), str(one.shape)) for one in (case, *joined)),
        ended=ended is not None,
    )


def scans(
    plan: JudgePlan, days: Iterable[ScoredWindow], transitions: Sequence[Transition]
) -> Iterator[tuple[ScoredWindow, tuple[ScannedDay, ...]]]:
    """Each of the stored days, oldest first, with all that the judge's scan had before it as it ended.

    True of a day that has `scan.LONGEST` stored ones up to it, or everything since the stream's first day;
    `transitions` is everything that the judge did, in every county.
    """
    layout, signals = plan.layout, plan.scans.signals
    scanned: tuple[ScannedDay, ...] = ()
    for window in days:
        alerts = recall(plan, transitions, window.end)
        known = [one for one in alerts if not one.ended or one.last_near > window.start]
        scanned = plan.scans.remember(scanned, window, told_by(layout, known, signals))
        yield window, scanned
        over = {
            one.alert
            for one in transitions
            if isinstance(one, Ended) and one.at == window.end + plan.city.allowed_lateness
        }
        for alert in alerts:
            if alert.alert in over and counties_of(alert.apart):
                scanned = plan.scans.settle(scanned, told_by_cluster(layout, alert, signals), alert.start)
