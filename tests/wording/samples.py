"""A burst in Leshan as its alert's evidence has it, for tests of sentences, cards and pages."""

from streams.core.alert import Evidence, Shape
from streams.core.instant import DAY, HOUR, parse_instant

NOON = parse_instant("2026-03-02T12:00:00+08:00")
"""A Monday."""

CASE = Evidence(
    signal="city_order",
    size="day",
    detector="counts",
    detector_version="1",
    profile_version="p",
    window_start=NOON - DAY,
    window_end=NOON,
    known_at=NOON + HOUR,
    shape=Shape.BURST,
    direction="high",
    count=58,
    expected=21.0,
    low=12.0,
    high=33.0,
    p=2.5e-5,
    level=1e-4,
    history=(),
    calendar=(),
    by_category=(("street_order", 31), ("illegal_building", 27)),
    by_point=(("hotline", 58),),
)
