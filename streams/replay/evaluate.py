"""Alerts held against labels: what was found, how fast, and how many pages were false.

* A page is a raised alert, always-page ones and rules aside.
* A label is found when a page on one of its counties and signals is raised in [start, end + 7 days]. An
  alert's signals are those of the evidence that raised it and of all that joined it; a whole-city alert is
  on every county.
* A page is false if no label covers its county and its time, [start, end + 7 days] again.
* Weeks, and the false pages in them, count after warm-up; an incident counts whenever it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from streams.core.alert import Joined, Raised, Shape, Transition
from streams.core.city import City
from streams.core.instant import DAY, HOUR, WEEK, Instant, format_instant
from streams.replay.labels import Label

GRACE = 7 * DAY
"""How long after its end an incident may still be found."""

Outcome = Literal["found", "missed", "warming_up", "not_reached"]
"""warming_up: missed, and over before detectors judged. not_reached: missed, and begun after the last event."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one label."""

    label: Label
    outcome: Outcome
    alert: str | None
    """Id of the first page that found it."""
    delay_hours: float | None
    """From the incident's start to that page."""


@dataclass(frozen=True, slots=True)
class FalsePage:
    """A page that no label explains."""

    alert: str
    at: Instant
    county: str
    family: str
    signal: str


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of one shape or one county."""

    name: str
    incidents: int
    found: int
    median_delay_hours: float | None
    false_pages: int | None
    """None for a shape: a false page has none."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well the incidents of a stream were found."""

    incidents: int
    found: int
    median_delay_hours: float | None
    """None where nothing was found."""
    pages: int
    """Over the whole stream."""
    always_page: int
    """Alerts outside the budget."""
    false_pages: int
    """After warm-up."""
    weeks: float
    """After warm-up."""
    false_pages_per_week: float | None
    """None where the stream ends before the warm-up does."""
    budget_per_week: float
    by_shape: tuple[Group, ...]
    """In the order in which shapes first appear among the labels."""
    by_county: tuple[Group, ...]
    """In the city's order, then the city as a whole; those without incidents and false pages left out."""
    verdicts: tuple[Verdict, ...]
    """In the order of the labels."""
    false: tuple[FalsePage, ...]
    """By time."""

    def document(self, city: City) -> dict[str, object]:
        """The evaluation as plain data for JSON; times on the city's clock."""
        zone = city.zone
        return {
            "incidents": self.incidents,
            "found": self.found,
            "median_delay_hours": self.median_delay_hours,
            "false_pages_per_week": self.false_pages_per_week,
            "budget_per_week": self.budget_per_week,
            "pages": self.pages,
            "always_page": self.always_page,
            "false_pages": self.false_pages,
            "weeks": self.weeks,
            "by_shape": [_group(group, "shape") for group in self.by_shape],
            "by_county": [_group(group, "county") for group in self.by_county],
            "labels": [
                {
                    "id": verdict.label.id,
                    "shape": verdict.label.shape,
                    "counties": list(verdict.label.counties),
                    "category": verdict.label.category,
                    "start": format_instant(verdict.label.start, zone),
                    "end": format_instant(verdict.label.end, zone),
                    "size": verdict.label.size,
                    "outcome": verdict.outcome,
                    "alert": verdict.alert,
                    "delay_hours": verdict.delay_hours,
                }
                for verdict in self.verdicts
            ],
            "false": [
                {
                    "alert": page.alert,
                    "raised_at": format_instant(page.at, zone),
                    "county": page.county,
                    "category_family": page.family,
                    "signal": page.signal,
                }
                for page in self.false
            ],
        }


@dataclass(frozen=True, slots=True)
class _Page:
    alert: str
    at: Instant
    county: str
    family: str
    signal: str
    counties: frozenset[str]
    signals: frozenset[str]


