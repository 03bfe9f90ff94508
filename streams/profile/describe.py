"""A profile as plain data, for `jiantu profile show` and for other programs."""

from collections.abc import Mapping

from streams.core.city import Signal
from streams.core.instant import DAY, HOUR, MINUTE, SECOND, WEEK, Duration
from streams.profile.model import Profile


def describe(profile: Profile) -> dict[str, object]:
    """Everything about a profile that a person asks for, as JSON-ready data; durations as text such as 2h."""
    city = profile.city
    calendar = profile.calendar
    sure_until = calendar.sure_until()
    return {
        "name": city.name,
        "title": city.title,
        "title_en": city.title_en,
        "version": profile.version,
        "origin": profile.origin,
        "zone": str(city.zone),
        "day_start": city.day_start.isoformat("minutes"),
        "allowed_lateness": span_text(city.allowed_lateness),
        "dedup_horizon": span_text(city.dedup_horizon),
        "repeat_span": span_text(city.repeat_span),
        "budget_per_week": city.budget_per_week,
        "size_weights": {size.value: weight for size, weight in city.size_weights.items()},
        "privacy_k": city.privacy_k,
        "retention": {
            "scores": span_text(profile.retention.scores),
            "corrections": span_text(profile.retention.corrections),
            "rejections": span_text(profile.retention.rejections),
            "tickets": span_text(profile.retention.tickets),
            "inbox": span_text(profile.retention.inbox),
            "receipts": span_text(profile.retention.receipts),
        },
        "drought_witnesses": list(city.drought_witnesses),
        "counties": [
            {
                "code": county.code,
                "name": county.name,
                "name_en": county.name_en,
                "population": county.population,
                "residents_by_year": dict(county.residents_by_year),
                "neighbours": list(county.neighbours),
            }
            for county in city.counties
        ],
        "points": _words(profile, "points", city.points),
        "sectors": _words(profile, "sectors", city.sectors),
        "channels": _words(profile, "channels", city.channels),
        "families": _words(profile, "families", profile.families),
        "categories": [
            {
                "code": category.code,
                "name": category.name,
                "name_en": category.name_en,
                "family": category.family,
                "always_page": category.always_page,
                "compartmented": category.compartmented,
            }
            for category in city.categories
        ],
        "signals": [_signal(signal) for signal in city.signals],
        "calendar": {
            "classes": [
                {"number": number, "code": c.code, "title": c.title, "title_en": c.title_en, "days": list(c.days)}
                for number, c in enumerate(calendar.classes)
            ],
            "events": [
                {
                    "code": event.code,
                    "name": event.name,
                    "name_en": event.name_en,
                    "day_off": event.day_off,
                    "counties": None if event.counties is None else sorted(event.counties),
                }
                for event in calendar.events
            ],
            "sure_until": None if sure_until is None else sure_until.isoformat(),
        },
        "csv": _csv(profile),
    }


def span_text(span: Duration) -> str:
    """A duration as a profile writes it, in the largest unit that divides it.

    >>> span_text(7_200_000_000)
    '2h'
    """
    for unit, name in ((WEEK, "w"), (DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if span and span % unit == 0:
            return f"{span // unit}{name}"
    return "0s" if not span else f"{span}us"


def _words(profile: Profile, kind: str, names: Mapping[str, str]) -> list[dict[str, str]]:
    english = profile.english[kind]
    return [{"code": code, "name": name, "name_en": english[code]} for code, name in names.items()]


def _signal(signal: Signal) -> dict[str, object]:
    return {
        "name": signal.name,
        "title": signal.title,
        "title_en": signal.title_en,
        "family": signal.family,
        "measure": signal.measure.value,
        "where": {name: sorted(values) for name, values in signal.where.items()},
        "sizes": [size.value for size in signal.sizes],
        "direction": signal.direction.value,
        "minimum_count": signal.minimum_count,
        "weight": signal.weight,
        "detectors": {size.value: list(signal.detectors_at(size)) for size in signal.sizes},
        "citywide": signal.citywide,
        "compartmented": signal.compartmented,
        "of": signal.of,
        "offset": signal.offset,
        "breaks": [day.isoformat() for day in signal.breaks],
        "threshold": signal.threshold,
        "per_residents": signal.per_residents,
    }


def _csv(profile: Profile) -> dict[str, object] | None:
    mapping = profile.csv
    if mapping is None:
        return None
    return {
        "opened": mapping.opened,
        "closed": mapping.closed,
        "ticket": mapping.ticket,
        "columns": dict(mapping.columns),
        "constants": dict(mapping.constants),
        "otherwise": dict(mapping.otherwise),
        "kinds": [mapping.opening_kind, mapping.closing_kind],
        "zone": str(mapping.zone),
        "time_formats": list(mapping.time_formats),
    }
