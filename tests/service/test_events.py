"""Events over HTTP: every way to send them, one verdict a record, nothing kept of what is none."""

import base64
import codecs
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from streams.core.instant import HOUR, MINUTE
from streams.ledger.reader import LedgerReader
from tests.service.living import START, Living, event, kept_text, living


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    with living(tmp_path_factory.mktemp("service")) as made:
        yield made


def lines(*events: object) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in events)


def cloud(data: object, **changes: object) -> dict[str, object]:
    envelope = {"specversion": "1.0", "id": "1", "source": "/12345", "type": "cn.leshan.event", "data": data}
    return {name: value for name, value in (envelope | changes).items() if value is not None}


def totals(response: httpx.Response) -> tuple[int, list[Any]]:
    return response.status_code, response.json()["verdicts"]


NOW = START + MINUTE


def test_one_event(service: Living) -> None:
    assert totals(service.post(event(1, NOW))) == (202, ["counted"])


def test_an_array(service: Living) -> None:
    assert totals(service.post([event(2, NOW), event(3, NOW)])) == (202, ["counted"] * 2)


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/ndjson", "application/jsonl; charset=utf-8"])
def test_lines(service: Living, kind: str) -> None:
    number = 10 + len(kind)
    answer = service.post(lines(event(number, NOW), event(number + 1, NOW)), **{"content-type": kind})
    assert totals(answer) == (202, ["counted"] * 2)


def test_a_body_that_is_packed(service: Living) -> None:
    packed = gzip.compress(lines(event(40, NOW))) + gzip.compress(lines(event(41, NOW)))
    headers = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}
    assert totals(service.post(packed, **headers)) == (202, ["counted"] * 2)
    before = service.accounting()
    for body, coding, status, word in (
        (packed[:-3], "gzip", 400, "bad_coding"),
        (b"{}", "gzip", 400, "bad_coding"),
        (gzip.compress(b"") * 65, "gzip", 400, "bad_coding"),
        (gzip.compress(bytes(1 << 26)), "gzip", 413, "too_large"),
        (packed, "br", 415, "unknown_coding"),
    ):
        answer = service.post(body, **(headers | {"content-encoding": coding}))
        assert (answer.status_code, answer.json()["error"]) == (status, word)
    assert service.accounting() == before  # nothing of it is a record


def test_a_byte_order_mark_is_no_part_of_the_first_record(service: Living) -> None:
    assert totals(service.post(codecs.BOM_UTF8 + lines(event(50, NOW)))) == (202, ["counted"])
    kind = {"content-type": "application/x-ndjson"}
    sent = codecs.BOM_UTF8 + lines(event(51, NOW), event(52, NOW)).replace(b"\n", b"\r\n")
    assert totals(service.post(sent, **kind)) == (202, ["counted"] * 2)


def test_a_cloudevent_in_json(service: Living) -> None:
    kind = {"content-type": "application/cloudevents+json; charset=utf-8"}
    assert totals(service.post(cloud(event(100, NOW)), **kind)) == (202, ["counted"])
    raw = base64.b64encode(json.dumps(event(101, NOW)).encode()).decode()
    assert totals(service.post(cloud(None, data_base64=raw), **kind)) == (202, ["counted"])


def test_cloudevents_in_a_batch(service: Living) -> None:
    kind = {"content-type": "application/cloudevents-batch+json"}
    assert totals(service.post([cloud(event(110, NOW)), cloud(event(111, NOW))], **kind)) == (202, ["counted"] * 2)


def test_a_cloudevent_in_headers(service: Living) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/12345", "ce-type": "cn.leshan.event"}
    assert totals(service.post(event(120, NOW), **headers)) == (202, ["counted"])
    assert totals(service.post(event(121, NOW), **(headers | {"ce-type": ""}))) == (400, ["rejected"])


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (cloud(event(130, NOW), specversion="0.3"), "bad_envelope"),
        (cloud(event(131, NOW), source=None), "bad_envelope"),
        (cloud(None), "empty"),
        (cloud("text"), "not_an_object"),
        (cloud(None, data_base64="***"), "bad_envelope"),
        (cloud(event(132, NOW), data_base64="e30="), "bad_envelope"),
        (cloud(event(133, NOW), datacontenttype="text/xml"), "bad_envelope"),
        ([], "bad_envelope"),
    ],
)
def test_an_envelope_that_is_none(service: Living, sent: object, reason: str) -> None:
    answer = service.post(sent, **{"content-type": "application/cloudevents+json"})
    assert answer.status_code == 400
    assert [one["reason"] for one in answer.json()["rejections"]] == [reason]


