"""How many tickets to expect: per county, observation point, category and hour.

Volumes and shares are the profile's; what a profile does not say (a category's season, its growth, how it
differs between counties) is drawn from the seed, so that two seeds are two cities.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import fsum

import numpy as np

from streams.core.instant import DAY, HOUR, Instant, to_datetime
from streams.profile.model import Profile
from streams.replay.draws import Draws, Floats

# Shares of a day's calls by local hour. Written down as a 12345 hotline sees them: two peaks on workdays,
# one late one on days off; offices take nothing at night.
_CALLS_WORKDAY = (8, 5, 4, 3, 3, 5, 12, 30, 70, 92, 88, 70, 46, 50, 72, 80, 78, 66, 44, 38, 36, 30, 20, 12)
_CALLS_DAY_OFF = (10, 7, 5, 4, 4, 5, 11, 24, 46, 62, 64, 56, 44, 42, 48, 52, 54, 52, 48, 48, 46, 38, 26, 16)
_OFFICE = (0, 0, 0, 0, 0, 0, 0, 1, 40, 90, 95, 60, 8, 12, 70, 85, 80, 45, 6, 2, 0, 0, 0, 0)
_POSTS = (40, 26, 15, 9, 7, 9, 16, 30, 42, 50, 55, 58, 62, 56, 50, 50, 52, 54, 58, 66, 76, 80, 74, 58)

_SATURDAY, _SUNDAY, _HOLIDAY, _MAKE_UP = 0.68, 0.60, 0.52, 0.93
_WEEKDAYS = (1.08, 1.03, 1.0, 0.98, 0.95)
_OFFICE_DAY_OFF, _POSTS_DAY_OFF = 0.06, 0.95

_ALWAYS_PAGE_PER_DAY = 0.04
"""Threats to life, in the whole city, at scale 1: a dozen a year."""

OPENING_PURPOSE, DAY_PURPOSE = 1, 2


@dataclass(frozen=True, slots=True)
class Stream:
    """What reaches one observation point about one category."""

    point: str
    category: str
    family: str
    intake: str
    """Kind of the first event."""
    quiet: bool
    """Always-page or compartmented: no incident is placed in it."""


def streams_of(profile: Profile) -> tuple[Stream, ...]:
    """Every point and category that go together, in the profile's order."""
    quiet = {*profile.always_page, *profile.compartmented}
    return tuple(
        Stream(point, category.code, category.family, profile.intake[point], category.code in quiet)
        for category in profile.city.categories
        for point in profile.simulation.category_points[category.code]
    )


