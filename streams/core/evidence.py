"""What an alert says for itself: evidence, shape, severity and id, made from one verdict and never changed."""

import hashlib
import math
from collections.abc import Mapping
from datetime import timedelta

import msgspec

from streams.core.alert import Evidence, Severity, Shape
from streams.core.city import City, Direction
from streams.core.exposure import Exposures
from streams.core.guards import Verdict
from streams.core.instant import Instant
from streams.core.outputs import AlwaysPage, ScoredWindow, SeriesDetail
from streams.core.window import WindowGrid

SHIFT_DETECTOR = "shift"
LASTING = frozenset({SHIFT_DETECTOR, "adwin", "page_hinkley"})
"""Detectors whose verdicts speak of a level change that lasts; every other one's of a burst or a drought."""
BUILDS_UP = "outbreak"
"""Its verdicts speak of the last windows together, not of one window's count alone."""
ALWAYS_PAGE_DETECTOR = "always_page"
RATE_DETECTOR = "rates"
"""Its verdicts speak of shares."""
CRITICAL = 0.01
"""A p at or below this share of its level makes an alert critical."""

_NO_DETAIL = SeriesDetail((), (), ())


def digest(*parts: object) -> str:
    """An id from what it identifies: the first 80 bits of the SHA-256 of the parts as JSON, hex."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:20]


def shape_of(verdict: Verdict) -> Shape:
    """The shape a verdict speaks for (a feed's silence is seen by the judge, not by one series)."""
    if verdict.detector in LASTING:
        return Shape.SHIFT
    if verdict.detector == RATE_DETECTOR:
        return Shape.RATE
    return Shape.BURST if verdict.side is Direction.HIGH else Shape.DROUGHT


def is_past(verdict: Verdict) -> bool:
    """Whether what built up was before this window, which is no higher than expected: it is news no more."""
    return verdict.detector == BUILDS_UP and verdict.excess <= 0


def severity_of(p: float, level: float) -> Severity:
    """Critical where p is at or below a hundredth of the level."""
    return Severity.CRITICAL if p <= CRITICAL * level else Severity.WARNING


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


class EvidenceMaker:
    """Fills in evidence from what one city and its detectors are: no state."""

    def __init__(self, city: City, grid: WindowGrid, versions: Mapping[str, str]) -> None:
        self.city = city
        self.grid = grid
        self.versions = versions
        """Detector name -> version."""
        self.series = (*(county.code for county in city.counties), city.code)
        place = {signal.name: i for i, signal in enumerate(city.signals)}
        self.exposures = Exposures(city)
        self._of = tuple(place.get(signal.of or "") for signal in city.signals)

    def calendar_facts(self, county: str, start: Instant, end: Instant) -> tuple[str, ...]:
        """What the calendar says of the reporting days that a window lies in, each fact once."""
        first, last = (self.grid.name(self.grid.day(at)) for at in (start, end - 1))
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return tuple(dict.fromkeys(fact for day in days for fact in self.city.calendar.facts(county, day)))

    def of_verdict(
        self, window: ScoredWindow, verdict: Verdict, shape: Shape, alert_county: str, notes: tuple[str, ...] = ()
    ) -> Evidence:
        """The case that one verdict makes, as known at the window's end + allowed lateness."""
        county = self.series[verdict.series]
        detail = window.details.get((verdict.signal, verdict.series), _NO_DETAIL)
        of = self._of[verdict.signal]
        return Evidence(
            signal=self.city.signals[verdict.signal].name,
            size=verdict.size,
            detector=verdict.detector,
            detector_version=self.versions.get(verdict.detector, ""),
            profile_version=self.city.profile_version,
            window_start=window.start,
            window_end=window.end,
            known_at=window.end + self.city.allowed_lateness,
            shape=shape,
            direction=verdict.side,
            count=verdict.count,
            expected=_known(verdict.expected),
            low=_known(verdict.low),
            high=_known(verdict.high),
            p=verdict.p,
            level=verdict.level,
            history=tuple(detail.history),
            calendar=self.calendar_facts(county, window.start, window.end),
            by_category=tuple(detail.by_category),
            by_point=tuple(detail.by_point),
            notes=notes,
            county="" if county == alert_county else county,
            whole=None if of is None else int(window.counts[of, verdict.series]),
            exposure=self.exposures.of_series(window.counts, window.start, window.end, verdict.signal, verdict.series),
        )

    def of_always_page(self, event: AlwaysPage) -> Evidence:
        """The case of one event that pages by what it is."""
        return Evidence(
            signal=event.category,
            size="event",
            detector=ALWAYS_PAGE_DETECTOR,
            detector_version="1",
            profile_version=self.city.profile_version,
            window_start=event.at,
            window_end=event.at,
            known_at=event.at,
            shape=Shape.ALWAYS_PAGE,
            direction=Direction.HIGH,
            count=1,
            expected=None,
            low=None,
            high=None,
            p=None,
            level=None,
            history=(),
            calendar=self.calendar_facts(event.county, event.at, event.at + 1),
            by_category=((event.category, 1),),
            by_point=((event.point, 1),),
            ticket=event.ticket,
        )