def test_an_event_written_over_several_lines(service: Living) -> None:
    text = json.dumps(event(140, NOW), indent=2).encode()
    assert totals(service.post(text)) == (202, ["counted"])
    assert totals(service.post(b"[\n" + text + b"\n]")) == (202, ["duplicate"])


def test_what_was_sent_before_is_a_duplicate_and_no_error(service: Living) -> None:
    assert totals(service.post(event(150, NOW))) == (202, ["counted"])
    assert totals(service.post([event(150, NOW), event(151, NOW), event(151, NOW)])) == (
        202,
        ["duplicate", "counted", "duplicate"],
    )


def test_good_ones_are_kept_beside_bad_ones_and_each_bad_one_is_named(service: Living) -> None:
    before = service.accounting()
    sent = lines(event(160, NOW), event(161, NOW, county="c99"), event(162, NOW)) + b"\nnot json\n" + lines([])
    answer = service.post(sent, **{"content-type": "application/x-ndjson"})
    assert answer.status_code == 400
    said = answer.json()
    assert said["verdicts"] == ["counted", "rejected", "counted", "rejected", "rejected", "rejected"]
    assert said["rejections"] == [
        {"position": 1, "reason": "unknown_county", "place": "county"},
        {"position": 3, "reason": "empty", "place": ""},
        {"position": 4, "reason": "not_json", "place": ""},
        {"position": 5, "reason": "not_an_object", "place": ""},
    ]
    after = service.accounting()
    assert {name: after[name] - before[name] for name in ("received", "counted", "rejected")} == {
        "received": 6,
        "counted": 2,
        "rejected": 4,
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"caller": "13800138000"}, "personal_number"),
        ({"at": "2025-06-02T12:00:00"}, "naive_time"),
        ({"note": "张三的电话"}, "unknown_field"),
        ({"id": None}, "missing_field"),
        ({"tick": "2025-06-02T12:00:00Z"}, "unknown_field"),
    ],
)
def test_nothing_of_a_rejected_record_is_kept_but_its_digest(service: Living, changes: Any, reason: str) -> None:
    made = event(170, NOW, matter="secret" * 4) | changes
    sent = {name: value for name, value in made.items() if value is not None}
    answer = service.post(sent)
    assert (answer.status_code, [one["reason"] for one in answer.json()["rejections"]]) == (400, [reason])
    for text in ("secret" * 4, "13800138000", "张三"):
        assert text.encode() not in kept_text(service.data_dir)


def test_a_sender_cannot_say_when_it_was_or_what_was_rejected(service: Living) -> None:
    """What only a recording may say is none of an event's fields."""
    for sent in (
        {"received": 5, "event": event(180, NOW)},
        {"tick": "2025-06-02T13:00:00Z"},
        {"rejected": {"reason": "empty", "digest": "ab" * 32}},
        {"recording": 1, "schema": 1},
    ):
        answer = service.post(sent)
        assert (answer.status_code, answer.json()["rejected"]) == (400, 1), sent


def test_more_than_five_minutes_ahead_of_the_services_clock_is_the_future(service: Living) -> None:
    assert service.post(event(190, service.clock.now() + 5 * MINUTE)).status_code == 202
    answer = service.post(event(191, service.clock.now() + 5 * MINUTE + 1_000_000))
    assert answer.json()["rejections"] == [{"position": 0, "reason": "future", "place": "at"}]


def test_no_records_are_none(service: Living) -> None:
    for sent, kind in ((b"[]", "application/json"), (b"", "application/x-ndjson")):
        assert totals(service.post(sent, **{"content-type": kind})) == (202, [])
    assert service.post(b"").json()["rejections"] == [{"position": 0, "reason": "empty", "place": ""}]


def test_an_unknown_content_type_is_refused_and_says_which_are_known(service: Living) -> None:
    answer = service.post(b"<event/>", **{"content-type": "text/xml"})
    assert (answer.status_code, answer.json()["error"]) == (415, "unknown_content")
    assert "application/x-ndjson" in answer.json()["en"]


def test_rejections_are_in_the_ledger_after_it_has_stopped_and_what_was_taken_in_is_there(tmp_path: Path) -> None:
    with living(tmp_path) as first:
        first.post([event(1, NOW), event(2, NOW, county="c99")])
    with living(tmp_path, at=START + HOUR) as second:
        assert second.accounting()["received"] == 2
        assert totals(second.post([event(1, NOW), event(3, NOW)])) == (202, ["duplicate", "counted"])
    with LedgerReader(tmp_path) as ledger:
        assert {reason.value: total for reason, total in ledger.rejection_totals().items()} == {"unknown_county": 1}
        assert ledger.damage() == []
