"""Event-time windows on a city's clock: hours, reporting days, weeks; half-open [start, end).

Days and weeks follow the local clock, so a day has 23 or 25 hours when the clock changes; hours divide
the reporting day they lie in, the last one cut off at the day's end. Days are sums of hours and weeks
sums of days, exactly. A reporting day takes its name from the date it ends on: with a day start of
12:00 the day named 2 March runs from noon of the first to noon of the second.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from streams.core.city import Size
from streams.core.instant import DAY, HOUR, MINUTE, WEEK, Duration, Instant, from_datetime, to_datetime

QUARTER: Duration = 15 * MINUTE
"""Every window boundary lies on a quarter of an hour of UTC: all zone offsets in use do."""

NOMINAL: dict[Size, Duration] = {Size.HOUR: HOUR, Size.DAY: DAY, Size.WEEK: WEEK}
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open [start, end), instants."""

    start: Instant
    end: Instant


class WindowGrid:
    """The windows of one city: a pure function of its zone and day start, with a small cache."""

    def __init__(self, zone: tzinfo, day_start: time) -> None:
        self.zone = zone
        self.day_start = day_start
        self._days: dict[date, Window] = {}

    def _boundary(self, day: date) -> Instant:
        at = from_datetime(datetime.combine(day, self.day_start, tzinfo=self.zone))
        if at % QUARTER:
            raise ValueError(f"the reporting day of {day} does not start on a quarter of an hour of UTC")
        return at

    def _named_by_start(self, day: date) -> Window:
        """The reporting day that starts on a local date."""
        window = self._days.get(day)
        if window is None:
            if len(self._days) > 64:
                self._days.clear()
            window = self._days[day] = Window(self._boundary(day), self._boundary(day + _ONE_DAY))
        return window

    def day(self, at: Instant) -> Window:
        """The reporting day that an instant lies in."""
        local = to_datetime(at, self.zone).date()
        window = self._named_by_start(local)
        if at < window.start:
            return self._named_by_start(local - _ONE_DAY)
        return window if at < window.end else self._named_by_start(local + _ONE_DAY)

    def hour(self, at: Instant) -> Window:
        """The hour window that an instant lies in."""
        day = self.day(at)
        start = day.start + (at - day.start) // HOUR * HOUR
        return Window(start, min(start + HOUR, day.end))

    def week(self, at: Instant) -> Window:
        """The week that an instant lies in: from the reporting day named Monday to the next."""
        day = self.day(at)
        named = self.name(day)
        lead = to_datetime(day.start, self.zone).date() - timedelta(days=named.weekday())
        return Window(self._boundary(lead), self._boundary(lead + timedelta(days=7)))

    def window(self, size: Size, at: Instant) -> Window:
        """The window of a size that an instant lies in."""
        if size is Size.HOUR:
            return self.hour(at)
        return self.day(at) if size is Size.DAY else self.week(at)

    def name(self, day: Window) -> date:
        """The date that a reporting day is called by: the local date it ends on."""
        return to_datetime(day.end - 1, self.zone).date()

    def sizes_ending(self, at: Instant) -> tuple[Size, ...]:
        """Which sizes have a window that ends at an instant, shortest first."""
        before = at - 1
        return tuple(size for size in Size if self.window(size, before).end == at)
