"""The judge: what raises an alert, what joins it, what ends it, and what is nobody's business."""

from streams.core.city import Size
from streams.core.instant import HOUR
from tests.core.courtroom import LEVEL, MONDAY, Courtroom, Seen

NINE = MONDAY + 9 * HOUR
FIRE = LEVEL / 4


def test_nothing_happens_when_nothing_is_wrong() -> None:
    court = Courtroom()
    court.quiet(MONDAY, 24 * 8)
    assert court.made == []
    assert court.state.pending == ()


def test_a_burst_raises_one_alert_with_its_case_frozen() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    (raised,) = court.raised
    assert raised.at == NINE + court.city.allowed_lateness
    assert (raised.county, raised.family) == ("east", "environment")
    case = raised.evidence
    assert (case.signal, case.size, case.count, case.expected, case.p) == ("noise", "hour", 58, 21.0, FIRE)
    assert case.level == LEVEL / 2
    assert case.history == (9, 11, 10)
    assert case.by_point == (("hotline", 58),)
    assert case.detector_version == "1"


def test_the_same_burst_an_hour_later_is_the_same_alert() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    assert court.hour(NINE + HOUR, {("noise", "east"): Seen(60, 21.0, FIRE)}) == []
    assert court.pages() == [("east", "environment")]


def test_a_day_waits_for_every_size_that_ends_with_it() -> None:
    court = Courtroom()
    midnight = MONDAY + 24 * HOUR
    court.quiet(MONDAY, 23)
    assert court.hear(court.window(midnight, Size.HOUR, {("noise", "east"): Seen(58, 21.0, FIRE)})) == []
    made = court.hear(court.window(midnight, Size.DAY, {}))
    assert len(made) == 1
