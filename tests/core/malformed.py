"""What senders get wrong: one record for every way, as bytes, with the reason and the place to expect."""

from typing import Any, NamedTuple

import msgspec

from streams.core.decode import DEEPEST, LARGEST_RECORD
from streams.core.record import Reason
from tests.core.towns import START, event


class Malformed(NamedTuple):
    """An event's own bytes that cannot become an event."""

    what: str
    value: bytes
    reason: Reason
    place: str = ""


GOOD = msgspec.json.encode(event(1, START))


def changed(**fields: Any) -> bytes:
    """A good event with some fields changed."""
    return msgspec.json.encode(event(1, START) | fields)


def without(field: str) -> bytes:
    """A good event that lacks a field."""
    return msgspec.json.encode({name: text for name, text in event(1, START).items() if name != field})


def padded(length: int) -> bytes:
    """A good event of a certain length, by spaces."""
    return GOOD[:-1] + b" " * (length - len(GOOD)) + b"}"


def nested(depth: int) -> bytes:
    """An event with arrays in each other, the event's own level counted."""
    return GOOD[:-1] + b',"x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


DECODED = (
    Malformed("nothing", b"", Reason.EMPTY),
    Malformed("spaces", b"  \t ", Reason.EMPTY),
    Malformed("an object without anything", b"{ }", Reason.EMPTY),
    Malformed("a byte too many", padded(LARGEST_RECORD + 1), Reason.TOO_LARGE),
    Malformed("70 kB", padded(70_000), Reason.TOO_LARGE),
    Malformed("70 kB of anything", b"x" * 70_000, Reason.TOO_LARGE),
    Malformed("100,000 brackets", b"[" * 100_000, Reason.TOO_LARGE),
    Malformed("Latin-1", changed(ticket="Müller" * 6).decode().encode("latin-1"), Reason.NOT_UTF8),
    Malformed("GB 18030", changed(category="噪声").decode().encode("gb18030"), Reason.NOT_UTF8),
    Malformed("half a surrogate", changed(category="?").replace(b"?", b"\xed\xa0\x80"), Reason.NOT_UTF8),
    Malformed("cut off", GOOD[:-10], Reason.NOT_JSON),
    Malformed("two in one", GOOD + GOOD, Reason.NOT_JSON),
    Malformed("NaN", GOOD[:-1] + b',"due":NaN}', Reason.NOT_JSON),
    Malformed("Infinity", GOOD[:-1] + b',"due":-Infinity}', Reason.NOT_JSON),
    Malformed("escaped half surrogate", changed(ticket="?").replace(b"?", b"\\ud800"), Reason.NOT_JSON),
    Malformed("byte order mark", b"\xef\xbb\xbf" + GOOD, Reason.NOT_JSON),
    Malformed("single quotes", GOOD.replace(b'"', b"'"), Reason.NOT_JSON),
    Malformed("XML", b"<event/>", Reason.NOT_JSON),
    Malformed("a number past any", b'{"id":' + b"9" * 5000 + b"}", Reason.NOT_JSON),
    Malformed("wrong and then broken", GOOD.replace(b"noise", b"music")[:-1], Reason.NOT_JSON),
    Malformed("30,000 brackets", b"[" * 30_000, Reason.TOO_DEEP),
    Malformed("30,000 brackets, closed", b"[" * 30_000 + b"]" * 30_000, Reason.TOO_DEEP),
    Malformed("5,000 objects", b'{"id":' * 5_000 + b"1" + b"}" * 5_000, Reason.TOO_DEEP),
    Malformed("a level too deep", nested(DEEPEST + 1), Reason.TOO_DEEP),
    Malformed("just not too deep", nested(DEEPEST), Reason.UNKNOWN_FIELD),
    Malformed("brackets in a text", changed(category="[" * 200), Reason.UNKNOWN_CATEGORY, "category"),
    Malformed("null", b"null", Reason.NOT_AN_OBJECT),
    Malformed("an array", b"[" + GOOD + b"]", Reason.NOT_AN_OBJECT),
    Malformed("a number", b"17", Reason.NOT_AN_OBJECT),
    Malformed("a text", b'"accepted"', Reason.NOT_AN_OBJECT),
    Malformed("truth", b"true", Reason.NOT_AN_OBJECT),
    Malformed("a field more", changed(text="他叫张三"), Reason.UNKNOWN_FIELD),
    Malformed("a field in capitals", changed(ID="1"), Reason.UNKNOWN_FIELD),
    *(Malformed(f"no {f}", without(f), Reason.MISSING_FIELD, f) for f in event(1, START)),
    *(Malformed(f"{f} a number", changed(**{f: 5}), Reason.WRONG_TYPE, f) for f in event(1, START)),
    *(Malformed(f"{f} null", changed(**{f: None}), Reason.WRONG_TYPE, f) for f in event(1, START)),
    *(Malformed(f"{f} a list", changed(**{f: ["a"]}), Reason.WRONG_TYPE, f) for f in ("ticket", "due", "outcome")),
    *(Malformed(f"{f} empty", changed(**{f: ""}), Reason.BAD_LENGTH, f) for f in ("id", "ticket", "caller", "matter")),
    *(Malformed(f"{f} long", changed(**{f: "f" * 129}), Reason.BAD_LENGTH, f) for f in ("id", "ticket", "caller")),
    Malformed("at of 41 characters", changed(at="2" * 41), Reason.BAD_LENGTH, "at"),
    Malformed("county", changed(county="atlantis"), Reason.UNKNOWN_COUNTY, "county"),
    Malformed("county in capitals", changed(county="East"), Reason.UNKNOWN_COUNTY, "county"),
    Malformed("point", changed(point="letterbox"), Reason.UNKNOWN_POINT, "point"),
    Malformed("category", changed(category="music"), Reason.UNKNOWN_CATEGORY, "category"),
    Malformed("kind", changed(kind="closd"), Reason.UNKNOWN_KIND, "kind"),
    Malformed("channel", changed(channel="pigeon"), Reason.UNKNOWN_CHANNEL, "channel"),
    Malformed("sector", changed(sector="moon"), Reason.UNKNOWN_SECTOR, "sector"),
    Malformed("outcome", changed(kind="called_back", outcome="fine"), Reason.UNKNOWN_OUTCOME, "outcome"),
    Malformed(
        "a word that sounds like an error", changed(category="unknown field"), Reason.UNKNOWN_CATEGORY, "category"
    ),
    Malformed("another", changed(point="missing required field `id`"), Reason.UNKNOWN_POINT, "point"),
    Malformed("a third", changed(kind="x' - at `$.county`"), Reason.UNKNOWN_KIND, "kind"),
    Malformed("a fourth", changed(**{"x` - at `$.county": 1}), Reason.UNKNOWN_FIELD),
)
"""What the decoder rejects."""

