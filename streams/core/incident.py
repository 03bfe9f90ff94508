"""One incident, one alert: what belongs to an alert that is there already.

A burst in one category lifts the county's total too, and the city's series of that category, and the day's
window that closes after the hour's. None of them may page again. A verdict belongs to an alert

* of its own county and family, open, or ended but with its windows inside the verdict's (an echo);
* whose incident makes up most of what the verdict sees: a total is explained by its county's alerts, a
  city-wide series by its counties', when at least half of its departure from the expected is theirs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from streams.core.city import City, Direction, Measure, Signal, Size
from streams.core.guards import LevelTable, Verdict, excess, is_near
from streams.core.judge_state import OpenAlert
from streams.core.outputs import ScoredWindow

EXPLAINED = 0.5
"""Share of a verdict's departure that alerts must account for to explain it."""

COMPARTMENTED = "compartmented"
RULE = "rule:"
"""Followed by its signal: a threshold's alert explains no detector's."""
SILENT = "silent_feed"
"""Followed by `:` and their names where only some points are silent."""


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
    """Where the city's families and counties lie in the vectors, and which signal counts what others count
    too: compiled once."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.codes = (*(county.code for county in city.counties), city.code)
        self.series = {code: i for i, code in enumerate(self.codes)}
        self.whole = len(city.counties)
        """Index of the whole-city series."""
        self.signal = {signal.name: i for i, signal in enumerate(city.signals)}
        hidden = frozenset(category.code for category in city.categories if category.compartmented)
        self.compartmented = tuple(
            signal.compartmented or ("category" in signal.where and signal.where["category"] <= hidden)
            for signal in city.signals
        )
        families = dict.fromkeys(signal.family for signal in city.signals)
        self.families = {
            family: tuple(i for i, signal in enumerate(city.signals) if signal.family == family) for family in families
        }
        self._parts = tuple(
            frozenset(j for j, part in enumerate(city.signals) if i != j and _holds(whole, part))
            for i, whole in enumerate(city.signals)
        )
        breadth = {family: max(len(self._parts[i]) for i in members) for family, members in self.families.items()}
        self.breadth = tuple(breadth[signal.family] for signal in city.signals)
        """Per signal, how many signals its family takes in at most: the narrow are heard before the broad."""

    def members(self, alert: OpenAlert, within: int) -> tuple[int, ...]:
        """Signals of an alert's kind that count what the signal `within` counts, or a part of it."""
        hidden = alert.apart == COMPARTMENTED
        return tuple(
            i
            for i in self.families.get(alert.family, ())
            if (i == within or i in self._parts[within]) and self.compartmented[i] is hidden
        )

    def holders(self, family: str, signal: int) -> tuple[int, ...]:
        """Signals of a family that count everything that a signal counts."""
        return tuple(i for i in self.families.get(family, ()) if signal in self._parts[i])

    def belongs(self, signal: str, family: str) -> bool:
        """Whether a signal, by name, is of a family, or counts a part of what one of its signals counts."""
        place = self.signal.get(signal)
        return place is not None and (self.city.signals[place].family == family or bool(self.holders(family, place)))

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


