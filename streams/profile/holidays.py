"""Public holidays of a country, day by day: China with its make-up workdays (调休), the rest of the world by rule.

China's arrangement is announced a year at a time. Where `chinesecalendar` knows the year it is taken from there, a
profile's overlay says more (and overrules it), and any other year falls back to the statutory days alone
(全国年节及纪念日放假办法, as revised in 2024), marked as not sure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Protocol

from borax.calendars.lunardate import LunarDate
from chinese_calendar import get_solar_terms, in_lieu_days, workdays
from chinese_calendar import holidays as announced_holidays

from streams.profile.problems import Words

LUNAR_YEARS = range(1901, 2099)
"""Years for whose every day the lunar tables hold good."""
RULE_YEARS = range(1900, 2101)
"""Years for which rules of public holidays are asked."""
_NEAR = timedelta(days=7)
_YEAR_END = (12, 31)


@dataclass(frozen=True, slots=True)
class Official:
    """What the law says of a day."""

    holidays: tuple[str, ...] = ()
    """Keys of the public holidays that make it a day off."""
    make_up: bool = False
    """A weekend day that is worked."""
    facts: tuple[Words, ...] = ()


_NOTHING = Official()


class PublicHolidays(Protocol):
    """The public holidays of one country."""

    def on(self, day: date) -> Official:
        """What the law says of a day; never raises."""

    def sure_until(self) -> date | None:
        """Last day for which the arrangement is known; None: holds by rule, without end."""

    def keys(self) -> tuple[str, ...]:
        """The holiday keys that a calendar class may name, sorted."""


CHINESE_HOLIDAYS: Mapping[str, Words] = {
    "new_years_day": ("元旦", "New Year's Day"),
    "spring_festival": ("春节", "Spring Festival"),
    "tomb_sweeping_day": ("清明节", "Tomb-sweeping Day"),
    "labour_day": ("劳动节", "Labour Day"),
    "dragon_boat_festival": ("端午节", "Dragon Boat Festival"),
    "mid_autumn_festival": ("中秋节", "Mid-autumn Festival"),
    "national_day": ("国庆节", "National Day"),
    "anti_fascist_70th_day": ("抗战胜利纪念日", "Victory Day"),
}
_KEY_OF_ANNOUNCED = {
    "New Year's Day": "new_years_day",
    "Spring Festival": "spring_festival",
    "Tomb-sweeping Day": "tomb_sweeping_day",
    "Labour Day": "labour_day",
    "Dragon Boat Festival": "dragon_boat_festival",
    "Mid-autumn Festival": "mid_autumn_festival",
    "National Day": "national_day",
    "Anti-Fascist 70th Day": "anti_fascist_70th_day",
}
ANNOUNCED_YEARS = range(min(announced_holidays).year, max(announced_holidays).year + 1)
"""Years whose arrangement the library knows."""


@dataclass(frozen=True)
class Arrangement:
    """The announced holidays and make-up workdays of one year."""

    holidays: Mapping[date, str]
    """Day off -> key of CHINESE_HOLIDAYS."""
    make_up_workdays: frozenset[date]


@dataclass(frozen=True)
class ChineseHolidays:
    """China's public holidays, make-up workdays included."""

    overlay: Mapping[int, Arrangement] = field(default_factory=dict)

    def on(self, day: date) -> Official:
        if day.year in self.overlay:
            return self._arranged(day, self.overlay[day.year])
        if day.year in ANNOUNCED_YEARS:
            return self._announced(day)
        return self._by_law(day)

    def sure_until(self) -> date:
        year = ANNOUNCED_YEARS[-1]
        while year + 1 in self.overlay:
            year += 1
        return date(year, *_YEAR_END)

    def keys(self) -> tuple[str, ...]:
        return tuple(sorted(CHINESE_HOLIDAYS))

    @staticmethod
    def _announced(day: date) -> Official:
        if day in workdays:
            zh, en = CHINESE_HOLIDAYS[_KEY_OF_ANNOUNCED[workdays[day]]]
            return Official(make_up=True, facts=((f"调休上班（{zh}）", f"Make-up workday ({en})"),))
        if day not in announced_holidays:
            return _NOTHING
        key = _KEY_OF_ANNOUNCED[announced_holidays[day]]
        zh, en = CHINESE_HOLIDAYS[key]
        if day in in_lieu_days:
            return Official((key,), facts=((f"{zh}假期（调休放假）", f"{en} holiday (in lieu)"),))
        return Official((key,), facts=((f"{zh}假期", f"{en} holiday"),))

    @staticmethod
    def _arranged(day: date, arrangement: Arrangement) -> Official:
        if day in arrangement.make_up_workdays:
            return Official(make_up=True, facts=(("调休上班", "Make-up workday"),))
        key = arrangement.holidays.get(day)
        if key is None:
            return _NOTHING
        zh, en = CHINESE_HOLIDAYS[key]
        return Official((key,), facts=((f"{zh}假期", f"{en} holiday"),))

    @staticmethod
    def _by_law(day: date) -> Official:
        days = statutory_days(day.year)
        facts: list[Words] = []
        key = days.get(day)
        if key is not None:
            zh, en = CHINESE_HOLIDAYS[key]
            facts.append((f"{zh}（法定假日）", f"{en} (statutory)"))
        if any(abs(day - other) <= _NEAR for other in days):
            facts.append((f"{day.year} 年调休安排未收录", f"make-up workdays of {day.year} are not known"))
        return Official((key,) if key else (), facts=tuple(facts)) if facts else _NOTHING


