"""The compiled pass takes nothing that the decoder does not, and says of it what the decoder says."""

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import columns as c
from streams.core.city import FILTER_FIELDS, City
from streams.core.decode import Batch, RecordDecoder, personal_field
from streams.core.instant import DAY, HOUR, MINUTE, Instant, format_instant, parse_instant
from streams.core.record import Arrival, Rejection
from streams.core.tally import Tally, TallyOutputs
from tests.core.malformed import DECODED, ENVELOPES, JUDGED
from tests.core.towns import START, event, line, tick, towns

CITY = towns()
DECODER = RecordDecoder(CITY)
FULL = event(
    7,
    START,
    kind="called_back",
    ticket="t" * 32,
    caller="c" * 32,
    matter="m" * 128,
    channel="phone",
    sector="school",
    due="2026-03-05T00:00:00.25+08:00",
    outcome="satisfied",
)


def lines(*given: bytes) -> Batch:
    return DECODER.lines(b"\n".join(given) + b"\n", 0, len(given))


def plain(batch: Batch) -> list[bool]:
    return [bool(row) for row in batch.columns[:, c.PLAIN]]


def said(batch: Batch, place: int) -> dict[str, Any]:
    """What the columns say of a plain record, but for its cell."""
    row = batch.columns[place].tolist()
    text = batch.text.singles.tobytes()

    def slice_of(column: int) -> str | None:
        return text[row[column] : row[column + 1]].decode() if row[column] else None

    return {
        "received": None if row[c.RECEIVED] == c.NONE else row[c.RECEIVED],
        "at": row[c.AT],
        "due": None if row[c.DUE] == c.NONE else row[c.DUE],
        "county": CITY.counties[row[c.COUNTY]].code,
        **{name: slice_of(getattr(c, name.upper())) for name in ("id", "ticket", "caller", "matter")},
    }


def decoded(arrival: Arrival | Rejection) -> dict[str, Any]:
    """The same, of what the decoder made of it."""
    assert isinstance(arrival, Arrival)
    made = arrival.event
    assert made is not None
    return {
        "received": arrival.received,
        "at": parse_instant(made.at),
        "due": None if made.due is None else parse_instant(made.due),
        "county": made.county,
        **{name: getattr(made, name) for name in ("id", "ticket", "caller", "matter")},
    }


# ---- what is plain -------------------------------------------------------------------------------------------


def test_events_as_most_senders_write_them_are_plain() -> None:
    spaced = b'{"received": 5, "event": {"id": "abc", "at": "2026-03-02T00:00:00Z", "county": "east", '
    spaced += b'"point": "hotline", "category": "noise", "kind": "accepted"}}'
    bare = msgspec.json.encode(FULL)
    batch = lines(line(event(1, START)), line(FULL), spaced, bare, b'{"event":' + bare + b"}")
    assert plain(batch) == [True] * 5
    for place in range(5):
        assert said(batch, place) == decoded(batch.arrival(place))


def test_a_tick_and_what_needs_a_closer_look_are_not() -> None:
    whole = line(FULL)
    for other in (
        line(tick(START)),
        b"",
        b"\t" + whole,
        whole + b"\r",
        whole + b" ",
        whole.replace(b"satisfied", b"satis\\u0066ied"),
        line(FULL | {"ticket": "t" * 31 + "五"}),
        line(FULL | {"id": "13800138000"}),
        line(FULL | {"id": "138001380X"}),
        whole.replace(b'"received":', b'"received":-'),
        whole.replace(b'{"received"', b'{"received":1,"received"'),
        whole.replace(b'"county":', b'"county":"east","county":'),
        whole[:-1] + b',"carried":{}}',
        whole[:-1] + b" " * 5000 + b"}",
        whole.replace(b"2026", b"1969"),
        whole.replace(b".25+", b".1234567+"),
    ):
        assert plain(lines(whole, other, whole)) == [True, False, True]


@pytest.mark.parametrize("record", [*DECODED, *JUDGED, *ENVELOPES], ids=lambda record: record.what)
def test_what_is_malformed_is_not_plain(record: Any) -> None:
    if record.what == "elsewhere":  # a good event, of another partition
        return
    framed = record.value if record in ENVELOPES else b'{"received":1772409600000,"event":%b}' % record.value
    assert plain(lines(line(FULL), record.value.replace(b"\n", b""), framed, line(FULL))) == [True, False, False, True]


def test_a_value_of_a_topic_has_no_frame() -> None:
    value = msgspec.json.encode(FULL)
    batch = DECODER.values([(value, 17), (line(FULL), 17), (value, None)], 0)
    assert plain(batch) == [True, False, True]
    assert batch.columns[[0, 2], c.RECEIVED].tolist() == [17, c.NONE]
    assert not any(plain(DECODER.values([(value, 1), (value.replace(b",", b",\n"), 1)], 0)))


printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
anything = st.one_of(printable, st.sampled_from(["13800138000", "x" * 128, "x" * 129, "a\\b", '"', "é", "\x7f"]))
times = st.one_of(
    st.builds(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{}".format,
        st.integers(1899, 2201),
        st.integers(0, 13),
        st.integers(0, 32),
        st.integers(0, 24),
        st.integers(0, 60),
        st.integers(0, 60),
        st.sampled_from(["", ".5", ".123456", ".1234567", "."]),
        st.sampled_from(["Z", "+08:00", "-05:30", "+24:00", "+00:60", "", "z"]),
    ),
    printable,
)
words = st.sampled_from(["east", "west", "noise", "road", "hotline", "accepted", "closed", "phone", "school", "", "no"])
records = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("id", "ticket", "caller", "matter"), anything),
        **dict.fromkeys(("at", "due"), times),
        **dict.fromkeys(("county", *FILTER_FIELDS), words),
        "text": printable,
    },
)


