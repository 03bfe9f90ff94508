"""Decoding never raises, gives every line one verdict, and the same one alone as in any company."""

import base64
import dataclasses
import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.decode import LARGEST_RECORD, Batch, RecordDecoder, personal_field
from streams.core.decode_values import read_time
from streams.core.event import Event
from streams.core.record import Arrival, Reason, Rejection
from tests.core.malformed import DECODED, ENVELOPES, GOOD, JUDGED, padded
from tests.core.towns import START, event, line, tick, towns

CITY = towns()
DECODER = RecordDecoder(CITY)
FULL = event(
    7,
    START,
    kind="called_back",
    ticket="t" * 32,
    caller="c" * 32,
    matter="m" * 32,
    channel="phone",
    sector="school",
    due="2026-03-05T00:00:00+08:00",
    outcome="satisfied",
)


def verdicts(batch: Batch) -> list[object]:
    """What a batch came to, as plain values: it does not matter which decoder made an arrival."""
    return [plain(arrival) for arrival in batch.arrivals]


def asked(batch: Batch) -> list[object]:
    """The same, of records that are asked for one after another."""
    return [plain(batch.arrival(place)) for place in range(len(batch))]


def plain(arrival: Arrival | Rejection) -> object:
    """What one record came to."""
    if isinstance(arrival, Rejection):
        return arrival.reason, arrival.position, arrival.digest, arrival.place
    made = arrival.event
    values = None if made is None else [getattr(made, field) for field in Event.__struct_fields__]
    return arrival.received, values, arrival.tick


def lines(*given: bytes, first: int = 0) -> Batch:
    return DECODER.lines(b"\n".join(given) + b"\n", first, len(given))


def short(record: dict[str, str]) -> dict[str, str]:
    """The same with identifiers short enough to need a look."""
    return record | {"id": f"case-{record['id'][-3:]}"}


