"""What a cluster of neighbouring counties leads to: one alert that names them, or more evidence for one that is there.

Its alert is keyed by the county that contributes most, and the signal's family; it stands apart from that county's own
alerts, and takes in whatever its other counties show of the same family while it is open.
"""

from collections.abc import Sequence

import msgspec

from detectors.scan import Scan
from streams.core.alert import Evidence, Joined, Raised, Shape
from streams.core.city import Direction, Size
from streams.core.clusters import CLUSTER, Find, cluster_note, counties_of
from streams.core.evidence import EvidenceMaker, digest, severity_of
from streams.core.incident import COMPARTMENTED, EXPLAINED, QUIET_WINDOWS, Key, Layout
from streams.core.instant import Instant
from streams.core.judge_state import OpenAlert, TrackedSeries


def hear(
    layout: Layout, maker: EvidenceMaker, find: Find, end: Instant, alerts: Sequence[OpenAlert]
) -> tuple[Raised | Joined | None, OpenAlert | None, OpenAlert]:
    """What one cluster does: (transition, the alert before or None, the alert after).

    It joins the open alert of a cluster of this family that shares a county with it; or one of this family on which
    at least half of the cluster rests: that incident is known, its spread is evidence. Else it raises one.
    """
    family = layout.city.signals[find.signal].family
    known = next(
        (
            alert
            for alert in alerts
            if not alert.ended
            and alert.family == family
            and alert.side is Direction.HIGH
            and (set(counties_of(alert.apart)) & set(find.counties) or _carries(alert, layout, find))
        ),
        None,
    )
    main = find.counties[max(range(len(find.parts)), key=lambda k: (find.parts[k], -k))]
    evidence = _evidence(layout, maker, find, end, main if known is None else known.county)
    at = evidence.known_at
    if known is not None:
        case = (evidence.signal, evidence.size, str(evidence.shape))
        if case in known.joined or (_hidden(layout, find) and known.apart != COMPARTMENTED):
            return None, known, known
        after = msgspec.structs.replace(known, joined=(*known.joined, case))
        return Joined(known.alert, at, evidence), known, after
    apart = CLUSTER + ",".join(find.counties)
    alert = digest("incident", layout.city.name, main, family, apart, evidence.signal, end)
    tracked = TrackedSeries(evidence.signal, Size.DAY, Scan.name, main, Direction.HIGH)
    opened = OpenAlert(
        alert=alert,
        county=main,
        family=family,
        apart=apart,
        side=Direction.HIGH,
        size=Size.DAY,
        raised_by=tracked,
        start=find.start,
        last_near=end,
        quiet=0,
        excess=find.excess,
        tracked=(tracked,),
        joined=((evidence.signal, evidence.size, str(evidence.shape)),),
    )
    raised = Raised(alert, at, main, family, severity_of(find.cluster.p, find.level), evidence)
    return raised, None, opened


def _carries(alert: OpenAlert, layout: Layout, find: Find) -> bool:
    """Whether at least half of a cluster's excess lies in the county, or the city, of an alert of its kind."""
    if alert.apart not in ("", COMPARTMENTED) or (alert.apart == COMPARTMENTED) is not _hidden(layout, find):
        return False
    if alert.county == layout.city.code:
        return True
    own = dict(zip(find.counties, find.parts, strict=True)).get(alert.county, 0.0)
    return own >= EXPLAINED * find.excess


def _hidden(layout: Layout, find: Find) -> bool:
    return layout.compartmented[find.signal]


def _evidence(layout: Layout, maker: EvidenceMaker, find: Find, end: Instant, county: str) -> Evidence:
    cluster = find.cluster
    return Evidence(
        signal=layout.city.signals[find.signal].name,
        size=Size.DAY,
        detector=Scan.name,
        detector_version=Scan.version,
        profile_version=layout.city.profile_version,
        window_start=find.start,
        window_end=end,
        known_at=end + layout.city.allowed_lateness,
        shape=Shape.CLUSTER,
        direction=Direction.HIGH,
        count=cluster.count,
        expected=cluster.expected,
        low=cluster.low,
        high=cluster.high,
        p=cluster.p,
        level=find.level,
        history=(),
        calendar=maker.calendar_facts(county, end - 1, end),
        by_category=(),
        by_point=(),
        notes=(cluster_note(find),),
        county="" if county in find.counties else find.counties[0],
    )


def told_by(layout: Layout, alerts: Sequence[OpenAlert], scanned: Sequence[int]) -> list[tuple[int, int]]:
    """The scanned series, as (signal, county), on whose excess one of these alerts is; clusters' own aside."""
    found = {
        (signal, layout.series[alert.county])
        for alert in alerts
        if alert.side is Direction.HIGH and alert.apart in ("", COMPARTMENTED) and alert.county != layout.city.code
        for signal in scanned
        if layout.city.signals[signal].family == alert.family
    }
    return sorted(found)


def told_by_cluster(layout: Layout, alert: OpenAlert, scanned: Sequence[int]) -> list[tuple[int, int]]:
    """The scanned series that a cluster's alert is on."""
    signals = [signal for signal in scanned if layout.city.signals[signal].family == alert.family]
    return [(signal, layout.series[code]) for signal in signals for code in counties_of(alert.apart)]


def taking_in(key: Key, side: Direction, alerts: Sequence[OpenAlert]) -> OpenAlert | None:
    """The open alert of a cluster that a county's verdict on the same family belongs to."""
    for alert in alerts:
        own = not alert.ended and alert.family == key.family and alert.side is side and not key.apart
        if own and key.county in counties_of(alert.apart):
            return alert
    return None


def followed(before: OpenAlert, after: OpenAlert, finds: Sequence[Find], layout: Layout, end: Instant) -> OpenAlert:
    """A cluster's alert after a day's end, given what its counties' own series made of it: still there, quieter, or
    ended."""
    counties = set(counties_of(before.apart))
    still = any(
        layout.city.signals[find.signal].family == before.family and counties & set(find.counties) for find in finds
    )
    if still or after.last_near == end:
        return msgspec.structs.replace(after, quiet=0, last_near=end)
    quiet = before.quiet + 1
    return msgspec.structs.replace(after, quiet=quiet, ended=quiet >= QUIET_WINDOWS[Size.DAY])