@given(records, st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_plain_is_what_the_decoder_takes_with_the_same_values(
    changes: dict[str, str], framed: bool, spaced: bool, shuffle: Any
) -> None:
    record = list((event(1, START) | changes).items())
    shuffle.shuffle(record)
    text = msgspec.json.encode(dict(record))
    text = b'{"received":1,"event":%b}' % text if framed else text
    if spaced:
        text = text.replace(b'":', b'": ').replace(b',"', b', "')
    batch = lines(text)
    if plain(batch)[0]:
        assert said(batch, 0) == decoded(batch.arrival(0))
        arrival = batch.arrival(0)
        assert arrival.event is not None
        assert personal_field(arrival.event) is None


@given(st.binary(max_size=400), st.integers(0, 300), st.integers(0, 60))
def test_no_bytes_lead_the_pass_astray(noise: bytes, at: int, cut: int) -> None:
    """Good lines stand beside anything: they are read as they are alone, and what is no record is not plain."""
    whole = line(FULL)
    noise = (whole[:at] + noise + whole[at + cut :]).replace(b"\n", b" ")
    batch = lines(whole, noise, whole)
    assert plain(batch)[::2] == [True, True]
    assert said(batch, 0) == said(batch, 2)
    if plain(batch)[1]:
        assert said(batch, 1) == decoded(batch.arrival(1))


def test_every_combination_of_words_is_a_cell_of_its_own() -> None:
    combined = [
        {"point": p, "category": g, "kind": k, "channel": h, "sector": s, "outcome": o}
        for p in CITY.points
        for g in ("noise", "road")
        for k in ("accepted", "closed")
        for h in (None, *CITY.channels)
        for s in (None, *CITY.sectors)
        for o in (None, "satisfied", "unreachable")
    ]
    given = [{k: v for k, v in cell.items() if v is not None} for cell in combined]
    batch = lines(*(line(event(n, START, **cell)) for n, cell in enumerate(given)))
    assert all(plain(batch))
    assert len(np.unique(batch.columns[:, c.CELL])) == len(given)


# ---- what is counted -----------------------------------------------------------------------------------------


def tallied(city: City, written: list[bytes], cut: int) -> tuple[list[object], dict[str, bytes | None]]:
    """Everything that a tally says of some lines, in plain values, and its state."""
    tally = Tally(city, START)
    outputs = TallyOutputs()
    for first in range(0, len(written), cut):
        part = written[first : first + cut]
        out = tally.step(DECODER.lines(b"\n".join(part) + b"\n", first, len(part)))
        outputs.emitted += out.emitted
        outputs.corrections += out.corrections
        outputs.rejections += [(at, msgspec.structs.replace(r, digest="")) for at, r in out.rejections]
    closed = [(w.county, w.size, w.start, w.counts.tolist(), w.cells.items(), w.metrics) for w in outputs.closed]
    told: list[object] = [closed, outputs.always_page, outputs.corrections, outputs.rejections, tally.accounting]
    return told, tally.snapshot(whole=True)


happenings = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.integers(0, 40 * 60),
        st.sampled_from(["east", "west", "south", "north"]),
        st.sampled_from(["accepted", "closed", "reopened", "replied", "opinion_post"]),
        st.sampled_from(["noise", "road", "threat"]),
        st.sampled_from(["", "a" * 32, "b" * 32]),
        st.sampled_from([0, 0, 0, -20 * MINUTE, 500 * DAY]),
    ),
    max_size=60,
)


@given(happenings, st.integers(1, 20))
def test_a_line_counts_the_same_whichever_way_it_is_taken(steps: list[Any], cut: int) -> None:
    written = []
    reached: Instant = START
    for number, minute, county, kind, category, ticket, ahead in steps:
        at = START + minute * MINUTE
        record = event(number, at, county=county, kind=kind, category=category, caller="c" * 32, matter="m" * 32)
        record |= {"ticket": ticket, "due": format_instant(at + HOUR)} if ticket else {}
        written.append(msgspec.json.encode({"received": (at - ahead if ahead < 0 else at) // 1000, "event": record}))
        if ahead > 0:
            written.append(line(record | {"at": format_instant(at + ahead)}))
        if at > reached + 6 * HOUR:
            reached = at
            written.append(line(tick(at)))
    other = [text.replace(b'{"', b'{\t"', 1) for text in written]
    assert not any(DECODER.lines(b"\n".join(other) + b"\n", 0, len(other)).columns[:, c.PLAIN])
    assert tallied(CITY, written, cut) == tallied(CITY, other, 1000)


def test_a_state_goes_on_where_it_was() -> None:
    """Compiled tables are not part of a snapshot: they are made anew."""
    written = [
        line(event(n % 70, START + n * 11 * MINUTE, caller=f"{n % 5:032x}", ticket=f"{n % 9:032x}")) for n in range(300)
    ]
    whole = Tally(CITY, START)
    whole.step(lines(*written))
    parts = Tally(CITY, START)
    for begin, end in pairwise((0, 1, 130, 131, 299, 300)):
        parts.step(DECODER.lines(b"\n".join(written[begin:end]), begin, end - begin))
        chunks = parts.snapshot(whole=True)
        parts = Tally(CITY, START)
        parts.restore({name: chunk for name, chunk in chunks.items() if chunk is not None})
    assert parts.snapshot(whole=True) == whole.snapshot(whole=True)
