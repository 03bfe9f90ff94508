"""A CSV export becomes one stream in time order; every row is an event, two, or a rejection with its reason."""

import gzip
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.decode import RecordDecoder
from streams.core.decode_values import read_time
from streams.core.instant import HOUR, parse_instant
from streams.core.record import Reason, Rejection
from streams.profile.load import load
from streams.profile.model import Profile
from streams.sources.contract import START, SourceError
from streams.sources.csv_export import CsvSource

PROFILE = """
name: harbour
code: harbour
title: 港
zone: America/New_York
allowed_lateness: 1h
budget: {pages_per_week: 2}
counties: {north: {name: North, aliases: [Northend]}, south: {name: South}}
points: {desk: {name: Desk}}
families: {all: {name: All}}
categories: {snow: {name: Snow, family: all}, other: {name: Other, family: all}}
signals: {total: {title: All, family: all, sizes: day, minimum_count: 5}}
calendar: {country: US}
mapping:
  opened: created
  closed: closed
  ticket: id
  columns: {county: area, category: about}
"""
HEADER = "created,area,about,closed,id\n"


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return profile_with(tmp_path_factory.mktemp("harbour"), "")


def profile_with(folder: Path, mapping: str) -> Profile:
    (folder / "profile.yaml").write_text(PROFILE + mapping, encoding="utf-8")
    return load(folder)


def source(folder: Path, profile: Profile, rows: str, header: str = HEADER) -> CsvSource:
    path = folder / "rows.csv"
    path.write_text(header + rows, encoding="utf-8")
    return CsvSource(path, profile)


def records(csv: CsvSource, batch: int = 8192) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for chunk in csv.chunks(START, batch) for line in chunk.lines.splitlines()]


def events(csv: CsvSource) -> list[dict[str, Any]]:
    return [record["event"] for record in records(csv) if "event" in record]


def told(csv: CsvSource) -> list[tuple[str, str]]:
    """(ticket, kind) of the events in stream order."""
    return [(event["ticket"], event["kind"]) for event in events(csv)]


def reasons(csv: CsvSource, profile: Profile) -> list[tuple[int | None, Reason]]:
    """(line, reason) of what the decoder, or tally by the time's text, rejects."""
    decoder = RecordDecoder(profile.city)
    found: list[tuple[int | None, Reason]] = []
    for chunk in csv.chunks():
        first = chunk.after.record - chunk.records
        for number, arrival in enumerate(decoder.lines(chunk.lines, first, chunk.records).arrivals, first):
            if isinstance(arrival, Rejection):
                assert arrival.position == number
                found.append((csv.row(number), arrival.reason))
            elif arrival.event is not None and isinstance(read := read_time(arrival.event.at), Reason):
                found.append((csv.row(number), read))
    return found


def test_a_row_with_a_closing_time_gives_two_events_merged_in_time_order(tmp_path: Path, harbour: Profile) -> None:
    csv = source(
        tmp_path,
        harbour,
        "2015-01-05T10:00:00,North,Snow,2015-01-05T12:00:00,a\n"
        "2015-01-05T11:00:00,South,Other,,b\n"
        "2015-01-05T13:00:00,Northend,Snow,2015-01-05T13:00:00,c\n",
    )
    assert told(csv) == [("a", "accepted"), ("b", "accepted"), ("a", "closed"), ("c", "accepted"), ("c", "closed")]
    first = next(record for record in records(csv) if "event" in record)
    assert first == {
        "received": parse_instant("2015-01-05T10:00:00-05:00") // 1000,
        "event": {
            "id": "a",
            "at": "2015-01-05T10:00:00-05:00",
            "point": "desk",
            "county": "north",
            "category": "snow",
            "kind": "accepted",
            "ticket": "a",
        },
    }


def test_at_one_instant_openings_come_before_closings_and_rows_as_they_are_in_the_file(
    tmp_path: Path, harbour: Profile
) -> None:
    same = "2015-01-05T00:00:00"
    csv = source(tmp_path, harbour, "".join(f"{same},North,Snow,{same},{name}\n" for name in "xay"))
    assert told(csv) == [(name, kind) for kind in ("accepted", "closed") for name in "xay"]


def test_closings_after_the_last_opening_are_left_out_and_counted(tmp_path: Path, harbour: Profile) -> None:
    csv = source(
        tmp_path,
        harbour,
        "2015-01-05T10:00:00,North,Snow,2016-01-05T12:00:00,a\n2015-01-06T11:00:00,South,Other,2015-01-06T11:00:01,b\n",
    )
    assert told(csv) == [("a", "accepted"), ("b", "accepted")]
    assert csv.closings_dropped == 2


