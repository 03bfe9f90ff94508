"""Every input is accounted for (law 4): one reason of a closed set, position, digest, and never the payload."""

import base64
import hashlib
import re
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.decode import LARGEST_RECORD, RecordDecoder
from streams.core.event import Event
from streams.core.instant import HOUR, MINUTE, SECOND, Instant, format_instant
from streams.core.record import Reason, Rejection
from streams.core.tally import Tally, TallyOutputs
from tests.core.malformed import DECODED, ENVELOPES, GOOD, JUDGED, Malformed, changed, padded
from tests.core.towns import START, event, line, tick, towns

CITY = towns()
DECODER = RecordDecoder(CITY)
MILLISECOND = SECOND // 1000
RECEIVED = START // MILLISECOND


def tallied(*lines: bytes, first: int = 0, counties: tuple[str, ...] = ("east", "west")) -> tuple[Tally, TallyOutputs]:
    """The lines in one batch through the tally of a partition without the south."""
    tally = Tally(CITY, START, counties)
    out = tally.step(DECODER.lines(b"\n".join(lines) + b"\n", first, len(lines)))
    assert tally.accounting.balanced()
    return tally, out


def rejection(line: bytes, first: int = 0) -> Rejection:
    tally, out = tallied(line, first=first)
    assert (tally.accounting.received, tally.accounting.rejected) == (1, 1)
    ((reached, rejected),) = out.rejections
    assert reached == START
    return rejected


def framed(value: bytes) -> bytes:
    return b'{"received":%d,"event":%s}' % (RECEIVED, value)


def raw(value: bytes) -> bytes:
    return b'{"received":%d,"raw":"%s"}' % (RECEIVED, base64.b64encode(value))


def bare(value: bytes) -> bytes:
    return value


def named(case: Malformed) -> str:
    return f"{case.what}: {case.reason}"


@pytest.mark.parametrize("case", DECODED + JUDGED, ids=named)
def test_a_malformed_record_is_rejected_for_its_reason_however_it_comes(case: Malformed) -> None:
    expected = Rejection(case.reason, 41, hashlib.sha256(case.value).hexdigest(), case.place)
    assert rejection(raw(case.value), 41) == expected
    assert rejection(bare(case.value), 41) == expected
    if case.value != b"null":  # in a frame that is no event at all
        stripped = case.value.strip()
        assert rejection(framed(case.value), 41) == msgspec.structs.replace(
            expected, digest=hashlib.sha256(stripped).hexdigest()
        )
    tally = Tally(CITY, START, ("east", "west"))
    out = tally.step(DECODER.values([(case.value, RECEIVED)], 41))
    assert [rejected for _, rejected in out.rejections] == [expected]


@pytest.mark.parametrize("case", ENVELOPES, ids=named)
def test_a_line_that_is_wrong_itself_is_rejected_for_that(case: Malformed) -> None:
    rejected = rejection(case.value)
    assert (rejected.reason, rejected.place) == (case.reason, case.place)
    assert len(rejected.digest) == 64


def test_every_reason_that_exists_is_met_in_these_tests() -> None:
    """But `future`, which has its own."""
    met = {case.reason for case in DECODED + JUDGED + ENVELOPES}
    assert met == set(Reason) - {Reason.FUTURE}


@pytest.mark.parametrize(
    ("ahead", "reasons"),
    [(-9999 * HOUR, []), (0, []), (5 * MINUTE, []), (5 * MINUTE + MILLISECOND, ["future"]), (9999 * HOUR, ["future"])],
)
def test_an_event_more_than_five_minutes_ahead_of_its_receipt_is_future(ahead: Instant, reasons: list[str]) -> None:
    value = changed(at=format_instant(START + HOUR + ahead))
    received = (START + HOUR) // MILLISECOND
    line = b'{"received":%d,"event":%s}' % (received, value)
    for batch in (DECODER.lines(line + b"\n", 7, 1), DECODER.values([(value, received)], 7)):
        out = Tally(CITY, START).step(batch)
        assert [(r.reason, r.position, r.place) for _, r in out.rejections] == [(r, 7, "at") for r in reasons]
        assert all(r.digest == hashlib.sha256(value).hexdigest() for _, r in out.rejections)


def test_the_largest_record_that_is_allowed_is_taken_however_it_comes() -> None:
    value = padded(LARGEST_RECORD)
    for frame in (bare, framed, raw):
        tally, _ = tallied(frame(value))
        assert tally.accounting.counted == 1


