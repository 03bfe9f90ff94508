"""A small city for the core's tests: three counties, a handful of words and signals, no profile needed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, time, tzinfo

import msgspec

from streams.core.city import Category, City, County, Direction, Measure, Signal, Size
from streams.core.decode import Batch, RecordDecoder
from streams.core.instant import DAY, HOUR, Instant, format_instant, parse_instant

START = parse_instant("2026-03-02T00:00:00Z")
"""A Monday."""


class PlainCalendar:
    """Workdays and weekends only."""

    def day_class(self, county: str, day: date) -> int:
        return int(day.weekday() >= 5)

    def class_names(self) -> tuple[str, ...]:
        return ("workday", "weekend")

    def facts(self, county: str, day: date) -> tuple[str, ...]:
        return ()


def signal(
    name: str,
    where: Mapping[str, Iterable[str]],
    sizes: Sequence[Size] = tuple(Size),
    *,
    measure: Measure = Measure.EVENTS,
    family: str = "all",
    direction: Direction = Direction.BOTH,
    minimum: int = 3,
    citywide: bool = False,
) -> Signal:
    """A signal with the parts that a test cares about."""
    return Signal(
        name=name,
        title=name,
        title_en=name,
        family=family,
        measure=measure,
        where={key: frozenset(values) for key, values in where.items()},
        sizes=tuple(sizes),
        direction=direction,
        minimum_count=minimum,
        citywide=citywide,
    )


SIGNALS = (
    signal("complaints", {"kind": ["accepted"]}, citywide=True),
    signal("noise", {"kind": ["accepted"], "category": ["noise"]}, family="environment"),
    signal("callers", {"kind": ["accepted"]}, (Size.DAY, Size.WEEK), measure=Measure.DISTINCT_CALLERS),
    signal("matters", {"kind": ["accepted"]}, (Size.DAY,), measure=Measure.DISTINCT_MATTERS),
    signal("repeats", {"kind": ["accepted"]}, (Size.HOUR, Size.DAY), measure=Measure.REPEATS),
)


def towns(
    *,
    zone: tzinfo = UTC,
    day_start: time = time(0),
    lateness: int = 2 * HOUR,
    horizon: int = 35 * DAY,
    signals: Sequence[Signal] = SIGNALS,
    counties: Sequence[str] = ("east", "west", "south"),
    budget: float = 2.0,
) -> City:
    """A city of three towns."""
    return City(
        name="towns",
        code="towns-all",
        title="三镇",
        title_en="Three Towns",
        profile_version="test",
        zone=zone,
        day_start=day_start,
        allowed_lateness=lateness,
        dedup_horizon=horizon,
        ticket_retention=400 * DAY,
        repeat_span=30 * DAY,
        budget_per_week=budget,
        privacy_k=10,
        counties=tuple(County(code, code, code.title()) for code in counties),
        points={"hotline": "热线", "petitions": "信访"},
        sectors={"school": "学校", "hospital": "医院"},
        channels={"phone": "电话", "web": "网站"},
        categories=(
            Category("noise", "噪声", "Noise", "environment"),
            Category("road", "道路", "Road", "transport"),
            Category("threat", "威胁", "Threat", "safety", always_page=True),
        ),
        signals=tuple(signals),
        calendar=PlainCalendar(),
    )


def event(number: int, at: Instant, **fields: str) -> dict[str, str]:
    """A valid accepted noise complaint of the east, as a sender writes it; fields override."""
    return {
        "id": f"{number:032x}",
        "at": format_instant(at),
        "county": "east",
        "point": "hotline",
        "category": "noise",
        "kind": "accepted",
    } | fields


def line(record: Mapping[str, object]) -> bytes:
    """A recording's line: an event is framed with its own time as received, a tick is itself."""
    if "tick" in record:
        return msgspec.json.encode(record)
    received = parse_instant(str(record["at"])) // 1000
    return msgspec.json.encode({"received": received, "event": record})


def tick(at: Instant) -> dict[str, str]:
    """A tick record."""
    return {"tick": format_instant(at)}


def batch(city: City, records: Iterable[Mapping[str, object] | bytes], first: int = 0) -> Batch:
    """Records, decoded; bytes are taken as a line of their own."""
    lines = [record if isinstance(record, bytes) else line(record) for record in records]
    return RecordDecoder(city).lines(b"\n".join(lines) + b"\n", first, len(lines))
