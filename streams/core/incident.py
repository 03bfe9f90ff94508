"""One incident, one alert: what belongs to an alert that is there already.

A burst in one category lifts the county's total too, and the city's series of that category, and the day's
window that closes after the hour's. None of them may page again. A verdict belongs to an alert

* of its own county and family, open, or ended but with its windows inside the verdict's (an echo);
* whose incident makes up most of what the verdict sees: a total is explained by its county's alerts, a
  city-wide series by its counties', when at least half of its departure from the expected is theirs.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from streams.core.city import City, Direction, Measure, Size
from streams.core.guards import LevelTable, Verdict, excess, is_near
from streams.core.judge_state import OpenAlert
from streams.core.outputs import ScoredWindow

TOTAL_FAMILY = "all"
"""Family of the signals that count every category: other families' alerts may explain them."""
EXPLAINED = 0.5
"""Share of a verdict's departure that alerts must account for to explain it."""


COMPARTMENTED = "compartmented"
SILENT = "silent_feed"


class Key(NamedTuple):
    """What an alert is keyed by: county and category family, and what may not share an alert with the rest:
    compartmented material, whose alerts the county must not see, and a silent feed, which is no drought."""

    county: str
    family: str
    apart: str = ""


def key_of(alert: OpenAlert) -> Key:
    """The alert's key."""
    return Key(alert.county, alert.family, alert.apart)


class Layout:
    """Where the city's families and counties lie in the vectors: compiled once."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.codes = (*(county.code for county in city.counties), city.code)
        self.series = {code: i for i, code in enumerate(self.codes)}
        self.whole = len(city.counties)
        """Index of the whole-city series."""
        self.signal = {signal.name: i for i, signal in enumerate(city.signals)}
        hidden = frozenset(category.code for category in city.categories if category.compartmented)
        self.compartmented = tuple(
            signal.compartmented or (bool(signal.where.get("category")) and signal.where["category"] <= hidden)
            for signal in city.signals
        )
        families = dict.fromkeys(signal.family for signal in city.signals)
        self.families = {
            family: tuple(i for i, signal in enumerate(city.signals) if signal.family == family) for family in families
        }

    def family_of(self, signal: str) -> str | None:
        """The family of a signal, by name; None where the city has no such signal."""
        place = self.signal.get(signal)
        return None if place is None else self.city.signals[place].family

    def key(self, verdict: Verdict) -> Key:
        """The key of the alert that a verdict raises."""
        signal = self.city.signals[verdict.signal]
        return Key(
            self.codes[verdict.series], signal.family, COMPARTMENTED if self.compartmented[verdict.signal] else ""
        )


class Departures:
    """How far each family's series of one scored window are from their expected values."""

    def __init__(self, layout: Layout, window: ScoredWindow, tables: tuple[LevelTable, ...]) -> None:
        self.layout = layout
        self.window = window
        self.tables = tables

    def of_signal(self, signal: int, series: int, side: Direction, prefer: str = "") -> float | None:
        """Departure of one series; None where nothing has scored it."""
        return excess(self.window, self.tables, signal, series, side, prefer)

    def of_family(self, family: str, series: int, side: Direction, prefer: str) -> float | None:
        """Departure of a family in one county: its signal that departs most, event counts before others;
        None where none of its signals is scored at this size."""
        signals = self.layout.families.get(family, ())
        for counted in (True, False):
            found = [
                departure
                for i in signals
                if (self.layout.city.signals[i].measure is Measure.EVENTS) is counted
                and (departure := self.of_signal(i, series, side, prefer)) is not None
            ]
            if found:
                return max(0.0, *found)
        return None

    def raised(self, family: str, series: int, side: Direction) -> bool:
        """Whether a signal of the family is at or near a verdict in this window."""
        return any(
            is_near(self.window, table, i, series, side)
            for i in self.layout.families.get(family, ())
            for table in self.tables
        )


def _overlaps(alert: OpenAlert, window: ScoredWindow) -> bool:
    """Open, or ended with its last telling window inside this one."""
    return not alert.ended or alert.last_near > window.start


def owner(
    layout: Layout, key: Key, side: Direction, window: ScoredWindow, alerts: Sequence[OpenAlert]
) -> OpenAlert | None:
    """The alert of a verdict's own key, the latest first: open, or ended with windows inside this one's span
    on the same side (an echo). A total's alert that a family has joined is that family's too."""
    for alert in reversed(alerts):
        if alert.county != key.county or alert.apart != key.apart or not _overlaps(alert, window):
            continue
        if alert.ended and alert.side is not side:
            continue
        if alert.family == key.family or any(
            layout.family_of(tracked.signal) == key.family for tracked in alert.tracked
        ):
            return alert
    return None


