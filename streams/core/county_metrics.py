"""Running metrics of a county over one window, from its cells and tickets (DESIGN 7).

The three rates are over valid call-backs; 0/0 is no data, never 0 %.
"""

from streams.core.cells import CellCounts
from streams.core.event import INTAKE_KINDS
from streams.core.outputs import CountyMetrics
from streams.core.tickets import CLOSING_KINDS, Backlog

_INVALID_CALLBACK = frozenset({"unreachable", None})
_UNSOLVED = frozenset({"unsolved", "no_response"})


def rate(part: float, whole: int) -> float | None:
    """A share to 6 decimals; None where the whole is nothing.

    >>> rate(1, 3), rate(0, 0)
    (0.333333, None)
    """
    return round(part / whole, 6) if whole else None


def county_metrics(
    cells: CellCounts,
    backlog: Backlog,
    *,
    on_time: int,
    with_due: int,
    repeats: int,
    callers: int,
    matters: int,
    late: int,
) -> CountyMetrics:
    """The metrics of one window; `with_due` counts the closings whose ticket had a due time."""
    by: dict[str, dict[str, int]] = {"point": {}, "category": {}, "sector": {}, "kind": {}}
    outcomes: dict[str | None, int] = {}
    volume = 0
    for cell, events in cells.items():
        kinds = by["kind"]
        kinds[cell.kind] = kinds.get(cell.kind, 0) + events
        if cell.kind == "called_back":
            outcomes[cell.outcome] = outcomes.get(cell.outcome, 0) + events
        if cell.kind in INTAKE_KINDS:
            volume += events
            for field in ("point", "category", "sector"):
                value = getattr(cell, field)
                if value is not None:
                    by[field][value] = by[field].get(value, 0) + events
    valid = sum(n for outcome, n in outcomes.items() if outcome not in _INVALID_CALLBACK)
    satisfied = outcomes.get("satisfied", 0) + 0.9 * outcomes.get("basically_satisfied", 0)
    return CountyMetrics(
        volume=volume,
        by_point=dict(sorted(by["point"].items())),
        by_category=dict(sorted(by["category"].items())),
        by_sector=dict(sorted(by["sector"].items())),
        by_kind=dict(sorted(by["kind"].items())),
        backlog=backlog.open,
        backlog_age_hours=backlog.median_age_hours,
        overdue=backlog.overdue,
        closed=sum(n for kind, n in by["kind"].items() if kind in CLOSING_KINDS),
        on_time=on_time,
        on_time_rate=rate(on_time, with_due),
        valid_callbacks=valid,
        response_rate=rate(valid - outcomes.get("no_response", 0), valid),
        solution_rate=rate(valid - sum(outcomes.get(o, 0) for o in sorted(_UNSOLVED)), valid),
        satisfaction_rate=rate(satisfied, valid),
        repeats=repeats,
        distinct_callers=callers,
        distinct_matters=matters,
        late=late,
    )
