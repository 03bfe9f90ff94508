"""Running metrics of a county over one window, from its cells and tickets (DESIGN 7).

The three rates are over valid call-backs; 0/0 is no data, never 0 %.
"""

from streams.core.cells import CellRegistry
from streams.core.city import Measure
from streams.core.event import INTAKE_KINDS
from streams.core.outputs import CountyMetrics
from streams.core.span import Span
from streams.core.tickets import CLOSING_KINDS, Backlog

_CALL_BACKS = frozenset({"called_back"})


def rate(part: float, whole: int) -> float | None:
    """A share to 6 decimals; None where the whole is nothing.

    >>> rate(1, 3), rate(0, 0)
    (0.333333, None)
    """
    return round(part / whole, 6) if whole else None


def standing(measure: Measure, backlog: Backlog) -> int:
    """How a county stands by a measure of city.STANDING."""
    if measure is Measure.BACKLOG_AGE:
        return int(backlog.median_age_hours or 0)
    return backlog.overdue if measure is Measure.OVERDUE else backlog.open


def county_metrics(registry: CellRegistry, span: Span, backlog: Backlog) -> CountyMetrics:
    """The metrics of one window as it closes."""
    cells = span.cells
    by_kind = registry.margin(cells, "kind")
    outcomes = registry.margin(cells, "outcome", _CALL_BACKS)
    valid = sum(events for outcome, events in outcomes.items() if outcome != "unreachable")
    satisfied = outcomes.get("satisfied", 0) + 0.9 * outcomes.get("basically_satisfied", 0)
    silent = outcomes.get("no_response", 0)
    return CountyMetrics(
        volume=sum(events for kind, events in by_kind.items() if kind in INTAKE_KINDS),
        by_point=registry.margin(cells, "point", INTAKE_KINDS),
        by_category=registry.margin(cells, "category", INTAKE_KINDS),
        by_sector=registry.margin(cells, "sector", INTAKE_KINDS),
        by_kind=by_kind,
        backlog=backlog.open,
        backlog_age_hours=backlog.median_age_hours,
        overdue=backlog.overdue,
        closed=sum(events for kind, events in by_kind.items() if kind in CLOSING_KINDS),
        on_time=span.on_time,
        on_time_rate=rate(span.on_time, span.with_due),
        valid_callbacks=valid,
        response_rate=rate(valid - silent, valid),
        solution_rate=rate(valid - silent - outcomes.get("unsolved", 0), valid),
        satisfaction_rate=rate(satisfied, valid),
        repeats=span.repeats,
        distinct_callers=span.distinct_callers,
        distinct_matters=span.distinct_matters,
        late=span.late,
    )
