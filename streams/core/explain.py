"""Why an alert, or why not: one series in one closed window, asked again of what was stored.

Pure: a stored scored window, the transitions of the ledger and the judge's plan go in, a structured answer
comes out; `streams.wording` says it in words. It goes through the judge's own guards, in the judge's order.
"""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np

from detectors.observation import ScoreReason, Scores
from detectors.tails import four_tails
from streams.core.alert import Ended, Raised, Shape, Transition
from streams.core.city import Direction, Size
from streams.core.cluster_alerts import taking_in
from streams.core.clusters import ScannedDay
from streams.core.evidence import is_past
from streams.core.explain_cluster import cluster_outcome, scan_tests
from streams.core.explanation import PAGED, Explanation, Test, Why
from streams.core.guards import NEAR, NEAR_AT_MOST, LevelTable, Verdict, side_p, verdicts
from streams.core.incident import COMPARTMENTED, Departures, Key, explaining, owner, silenced_by
from streams.core.instant import Instant
from streams.core.judge import JudgePlan
from streams.core.outputs import ScoredWindow
from streams.core.recall import recall
from streams.core.rules import NO_LIMIT, THRESHOLD
from streams.core.spending import UNIT

_DECIDING = tuple(Why)
"""The order in which a window's tests decide: the first reason that any of them gives."""
_NOT_SCORED = {
    ScoreReason.WARMING_UP: Why.WARMING_UP,
    ScoreReason.MISSING: Why.MISSING,
    ScoreReason.NOT_JUDGED: Why.NOT_TESTED,
    ScoreReason.NO_EXPOSURE: Why.NO_EXPOSURE,
}


_SILENCED = (Why.ABOVE_LEVEL, Why.DIRECTION, Why.MINIMUM_COUNT, Why.NOT_CORROBORATED, Why.EXPLAINED)
"""What is said of none at all, where nothing is known of it since its feed is dead."""


class Around(NamedTuple):
    """What else is stored about the time of a window; without it the answer says less."""

    week: Sequence[ScoredWindow] = ()
    """Windows of every size that ended in the 7 days up to its end: what was spent."""
    scanned: tuple[ScannedDay, ...] = ()
    """What the scan had before it as the day ended (`recall.scans`)."""
    kept: tuple[Instant, Instant] | None = None
    """From when to when windows of this size are stored."""


NOTHING = Around()


def explain(
    plan: JudgePlan,
    signal: str,
    county: str,
    size: Size,
    at: Instant,
    window: ScoredWindow | None,
    transitions: Iterable[Transition] = (),
    around: Around = NOTHING,
) -> Explanation:
    """Why the window of `size` that holds `at` did, or did not, lead to an alert.

    `window` is that scored window as stored (without details); `transitions` is everything that the judge did
    with alerts of any county. Raises LookupError for a signal or a county that the city does not have; `county` may be
    the city's own code.
    """
    if signal not in plan.layout.signal or county not in plan.layout.series:
        raise LookupError(f"the city {plan.city.name} has no signal {signal!r} or no county {county!r}")
    i, j = plan.layout.signal[signal], plan.layout.series[county]
    span = plan.grid.window(size, at)
    tables = plan.tables[size]
    transitions = list(transitions)
    tests: tuple[Test, ...] = ()
    alert: str | None = None
    if window is None:
        why = Why.NOT_CLOSED
    elif window.end != span.end or window.size is not size:
        raise ValueError("the scored window is not the one that holds the instant")
    else:
        found = [test for table in tables if table.cost[i, j] > 0 for test in _tests(plan, window, table, i, j)]
        if size is Size.DAY and around.scanned and around.scanned[-1].start == window.start:
            found += scan_tests(plan, around.scanned, i, j)
        tests = tuple(sorted(found, key=_deciding)) or _rule(plan, window, i, j)
        why = tests[0].why if tests else Why.NOT_TESTED
        if why is Why.VERDICT and tests[0].detector == THRESHOLD:
            why, alert = _rule_outcome(plan, window, i, j, transitions)
        elif why is Why.VERDICT and plan.broken(i, window):
            why = Why.BREAK
        elif why is Why.VERDICT and tests[0].cluster is None and _with_newcomers(plan, window, i, j):
            why = Why.NEWCOMER
        elif why is Why.VERDICT:
            outcomes = [
                cluster_outcome(plan, window, i, test.cluster, transitions)
                if test.cluster is not None
                else _outcome(plan, window, _fired(plan, window, i, j), transitions)
                for test in tests
                if test.why is Why.VERDICT
            ]
            why, alert = next((one for one in outcomes if one[0] in PAGED), outcomes[0])
        elif why in (Why.MINIMUM_COUNT, Why.ABOVE_LEVEL) and tests[0].cluster is None:
            kept = _kept_open(plan, window, (i, j), tests[0], transitions)
            why, alert = (why, None) if kept is None else (Why.CONTINUED, kept)
        if why in _SILENCED and window.counts[i, j] == 0:
            silent = _silent_feed(plan, window, (i, j), transitions)
            why, alert = (why, alert) if silent is None else (Why.SILENT_FEED, silent)
    counted = None if window is None or window.counts[i, j] < 0 else int(window.counts[i, j])
    of = plan.layout.signal.get(plan.city.signals[i].of or "")
    return Explanation(
        county=county,
        signal=signal,
        size=size,
        window_start=span.start,
        window_end=span.end,
        known_at=span.end + plan.city.allowed_lateness,
        why=why,
        count=counted,
        minimum_count=int(plan.minimum[i]),
        direction=plan.city.signals[i].direction,
        tests=tests,
        calendar=plan.maker.calendar_facts(county, span.start, span.end),
        alert=alert,
        budget_per_week=plan.city.budget_per_week,
        spent=UNIT * sum(plan.cost(one) for one in around.week) if around.week else None,
        whole=None if window is None or of is None else int(window.counts[of, j]),
        kept=around.kept,
        exposure=None
        if window is None
        else plan.maker.exposures.of_series(window.counts, window.start, window.end, i, j),
    )


