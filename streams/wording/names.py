"""What things are called: counties, signals, categories, points and days, in both languages."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Protocol

from streams.core.city import City, Measure
from streams.core.exposure import POPULATION
from streams.core.instant import Instant
from streams.core.window import WindowGrid
from streams.wording.catalog import Speech


class BilingualCalendar(Protocol):
    """A calendar that can say its facts in English too, in the same order."""

    def facts_en(self, county: str, day: date) -> tuple[str, ...]:
        """What the calendar says of a day, in English."""


class Naming(Protocol):
    """What of a profile gives things their names; `streams.profile.model.Profile` is one."""

    @property
    def city(self) -> City:
        """Chinese names of everything, English ones of counties, categories and signals."""

    @property
    def english(self) -> Mapping[str, Mapping[str, str]]:
        """points, families -> code -> English name."""

    @property
    def families(self) -> Mapping[str, str]:
        """Category family -> Chinese name."""

    @property
    def calendar(self) -> BilingualCalendar:
        """English facts."""


class Names:
    """One city's names in one language."""

    def __init__(self, naming: Naming, speech: Speech) -> None:
        self.speech = speech
        self.city = naming.city
        self._naming = naming
        self._grid = WindowGrid(self.city.zone, self.city.day_start)
        self._counties = {county.code: (county.name, county.name_en) for county in self.city.counties}
        self._categories = {c.code: (c.name, c.name_en) for c in self.city.categories}
        self._signals = {signal.name: signal for signal in self.city.signals}
        self.hidden_categories = frozenset(c.code for c in self.city.categories if c.compartmented)
        self.hidden_signals = frozenset(
            signal.name
            for signal in self.city.signals
            if signal.compartmented
            or ("category" in signal.where and signal.where["category"] <= self.hidden_categories)
        )

    def _pick(self, pair: tuple[str, str]) -> str:
        return pair[0] if self.speech.is_source else pair[1]

    def county(self, code: str) -> str:
        """A county's name; the city's own code is the city as a whole."""
        if code == self.city.code:
            title = self._pick((self.city.title, self.city.title_en))
            return self.speech.say("{city}（全市）", city=title)
        return self._pick(self._counties.get(code, (code, code)))

    def signal(self, name: str) -> str:
        """A signal's title; a category's name where it is one (always-page events)."""
        signal = self._signals.get(name)
        return self.category(name) if signal is None else self._pick((signal.title, signal.title_en))

    def offset(self, name: str) -> str | None:
        """The title of what a signal is counted out of; None for residents."""
        signal = self._signals.get(name)
        of = None if signal is None else signal.offset
        return None if of is None or of == POPULATION else self.signal(of)

    def category(self, code: str) -> str:
        """A category's name."""
        return self._pick(self._categories.get(code, (code, code)))

    def point(self, code: str) -> str:
        """An observation point's name."""
        chinese = self.city.points.get(code, code)
        return self._pick((chinese, self._naming.english.get("points", {}).get(code, chinese)))

    def family(self, code: str) -> str:
        """A category family's name."""
        chinese = self._naming.families.get(code, code)
        return self._pick((chinese, self._naming.english.get("families", {}).get(code, chinese)))

    def events_only(self, signal: str) -> bool:
        """Whether a signal counts events, so that its cells add up to its count."""
        known = self._signals.get(signal)
        return known is None or known.measure is Measure.EVENTS

    def counted(self, signal: str, figure: str) -> str:
        """A figure with the unit that the signal counts in."""
        known = self._signals.get(signal)
        if known is not None and known.measure is Measure.DISTINCT_CALLERS:
            return self.speech.say("{n} 人", n=figure)
        if known is not None and known.measure is Measure.BACKLOG_AGE:
            return self.speech.say("{n} 小时", n=figure)
        return self.speech.say("{n} 件", n=figure)

    def one_category(self, signal: str) -> bool:
        """Whether a signal counts a single category: then naming it as contributor says nothing."""
        known = self._signals.get(signal)
        return known is not None and len(known.where.get("category", ("", ""))) == 1

    def facts(self, frozen: Iterable[str], county: str, start: Instant, end: Instant) -> tuple[str, ...]:
        """Calendar facts as frozen in evidence, in this language where the calendar knows them."""
        if self.speech.is_source:
            return tuple(frozen)
        english: dict[str, str] = {}
        for day in self._days(start, end):
            chinese = self.city.calendar.facts(county, day)
            english.update(zip(chinese, self._naming.calendar.facts_en(county, day), strict=False))
        return tuple(english.get(fact, fact) for fact in frozen)

    def is_weekend(self, start: Instant, end: Instant) -> bool:
        """Whether a window's reporting day is named by a Saturday or a Sunday."""
        return self._days(start, end)[-1].weekday() >= 5

    def _days(self, start: Instant, end: Instant) -> list[date]:
        first, last = (self._grid.name(self._grid.day(at)) for at in (start, max(start, end - 1)))
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]
