"""Far fewer than expected: droughts need a second witness, a feed that is silent pages once for all."""

from dataclasses import replace

from detectors.observation import ScoreReason
from streams.core.alert import Shape
from streams.core.city import City, Size
from streams.core.instant import DAY, HOUR
from streams.core.judge_state import restore, snapshot
from tests.core.courtroom import LEVEL, MONDAY, Courtroom, Seen, small_city

NINE = MONDAY + 9 * HOUR
FIRE = LEVEL / 4
CITY = "towns-all"
NONE = Seen(0, 20.0, FIRE)


def test_one_window_of_one_series_is_no_drought() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): NONE})
    assert court.made == []


def test_two_windows_in_a_row_are() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): NONE})
    court.hour(NINE + HOUR, {("noise", "east"): NONE})
    assert court.pages() == [("east", "environment")]
    assert court.raised[0].evidence.shape is Shape.DROUGHT
    assert court.raised[0].evidence.direction == "low"


def test_two_windows_with_one_between_are_not() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): NONE})
    court.hour(NINE + HOUR)
    court.hour(NINE + 2 * HOUR, {("noise", "east"): NONE})
    assert court.made == []


def test_another_signal_of_the_county_is_a_witness() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): NONE, ("road", "east"): Seen(2, 20.0, LEVEL)})
    assert court.pages() == [("east", "environment")]


def test_another_county_is_not() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): NONE, ("road", "west"): NONE})
    assert court.made == []


def test_a_holiday_is_no_drought_whoever_else_is_low() -> None:
    court = Courtroom()
    wednesday = MONDAY + 2 * DAY + 9 * HOUR
    low = {("noise", "east"): NONE, ("road", "east"): Seen(2, 20.0, LEVEL), ("total", CITY): Seen(1, 60.0, FIRE)}
    for hours in range(10):
        court.hour(wednesday + hours * HOUR, low)
    assert court.made == []
    court.hour(wednesday + DAY, low)
    assert ("east", "environment") in court.pages()


def test_another_window_size_is_a_witness() -> None:
    court = Courtroom()
    midnight = MONDAY + DAY
    court.quiet(MONDAY, 22)
    court.hour(midnight - HOUR, {("noise", "east"): Seen(0, 20.0, LEVEL)})
    court.at(midnight, {Size.DAY: {("noise", "east"): Seen(100, 200.0, FIRE)}})
    assert [one.evidence.size for one in court.raised] == ["day"]


def test_where_few_are_expected_few_say_nothing() -> None:
    court = Courtroom()  # minimum 3
    for hours in range(4):
        court.hour(NINE + hours * HOUR, {("noise", "east"): Seen(0, 2.9, FIRE)})
    assert court.made == []


def test_the_city_as_a_whole_needs_no_witness() -> None:
    court = Courtroom()
    court.hour(NINE, {("total", CITY): Seen(5, 60.0, FIRE)})
    assert court.pages() == [(CITY, "all")]
    assert court.raised[0].evidence.shape is Shape.DROUGHT


def silence(court: Courtroom, p: float = FIRE) -> dict[tuple[str, str], Seen]:
    """Nothing at all, anywhere."""
    return {(s.name, county): Seen(0, 20.0, p) for s in court.city.signals for county in court.series}


def test_a_silent_feed_pages_once_for_the_whole_city() -> None:
    court = Courtroom()
    court.hour(NINE, silence(court))
    assert court.pages() == [(CITY, "all")]
    (raised,) = court.raised
    assert raised.evidence.shape is Shape.SILENT_FEED
    assert (raised.evidence.signal, raised.evidence.county) == ("total", "")
    for hours in range(1, 6):
        court.hour(NINE + hours * HOUR, silence(court))
    assert len(court.made) == 1


def test_a_silent_night_in_a_small_city_is_nothing() -> None:
    court = Courtroom()
    court.hour(NINE, silence(court, 0.2))
    assert court.made == []


def test_one_event_anywhere_and_the_feed_is_not_silent() -> None:
    court = Courtroom()
    court.hour(NINE, silence(court) | {("noise", "west"): Seen(1, 20.0, FIRE)})
    assert {one.evidence.shape for one in court.raised} == {Shape.DROUGHT}


def test_the_day_that_held_the_silence_is_explained_by_it() -> None:
    court = Courtroom()
    court.hour(MONDAY + 20 * HOUR, silence(court))
    court.quiet(MONDAY + 20 * HOUR, 3)
    day = {(s, county): Seen(100, 200.0, FIRE) for s in ("noise", "total", "road") for county in court.series}
    court.at(MONDAY + DAY, {Size.DAY: day})
    assert court.pages() == [(CITY, "all")]