def evaluate(
    transitions: Iterable[Transition], labels: Sequence[Label], city: City, warm_up_end: Instant, end: Instant
) -> Evaluation:
    """Hold all that the judge did up to `end` against the labels of the same stream.

    `warm_up_end`: the instant from which detectors judged; `end`: event time reached.
    """
    pages, always = _pages(transitions)
    verdicts = tuple(_verdict(label, pages, city, warm_up_end, end) for label in labels)
    false = tuple(
        FalsePage(page.alert, page.at, page.county, page.family, page.signal)
        for page in pages
        if page.at >= warm_up_end and not any(_covers(label, page, city) for label in labels)
    )
    weeks = max(end - warm_up_end, 0) / WEEK
    return Evaluation(
        incidents=len(labels),
        found=sum(verdict.outcome == "found" for verdict in verdicts),
        median_delay_hours=_median_delay(verdicts),
        pages=len(pages),
        always_page=always,
        false_pages=len(false),
        weeks=round(weeks, 3),
        false_pages_per_week=round(len(false) / weeks, 3) if weeks else None,
        budget_per_week=city.budget_per_week,
        by_shape=_by_shape(verdicts),
        by_county=_by_county(verdicts, false, city),
        verdicts=verdicts,
        false=false,
    )


def _pages(transitions: Iterable[Transition]) -> tuple[list[_Page], int]:
    """Pages by (time, id), and how many alerts were always-page ones. A repeated transition counts once."""
    raised: dict[str, Raised] = {}
    joined: dict[str, list[Joined]] = {}
    for transition in transitions:
        if isinstance(transition, Raised):
            raised.setdefault(transition.alert, transition)
        elif isinstance(transition, Joined):
            joined.setdefault(transition.alert, []).append(transition)
    pages = []
    for one in raised.values():
        if one.evidence.shape in (Shape.ALWAYS_PAGE, Shape.RULE):
            continue
        evidence = [one.evidence, *(also.evidence for also in joined.get(one.alert, ()))]
        pages.append(
            _Page(
                one.alert,
                one.at,
                one.county,
                one.family,
                one.evidence.signal,
                frozenset({one.county, *(e.county for e in evidence if e.county)}),
                frozenset(e.signal for e in evidence),
            )
        )
    pages.sort(key=lambda page: (page.at, page.alert))
    return pages, sum(one.evidence.shape == Shape.ALWAYS_PAGE for one in raised.values())


def _covers(label: Label, page: _Page, city: City) -> bool:
    """Whether a page is on a label's counties, at its time."""
    somewhere = page.counties & {*label.counties, city.code} or city.code in label.counties
    return bool(somewhere) and label.start <= page.at <= label.end + GRACE


def _verdict(label: Label, pages: Sequence[_Page], city: City, warm_up_end: Instant, end: Instant) -> Verdict:
    for page in pages:
        if _covers(label, page, city) and page.signals & set(label.signals):
            return Verdict(label, "found", page.alert, round((page.at - label.start) / HOUR, 3))
    outcome: Outcome = "missed"
    if label.start >= end:
        outcome = "not_reached"
    elif label.end <= warm_up_end:
        outcome = "warming_up"
    return Verdict(label, outcome, None, None)


def _median_delay(verdicts: Iterable[Verdict]) -> float | None:
    delays = [verdict.delay_hours for verdict in verdicts if verdict.delay_hours is not None]
    return round(median(delays), 3) if delays else None


def _by_shape(verdicts: Sequence[Verdict]) -> tuple[Group, ...]:
    shapes = list(dict.fromkeys(verdict.label.shape for verdict in verdicts))
    return tuple(_grouped(shape, [v for v in verdicts if v.label.shape == shape], None) for shape in shapes)


def _by_county(verdicts: Sequence[Verdict], false: Sequence[FalsePage], city: City) -> tuple[Group, ...]:
    known = [*(county.code for county in city.counties), city.code]
    others = [county for verdict in verdicts for county in verdict.label.counties if county not in known]
    groups = [
        _grouped(
            county,
            [verdict for verdict in verdicts if county in verdict.label.counties],
            sum(page.county == county for page in false),
        )
        for county in dict.fromkeys([*known, *others])
    ]
    return tuple(group for group in groups if group.incidents or group.false_pages)


def _grouped(name: str, verdicts: Sequence[Verdict], false_pages: int | None) -> Group:
    found = sum(verdict.outcome == "found" for verdict in verdicts)
    return Group(name, len(verdicts), found, _median_delay(verdicts), false_pages)


def _group(group: Group, key: str) -> dict[str, object]:
    made: dict[str, object] = {
        key: group.name,
        "incidents": group.incidents,
        "found": group.found,
        "median_delay_hours": group.median_delay_hours,
    }
    return made if group.false_pages is None else {**made, "false_pages": group.false_pages}
