"""Running metrics of counties read back, and how volumes changed (环比, 同比)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Literal

import msgspec
from sqlalchemy import Connection, Row, Select, and_, func, select

from streams.core.city import Size
from streams.core.instant import Instant, from_datetime, to_datetime
from streams.core.outputs import CountyMetrics
from streams.ledger import tables

_decode = msgspec.json.Decoder(CountyMetrics).decode
BREAKDOWNS = ("by_point", "by_category", "by_sector", "by_kind")
_WEEKS_OF_A_YEAR = timedelta(weeks=52)

Growth = float | Literal["new"] | None
"""now / before - 1; "new" where there was nothing before and is something now; None: no data, or nothing twice."""


@dataclass(frozen=True, slots=True)
class CountyWindow:
    """One county's metrics over one closed window."""

    county: str
    size: Size
    start: Instant
    end: Instant
    metrics: CountyMetrics


@dataclass(frozen=True, slots=True)
class Change:
    """A volume now and before; `before` None: no such window in the ledger."""

    now: int
    before: int | None

    @property
    def growth(self) -> Growth:
        """How much it grew: 0.25 is a quarter more."""
        if self.before is None or self.before == self.now == 0:
            return None
        return "new" if self.before == 0 else self.now / self.before - 1


@dataclass(frozen=True, slots=True)
class VolumeChange:
    """Volumes of one county's window against another window's."""

    against: CountyWindow | None
    volume: Change
    parts: Mapping[str, Mapping[str, Change]]
    """by_point, by_category, by_sector, by_kind -> code -> change, in the order of codes."""


_metrics = tables.metrics


def _select() -> Select[str, str, Instant, Instant, str]:
    columns = _metrics.c
    return select(columns.county, columns.size, columns.window_start, columns.window_end, columns.document)


def _window(row: Row[str, str, Instant, Instant, str]) -> CountyWindow:
    return CountyWindow(row[0], Size(row[1]), row[2], row[3], _decode(row[4]))


def latest_metrics(db: Connection, size: Size) -> dict[str, CountyWindow]:
    """County -> its last window of a size that has metrics, in the order of county codes."""
    ends = select(_metrics.c.county, func.max(_metrics.c.window_end).label("last")).where(_metrics.c.size == size.value)
    last = ends.group_by(_metrics.c.county).subquery()
    is_last = and_(_metrics.c.county == last.c.county, _metrics.c.window_end == last.c.last)
    found = _select().join_from(_metrics, last, is_last).where(_metrics.c.size == size.value)
    return {row[0]: _window(row) for row in db.execute(found.order_by(_metrics.c.county))}


def metrics_at(db: Connection, county: str, size: Size, end: Instant) -> CountyWindow | None:
    """A county's metrics over the window that ends at an instant."""
    row = db.execute(_of(county, size).where(_metrics.c.window_end == end)).first()
    return None if row is None else _window(row)


def metrics_history(
    db: Connection, county: str, size: Size, since: Instant | None, until: Instant | None
) -> list[CountyWindow]:
    """A county's windows of a size that end in (since, until], oldest first."""
    found = _of(county, size).order_by(_metrics.c.window_end)
    if since is not None:
        found = found.where(_metrics.c.window_end > since)
    if until is not None:
        found = found.where(_metrics.c.window_end <= until)
    return [_window(row) for row in db.execute(found)]


def _of(county: str, size: Size) -> Select[str, str, Instant, Instant, str]:
    return _select().where(_metrics.c.county == county, _metrics.c.size == size.value)


def window_on_window(db: Connection, window: CountyWindow) -> VolumeChange:
    """Against the window just before (环比)."""
    return _against(window, metrics_at(db, window.county, window.size, window.start))


def year_on_year(db: Connection, window: CountyWindow, zone: tzinfo) -> VolumeChange:
    """Against the same day of the last year by the local calendar (同比); a week against the one 52 weeks before.

    29 February has nothing to stand against: no data.
    """
    end = to_datetime(window.end, zone)
    try:
        before = end - _WEEKS_OF_A_YEAR if window.size is Size.WEEK else end.replace(year=end.year - 1)
    except ValueError:
        return _against(window, None)
    return _against(window, metrics_at(db, window.county, window.size, from_datetime(before)))


def _against(window: CountyWindow, other: CountyWindow | None) -> VolumeChange:
    parts = {}
    for breakdown in BREAKDOWNS:
        now: Mapping[str, int] = getattr(window.metrics, breakdown)
        before: Mapping[str, int] = {} if other is None else getattr(other.metrics, breakdown)
        parts[breakdown] = {
            code: Change(now.get(code, 0), None if other is None else before.get(code, 0))
            for code in sorted({*now, *before})
        }
    return VolumeChange(other, Change(window.metrics.volume, None if other is None else other.metrics.volume), parts)
