"""Validated parts -> a `Profile`."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from datetime import date

from streams.core.city import Category, City, County, Direction, Measure, Signal, Size
from streams.core.event import KINDS, OUTCOMES
from streams.profile.calendar import CityCalendar, DayClass, LocalEvent
from streams.profile.holidays import Arrangement, ChineseHolidays, HolidaysByRule, PublicHolidays
from streams.profile.model import CsvMapping, Profile, Retention, Simulation
from streams.profile.schema import CalendarPart, CountyPart, MappingPart, NamePart, ProfilePart, SignalPart
from streams.profile.written import DateRange
from streams.profile.zone import zone

_SCHEMA = 1


def compile_profile(part: ProfilePart, origin: str) -> Profile:
    """The profile of parts that passed every check."""
    calendar = _calendar(part.calendar)
    categories = tuple(
        Category(code, c.name, c.name_en or c.name, c.family, c.always_page, c.compartmented)
        for code, c in part.categories.items()
    )
    version = digest(part)
    weights = part.budget.size_weights
    city = City(
        name=part.name,
        code=part.code,
        title=part.title,
        title_en=part.title_en or part.title,
        profile_version=version,
        zone=zone(part.zone),
        day_start=part.day_start,
        allowed_lateness=part.allowed_lateness,
        dedup_horizon=part.dedup_horizon,
        repeat_span=part.repeat_span,
        ticket_retention=part.retention.tickets,
        budget_per_week=float(part.budget.pages_per_week),
        privacy_k=part.privacy_k,
        counties=tuple(
            County(code, c.name, c.name_en or c.name, c.population, tuple(c.neighbours), _by_year(c))
            for code, c in part.counties.items()
        ),
        points=_names(part.points),
        sectors=_names(part.sectors),
        channels=_names(part.channels),
        categories=categories,
        signals=tuple(_signal(name, signal, categories) for name, signal in part.signals.items()),
        calendar=calendar,
        drought_witnesses=tuple(part.drought_witnesses),
        size_weights=({Size.HOUR: float(weights.hour), Size.DAY: float(weights.day), Size.WEEK: float(weights.week)}),
    )
    english = {
        "points": _names_en(part.points),
        "sectors": _names_en(part.sectors),
        "channels": _names_en(part.channels),
        "families": _names_en(part.families),
    }
    return Profile(
        city=city,
        calendar=calendar,
        retention=Retention(**dict(part.retention)),
        csv=None if part.mapping is None else _csv(part, part.mapping),
        simulation=_simulation(part),
        english=(english),
        families=_names(part.families),
        intake=({code: point.intake for code, point in part.points.items()}),
        always_page=tuple(category.code for category in categories if category.always_page),
        compartmented=tuple(category.code for category in categories if category.compartmented),
        tiles=_tiles(part.counties),
        version=version,
        origin=origin,
    )


def digest(part: ProfilePart) -> str:
    """16 hex digits of the data. The order of counties, signals and the like is data, as it orders the vectors; the
    order of keys within one of them, files, comments and spacing are not."""
    data = json.dumps([_SCHEMA, part.model_dump(mode="json")], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(data.encode("ascii")).hexdigest()[:16]


def _tiles(counties: Mapping[str, CountyPart]) -> Mapping[str, tuple[int, int]]:
    """Where all counties have a tile, theirs; otherwise a square of them in their order: half a map misleads."""
    if all(one.tile is not None for one in counties.values()):
        return {code: (one.tile[0], one.tile[1]) for code, one in counties.items() if one.tile is not None}
    width = math.isqrt(len(counties) - 1) + 1
    return {code: (place % width, place // width) for place, code in enumerate(counties)}


def _by_year(part: CountyPart) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((int(year), people) for year, people in part.residents_by_year.items()))


def _names(parts: Mapping[str, NamePart]) -> Mapping[str, str]:
    return {code: part.name for code, part in parts.items()}


def _names_en(parts: Mapping[str, NamePart]) -> Mapping[str, str]:
    return {code: part.name_en or part.name for code, part in parts.items()}


def _signal(name: str, part: SignalPart, categories: tuple[Category, ...]) -> Signal:
    where = {field: frozenset(values) for field, values in part.where.items() if field != "family"}
    families = part.where.get("family")
    if families is not None:
        members = {category.code for category in categories if category.family in families}
        where["category"] = where["category"] & members if "category" in where else frozenset(members)
    if not part.compartmented and any(category.compartmented for category in categories):
        # Law 6: what everybody sees does not even count what a county must not learn of.
        open_ones = frozenset(category.code for category in categories if not category.compartmented)
        where["category"] = where.get("category", open_ones) & open_ones
    sizes = tuple(size for size in Size if size.value in part.sizes)
    by_size: dict[Size, tuple[str, ...]] = {size: getattr(part.detectors, size.value) for size in sizes}
    return Signal(
        name=name,
        title=part.title,
        title_en=part.title_en or part.title,
        family=part.family,
        measure=Measure(part.measure),
        where=(dict(sorted(where.items()))),
        sizes=sizes,
        direction=Direction(part.direction),
        minimum_count=part.minimum_count,
        weight=float(part.weight),
        detectors=tuple(dict.fromkeys(one for named in by_size.values() for one in named)),
        by_size=by_size,
        citywide=part.citywide,
        compartmented=part.compartmented,
        of=part.of,
        offset=part.offset,
        breaks=tuple(sorted(part.breaks)),
        threshold=part.threshold,
        per_residents=part.per_residents,
    )


def _calendar(part: CalendarPart) -> CityCalendar:
    classes = tuple(DayClass(code, c.title, c.title_en or c.title, c.days) for code, c in part.classes.items())
    events = tuple(
        LocalEvent(
            code=code,
            name=e.name,
            name_en=e.name_en or e.name,
            dates=e.dates,
            yearly=e.yearly,
            lunar=e.lunar,
            solar_term=e.solar_term,
            day_off=e.day_off,
            counties=frozenset(e.counties) or None,
        )
        for code, e in part.events.items()
    )
    official: PublicHolidays
    if part.country == "CN":
        official = ChineseHolidays(
            {
                int(year): Arrangement(
                    {day: key for key, ranges in over.holidays.items() for day in days_of(ranges)},
                    frozenset(over.make_up_workdays),
                )
                for year, over in part.overlay.items()
            }
        )
    else:
        official = HolidaysByRule(part.country, part.subdivision, (dict(part.holiday_names)))
    return CityCalendar(classes, official, events)


def days_of(ranges: Iterable[DateRange]) -> list[date]:
    """Every day of some ranges, in order."""
    return [
        date.fromordinal(number) for first, last in ranges for number in range(first.toordinal(), last.toordinal() + 1)
    ]


def _csv(part: ProfilePart, mapping: MappingPart) -> CsvMapping:
    words: dict[str, Mapping[str, NamePart]] = {
        "county": part.counties,
        "point": part.points,
        "category": part.categories,
        "channel": part.channels,
        "sector": part.sectors,
    }
    values: dict[str, Mapping[str, str]] = {}
    for field in mapping.columns:
        known = {word: word for word in (KINDS if field == "kind" else OUTCOMES if field == "outcome" else ())}
        for code, named in words.get(field, {}).items():
            aliases = getattr(named, "aliases", ())
            known |= dict.fromkeys((code, named.name, named.name_en or named.name, *aliases), code)
        known |= mapping.values.get(field, {})
        if known:
            values[field] = {text.strip(): code for text, code in known.items()}
    constants = dict(mapping.constants)
    if "point" not in constants and "point" not in mapping.columns:
        constants["point"] = next(iter(part.points))
    return CsvMapping(
        opened=mapping.opened,
        closed=mapping.closed,
        ticket=mapping.ticket,
        columns=(dict(mapping.columns)),
        constants=(constants),
        values=(values),
        otherwise=(dict(mapping.otherwise)),
        opening_kind=mapping.kinds.opened,
        closing_kind=mapping.kinds.closed,
        zone=zone(mapping.zone or part.zone),
        time_formats=mapping.time_formats,
        delimiter=mapping.delimiter,
        encoding=mapping.encoding,
    )


def _simulation(part: ProfilePart) -> Simulation:
    people = sum(county.population or 0 for county in part.counties.values())
    return Simulation(
        # Where the profile does not say: 0.55 tickets a year a head, as Leshan has.
        tickets_per_day=float(part.simulation.tickets_per_day) if part.simulation else max(people * 0.55 / 365, 1.0),
        category_share=_shares({code: c.share for code, c in part.categories.items()}),
        point_share=_shares({code: p.share for code, p in part.points.items()}),
        sector_share=_shares({code: s.share for code, s in part.sectors.items()}),
        channel_share=_shares({code: c.share for code, c in part.channels.items()}),
        category_points=({code: c.points or tuple(part.points) for code, c in part.categories.items()}),
    )


def _shares(given: Mapping[str, float]) -> Mapping[str, float]:
    total = sum(given.values())
    if total <= 0:
        return {code: 1 / len(given) for code in given}
    return {code: share / total for code, share in given.items()}
