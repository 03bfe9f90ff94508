"""judge: scored windows of one city to alerts, all signals and counties together, under one page budget.

`step(plan, state, input) -> (state, transitions)` is pure. It acts on window ends in order of T, each once
every size that ends at T has come in, so the order in which one end's windows arrive cannot matter. At one T:

1. tests are paid for out of the budget, then guards pick the verdicts (`guards`);
2. counties before the city as a whole, narrow families before totals, each verdict is heard: it joins the alert of
   its incident where there is one (`incident`), or raises one; a drought needs corroboration first;
3. open alerts are kept open by verdicts and near-verdicts, or end with hysteresis.

Always-page events go by all of this (`always_page`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.observation import ScoreReason
from streams.core import cluster_alerts, rules
from streams.core.alert import Ended, Joined, Raised, Shape, Transition
from streams.core.always_page import forget, page
from streams.core.city import BREAK, City, Direction, Measure, Size
from streams.core.clusters import Find, ScanPlan, counties_of
from streams.core.drought import SILENT_POINTS, dead_points, heartbeat_note, witness
from streams.core.evidence import EvidenceMaker, digest, is_past, severity_of, shape_of
from streams.core.guards import (
    LevelKey,
    LevelTable,
    Verdict,
    cost,
    level_tables,
    near_highs,
    near_lows,
    verdicts,
)
from streams.core.incident import (
    COMPARTMENTED,
    EXPLAINED,
    SILENT,
    Departures,
    Key,
    Layout,
    explaining,
    followed,
    owner,
    still_silent,
)
from streams.core.instant import DAY, WEEK, Instant
from streams.core.judge_state import JudgeState, LowSeen, OpenAlert, TrackedSeries
from streams.core.level_change import LEAST_AFTER, change_point, reclassification, since
from streams.core.outputs import AlwaysPage, ScoredWindow
from streams.core.people import People, people_note
from streams.core.spending import budget_in_units
from streams.core.window import WindowGrid

MEMORY = WEEK + DAY
"""How long an ended alert is remembered: no window that ends later can hold one of its windows."""


@dataclass(frozen=True)
class JudgePlan:
    """All that the judge knows of a city, compiled once."""

    city: City
    grid: WindowGrid
    layout: Layout
    maker: EvidenceMaker
    tables: Mapping[Size, tuple[LevelTable, ...]]
    minimum: NDArray[np.int64]
    """Minimum count per signal."""
    additive: NDArray[np.int64]
    """Indices of the signals that count events: all zero together when a feed is silent."""
    sizes: tuple[Size, ...]
    """Window sizes that some signal has."""
    scans: ScanPlan
    breaks: tuple[tuple[Instant, ...], ...]
    """Per signal, when the reporting days start on which it was filed anew."""
    limits: NDArray[np.int64]
    """Of rules, shape (signals, counties + 1)."""
    budget: int
    """Per 7 days, in units of `spending`."""

    @classmethod
    def of(cls, city: City, levels: Mapping[LevelKey, float], versions: Mapping[str, str]) -> "JudgePlan":
        """The plan of a city. `levels` is what each test may spend (`guards.level_tables`); `versions` are
        the detectors', by name."""
        grid = WindowGrid(city.zone, city.day_start)
        return cls(
            city=city,
            grid=grid,
            layout=Layout(city),
            maker=EvidenceMaker(city, grid, versions),
            tables=level_tables(city, levels),
            minimum=np.array([signal.minimum_count for signal in city.signals], dtype=np.int64),
            additive=np.array([i for i, s in enumerate(city.signals) if s.measure is Measure.EVENTS], dtype=np.int64),
            sizes=tuple(size for size in Size if any(size in signal.sizes for signal in city.signals)),
            scans=ScanPlan.of(city, levels),
            breaks=tuple(tuple(grid.named(day).start for day in signal.breaks) for signal in city.signals),
            limits=rules.limits_of(city),
            budget=budget_in_units(city.budget_per_week),
        )

    def broken(self, signal: int, window: ScoredWindow) -> bool:
        """Whether what a signal counts was filed anew shortly before a window, or within it."""
        return any(start < window.end and window.start < start + BREAK for start in self.breaks[signal])

    def has_newcomers(self, verdict: Verdict, window: ScoredWindow) -> bool:
        """Whether at least half of what is too many in the whole city comes from counties that have only begun to send,
        and are still warming up: the city's old sums are without them."""
        if verdict.series != self.layout.whole or verdict.side is Direction.LOW or self.city.signals[verdict.signal].of:
            return False
        reason = window.scores[verdict.detector].reason[verdict.signal, : self.layout.whole]
        counts = window.counts[verdict.signal, : self.layout.whole]
        theirs = int(counts[(reason == ScoreReason.WARMING_UP) & (counts > 0)].sum())
        return theirs > 0 and theirs >= EXPLAINED * verdict.excess

    def cost(self, window: ScoredWindow) -> int:
        """What the tests of one scored window spend, in units."""
        return cost(window, self.tables[window.size]) + (self.scans.cost if window.size is Size.DAY else 0)