def test_each_hour_that_passes_gives_a_tick_before_the_next_event(tmp_path: Path, harbour: Profile) -> None:
    csv = source(tmp_path, harbour, "2015-01-05T01:30:00,North,Snow,,a\n2015-01-05T04:00:00,South,Other,,b\n")
    shown = [record.get("tick", record.get("event", {}).get("id")) for record in records(csv)]
    assert shown == [
        "2015-01-05T01:00:00-05:00",
        "a",
        "2015-01-05T02:00:00-05:00",
        "2015-01-05T03:00:00-05:00",
        "2015-01-05T04:00:00-05:00",
        "b",
        "2015-01-05T05:00:00-05:00",
    ]
    assert csv.span == (parse_instant("2015-01-05T00:00:00-05:00"), parse_instant("2015-01-05T04:00:01-05:00"))


def test_the_span_begins_with_the_reporting_day_of_the_first_opening(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text(PROFILE + 'day_start: "12:00"\n', encoding="utf-8")
    noon = load(tmp_path)
    csv = source(tmp_path, noon, "2015-01-05T01:30:00,North,Snow,,a\n")
    assert csv.span[0] == parse_instant("2015-01-04T12:00:00-05:00")


def test_local_times_where_the_clock_is_changed(tmp_path: Path, harbour: Profile) -> None:
    csv = source(
        tmp_path,
        harbour,
        "2015-03-08T02:30:00,North,Snow,,gap\n"
        "2015-11-01T01:30:00,North,Snow,,twice\n"
        "2015-11-01T01:50:00,North,Snow,2015-11-01T01:10:00,back\n"
        "2015-11-01T01:30:00-05:00,North,Snow,,zoned\n"
        "2015-11-02T00:00:00,North,Snow,,end\n",
    )
    times = {event["id"]: event["at"] for event in events(csv)}
    assert times["gap"] == "2015-03-08T03:30:00-04:00"
    assert times["twice"] == "2015-11-01T01:30:00-04:00"
    assert times["back"] == "2015-11-01T01:50:00-04:00"
    assert times["back/closed"] == "2015-11-01T01:10:00-05:00"
    assert times["zoned"] == "2015-11-01T01:30:00-05:00"


def test_bad_rows_are_rejected_with_line_and_reason_and_the_others_count(tmp_path: Path, harbour: Profile) -> None:
    good = "2015-01-05T10:00:00,North,Snow,,{}\n"
    path = tmp_path / "rows.csv"
    path.write_bytes(
        (
            HEADER
            + good.format("ok1")
            + "2015-01-05T10:00:00,Atlantis,Snow,,b\n"
            + "2015-01-05T10:00:00,North,Ice,,c\n"
            + "2015-01-05T10:00:00,North,Snow,,\n"
            + "yesterday,North,Snow,,e\n"
            + ",North,Snow,,f\n"
            + "2015-01-05T10:00:00,North,Snow\n"
            + "2015-01-05T10:00:00,North,Snow,,h,surplus\n"
            + "2015-01-05T10:00:00,North,Snow,never,i\n"
            + "\n"
            + good.format("617-555-0123")
        ).encode()
        + b"2015-01-05T10:00:00,North,Sn\xffw,,k\n"
        + good.format("ok2").encode()
    )
    csv = CsvSource(path, harbour)
    assert dict(reasons(csv, harbour)) == {
        3: Reason.UNKNOWN_COUNTY,
        4: Reason.UNKNOWN_CATEGORY,
        5: Reason.BAD_LENGTH,
        6: Reason.BAD_TIME,
        7: Reason.BAD_TIME,
        8: Reason.MISSING_FIELD,
        9: Reason.UNKNOWN_FIELD,
        10: Reason.BAD_TIME,
        13: Reason.NOT_UTF8,
    }
    assert {"ok1", "ok2", "i"} <= {event.get("ticket") for event in events(csv)}


def test_a_year_that_is_a_slip_of_the_pen_does_not_stretch_the_span(tmp_path: Path, harbour: Profile) -> None:
    day = "".join(f"2015-01-05T{hour:02d}:00:00,North,Snow,,{hour}\n" for hour in range(5))
    csv = source(tmp_path, harbour, f"1915-01-05T00:00:00,North,Snow,,old\n{day}2105-01-05T00:00:00,North,Snow,,new\n")
    assert csv.span[1] - csv.span[0] < 24 * HOUR
    last = records(csv)[-1]
    assert last["event"]["id"] == "new"
    assert parse_instant(last["event"]["at"]) > last["received"] * 1000  # tally will reject it as future
    assert len(records(csv)) < 20


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 30), batch=st.integers(1, 7), data=st.data())
def test_any_order_of_rows_and_any_batch_give_the_same_stream(
    tmp_path_factory: pytest.TempPathFactory,
    harbour: Profile,
    seed: int,
    count: int,
    batch: int,
    data: st.DataObject,
) -> None:
    chance = random.Random(seed)
    rows = []
    for i in range(count):
        minute = chance.randrange(600) * 10 + i % 10  # no two openings at one instant
        closing = minute + chance.randrange(6000)
        said = [f"2015-01-{5 + m // 1440:02d}T{m // 60 % 24:02d}:{m % 60:02d}:{i:02d}" for m in (minute, closing)]
        rows.append(f"{said[0]},North,Snow,{said[1] if i % 2 else ''},{i}\n")
    folder = tmp_path_factory.mktemp("rows")
    whole = records(source(folder, harbour, "".join(rows)))
    times = [parse_instant(r["event"]["at"] if "event" in r else r["tick"]) for r in whole]
    assert times == sorted(times)
    chance.shuffle(rows)
    csv = source(folder, harbour, "".join(rows))
    assert records(csv, batch) == whole
    chunks = list(csv.chunks(START, batch))
    chunk = data.draw(st.sampled_from(chunks))
    rest = b"".join(c.lines for c in csv.chunks(chunk.after, batch)).splitlines()
    assert rest == b"".join(c.lines for c in chunks).splitlines()[chunk.after.record :]


