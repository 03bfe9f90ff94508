"""The calendar of one city: what kind of day a reporting day is, in a county, and what there is to say of it.

Pure look-ups: the same day gives the same answer on every machine, whatever its zone and clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from borax.calendars.lunardate import LunarDate

from streams.profile.holidays import LUNAR_YEARS, Official, PublicHolidays, solar_term_day
from streams.profile.problems import Words
from streams.profile.written import DateRange, MonthDay, MonthDayRange

FIXED_KEYS = (
    "weekend",
    "make_up_workday",
    "public_holiday",
    "public_holiday_on_weekday",
    "public_holiday_on_weekend",
)
"""The kinds of day that a class may name, beside holidays and local events, each also with one of these behind it."""
ON_WEEKDAY, ON_WEEKEND = "_on_weekday", "_on_weekend"

_MOST_CACHED = 1 << 14
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class DayClass:
    """Days that are expected to behave alike, relative to other days of the same weekday."""

    code: str
    title: str
    title_en: str
    days: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LocalEvent:
    """Something that happens in some or all counties: on dates, every year, by the moon or by the sun."""

    code: str
    name: str
    name_en: str
    dates: tuple[DateRange, ...] = ()
    yearly: tuple[MonthDayRange, ...] = ()
    lunar: tuple[MonthDayRange, ...] = ()
    """Month 1..12, day 1..30; day 30 is the last day of its month, whether it has 29 or 30."""
    solar_term: str | None = None
    day_off: bool = False
    counties: frozenset[str] | None = None
    """None: everywhere."""

    def on(self, day: date) -> bool:
        """Does it happen on this day?"""
        return (
            any(first <= day <= last for first, last in self.dates)
            or any(_within((day.month, day.day), span) for span in self.yearly)
            or self._on_lunar(day)
            or (
                self.solar_term is not None
                and day.year in LUNAR_YEARS
                and solar_term_day(day.year, self.solar_term) == day
            )
        )

    def _on_lunar(self, day: date) -> bool:
        if not self.lunar:
            return False
        return any(_within(moon, span) for moon in lunar_days(day) for span in self.lunar)


@lru_cache(maxsize=2048)
def lunar_days(day: date) -> tuple[MonthDay, ...]:
    """(month, day) by the moon; the last day of a short month is its 29th and its 30th; () in a leap month, whose
    festivals are not kept, and outside LUNAR_YEARS."""
    if day.year not in LUNAR_YEARS:
        return ()
    moon = LunarDate.from_solar_date(day.year, day.month, day.day)
    if moon.leap:
        return ()
    tomorrow = day + timedelta(days=1)
    if moon.day == 29 and LunarDate.from_solar_date(tomorrow.year, tomorrow.month, tomorrow.day).day == 1:
        return (moon.month, 29), (moon.month, 30)
    return ((moon.month, moon.day),)


def _within(day: MonthDay, span: MonthDayRange) -> bool:
    first, last = span
    return first <= day <= last if first <= last else day >= first or day <= last


@dataclass(frozen=True)
class CityCalendar:
    """`streams.core.city.Calendar` for one profile."""

    classes: tuple[DayClass, ...]
    """The first is the ordinary day, class 0; where several fit, the last one counts."""
    official: PublicHolidays
    events: tuple[LocalEvent, ...] = ()
    _class_of_key: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _known_days: dict[date, tuple[Official, tuple[LocalEvent, ...]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _class_of_day: dict[tuple[str, date], int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys = {key: number for number, day_class in enumerate(self.classes) for key in day_class.days}
        object.__setattr__(self, "_class_of_key", keys)

    def day_class(self, county: str, day: date) -> int:
        """Number of the class of a reporting day in a county; 0 is an ordinary day of its weekday."""
        cached = self._class_of_day.get((county, day))
        if cached is None:
            if len(self._class_of_day) >= _MOST_CACHED:
                self._class_of_day.clear()
            cached = max((self._class_of_key.get(key, 0) for key in self.keys(county, day)), default=0)
            self._class_of_day[county, day] = cached
        return cached

    def class_names(self) -> tuple[str, ...]:
        """Chinese names of the classes, by number."""
        return tuple(day_class.title for day_class in self.classes)

    def class_names_en(self) -> tuple[str, ...]:
        """English names of the classes, by number."""
        return tuple(day_class.title_en for day_class in self.classes)

    def facts(self, county: str, day: date) -> tuple[str, ...]:
        """What there is to say of a day, in Chinese; () for nothing."""
        return tuple(zh for zh, _ in self._facts(county, day))

    def facts_en(self, county: str, day: date) -> tuple[str, ...]:
        """What there is to say of a day, in English."""
        return tuple(en for _, en in self._facts(county, day))

    def keys(self, county: str, day: date) -> tuple[str, ...]:
        """The kinds of day that it is: FIXED_KEYS, holidays, local events."""
        official, _ = self._day(day)
        weekend = day.weekday() >= _SATURDAY
        keys = ["weekend"] if weekend else []
        if official.make_up:
            keys.append("make_up_workday")
        if official.holidays:
            keys += ["public_holiday", f"public_holiday{ON_WEEKEND if weekend else ON_WEEKDAY}"]
        named = (*official.holidays, *(event.code for event in self._events(county, day)))
        return (*keys, *named, *(f"{key}{ON_WEEKEND if weekend else ON_WEEKDAY}" for key in named))

    def is_workday(self, county: str, day: date) -> bool:
        """Do offices work on this day? Legal clocks count such days."""
        official, _ = self._day(day)
        if official.holidays or any(event.day_off for event in self._events(county, day)):
            return False
        return official.make_up or day.weekday() < _SATURDAY

    def add_workdays(self, county: str, day: date, number: int) -> date:
        """The `number`-th workday after a day."""
        for _ in range(number):
            day += timedelta(days=1)
            while not self.is_workday(county, day):
                day += timedelta(days=1)
        return day

    def sure_until(self) -> date | None:
        """Last day for which public holidays are known as announced; None: they follow a rule, without end.

        Later days fall back to statutory holidays without make-up workdays: time to extend the overlay.
        """
        return self.official.sure_until()

    def _day(self, day: date) -> tuple[Official, tuple[LocalEvent, ...]]:
        """What the law says of a day, and the events that happen on it, anywhere."""
        known = self._known_days.get(day)
        if known is None:
            if len(self._known_days) >= _MOST_CACHED:
                self._known_days.clear()
            known = self.official.on(day), tuple(event for event in self.events if event.on(day))
            self._known_days[day] = known
        return known

    def _events(self, county: str, day: date) -> Iterator[LocalEvent]:
        return (event for event in self._day(day)[1] if event.counties is None or county in event.counties)

    def _facts(self, county: str, day: date) -> tuple[Words, ...]:
        return (*self._day(day)[0].facts, *((event.name, event.name_en) for event in self._events(county, day)))