def test_a_silence_does_not_hide_in_an_alert_on_too_many() -> None:
    court = Courtroom()
    court.hour(NINE, {("total", CITY): Seen(400, 60.0, FIRE)})
    court.hour(NINE + HOUR, silence(court))
    assert [one.evidence.shape for one in court.raised] == [Shape.BURST, Shape.SILENT_FEED]


def test_a_silence_before_warm_up_says_nothing() -> None:
    court = Courtroom()
    unjudged = {key: Seen(0, reason=ScoreReason.WARMING_UP) for key in silence(court)}
    court.hour(NINE, unjudged)
    assert court.made == []


# ---- a feed that is dead, and one that is alive ----


def beat(court: Courtroom, end: int, low: dict[tuple[str, str], tuple[Seen, int]]) -> None:
    """An hour in which some series are low, each with so many events of any kind from its points."""
    window = court.window(end, Size.HOUR, {series: seen for series, (seen, _) in low.items()})
    details = dict(window.details)
    for (name, county), (_, events) in low.items():
        place = (court.signals.index(name), court.series.index(county))
        details[place] = replace(details[place], heartbeat=events)
    court.hear(replace(window, details=details))


def test_a_county_that_sends_nothing_of_any_kind_is_a_dead_feed_at_once_and_one_page() -> None:
    court = Courtroom()
    low = {(name, "east"): (NONE, 0) for name in ("total", "noise", "road")}
    beat(court, NINE, low)
    (raised,) = court.raised
    assert (raised.county, raised.evidence.shape) == ("east", Shape.SILENT_FEED)
    beat(court, NINE + HOUR, low)
    assert len(court.raised) == 1


def test_a_county_that_sends_something_is_quiet_and_needs_a_witness() -> None:
    court = Courtroom()
    beat(court, NINE, {("noise", "east"): (NONE, 4)})
    assert court.made == []
    beat(court, NINE + HOUR, {("noise", "east"): (NONE, 4)})
    (raised,) = court.raised
    assert raised.evidence.shape is Shape.DROUGHT
    assert set(raised.evidence.notes) == {"witness:before", "heartbeat"}


def test_the_silence_of_one_county_does_not_speak_for_another() -> None:
    court = Courtroom()
    beat(court, NINE, {("total", "east"): (NONE, 0)})
    for hours in (0, 1):
        beat(court, NINE + (1 + hours) * HOUR, {("total", "east"): (NONE, 0), ("noise", "west"): (NONE, 3)})
    assert [(one.county, one.evidence.shape) for one in court.raised] == [
        ("east", Shape.SILENT_FEED),
        ("west", Shape.DROUGHT),
    ]


def test_a_silent_holiday_of_a_county_is_nothing() -> None:
    court = Courtroom()
    beat(court, MONDAY + 2 * DAY + 9 * HOUR, {("total", "east"): (NONE, 0)})
    assert court.made == []


def petitions_too() -> City:
    """A city whose third signal counts one point only."""
    city = small_city()
    signals = [replace(s, where={"point": frozenset({"petitions"})}) if s.name == "road" else s for s in city.signals]
    return replace(city, signals=tuple(signals))


def test_one_point_may_be_silent_where_others_are_not() -> None:
    court = Courtroom(petitions_too())
    beat(court, NINE, {("road", "east"): (NONE, 0)})
    (raised,) = court.raised
    assert raised.evidence.shape is Shape.SILENT_FEED
    assert "silent:petitions" in raised.evidence.notes
    # That the petitions' office is silent explains nothing about noise.
    for hours in (1, 2):
        beat(court, NINE + hours * HOUR, {("road", "east"): (NONE, 0), ("noise", "east"): (NONE, 9)})
    assert [one.evidence.shape for one in court.raised] == [Shape.SILENT_FEED, Shape.DROUGHT]


def test_those_who_turn_up_elsewhere_are_witnesses() -> None:
    """Noise complaints stop while petitions of the same county rise: only where the profile names them."""
    for named in ((), ("road",)):
        court = Courtroom(replace(small_city(), drought_witnesses=named))
        court.hour(NINE, {("road", "east"): Seen(60, 10.0, FIRE)})
        court.hour(NINE + HOUR, {("noise", "east"): NONE, ("road", "east"): Seen(60, 10.0, FIRE)})
        droughts = [one.evidence.notes for one in court.raised if one.evidence.shape is Shape.DROUGHT]
        assert droughts == ([("witness:high:road:hour",)] if named else [])
        assert restore(snapshot(court.state)) == court.state