good_lines = st.sampled_from(
    [
        line(event(1, START)),
        line(FULL),
        line(short(event(2, START))),
        line(tick(START)),
        GOOD,
        msgspec.json.encode(FULL),
        b'{"raw":"%s"}' % base64.b64encode(GOOD),
        b' { "received" : 5 , "event" : ' + GOOD + b" } \r",
        b'{"event":' + GOOD + b',"received":5}',
        b'{"\\u0065vent":' + GOOD + b"}",
        b'{"received":null,"event":' + GOOD + b',"tick":null}',
        b'{"received":-1,"event":' + GOOD + b"}",
        b'{"received":' + b"9" * 40 + b',"event":' + GOOD + b"}",
        GOOD[:-1] + b',"id":"' + b"d" * 32 + b'"}',
    ]
)
bad_lines = st.sampled_from(
    [case.value for case in DECODED + ENVELOPES + JUDGED]
    + [b'{"received":5,"event":' + case.value + b"}" for case in DECODED]
).filter(lambda value: len(value) < 3000)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A good line with a few bytes changed, dropped, doubled or put in."""
    text = bytearray(draw(good_lines))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 3))] = draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"}", b"{", b"\\"])
        )
    return bytes(text).replace(b"\n", b"")


any_line = st.binary(max_size=60).map(lambda text: text.replace(b"\n", b"")) | bad_lines | good_lines | mutants()


@given(st.lists(any_line, min_size=1, max_size=12), st.integers(0, 10**9))
def test_every_line_has_one_verdict_and_none_raises(given: list[bytes], first: int) -> None:
    batch = lines(*given, first=first)
    assert len(batch.arrivals) == len(given)
    for number, verdict in enumerate(batch.arrivals, first):
        assert isinstance(verdict, Arrival) or verdict.position == number
        assert len(batch.digest(number)) == 64


@given(st.lists(any_line, min_size=1, max_size=12))
def test_a_lines_company_does_not_matter(given: list[bytes]) -> None:
    """Good lines alone go through in one call, a bad one among them makes the batch go line by line."""
    together = lines(*given)
    alone = [lines(text, first=number) for number, text in enumerate(given)]
    assert verdicts(together) == [verdict for batch in alone for verdict in verdicts(batch)]
    assert verdicts(together) == asked(lines(*given))
    assert [together.digest(n) for n in range(len(given))] == [batch.digest(n) for n, batch in enumerate(alone)]


@given(st.lists(good_lines, min_size=1, max_size=12), st.integers(0, 11), bad_lines)
def test_a_bad_record_changes_no_others_verdict(given: list[bytes], where: int, bad: bytes) -> None:
    at = min(where, len(given))
    mixed = verdicts(lines(*given[:at], bad, *given[at:]))
    assert mixed[:at] + mixed[at + 1 :] == verdicts(lines(*given))


@given(st.binary(max_size=200) | mutants() | bad_lines)
def test_a_topics_value_has_one_verdict_and_none_raises(value: bytes) -> None:
    batch = DECODER.values([(value, 5), (GOOD, 6), (value, None)], 3)
    first, good, last = batch.arrivals
    assert isinstance(good, Arrival)
    assert (good.received, type(first)) == (6, type(last))
    assert isinstance(first, Arrival) or first.digest == hashlib.sha256(value).hexdigest() == batch.digest(3)


@pytest.mark.parametrize("record", [event(1, START), FULL, short(FULL)], ids=["least", "most", "short"])
def test_a_good_event_is_the_same_however_it_comes(record: dict[str, str]) -> None:
    own = msgspec.json.encode(record)
    expected = [(5, [record.get(field) for field in Event.__struct_fields__], None)]
    for text in (b'{"received":5,"event":' + own + b"}", b'{"received":5,"raw":"%s"}' % base64.b64encode(own)):
        assert verdicts(lines(text)) == expected
        assert lines(text).digest(0) == hashlib.sha256(own).hexdigest()
    assert verdicts(DECODER.values([(own, 5)], 0)) == expected
    assert verdicts(lines(own)) == [(None, *expected[0][1:])]
    assert lines(own).digest(0) == hashlib.sha256(own).hexdigest()


def test_the_few_records_that_somebody_asks_for_are_decoded_alone() -> None:
    """A batch that is nearly all plain is not decoded a second time for its ticks and new cells."""
    own = msgspec.json.encode(event(1, START))
    for batch in (
        lines(*[line(event(1, START))] * 90, *[line(tick(START))] * 30),
        DECODER.values([*[(own, 5)] * 90, *[(b'{"tick":"2026-03-02T00:00:00Z"}', 5)] * 30], 0),
    ):
        batch._whole = lambda: pytest.fail("decoded all of them")
        assert [isinstance(batch.arrival(place).event, Event) for place in range(90, 120)] == [False] * 30


def test_blank_lines_are_records_and_are_rejected_as_empty() -> None:
    batch = lines(GOOD, b"", line(FULL), b"   ", line(tick(START)))
    kinds = [arrival.reason if isinstance(arrival, Rejection) else "good" for arrival in batch.arrivals]
    assert kinds == ["good", Reason.EMPTY, "good", Reason.EMPTY, "good"]


def test_a_line_break_in_an_event_makes_two_bad_records_of_it() -> None:
    framed = line(FULL)
    middle = framed.index(b"county") - 2
    batch = lines(framed[:middle], framed[middle:], framed)
    assert [isinstance(arrival, Rejection) for arrival in batch.arrivals] == [True, True, False]


def test_the_last_line_of_a_recording_may_lack_its_line_break() -> None:
    assert verdicts(DECODER.lines(line(FULL), 0, 1)) == verdicts(lines(line(FULL)))


@pytest.mark.parametrize("length", [LARGEST_RECORD - 1, LARGEST_RECORD, LARGEST_RECORD + 1])
@pytest.mark.parametrize("before", [0, 1, 400])
def test_one_line_too_long_is_found_in_any_batch(length: int, before: int) -> None:
    wide = line(FULL)[:-1] + b" " * (length - len(line(FULL))) + b"}"
    text = b"\n".join([*[line(FULL)] * before, wide])
    for count, batch_text in ((before + 1, text), (before + 1, text + b"\n"), (before + 2, text + b"\n" + line(FULL))):
        batch = DECODER.lines(batch_text, 0, count)
        assert not any(isinstance(arrival, Rejection) for arrival in batch.arrivals)  # its event is no longer than most
    rejected = lines(*[line(FULL)] * before, padded(length), line(FULL)).arrivals
    assert isinstance(rejected[before], Rejection) == (length > LARGEST_RECORD)


def decoded(record: dict[str, str]) -> Event:
    (arrival,) = lines(line(record)).arrivals
    assert isinstance(arrival, Arrival)
    assert arrival.event is not None
    return arrival.event


@pytest.mark.parametrize("field", ["id", "ticket", "caller", "matter"])
def test_a_personal_number_is_found_in_any_identifier(field: str) -> None:
    assert personal_field(decoded(FULL)) is None
    assert personal_field(decoded(FULL | {field: "138 0013 8000"})) == field


@pytest.mark.parametrize(
    ("text", "reason"),
    [("2026-03-02T00:00:00", Reason.NAIVE_TIME), ("2026-02-30T00:00:00Z", Reason.BAD_TIME), ("", Reason.BAD_TIME)],
)
def test_a_time_that_names_no_instant_has_a_reason(text: str, reason: Reason) -> None:
    assert read_time(text) is reason


def test_a_city_without_sectors_knows_none() -> None:
    decoder = RecordDecoder(dataclasses.replace(CITY, sectors={}, channels={}))
    records = [event(1, START), event(1, START, sector="school"), event(1, START, channel="web")]
    batch = decoder.lines(b"\n".join(map(line, records)), 0, 3)
    reasons = [arrival.reason if isinstance(arrival, Rejection) else "good" for arrival in batch.arrivals]
    assert reasons == ["good", Reason.UNKNOWN_SECTOR, Reason.UNKNOWN_CHANNEL]


def test_what_was_rejected_as_it_came_in_stays_so_without_its_record() -> None:
    left = b'"rejected":{"reason":"personal_number","digest":"%b","place":"caller"}' % (b"ab" * 32)
    for frame in (b'{"received":5,%b}' % left, b"{%b}" % left):
        assert verdicts(lines(b"{}", frame, first=7))[1] == (Reason.PERSONAL_NUMBER, 8, "ab" * 32, "caller")


@pytest.mark.parametrize(
    "left",
    [b'{"reason":"because","digest":"%b"}', b'{"reason":"empty"}', b'{"reason":"empty","digest":"%b","place":"$ {}"}'],
)
def test_what_says_so_wrongly_is_a_frame_that_cannot_be_read(left: bytes) -> None:
    text = left % (b"ab" * 32) if b"%b" in left else left
    assert verdicts(lines(b'{"received":5,"rejected":%b}' % text))[0][0] == Reason.BAD_ENVELOPE  # type: ignore[index]  # a plain tuple
