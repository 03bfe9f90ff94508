"""Event-time windows on a city's clock: hours, reporting days, weeks; half-open [start, end).

Days and weeks follow the local clock, so a day has 23 or 25 hours when the clock changes; hours divide
the reporting day they lie in, the last one cut off at the day's end. Days are sums of hours and weeks
sums of days, exactly. A reporting day takes its name from the date it ends on: with a day start of
12:00 the day named 2 March runs from noon of the first to noon of the second.

All of it follows from one sequence, the instants at which a day starts on each date. It never goes back,
whatever the zone does: a date that a zone left out (Samoa, 30 December 2011) starts when the next one does,
and is a day of no length, which no instant lies in.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from streams.core.city import Size
from streams.core.instant import DAY, HOUR, MINUTE, WEEK, Duration, Instant, from_datetime, to_datetime

QUARTER: Duration = 15 * MINUTE
"""Every window boundary lies on a quarter of an hour of UTC: all zone offsets in use do. The odd offsets of
before standard time (Shanghai: +08:05:43 until 1901) are cut to one."""

NOMINAL: dict[Size, Duration] = {Size.HOUR: HOUR, Size.DAY: DAY, Size.WEEK: WEEK}
_KEPT = 1000
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open [start, end), instants."""

    start: Instant
    end: Instant


class WindowGrid:
    """The windows of one city: a pure function of its zone and day start, with a small cache.

    Raises ValueError for a day start that is not on a quarter of an hour.
    """

    def __init__(self, zone: tzinfo, day_start: time) -> None:
        if day_start.minute % 15 or day_start.second or day_start.microsecond:
            raise ValueError(f"a reporting day starts on a quarter of an hour, not at {day_start}")
        self.zone = zone
        self.day_start = day_start
        self._starts: dict[date, Instant] = {}
        self._last = Window(0, 0)
        """The reporting day asked for last: most questions are about it."""
        self._hours: dict[int, Window] = {}
        """Quarter of an hour of UTC -> its hour: all counties ask for the same few."""

    def _start(self, day: date) -> Instant:
        """When the reporting day starts that starts on a local date."""
        start = self._starts.get(day)
        if start is None:
            if len(self._starts) > 64:
                self._starts.clear()
            at = from_datetime(datetime.combine(day, self.day_start, tzinfo=self.zone))
            start = self._starts[day] = at // QUARTER * QUARTER
        return start

    def _started(self, at: Instant) -> date:
        """The last date whose reporting day has started at an instant."""
        day = to_datetime(at, self.zone).date() + _ONE_DAY
        while self._start(day) > at:
            day -= _ONE_DAY
        return day

    def day(self, at: Instant) -> Window:
        """The reporting day that an instant lies in."""
        if not self._last.start <= at < self._last.end:
            day = self._started(at)
            self._last = Window(self._start(day), self._start(day + _ONE_DAY))
        return self._last

    def hour(self, at: Instant) -> Window:
        """The hour window that an instant lies in."""
        quarter = at // QUARTER
        hour = self._hours.get(quarter)
        if hour is None:
            if len(self._hours) > _KEPT:
                self._hours.clear()
            day = self.day(at)
            start = day.start + (at - day.start) // HOUR * HOUR
            hour = self._hours[quarter] = Window(start, min(start + HOUR, day.end))
        return hour

    def week(self, at: Instant) -> Window:
        """The week that an instant lies in: from the reporting day named Monday to the next."""
        named = self.name(self.day(at))
        monday = named - timedelta(days=named.weekday())
        first = monday - _ONE_DAY if self._named_by_end() else monday
        return Window(self._start(first), self._start(first + timedelta(days=7)))

    def window(self, size: Size, at: Instant) -> Window:
        """The window of a size that an instant lies in."""
        if size is Size.HOUR:
            return self.hour(at)
        return self.day(at) if size is Size.DAY else self.week(at)

    def name(self, day: Window) -> date:
        """The date that a reporting day is called by: the local date it ends on."""
        return self._started(day.end if self._named_by_end() else day.start)

    def named(self, day: date) -> Window:
        """The reporting day that is called by a date."""
        first = day - _ONE_DAY if self._named_by_end() else day
        return Window(self._start(first), self._start(first + _ONE_DAY))

    def _named_by_end(self) -> bool:
        """Whether a reporting day ends on a later date than it starts on; from midnight to midnight it does not."""
        return self.day_start != time(0)

    def sizes_ending(self, at: Instant) -> tuple[Size, ...]:
        """Which sizes have a window that ends at an instant, shortest first."""
        before = at - 1
        return tuple(size for size in Size if self.window(size, before).end == at)