@cache
def statutory_days(year: int) -> Mapping[date, str]:
    """China's 13 statutory days off of a year, without the weekends and make-up days announced around them."""
    if year not in LUNAR_YEARS:
        return {}
    spring = LunarDate(year, 1, 1).to_solar_date()
    days = {date(year, 1, 1): "new_years_day"}
    days |= {spring + timedelta(days=offset): "spring_festival" for offset in range(-1, 3)}
    days[solar_term_day(year, "清明")] = "tomb_sweeping_day"
    days |= {date(year, 5, number): "labour_day" for number in (1, 2)}
    days[LunarDate(year, 5, 5).to_solar_date()] = "dragon_boat_festival"
    days[LunarDate(year, 8, 15).to_solar_date()] = "mid_autumn_festival"
    # Last: in 2020 and 2031 the Mid-autumn Festival is the National Day too.
    return days | {date(year, 10, number): "national_day" for number in (1, 2, 3)}


SOLAR_TERMS = (
    "小寒", "大寒", "立春", "雨水", "惊蛰", "春分", "清明", "谷雨", "立夏", "小满", "芒种", "夏至",
    "小暑", "大暑", "立秋", "处暑", "白露", "秋分", "寒露", "霜降", "立冬", "小雪", "大雪", "冬至",
)  # fmt: skip
"""The 24 solar terms (节气) of a year, in order."""


def solar_term_day(year: int, name: str) -> date:
    """The day of one of SOLAR_TERMS; the year must be in LUNAR_YEARS."""
    return _solar_terms(year)[name]


@cache
def _solar_terms(year: int) -> Mapping[str, date]:
    return {name: day for day, name in get_solar_terms(date(year, 1, 1), date(year, 12, 31))}


@dataclass(frozen=True)
class HolidaysByRule:
    """Any country that the `holidays` library knows, by its rules."""

    country: str
    subdivision: str | None
    chinese: Mapping[str, str] = field(default_factory=dict)
    """Chinese names, by the library's English one."""

    def on(self, day: date) -> Official:
        if day.year not in RULE_YEARS:
            return _NOTHING
        return self._on(_holidays_of(self.country, self.subdivision, day.year).get(day, ()))

    def _on(self, names: tuple[str, ...]) -> Official:
        if not names:
            return _NOTHING
        facts = tuple((self._chinese(name), name) for name in names)
        return Official(tuple(dict.fromkeys(holiday_key(name) for name in names)), facts=facts)

    def _chinese(self, name: str) -> str:
        plain = _OBSERVED.sub("", name)
        return self.chinese.get(plain, plain) + ("（补假）" if plain != name else "")

    def sure_until(self) -> None:
        return None

    def keys(self) -> tuple[str, ...]:
        return tuple(sorted(map(holiday_key, rule_names(self.country, self.subdivision))))


_OBSERVED = re.compile(r" \(observed\)$")


def holiday_key(name: str) -> str:
    """The key of a holiday by its English name, observed or not.

    >>> holiday_key("Martin Luther King Jr. Day"), holiday_key("Christmas Day (observed)")
    ('martin_luther_king_jr_day', 'christmas_day')
    """
    plain = _OBSERVED.sub("", name).replace("'", "")
    return re.sub(r"[^a-z0-9]+", "_", plain.casefold()).strip("_")


@cache
def rule_names(country: str, subdivision: str | None) -> tuple[str, ...]:
    """Every holiday name of a country in a generation, observed days under their plain name; sorted."""
    years = range(2000, 2041)
    names = {
        _OBSERVED.sub("", name)
        for year in years
        for day in _holidays_of(country, subdivision, year).values()
        for name in day
    }
    return tuple(sorted(names))


@cache
def countries() -> Mapping[str, tuple[str, ...]]:
    """Country codes that the library knows -> their subdivisions."""
    import holidays

    return {code: tuple(parts) for code, parts in sorted(holidays.list_supported_countries().items())}


@cache
def _holidays_of(country: str, subdivision: str | None, year: int) -> Mapping[date, tuple[str, ...]]:
    import holidays  # slow to import, and only some profiles need it

    found = holidays.country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    return {day: tuple(found.get_list(day)) for day in sorted(found) if day.year == year}