JUDGED = (
    Malformed("no zone", changed(at="2026-03-02T00:00:00"), Reason.NAIVE_TIME, "at"),
    Malformed("due without zone", changed(due="2026-03-02T00:00:00"), Reason.NAIVE_TIME, "due"),
    Malformed("no time", changed(at="soon"), Reason.BAD_TIME, "at"),
    Malformed("at empty", changed(at=""), Reason.BAD_TIME, "at"),
    Malformed("30 February", changed(at="2026-02-30T00:00:00Z"), Reason.BAD_TIME, "at"),
    Malformed("25:00", changed(at="2026-03-02T25:00:00Z"), Reason.BAD_TIME, "at"),
    Malformed("24:00", changed(at="2026-03-02T24:00:00Z"), Reason.BAD_TIME, "at"),
    Malformed("leap second", changed(at="2016-12-31T23:59:60Z"), Reason.BAD_TIME, "at"),
    Malformed("year 10000", changed(at="10000-01-01T00:00:00Z"), Reason.BAD_TIME, "at"),
    Malformed("year 1", changed(at="0001-01-01T00:00:00Z"), Reason.BAD_TIME, "at"),
    Malformed("due, no time", changed(due="never"), Reason.BAD_TIME, "due"),
    *(
        Malformed(f"{what} in {f}", changed(**{f: number}), Reason.PERSONAL_NUMBER, f)
        for f in ("id", "ticket", "caller", "matter")
        for what, number in (
            ("mobile", "13800138000"),
            ("mobile, full width", "１３８００１３８０００"),
            ("mobile, separated", "+86 138-0013-8000"),
            ("landline", "(0833) 241-2345"),
            ("identity number", "51110219900307123X"),
        )
    ),
    Malformed("elsewhere", changed(county="south"), Reason.WRONG_PARTITION, "county"),
)
"""What only the tally of a partition without the south sees."""

ENVELOPES = (
    Malformed("received a text", b'{"received":"1","event":' + GOOD + b"}", Reason.BAD_ENVELOPE),
    Malformed("received a float", b'{"received":1.5,"event":' + GOOD + b"}", Reason.BAD_ENVELOPE),
    Malformed("a field more", b'{"received":1,"event":' + GOOD + b',"x":1}', Reason.BAD_ENVELOPE),
    Malformed("tick a number", b'{"tick":1772409600}', Reason.BAD_ENVELOPE),
    Malformed("tick no time", b'{"tick":"noon"}', Reason.BAD_ENVELOPE, "tick"),
    Malformed("tick without zone", b'{"tick":"2026-03-02T00:00:00"}', Reason.BAD_ENVELOPE, "tick"),
    Malformed("raw no base64", b'{"received":1,"raw":"****"}', Reason.BAD_ENVELOPE, "raw"),
    Malformed("raw not even ASCII", '{"raw":"五"}'.encode(), Reason.BAD_ENVELOPE, "raw"),
    Malformed("raw a number", b'{"raw":5}', Reason.BAD_ENVELOPE),
    Malformed("broken behind a good event", b'{"event":' + GOOD + b',"received":}', Reason.NOT_JSON),
    Malformed("number with a nought before", b'{"received":007,"event":' + GOOD + b"}", Reason.NOT_JSON),
    Malformed("vertical tab", b'{\x0b"event":' + GOOD + b"}", Reason.NOT_JSON),
    Malformed("deep where a number should be", b'{"received":' + b"[" * 9999 + b"]" * 9999 + b"}", Reason.TOO_DEEP),
    Malformed("bytes that are no text", b'{"tick":"\xff"}', Reason.NOT_UTF8),
    Malformed("received alone", b'{"received":1}', Reason.EMPTY),
    Malformed("event null", b'{"received":1,"event":null}', Reason.EMPTY),
    Malformed("raw null", b'{"raw":null}', Reason.EMPTY),
    Malformed("a tick of 70 kB", b'{"tick":' + b" " * 70_000 + b'"2026-03-02T00:00:00Z"}', Reason.TOO_LARGE),
)
"""Lines of a recording that are wrong themselves, not in the event that they hold."""