def _silent_feed(
    plan: JudgePlan, window: ScoredWindow, at: tuple[int, int], transitions: list[Transition]
) -> str | None:
    """The alert that says that the feed behind a series is dead in this window, as known by now."""
    if not any(isinstance(one, Raised) and one.evidence.shape == Shape.SILENT_FEED for one in transitions):
        return None
    now = max(one.at for one in transitions)
    return silenced_by(plan.layout, *at, window, recall(plan, transitions, now))


def _deciding(test: Test) -> tuple[int, bool, float]:
    """By reason, a series' own verdict before that of the cluster it is part of; then by how near p came to the
    level."""
    near = test.p / test.level if test.p is not None and test.level else 0.0
    return _DECIDING.index(test.why), test.why is Why.VERDICT and test.cluster is not None, near


def _kept_open(
    plan: JudgePlan, window: ScoredWindow, at: tuple[int, int], test: Test, transitions: list[Transition]
) -> str | None:
    """The open alert of a series that this window was near enough to keep open, though no verdict; None for none."""
    level = test.level or 0.0
    if test.p is None or test.p > max(level, min(NEAR * level, NEAR_AT_MOST)):
        return None
    family = plan.city.signals[at[0]].family
    key = Key(plan.layout.codes[at[1]], family, COMPARTMENTED if plan.layout.compartmented[at[0]] else "")
    own = owner(plan.layout, key, test.side, window, recall(plan, transitions, window.end))
    return None if own is None or own.ended or own.side is not test.side else own.alert


def _fired(plan: JudgePlan, window: ScoredWindow, i: int, j: int) -> Verdict:
    return next(iter(_verdicts(plan, window, i, j)))


def _verdicts(plan: JudgePlan, window: ScoredWindow, i: int, j: int) -> list[Verdict]:
    found = verdicts(window, plan.tables[window.size], plan.minimum)
    return [one for one in found if (one.signal, one.series) == (i, j)]


def _with_newcomers(plan: JudgePlan, window: ScoredWindow, i: int, j: int) -> bool:
    """Whether every verdict of a series is one that a county that has only begun to send may account for."""
    return all(plan.has_newcomers(one, window) for one in _verdicts(plan, window, i, j))


def _tests(plan: JudgePlan, window: ScoredWindow, table: LevelTable, i: int, j: int) -> list[Test]:
    """Both sides of one detector: first those that are tested, then a side that is not but would say something."""
    scores = window.scores.get(table.detector)
    reason = ScoreReason.MISSING if scores is None else ScoreReason(int(scores.reason[i, j]))
    sides = [(side, float(levels[i, j])) for side, levels in ((Direction.HIGH, table.high), (Direction.LOW, table.low))]
    tested = [(side, level) for side, level in sides if level > 0]
    if scores is None or reason is not ScoreReason.SCORED:
        why = _NOT_SCORED[reason]
        if why is Why.MISSING and not plan.city.signals[i].of and window.counts[i, j] == 0:
            why = Why.NOT_HEARD
        return [Test(table.detector, side, why, level=level) for side, level in tested]
    made = []
    for side, level in sides:
        p = float(side_p(scores, side)[i, j])
        floor = int(plan.minimum[i])
        large = (window.counts[i, j] if side is Direction.HIGH else scores.expected[i, j]) >= floor
        if level == 0:
            if p > max(other for _, other in tested):
                continue
            why = Why.DIRECTION
        elif p > level:
            why = Why.ABOVE_LEVEL
        else:
            why = Why.VERDICT if large else Why.MINIMUM_COUNT
        made.append(
            Test(
                detector=table.detector,
                side=side,
                why=why,
                expected=_known(scores, "expected", i, j),
                low=_known(scores, "low", i, j),
                high=_known(scores, "high", i, j),
                p=p,
                level=level,
                tells_counts=isfinite(scores.expected[i, j]) and not np.isnan(scores.size[i, j]),
                turning_count=_turning_count(scores, i, j, side, level, floor, int(window.counts[i, j]), why),
            )
        )
    return made