class Intensity:
    """Expected tickets an hour, an array (counties, streams) for every hour since the start."""

    def __init__(self, profile: Profile, seed: int, scale: float) -> None:
        self.city = profile.city
        self.calendar = profile.calendar
        self.streams = streams_of(profile)
        draws = Draws(seed, OPENING_PURPOSE)
        counties, count = len(self.city.counties), len(self.streams)
        shares = _stream_shares(profile, self.streams)
        mix = shares[None, :] * draws.spread((counties, count), 0.25)
        mix /= np.cumsum(mix, axis=1)[:, -1:]
        self.daily = profile.simulation.tickets_per_day * scale * _county_shares(profile)[:, None] * mix
        """Tickets of an average day, (counties, streams), before season, trend and calendar."""
        always = np.array([s.category in profile.always_page for s in self.streams])
        total = float(np.cumsum(self.daily[:, always].reshape(-1))[-1]) if always.any() else 0.0
        most = _ALWAYS_PAGE_PER_DAY * min(scale, 1.0)
        if total > most:
            self.daily[:, always] *= most / total
        self._growth = -0.06 + 0.22 * draws.uniform(count)
        self._swing = 0.04 + 0.26 * draws.uniform(count)
        self._peak = 365.0 * draws.uniform(count)
        self._class_factor = 0.85 + 0.4 * draws.uniform((len(profile.calendar.class_names()), count))
        self._hours = [_hour_tables(stream.intake) for stream in self.streams]
        self._dates: dict[date, Floats] = {}

    def hours(self, start: Instant, first_hour: int, hours: int) -> Floats:
        """Expected tickets of hours `first_hour` .. since an instant: (counties, streams, hours)."""
        means = np.empty((*self.daily.shape, hours))
        for i in range(hours):
            at = start + (first_hour + i) * HOUR
            local = to_datetime(at, self.city.zone)
            means[:, :, i] = self._local_day(local.date())[:, :, local.hour]
        years = (first_hour + hours / 2) * HOUR / (365 * DAY)
        means *= (self.daily * np.maximum(1.0 + self._growth * years, 0.3))[:, :, None]
        return means

    def _local_day(self, day: date) -> Floats:
        """Factors (counties, streams, 24) of a local date: hour of week, season, calendar."""
        made = self._dates.get(day)
        if made is None:
            if len(self._dates) > 3:
                del self._dates[next(iter(self._dates))]
            made = self._dates[day] = self._factors(day)
        return made

    def _factors(self, day: date) -> Floats:
        # A triangle over the year: close to the cosine that people use, and exact arithmetic.
        away = np.abs((day.timetuple().tm_yday - self._peak + 182.5) % 365.0 - 182.5)
        season = 1.0 + self._swing * (1.0 - away / 91.25)
        kinds = [
            (self.calendar.is_workday(county.code, day), self.calendar.day_class(county.code, day))
            for county in self.city.counties
        ]
        rows = {kind: self._row(day, *kind) * season[:, None] for kind in dict.fromkeys(kinds)}
        return np.array([rows[kind] for kind in kinds])

    def _row(self, day: date, working: bool, day_class: int) -> Floats:
        """Factors (streams, 24) of one kind of day."""
        table = np.array([on if working else off for on, off in self._hours])
        level = np.array([_day_level(day, working, stream.intake) for stream in self.streams])
        special = self._class_factor[day_class] if day_class else 1.0
        return table * (level * special)[:, None]


def _stream_shares(profile: Profile, streams: tuple[Stream, ...]) -> Floats:
    simulation = profile.simulation
    shares = [simulation.category_share[s.category] * simulation.point_share[s.point] for s in streams]
    total = fsum(shares)
    return np.array([share / total if total else 1 / len(shares) for share in shares])


def _county_shares(profile: Profile) -> Floats:
    """By population; where one is not known, twenty-fold from the first county to the last."""
    counties = profile.city.counties
    people = [county.population for county in counties]
    known = [p for p in people if p is not None]
    if len(known) == len(people):
        sizes = [float(p) for p in known]
    else:
        sizes = [20.0 - 19.0 * i / max(len(counties) - 1, 1) for i in range(len(counties))]
    total = fsum(sizes)
    return np.array([size / total for size in sizes])


def _hour_tables(intake: str) -> tuple[Floats, Floats]:
    """Shares of a day by local hour, on workdays and on days off."""
    if intake == "accepted":
        pair = (_CALLS_WORKDAY, _CALLS_DAY_OFF)
    elif intake == "opinion_post":
        pair = (_POSTS, _POSTS)
    else:
        pair = (_OFFICE, _OFFICE)
    on, off = (np.array(shares, np.float64) / sum(shares) for shares in pair)
    return on, off


def _day_level(day: date, working: bool, intake: str) -> float:
    weekday = day.weekday()
    if working:
        return _WEEKDAYS[weekday] if weekday < 5 else _MAKE_UP
    if intake == "opinion_post":
        return _POSTS_DAY_OFF
    if intake != "accepted":
        return _OFFICE_DAY_OFF
    if weekday < 5:
        return _HOLIDAY
    return _SATURDAY if weekday == 5 else _SUNDAY


def first_instant(profile: Profile, day: date) -> Instant:
    """Start of the reporting day that is called by a date."""
    city = profile.city
    named_by_end = city.day_start.hour or city.day_start.minute
    begin = day - timedelta(days=1) if named_by_end else day
    moment = datetime.combine(begin, city.day_start, tzinfo=city.zone)
    return round(moment.timestamp()) * 1_000_000