def test_hex_digits_that_happen_to_hold_eleven_digits_in_a_row_are_taken() -> None:
    tally, _ = tallied(framed(changed(caller="a13800138000b98f00b204e98009984e")))
    assert tally.accounting.counted == 1


def test_verdicts_are_tried_in_the_order_rejected_duplicate_late() -> None:
    """A resend that is wrong is rejected, a late resend is a duplicate."""
    good = line(event(1, START))
    tally, _ = tallied(good, line(tick(START + 9 * HOUR)), framed(GOOD[:-1] + b',"x":1}'), good, line(event(2, START)))
    accounting = tally.accounting
    assert (accounting.counted, accounting.rejected, accounting.duplicate, accounting.late) == (1, 1, 1, 1)


def test_a_frame_is_the_recordings_own_not_the_senders() -> None:
    frame = framed(GOOD)
    for batch in (DECODER.values([(frame, RECEIVED)], 0), DECODER.lines(framed(frame) + b"\n", 0, 1)):
        (rejected,) = batch.arrivals
        assert isinstance(rejected, Rejection)
        assert (rejected.reason, rejected.digest) == (Reason.UNKNOWN_FIELD, hashlib.sha256(frame).hexdigest())


FORM = re.compile(
    rf"Rejection\(reason=<Reason\.({'|'.join(Reason.__members__)}): '({'|'.join(Reason)})'>, "
    rf"position=0, digest='[0-9a-f]{{64}}', place='({'|'.join(Event.__struct_fields__)}|tick|raw)?'\)"
)
"""Nothing but what the schema and the enum say, a number and a digest: there is no room for a payload."""


@given(st.text(), st.sampled_from(["field", "value", "nowhere"]), st.sampled_from([framed, raw, bare]))
def test_the_payload_is_never_in_a_rejection(secret: str, where: str, frame: Callable[[bytes], bytes]) -> None:
    if where == "field":
        value = changed(**{f"_{secret}": 1})
    elif where == "value":
        value = changed(category=f"_{secret}")
    else:
        value = msgspec.json.encode([secret])
    assert FORM.fullmatch(repr(rejection(frame(value))))


@given(st.sampled_from(DECODED + JUDGED + ENVELOPES))
def test_and_neither_is_that_of_any_other_malformed_record(case: Malformed) -> None:
    assert FORM.fullmatch(repr(rejection(case.value)))


def test_a_hundred_thousand_malformed_records_are_rejected_one_by_one_and_the_good_ones_counted() -> None:
    many, block = 100_000, 2_000
    cases = [case for case in DECODED + JUDGED if len(case.value) < 2_000 and case.value != b"null"]
    tally, expected, seen, good, position = Tally(CITY, START, ("east", "west")), [], [], 0, 0
    for first in range(0, many, block):
        lines: list[bytes] = []
        for n in range(first, first + block):
            case = cases[n % len(cases)]
            expected.append((position + len(lines), case.reason))
            lines.append(framed(case.value))
            if n % 4 == 0:
                lines.append(line(event(good, START + good % 60 * MINUTE)))
                good += 1
        out = tally.step(DECODER.lines(b"\n".join(lines) + b"\n", position, len(lines)))
        seen += [(rejected.position, rejected.reason) for _, rejected in out.rejections]
        position += len(lines)
    closed = tally.step(DECODER.lines(line(tick(START + 3 * HOUR)) + b"\n", position, 1)).closed
    accounting = tally.accounting
    assert accounting.balanced()
    assert (accounting.received, accounting.rejected, accounting.counted) == (many + good, many, good)
    assert seen == expected
    assert [(window.county, int(window.counts[0])) for window in closed] == [("east", good), ("west", 0)]


@pytest.mark.parametrize("blank", [b" ", b"\t", b"\\", b'"', b'\\"', b"{ ", b"[]"])
def test_no_record_takes_long_to_reject(blank: bytes) -> None:
    """The work grows with the size of a record, not with its square: no time is measured, but who breaks this waits."""
    fill = blank * (LARGEST_RECORD // len(blank) // 2)
    for value in (GOOD[:-1] + fill, fill, GOOD[:-1] + b',"x":"' + fill + b'"}', fill + b"}", b"[]" * 40 + b'"' + fill):
        for frame in (bare, framed, raw):
            assert rejection(frame(value)).reason in Reason