def step(
    plan: JudgePlan, state: JudgeState, given: ScoredWindow | AlwaysPage
) -> tuple[JudgeState, tuple[Transition, ...]]:
    """Take one scored window or one always-page event in. A window end that was judged, or a size that has
    come in for its end, is a repetition and changes nothing."""
    if isinstance(given, AlwaysPage):
        return page(plan.maker, state, given)
    last = state.arrived.get(given.size)
    if given.size not in plan.sizes or (last is not None and given.end <= last):
        return state, ()
    order = list(Size)
    pending = tuple(sorted((*state.pending, given), key=lambda w: (w.end, order.index(w.size))))
    arrived = {**state.arrived, given.size: given.end}
    state = msgspec.structs.replace(
        state,
        began=_beginning(state, given),
        pending=pending,
        arrived={size: arrived[size] for size in Size if size in arrived},
    )
    made: list[Transition] = []
    while state.pending and _complete(plan, state, state.pending[0].end):
        at = state.pending[0].end
        sitting = Sitting(plan, state, [window for window in state.pending if window.end == at])
        made.extend(sitting.hold())
        state = sitting.adjourned([window for window in state.pending if window.end > at])
    return state, tuple(made)


def _beginning(state: JudgeState, given: ScoredWindow) -> Instant | None:
    """When the stream began, as far as its windows tell."""
    if state.began is None:
        return None if state.arrived else given.start
    return min(state.began, given.start)


def _complete(plan: JudgePlan, state: JudgeState, at: Instant) -> bool:
    """Whether every size that ends at `at` has come in, but for what never will: a first day or week that began before
    the stream. The windows of the shortest size come from the stream's beginning on, and one of them ends wherever
    a longer one does: so nothing that is still to come is passed over, in whatever order the sizes come."""
    ending = [size for size in plan.grid.sizes_ending(at) if size in plan.sizes]
    return all(state.arrived.get(size, at - 1) >= at or _too_early(plan, state, size, at) for size in ending)


def _too_early(plan: JudgePlan, state: JudgeState, size: Size, end: Instant) -> bool:
    """Whether the window of a size that ends at `end` began before the stream."""
    return state.began is not None and plan.grid.window(size, end - 1).start < state.began


class _Silence(NamedTuple):
    """What is silent together, in the order in which it is heard: all counties before one, all points before some."""

    size: int
    """Its place among the sizes."""
    part: bool
    """Of the city: one county."""
    series: int
    points: tuple[str, ...]
    """() for all."""


