"""Instants: one integer for one point in time, whatever zone it was written in."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.instant import (
    DAY,
    HOUR,
    MINUTE,
    NaiveTimeError,
    format_instant,
    from_datetime,
    parse_instant,
    to_datetime,
)

NEW_YEAR = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""

instants = st.integers(parse_instant("1900-01-02T00:00:00Z"), parse_instant("9999-12-30T00:00:00Z"))
zones = st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]).map(
    ZoneInfo
)
modern = st.integers(0, parse_instant("2040-01-01T00:00:00Z"))


@pytest.mark.parametrize(
    ("text", "after_new_year"),
    [
        ("2026-01-01T00:00:00Z", 0),
        ("2026-01-01t00:00:00z", 0),
        ("2026-01-01 00:00:00Z", 0),
        ("2026-01-01T08:00:00+08:00", 0),
        ("2025-12-31T20:30:00-03:30", 0),
        ("2026-01-01T00:00:00-00:00", 0),
        ("2026-01-01T00:00:00.5Z", 500_000),
        ("2026-01-01T00:00:00.000001Z", 1),
        ("2026-01-01T00:00:00.0000019Z", 1),
        ("2026-01-01T00:00:00.123456789Z", 123_456),
        ("2026-01-01T23:59:59+23:59", MINUTE - 1_000_000),
    ],
)
def test_rfc_3339_with_a_zone_is_read(text: str, after_new_year: int) -> None:
    assert parse_instant(text) - NEW_YEAR == after_new_year


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "2026-01-01T00:00:00.5", "2026-01-01 00:00:00"])
def test_a_time_without_a_zone_is_naive(text: str) -> None:
    with pytest.raises(NaiveTimeError):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "20260101T000000Z",
        "2026-W01-1T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+08:60",
        "2026-01-01T00:00:00+0800",
        "2026-01-01T00:00:00+08",
        "2026-01-01T00:00:00 Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00Z\n",
        " 2026-01-01T00:00:00Z",
        "２０２６-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1899-12-31T23:59:59Z",
        "-2026-01-01T00:00:00Z",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse_instant(text)
    assert not isinstance(raised.value, NaiveTimeError)


@given(st.text(max_size=45) | st.from_regex(r"\A\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z"))
def test_whatever_the_text_it_is_an_instant_or_a_value_error(text: str) -> None:
    try:
        at = parse_instant(text)
    except ValueError:
        return
    assert abs(at - parse_instant(f"{text[:10]}T00:00:00Z")) < 2 * DAY


@given(instants)
def test_text_and_back_is_the_same_instant(at: int) -> None:
    assert parse_instant(format_instant(at)) == at
    assert from_datetime(to_datetime(at)) == at


@given(modern, zones)
def test_the_zone_it_is_written_in_does_not_matter(at: int, zone: ZoneInfo) -> None:
    assert parse_instant(format_instant(at, zone)) == at
    assert from_datetime(to_datetime(at, zone)) == at


@given(modern, modern)
def test_instants_sort_as_the_times_they_name(one: int, other: int) -> None:
    assert (one < other) == (to_datetime(one) < to_datetime(other))


def test_a_datetime_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveTimeError):
        from_datetime(datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


def test_an_hour_that_the_clock_shows_twice_is_two_instants() -> None:
    zone = ZoneInfo("America/New_York")
    first, second = (datetime(2026, 11, 1, 1, 30, tzinfo=zone, fold=fold) for fold in (0, 1))
    assert from_datetime(second) - from_datetime(first) == HOUR
    assert format_instant(from_datetime(second), zone) == "2026-11-01T01:30:00-05:00"


def test_the_epoch_is_nought() -> None:
    assert from_datetime(datetime(1970, 1, 1, tzinfo=UTC)) == 0
