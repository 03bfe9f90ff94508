"""Boston's complaints of 2013 to 2015: the storms, the shift and the silent day that everybody can look up."""

from streams.core.alert import Shape
from streams.core.instant import WEEK, parse_instant
from tests.recordings.real import Replayed, replayed

STORM = {"snow", "complaints_total"}
WINTERS = [("2013-01-01", "2013-03-31"), ("2013-12-01", "2014-03-31"), ("2014-12-01", "2015-03-31")]


def boston() -> Replayed:
    return replayed("boston_open311_2013_2015.csv.gz", "boston311")


def test_every_row_of_the_export_becomes_events() -> None:
    accounting = boston().accounting
    assert accounting.received == accounting.counted > 140_000


def test_the_blizzard_of_february_2013_pages_within_two_days_five_weeks_into_the_stream() -> None:
    assert boston().open_between("2013-02-09T00:00:00-05:00", "2013-02-11T00:00:00-05:00", STORM)


def test_the_storm_of_january_2015_pages_within_two_days() -> None:
    assert boston().open_between("2015-01-27T00:00:00-05:00", "2015-01-29T00:00:00-05:00", STORM)


def test_the_storms_of_february_2015_page_in_several_areas() -> None:
    found = boston().open_between("2015-02-02T00:00:00-05:00", "2015-02-22T00:00:00-05:00", STORM)
    assert len({incident.raised.county for incident in found}) >= 2


def test_the_growth_of_illegal_parking_in_august_2015_is_said_to_last_within_three_weeks() -> None:
    start, end = "2015-08-10T00:00:00-04:00", "2015-08-31T00:00:00-04:00"
    found = boston().open_between(start, end, {"illegal_parking"})
    shifts = [e for i in found for e in i.evidence if e.shape is Shape.SHIFT and e.direction == "high"]
    assert any(parse_instant(start) <= e.known_at <= parse_instant(end) for e in shifts)


def test_the_day_without_rows_is_a_silent_feed_or_a_drought() -> None:
    found = [
        incident
        for incident in boston().open_between("2015-07-22T00:00:00-04:00", "2015-07-24T00:00:00-04:00", STORM)
        if incident.raised.evidence.shape in {Shape.SILENT_FEED, Shape.DROUGHT}
    ]
    assert found


def test_pages_outside_the_winters_keep_to_the_budget() -> None:
    """All pages count, the true ones among them: the budget is for the false ones alone."""
    winters = [(parse_instant(f"{a}T00:00:00-05:00"), parse_instant(f"{b}T23:59:59-04:00")) for a, b in WINTERS]
    raised = [incident.raised.at for incident in boston().incidents]
    outside = [at for at in raised if not any(a <= at <= b for a, b in winters)]
    whole = parse_instant("2016-01-01T00:00:00-05:00") - parse_instant("2013-01-01T00:00:00-05:00")
    weeks = (whole - sum(b - a for a, b in winters)) / WEEK
    assert len(outside) / weeks <= 2