def test_gzip_is_read_and_a_cut_one_gives_the_rows_before_the_cut(tmp_path: Path, harbour: Profile) -> None:
    rows = "".join(f"2015-01-05T10:{i // 60 % 60:02d}:{i % 60:02d},North,Snow,,{i}-{i * 7919}\n" for i in range(3000))
    path = tmp_path / "rows.csv.gz"
    whole = gzip.compress((HEADER + rows).encode())
    path.write_bytes(whole)
    complete = CsvSource(path, harbour)
    assert len(events(complete)) == 3000
    assert complete.ending is not None
    assert complete.ending.state == "complete"
    path.write_bytes(whole[: len(whole) // 2])
    cut = CsvSource(path, harbour)
    assert 500 < len(events(cut)) < 2500
    assert cut.ending is not None
    assert cut.ending.state == "truncated"
    assert not cut.continues(complete.identity)


def test_another_delimiter_encoding_and_time_format(tmp_path: Path) -> None:
    mapping = "  delimiter: ';'\n  encoding: gb18030\n  time_formats: ['%d.%m.%Y %H:%M', '%d.%m.%Y']\n"
    profile = profile_with(tmp_path, mapping)
    path = tmp_path / "rows.csv"
    rows = "05.01.2015 10:30;北;Snow;;a\n06.01.2015;North;Snow;;b\n2015-01-06;North;Snow;;c\n"
    path.write_bytes((HEADER.replace(",", ";") + rows).encode("gb18030"))
    csv = CsvSource(path, profile)
    assert [event["at"] for event in events(csv)][:2] == ["2015-01-05T10:30:00-05:00", "2015-01-06T00:00:00-05:00"]
    assert dict(reasons(csv, profile)) == {2: Reason.UNKNOWN_COUNTY, 4: Reason.BAD_TIME}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("rows.csv", b"", "no header"),
        ("rows.csv", HEADER.encode(), "no row has an opening time"),
        ("rows.csv", b"created,areas,about,closed,id\n", "no column 'area': did you mean areas"),
        ("rows.csv", b"created;area;about;closed;id\n", "delimiter"),
        ("rows.csv", b"created,area,about,closed,id,id\n", "2 times"),
        ("rows.csv", HEADER.encode("utf-16"), "UTF-16"),
        ("rows.csv", HEADER.encode() + "2015-01-05,北,雪,,a\n".encode("gb18030") * 50, "encoding: gb18030"),
        ("rows.csv.gz", HEADER.encode(), "not gzip"),
        ("rows.csv.gz", b"\x1f\x8bgarbage....", "gzip"),
        ("rows.csv", b"PK\x03\x04", "Excel"),
    ],
)
def test_what_is_no_export_is_refused_with_what_to_do(
    tmp_path: Path, harbour: Profile, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=says) as refused:
        CsvSource(path, harbour)
    assert str(path) in str(refused.value)


def test_a_profile_without_a_mapping_and_a_missing_file_are_refused(tmp_path: Path, harbour: Profile) -> None:
    with pytest.raises(SourceError, match="no such file"):
        CsvSource(tmp_path / "none.csv", harbour)
    with pytest.raises(SourceError, match="directory"):
        CsvSource(tmp_path, harbour)
    with pytest.raises(SourceError, match="mapping"):
        CsvSource(tmp_path / "none.csv", load("leshan"))
