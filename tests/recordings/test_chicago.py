"""Chicago's sanitation complaints of 2011 and 2012: day grain, a third profile in a few lines."""

from pathlib import Path

from streams.core.city import Size
from streams.profile import load
from tests.recordings.real import replayed

FOLDER = Path(__file__).parents[2] / "streams" / "profiles" / "chicago311"


def test_every_row_becomes_events_and_weeks_are_judged() -> None:
    found = replayed("chicago_sanitation_2011_2012.csv.gz", "chicago311")
    assert found.accounting.received == found.accounting.counted > 70_000
    assert found.incidents


def test_a_stream_of_days_has_no_windows_of_hours() -> None:
    assert all(Size.HOUR not in signal.sizes for signal in load("chicago311").city.signals)


def test_the_profile_is_short_beside_its_list_of_wards() -> None:
    lines = [
        line for file in FOLDER.glob("*.yaml") if file.name != "wards.yaml" for line in file.read_text().splitlines()
    ]
    assert len(lines) <= 60