def explaining(
    layout: Layout, key: Key, verdict: Verdict, departures: Departures, alerts: Sequence[OpenAlert]
) -> OpenAlert | None:
    """The alert that a verdict without an alert of its own belongs to, or None: then it is news.

    Of several alerts that together explain it, the one with the largest part (then the first raised).
    """
    if verdict.excess <= 0:
        return None
    around = [alert for alert in alerts if alert.side is verdict.side and _overlaps(alert, departures.window)]
    silence = next((alert for alert in around if alert.apart == SILENT), None)
    if silence is not None:
        return silence
    if key.apart == COMPARTMENTED:
        around = [alert for alert in around if alert.apart == COMPARTMENTED]
    if key.family != TOTAL_FAMILY:
        total = _total_that_saw_it(verdict, departures, key, around)
        if total is not None:
            return total
    whole = verdict.series == layout.whole
    routes: list[Callable[[OpenAlert], bool]] = []
    if key.family == TOTAL_FAMILY:
        routes.append(lambda alert: alert.county == key.county and alert.family != TOTAL_FAMILY)
    if whole:
        routes.append(lambda alert: alert.county != key.county and key.family in {alert.family, TOTAL_FAMILY})
    for belongs in routes:
        parts = _parts(layout, verdict, departures, [alert for alert in around if belongs(alert)])
        if sum(part for part, _ in parts) >= EXPLAINED * verdict.excess:
            return max(parts, key=lambda item: item[0])[1]
    return None


def _parts(
    layout: Layout, verdict: Verdict, departures: Departures, alerts: Sequence[OpenAlert]
) -> list[tuple[float, OpenAlert]]:
    """What each alert accounts for of the verdict's window, in the alerts' order. Where a county's total has
    an alert, its families' are part of it; an alert whose family is not measured at this size counts with the
    largest departure it has shown."""
    with_total = {alert.county for alert in alerts if alert.family == TOTAL_FAMILY}
    seen: set[tuple[str, str]] = set()
    parts: list[tuple[float, OpenAlert]] = []
    for alert in alerts:
        place = (alert.county, alert.family)
        if place in seen or (alert.county in with_total and alert.family != TOTAL_FAMILY):
            continue
        seen.add(place)
        series = layout.series[alert.county]
        part = departures.of_family(alert.family, series, verdict.side, verdict.detector)
        parts.append((alert.excess if part is None else part, alert))
    return parts


def _total_that_saw_it(
    verdict: Verdict, departures: Departures, key: Key, alerts: Sequence[OpenAlert]
) -> OpenAlert | None:
    """The alert of the same county's total, when the total saw this incident first: it is still at or near a
    verdict in this very window, and this family makes up most of its departure."""
    for alert in alerts:
        if alert.county != key.county or alert.family != TOTAL_FAMILY or alert.ended or alert.apart != key.apart:
            continue
        lifted = departures.of_family(TOTAL_FAMILY, verdict.series, verdict.side, verdict.detector)
        if (
            lifted is not None
            and lifted > 0
            and verdict.excess >= EXPLAINED * lifted
            and departures.raised(TOTAL_FAMILY, verdict.series, verdict.side)
        ):
            return alert
    return None


QUIET_WINDOWS = {Size.HOUR: 24, Size.DAY: 3, Size.WEEK: 2}
"""Hysteresis: windows of the raising size without a verdict or near-verdict (NEAR x level) before an alert
ends. A day of hours, so that a quiet night does not cut an incident in two; three days, so that a weekend
does not; two weeks."""


def followed(
    alert: OpenAlert,
    layout: Layout,
    scored: dict[Size, tuple[ScoredWindow, tuple[LevelTable, ...]]],
    end: int,
) -> OpenAlert:
    """The alert after the windows that end at `end`: still near, quieter by one window, or ended.

    A raising series that has no verdict to give (missing) neither keeps the alert open nor ends it.
    """
    near = False
    observed = False
    for tracked in alert.tracked:
        if tracked.size not in scored or tracked.signal not in layout.signal or tracked.county not in layout.series:
            continue
        window, tables = scored[tracked.size]
        table = next((t for t in tables if t.detector == tracked.detector), None)
        if table is None:
            continue
        at = (layout.signal[tracked.signal], layout.series[tracked.county])
        state = is_near(window, table, *at, tracked.side)
        near = near or state is True
        observed = observed or (tracked == alert.raised_by and state is not None)
    return _moved(alert, near, observed, alert.size in scored, end)


def _moved(alert: OpenAlert, near: bool, observed: bool, counted: bool, end: int) -> OpenAlert:
    if near:
        return msgspec.structs.replace(alert, quiet=0, last_near=end)
    if not (counted and observed):
        return alert
    quiet = alert.quiet + 1
    return msgspec.structs.replace(alert, quiet=quiet, ended=quiet >= QUIET_WINDOWS[alert.size])
