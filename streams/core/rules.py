"""Rule signals: plain thresholds of the profile (backlog, its age, what is overdue), outside statistics and budget.

A rule holds or it does not: one alert when a county first reaches its limit, none while it stays there, ended when it
has been below for as long as any alert of its window size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.core.alert import Evidence, Raised, Severity, Shape
from streams.core.city import City, Direction, Size
from streams.core.evidence import EvidenceMaker, digest
from streams.core.incident import QUIET_WINDOWS, RULE, Layout
from streams.core.judge_state import OpenAlert, TrackedSeries
from streams.core.outputs import ScoredWindow

LIMIT = "limit:"
"""The note of a rule's evidence begins with it: limit:120."""
THRESHOLD = "threshold"
"""Stands for a detector where there is none."""
NO_LIMIT = -1
CRITICAL_TIMES = 2
"""At so many times its limit a rule's alert is critical."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A series at or above its limit."""

    size: Size
    signal: int
    series: int
    count: int
    limit: int


def limits_of(city: City) -> NDArray[np.int64]:
    """Shape (signals, counties + 1): the count from which a rule holds, NO_LIMIT where there is none.

    A threshold per so many residents is rounded up; a county whose population the profile does not know has none then.
    """
    limits = np.full((len(city.signals), len(city.counties) + 1), NO_LIMIT, dtype=np.int64)
    everyone = [county.population for county in city.counties]
    people = [*everyone, sum(p for p in everyone if p) if all(everyone) else None]
    for i, signal in enumerate(city.signals):
        if signal.threshold is None:
            continue
        for j, population in enumerate(people):
            whole = j == len(city.counties)
            if whole and not signal.citywide:
                continue
            if signal.per_residents is None:
                limits[i, j] = signal.threshold
            elif population is not None:
                limits[i, j] = max(1, ceil(signal.threshold * population / signal.per_residents))
    return limits


def broken(window: ScoredWindow, limits: NDArray[np.int64]) -> list[Broken]:
    """The rules that hold in a window, by signal and county."""
    places = np.argwhere((limits > NO_LIMIT) & (window.counts >= limits))
    return [Broken(window.size, i, j, int(window.counts[i, j]), int(limits[i, j])) for i, j in places.tolist()]


def hear(
    layout: Layout, maker: EvidenceMaker, one: Broken, window: ScoredWindow, alerts: Sequence[OpenAlert]
) -> tuple[Raised, OpenAlert] | None:
    """The alert of a rule that holds; None where it has one."""
    signal, county = layout.city.signals[one.signal], layout.codes[one.series]
    apart = RULE + signal.name
    if any(alert.county == county and alert.apart == apart and not alert.ended for alert in alerts):
        return None
    alert = digest("rule", layout.city.name, county, signal.name, one.size, window.end)
    tracked = TrackedSeries(signal.name, one.size, THRESHOLD, county, Direction.HIGH)
    evidence = _evidence(layout.city, maker, one, window, county)
    severity = Severity.CRITICAL if one.count >= CRITICAL_TIMES * one.limit else Severity.WARNING
    opened = OpenAlert(
        alert=alert,
        county=county,
        family=signal.family,
        apart=apart,
        side=Direction.HIGH,
        size=one.size,
        raised_by=tracked,
        start=window.start,
        last_near=window.end,
        quiet=0,
        excess=0.0,
        tracked=(tracked,),
        joined=((signal.name, one.size, str(Shape.RULE)),),
    )
    return Raised(alert, evidence.known_at, county, signal.family, severity, evidence), opened


def _evidence(city: City, maker: EvidenceMaker, one: Broken, window: ScoredWindow, county: str) -> Evidence:
    return Evidence(
        signal=city.signals[one.signal].name,
        size=one.size,
        detector=THRESHOLD,
        detector_version="1",
        profile_version=city.profile_version,
        window_start=window.start,
        window_end=window.end,
        known_at=window.end + city.allowed_lateness,
        shape=Shape.RULE,
        direction=Direction.HIGH,
        count=one.count,
        expected=None,
        low=None,
        high=None,
        p=None,
        level=None,
        history=(),
        calendar=maker.calendar_facts(county, window.start, window.end),
        by_category=(),
        by_point=(),
        notes=(f"{LIMIT}{one.limit}",),
    )


def limit_in(notes: Sequence[str]) -> int | None:
    """The limit that a rule's evidence names."""
    return next((int(note.removeprefix(LIMIT)) for note in notes if note.startswith(LIMIT)), None)


def followed(
    alert: OpenAlert, windows: Mapping[Size, ScoredWindow], limits: NDArray[np.int64], layout: Layout
) -> OpenAlert:
    """A rule's alert after the windows of one end."""
    window = windows.get(alert.size)
    place, series = layout.signal.get(alert.raised_by.signal), layout.series.get(alert.county)
    if window is None or place is None or series is None:
        return alert
    if NO_LIMIT < limits[place, series] <= window.counts[place, series]:
        return msgspec.structs.replace(alert, quiet=0, last_near=window.end)
    quiet = alert.quiet + 1
    return msgspec.structs.replace(alert, quiet=quiet, ended=quiet >= QUIET_WINDOWS[alert.size])


def is_rule(alert: OpenAlert) -> bool:
    """Whether an alert is a rule's: no verdict of a detector joins it, or is explained by it."""
    return alert.apart.startswith(RULE)