def _rule(plan: JudgePlan, window: ScoredWindow, i: int, j: int) -> tuple[Test, ...]:
    """A rule as a test: its limit is the turning count."""
    limit, count = int(plan.limits[i, j]), int(window.counts[i, j])
    if limit == NO_LIMIT or count < 0:
        return ()
    why = Why.VERDICT if count >= limit else Why.BELOW_LIMIT
    return (Test(THRESHOLD, Direction.HIGH, why, turning_count=limit),)


def _rule_outcome(
    plan: JudgePlan, window: ScoredWindow, i: int, j: int, transitions: list[Transition]
) -> tuple[Why, str | None]:
    """What a rule that holds led to: its alert is raised in this window, or was before."""
    raised = [
        one
        for one in transitions
        if isinstance(one, Raised)
        and one.evidence.shape == Shape.RULE
        and (one.evidence.signal, one.county) == (plan.city.signals[i].name, plan.layout.codes[j])
        and one.evidence.window_end <= window.end
    ]
    if not raised:
        return Why.EXPLAINED, None
    last = max(raised, key=lambda one: one.at)
    here = last.evidence.window_end == window.end and last.evidence.size == window.size
    return (Why.RAISED if here else Why.CONTINUED), last.alert


def _known(scores: Scores, field: str, i: int, j: int) -> float | None:
    value = float(getattr(scores, field)[i, j])
    return value if isfinite(value) else None


def _turning_count(
    scores: Scores, i: int, j: int, side: Direction, level: float, floor: int, count: int, why: Why
) -> int | None:
    mean, size = float(scores.expected[i, j]), float(scores.size[i, j])
    if level == 0 or not (mean > 0 and size > 0):
        return None
    fired = why in (Why.VERDICT, Why.MINIMUM_COUNT)
    if side is Direction.HIGH:
        smallest = smallest_count(mean, size, level)
        # The stored mean has 6 digits, the detector's had more: what did or did not fire is the truth.
        smallest = min(smallest, count) if fired else max(smallest, count + 1)
        return max(smallest, floor)
    if mean < floor:
        return None
    largest = largest_count(mean, size, level)
    largest = max(largest, count) if fired else min(largest, count - 1)
    return largest if largest >= 0 else None


def smallest_count(mean: float, size: float, level: float) -> int:
    """The smallest count x with P(X >= x) <= level, X negative binomial of this mean and size.

    >>> smallest_count(21.0, float("inf"), 1e-4)
    41
    """
    below, above = 0, 1
    while _six(four_tails(above, mean, size)[0]) > level:
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        if _six(four_tails(middle, mean, size)[0]) > level:
            below = middle
        else:
            above = middle
    return above


def largest_count(mean: float, size: float, level: float) -> int:
    """The largest count x with P(X <= x) <= level; -1 where even none at all is too probable.

    >>> largest_count(21.0, float("inf"), 1e-4), largest_count(2.0, float("inf"), 1e-4)
    (5, -1)
    """
    if _six(four_tails(0, mean, size)[2]) > level:
        return -1
    low, high = 0, max(1, int(mean) + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if _six(four_tails(middle, mean, size)[2]) > level:
            high = middle
        else:
            low = middle
    return low


def _six(p: float) -> float:
    return float(f"{p:.6g}")


def _outcome(
    plan: JudgePlan, window: ScoredWindow, fired: Verdict, transitions: list[Transition]
) -> tuple[Why, str | None]:
    """What a verdict led to, by what the judge did."""
    name = plan.city.signals[fired.signal].name
    county = plan.layout.codes[fired.series]
    counties = {one.alert: one.county for one in transitions if isinstance(one, Raised)}
    for one in transitions:
        if isinstance(one, Ended):
            continue
        case = one.evidence
        whose = case.county or counties.get(one.alert)
        if (case.signal, case.size, case.window_end, whose) == (name, window.size, window.end, county):
            return (Why.RAISED if isinstance(one, Raised) else Why.JOINED), one.alert
    alerts = recall(plan, transitions, window.end)
    key = plan.layout.key(fired)
    own = owner(plan.layout, key, fired.side, window, alerts) or taking_in(key, fired.side, alerts)
    if own is not None:
        return (Why.EXPLAINED if own.ended else Why.CONTINUED), own.alert
    departures = Departures(plan.layout, window, plan.tables[window.size])
    other = explaining(plan.layout, key, fired, departures, alerts)
    if other is not None:
        return Why.EXPLAINED, other.alert
    if is_past(fired):
        return Why.PAST, None
    if fired.side is Direction.LOW:
        special = plan.maker.calendar_facts(county, window.start, window.end)
        return (Why.CALENDAR if special else Why.NOT_CORROBORATED), None
    return Why.EXPLAINED, None