class Sitting:
    """The judge's work at one window end: a working copy of the state, used once."""

    def __init__(self, plan: JudgePlan, state: JudgeState, windows: list[ScoredWindow]) -> None:
        self.plan = plan
        self.state = state
        self.windows = {window.size: window for window in windows}
        self.end = windows[0].end
        self.at = self.end + plan.city.allowed_lateness
        self.alerts = list(state.open)
        self.lows = {(low.signal, low.size, low.county): low.end for low in state.lows}
        self.highs = {(high.signal, high.size, high.county): high.end for high in state.highs}
        self.account = state.account
        self.scanned = state.scanned
        self.finds: list[Find] = []
        self.made: list[Transition] = []

    def hold(self) -> list[Transition]:
        """Hear every verdict of this window end; returns the transitions in the order they were made."""
        plan = self.plan
        share = self._pay()
        silent: dict[_Silence, list[Verdict]] = {}
        ordinary: list[Verdict] = []
        for size, window in self.windows.items():
            quiet = self._silent(window)
            self._remember_witnesses(window)
            for verdict in verdicts(window, plan.tables[size], plan.minimum, share):
                if plan.broken(verdict.signal, window) or plan.has_newcomers(verdict, window):
                    continue
                silence = self._silence(window, verdict, quiet=quiet)
                (ordinary if silence is None else silent.setdefault(silence, [])).append(verdict)
        for silence in sorted(silent):
            loudest = max(silent[silence], key=self._rank)
            family = plan.city.signals[loudest.signal].family
            points = ",".join(silence.points)
            key = Key(plan.layout.codes[silence.series], family, f"{SILENT}:{points}" if points else SILENT)
            self._hear(loudest, key, Shape.SILENT_FEED, (f"{SILENT_POINTS}{points}",) if points else ())
        for verdict in sorted(ordinary, key=self._rank):
            self._hear(verdict, plan.layout.key(verdict), shape_of(verdict))
        self._scan(share)
        self._hold_rules()
        self._follow()
        return self.made

    def _scan(self, share: float) -> None:
        """Look for clusters of counties, where a day ends here."""
        window = self.windows.get(Size.DAY)
        if window is None:
            return
        known = [one for one in self.alerts if not one.ended or one.last_near > window.start]
        told = cluster_alerts.told_by(self.plan.layout, known, self.plan.scans.signals)
        self.scanned = self.plan.scans.remember(self.scanned, window, told)
        self.finds = self.plan.scans.finds(self.scanned, share)
        for found in self.finds:
            if not found.fires or self.plan.broken(found.signal, window):
                continue
            made, before, after = cluster_alerts.hear(self.plan.layout, self.plan.maker, found, self.end, self.alerts)
            if made is not None:
                self.made.append(made)
            if before is None:
                self.alerts.append(after)
            else:
                self.alerts[self.alerts.index(before)] = after

    def _hold_rules(self) -> None:
        for window in self.windows.values():
            for one in rules.broken(window, self.plan.limits):
                heard = rules.hear(self.plan.layout, self.plan.maker, one, window, self.alerts)
                if heard is not None:
                    self.made.append(heard[0])
                    self.alerts.append(heard[1])

    def _pay(self) -> float:
        """Charge the budget for every test of this window end; the share of the levels that it can pay."""
        planned = sum(self.plan.cost(window) for window in self.windows.values())
        share, self.account = self.account.pay(self.end, planned, self.plan.budget)
        return share

    def adjourned(self, pending: list[ScoredWindow]) -> JudgeState:
        """The state after `hold`, with the windows that are still to be judged."""
        since = self.end - MEMORY
        state = forget(self.plan.maker, self.state, self.end)
        return msgspec.structs.replace(
            state,
            judged_to=self.end,
            pending=tuple(pending),
            open=tuple(alert for alert in self.alerts if not alert.ended or alert.last_near > since),
            account=self.account,
            scanned=self.scanned,
            lows=tuple(LowSeen(*series, end) for series, end in sorted(self.lows.items()) if end > since),
            highs=tuple(LowSeen(*series, end) for series, end in sorted(self.highs.items()) if end > since),
        )

    def _rank(self, verdict: Verdict) -> tuple[bool, int]:
        """Counties before the city, the narrow before the broad; sorting by it keeps the canonical order else."""
        return verdict.series == self.plan.layout.whole, self.plan.layout.breadth[verdict.signal]

    def _silent(self, window: ScoredWindow) -> bool:
        """Whether nothing at all was counted, in any county, by any signal of this size."""
        counts = window.counts[self.plan.additive]
        return bool((counts <= 0).all() and (counts == 0).any())

    def _remember_witnesses(self, window: ScoredWindow) -> None:
        plan = self.plan
        for i, j in near_lows(window, plan.tables[window.size], plan.minimum):
            if not plan.city.signals[i].of:  # fewer satisfied is no sign of fewer calls
                self.lows[plan.city.signals[i].name, window.size, plan.layout.codes[j]] = self.end
        if plan.city.drought_witnesses:
            for i, j in near_highs(window, plan.tables[window.size], plan.minimum):
                if plan.city.signals[i].name in plan.city.drought_witnesses:
                    self.highs[plan.city.signals[i].name, window.size, plan.layout.codes[j]] = self.end

    def _silence(self, window: ScoredWindow, verdict: Verdict, *, quiet: bool) -> "_Silence | None":
        """What a verdict on the low side is silent with: everything, its county's feed, or the feed of its points
        there; None where the feed is alive, or the day is no ordinary one."""
        layout = self.plan.layout
        signal = self.plan.city.signals[verdict.signal]
        order = list(Size).index(verdict.size)
        if verdict.side is not Direction.LOW or layout.compartmented[verdict.signal] or signal.of:
            return None
        if quiet:
            return _Silence(order, part=False, series=layout.whole, points=())
        county, points = layout.codes[verdict.series], dead_points(window, verdict, signal)
        if points is None or self.plan.maker.calendar_facts(county, window.start, window.end):
            return None
        return _Silence(order, part=verdict.series != layout.whole, series=verdict.series, points=points)

    def _hear(self, verdict: Verdict, key: Key, shape: Shape, notes: tuple[str, ...] = ()) -> None:
        layout = self.plan.layout
        window = self.windows[verdict.size]
        alert = owner(layout, key, verdict.side, window, self.alerts)
        if alert is None:
            alert = cluster_alerts.taking_in(key, verdict.side, self.alerts)
        if alert is None:
            departures = Departures(layout, window, self.plan.tables[verdict.size])
            alert = explaining(layout, key, verdict, departures, self.alerts)
        if alert is not None:
            self._join(alert, verdict, key, shape, notes)
        elif is_past(verdict):
            return
        elif verdict.side is Direction.HIGH or shape in (Shape.SILENT_FEED, Shape.RATE):
            # Of those who did call, fewer satisfied are news however few called: no witness needed.
            self._raise(verdict, key, shape, notes)
        elif (because := self._witness(verdict, window)) is not None:
            self._raise(verdict, key, shape, because)

    def _witness(self, verdict: Verdict, window: ScoredWindow) -> tuple[str, ...] | None:
        """Notes of what corroborates a verdict on the low side (`drought`); None where nothing does: it is no news."""
        if self.plan.maker.calendar_facts(self.plan.layout.codes[verdict.series], window.start, window.end):
            return None
        before = {(low.signal, low.size, low.county): low.end for low in self.state.lows}
        note = witness(self.plan.layout, verdict, window, before, self.lows, self.highs)
        return None if note is None else (note, *heartbeat_note(window, verdict))

    def _raise(self, verdict: Verdict, key: Key, shape: Shape, notes: tuple[str, ...]) -> None:
        window = self.windows[verdict.size]
        signal = self.plan.city.signals[verdict.signal].name
        alert = digest(
            *("incident", self.plan.city.name, *key, signal, verdict.size, verdict.detector, verdict.side, self.end)
        )
        notes = (*self._notes(verdict, shape), *notes)
        evidence = self.plan.maker.of_verdict(window, verdict, shape, key.county, notes)
        severity = severity_of(verdict.p, verdict.level)
        self.made.append(Raised(alert, self.at, key.county, key.family, severity, evidence))
        tracked = self._tracked(verdict)
        self.alerts.append(
            OpenAlert(
                alert=alert,
                county=key.county,
                family=key.family,
                apart=key.apart,
                side=verdict.side,
                size=verdict.size,
                raised_by=tracked,
                start=window.start,
                last_near=self.end,
                quiet=0,
                excess=max(0.0, verdict.excess),
                tracked=(tracked,),
                joined=((signal, verdict.size, shape),),
            )
        )

    def _join(self, alert: OpenAlert, verdict: Verdict, key: Key, shape: Shape, notes: tuple[str, ...]) -> None:
        """Take a verdict into the alert of its incident. Its series keeps the alert open only where it is the
        alert's own: of its county, and of its family or a part of its total. An ended alert stays as it is:
        what echoes it is no news; and compartmented evidence goes into no alert that the county may see."""
        if alert.ended or (key.apart == COMPARTMENTED and alert.apart != COMPARTMENTED):
            return
        signal = self.plan.city.signals[verdict.signal].name
        case = (signal, str(verdict.size), str(shape))
        changed = alert
        if case not in alert.joined:
            notes = (*self._notes(verdict, shape), *notes)
            evidence = self.plan.maker.of_verdict(self.windows[verdict.size], verdict, shape, alert.county, notes)
            self.made.append(Joined(alert.alert, self.at, evidence))
            changed = msgspec.structs.replace(changed, joined=(*changed.joined, case))
        tracked = self._tracked(verdict)
        own = tracked.county == alert.county and self.plan.layout.belongs(signal, alert.family)
        if own:
            changed = msgspec.structs.replace(changed, excess=max(changed.excess, verdict.excess))
            if tracked not in changed.tracked:
                changed = msgspec.structs.replace(changed, tracked=(*changed.tracked, tracked))
        self.alerts[self.alerts.index(alert)] = changed

    def _tracked(self, verdict: Verdict) -> TrackedSeries:
        return TrackedSeries(
            signal=self.plan.city.signals[verdict.signal].name,
            size=verdict.size,
            detector=verdict.detector,
            county=self.plan.layout.codes[verdict.series],
            side=verdict.side,
        )

    def _notes(self, verdict: Verdict, shape: Shape) -> tuple[str, ...]:
        """What kind of crowd too many are; and what the last windows add to a shift: since when, and which category
        went the other way."""
        window = self.windows[verdict.size]
        detail = window.details.get((verdict.signal, verdict.series))
        behind: tuple[str, ...] = ()
        if detail is not None and detail.people is not None and verdict.side is Direction.HIGH:
            behind = people_note(People(*detail.people), verdict.count, verdict.expected)
        if shape is not Shape.SHIFT:
            return behind
        series = {
            i: (*detail.history, int(window.counts[i, j]))
            for (i, j), detail in window.details.items()
            if j == verdict.series
        }
        counts = series.get(verdict.signal, ())
        change = change_point(counts, verdict.side, LEAST_AFTER[verdict.size])
        if change is None:
            return behind
        starts = [window.start]
        while len(starts) < change.windows:
            starts.append(self.plan.grid.window(verdict.size, starts[-1] - 1).start)
        others = {i: theirs for i, theirs in series.items() if len(theirs) == len(counts)}
        return (since(starts[-1]), *reclassification(self.plan.city, verdict.signal, change, others), *behind)

    def _follow(self) -> None:
        """Keep open, or end, every alert that was open before or at this window end."""
        scored = {size: (window, self.plan.tables[size]) for size, window in self.windows.items()}
        for i, alert in enumerate(self.alerts):
            if alert.ended:
                continue
            after = followed(alert, self.plan.layout, scored, self.end)
            if counties_of(alert.apart) and Size.DAY in self.windows:
                after = cluster_alerts.followed(alert, after, self.finds, self.plan.layout, self.end)
                if after.ended:
                    told = cluster_alerts.told_by_cluster(self.plan.layout, alert, self.plan.scans.signals)
                    self.scanned = self.plan.scans.settle(self.scanned, told, alert.start)
            if rules.is_rule(alert):
                after = rules.followed(alert, self.windows, self.plan.limits, self.plan.layout)
            elif still_silent(self.plan.layout, alert, self.windows.get(alert.size)):
                after = msgspec.structs.replace(alert, quiet=0, last_near=self.end)
            self.alerts[i] = after
            if after.ended:
                self.made.append(Ended(after.alert, self.at, tuple(sorted(after.joined[1:]))))