def _holds(whole: Signal, part: Signal) -> bool:
    """Whether every event that passes the filter `part` passes `whole` too, by the filters alone. A part that
    names no kind is taken to mean the kinds of the whole. A share holds nothing and is held by nothing."""
    return not (whole.of or part.of) and all(
        part.where[field] <= values if field in part.where else field == "kind" for field, values in whole.where.items()
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

    def largest(self, signals: Sequence[int], series: int, side: Direction, prefer: str) -> float | None:
        """Departure of the one that departs most, event counts before other measures; None where none of
        them is scored at this size."""
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

    def telling(self, signals: Sequence[int], series: int, side: Direction) -> bool:
        """Whether one of the signals is at or near a verdict in this window."""
        return any(is_near(self.window, table, i, series, side) for i in signals for table in self.tables)


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
    around = [
        alert
        for alert in alerts
        if alert.side is verdict.side and not alert.apart.startswith(RULE) and _overlaps(alert, departures.window)
    ]
    silence = next((alert for alert in around if _silences(alert, layout, key, verdict)), None)
    if silence is not None:
        return silence
    if key.apart == COMPARTMENTED:
        around = [alert for alert in around if alert.apart == COMPARTMENTED]
    seen = _seen_by_the_whole(layout, key, verdict, departures, around)
    if seen is not None:
        return seen
    for here in (True, False):
        if not here and verdict.series != layout.whole:
            break
        parts = _parts(layout, verdict, departures, [alert for alert in around if (alert.county == key.county) is here])
        if parts and sum(part for part, _ in parts) >= EXPLAINED * verdict.excess:
            return max(parts, key=lambda item: item[0])[1]
    return None


def still_silent(layout: Layout, alert: OpenAlert, window: ScoredWindow | None) -> bool:
    """Whether nothing has come in a window of its size from the feed that an alert says is dead: then it is not over,
    whatever the detectors have come to expect."""
    if not alert.apart.startswith(SILENT) or window is None:
        return False
    series = layout.series.get(alert.county, layout.whole)
    counts = [
        int(window.counts[i, series])
        for i, signal in enumerate(layout.city.signals)
        if signal.measure is Measure.EVENTS and _is_fed_by(layout, alert, i)
    ]
    return any(count == 0 for count in counts) and all(count <= 0 for count in counts)


def silenced_by(
    layout: Layout, signal: int, series: int, window: ScoredWindow, alerts: Sequence[OpenAlert]
) -> str | None:
    """The alert, of all that there ever were, that says that the feed of a series is dead in a window."""
    places = (layout.city.code, layout.codes[series])
    for alert in alerts:
        lasted = alert.start <= window.start and (not alert.ended or window.end <= alert.last_near)
        if alert.apart.startswith(SILENT) and lasted and alert.county in places and _is_fed_by(layout, alert, signal):
            return alert.alert
    return None


def _silences(alert: OpenAlert, layout: Layout, key: Key, verdict: Verdict) -> bool:
    """Whether an alert says that the feed behind a verdict is dead: of the whole city or of its county, all points or
    all of the signal's own."""
    if not alert.apart.startswith(SILENT) or alert.county not in (layout.city.code, key.county):
        return False
    return _is_fed_by(layout, alert, verdict.signal)


def _is_fed_by(layout: Layout, alert: OpenAlert, signal: int) -> bool:
    """Whether what a signal counts comes from the points that an alert says are silent: of signals that name none it is
    known where one of them raised it."""
    if alert.apart == SILENT:
        return True
    signals = layout.city.signals
    points, raised_by = signals[signal].where.get("point"), layout.signal.get(alert.raised_by.signal)
    if points is None:
        return raised_by is not None and "point" not in signals[raised_by].where
    return points <= frozenset(alert.apart.removeprefix(f"{SILENT}:").split(","))


def _parts(
    layout: Layout, verdict: Verdict, departures: Departures, alerts: Sequence[OpenAlert]
) -> list[tuple[float, OpenAlert]]:
    """What each alert accounts for of the verdict's window, in the alerts' order: alerts on a part of what its
    signal counts, each county's broadest ones. One whose own signals have no such window size counts with
    the largest departure it has shown."""
    found: dict[Key, tuple[OpenAlert, tuple[int, ...]]] = {}
    for alert in alerts:
        members = layout.members(alert, verdict.signal)
        if members:
            found.setdefault(key_of(alert), (alert, members))
    parts: list[tuple[float, OpenAlert]] = []
    for alert, members in found.values():
        within_another = any(
            other.county == alert.county
            and other.family != alert.family
            and layout.breadth[theirs[0]] > layout.breadth[members[0]]
            and any(layout.holders(other.family, i) for i in members)
            for other, theirs in found.values()
        )
        if not within_another:
            series = layout.series[alert.county]
            part = departures.largest(members, series, verdict.side, verdict.detector) or 0.0
            if not any(
                departures.of_signal(layout.signal[tracked.signal], series, verdict.side) is not None
                for tracked in alert.tracked
                if tracked.signal in layout.signal
            ):
                part = max(part, alert.excess)
            parts.append((part, alert))
    return parts


def _seen_by_the_whole(
    layout: Layout, key: Key, verdict: Verdict, departures: Departures, alerts: Sequence[OpenAlert]
) -> OpenAlert | None:
    """The open alert of the same county on a signal that counts this one's events too, when that saw this
    incident first: it is still at or near a verdict in this very window, and most of its departure is this."""
    for alert in alerts:
        if alert.county != key.county or alert.ended or alert.apart != key.apart:
            continue
        holders = layout.holders(alert.family, verdict.signal)
        lifted = departures.largest(holders, verdict.series, verdict.side, verdict.detector)
        if (
            lifted is not None
            and 0 < EXPLAINED * lifted <= verdict.excess
            and departures.telling(holders, verdict.series, verdict.side)
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
