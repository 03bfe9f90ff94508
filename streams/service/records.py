"""A request's body as records: one event, an array, lines, or CloudEvents. Nothing is decoded here.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

import base64
import binascii
import codecs
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from streams.core.record import Reason

EVENT = "application/json"
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
CLOUDEVENT = "application/cloudevents+json"
CLOUDEVENTS = "application/cloudevents-batch+json"
CONTENT_TYPES = (EVENT, *LINES, CLOUDEVENT, CLOUDEVENTS)
_REQUIRED = ("specversion", "id", "source", "type")


class Fault(NamedTuple):
    """A record that is none for its envelope: why, and the digest of its bytes."""

    reason: Reason
    digest: str


Given = bytes | Fault
"""A record's own bytes, or why there are none."""


class UnknownContentError(Exception):
    """A content type that is none of CONTENT_TYPES."""


class _CloudEvent(msgspec.Struct):
    """What of an envelope is looked at; extensions are not, and are not kept."""

    specversion: str
    id: str
    source: str
    type: str
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str | None = None
    datacontenttype: str | None = None


_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_CLOUDEVENT = msgspec.json.Decoder(_CloudEvent)


def records_of(headers: Mapping[str, str], body: bytes) -> list[Given]:
    """The records of a body, in their order. Raises UnknownContentError."""
    kind = headers.get("content-type", EVENT).partition(";")[0].strip().lower()
    body = body.removeprefix(codecs.BOM_UTF8)  # RFC 8259, 8.1: a reader may ignore it, and some write it
    if kind == CLOUDEVENT:
        return [_data_of(body)]
    if kind == CLOUDEVENTS:
        return [_data_of(item) if isinstance(item, bytes) else item for item in _items(body)]
    if "ce-specversion" in headers:
        return [_binary(headers, body, kind)]
    if kind == EVENT:
        return _items(body) if body.lstrip()[:1] == b"[" else [body]
    if kind in LINES:
        return list(body.removesuffix(b"\n").split(b"\n")) if body else []
    raise UnknownContentError(kind)


def _items(body: bytes) -> list[Given]:
    """The items of a JSON array; where it is none, one record that is no JSON."""
    try:
        return [bytes(item) for item in _ITEMS.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [_fault(Reason.NOT_JSON, body)]


def _binary(headers: Mapping[str, str], body: bytes, kind: str) -> Given:
    """A CloudEvent whose attributes are headers and whose data is the body."""
    there = all(headers.get(f"ce-{name}", "").strip() for name in _REQUIRED)
    if not there or not headers["ce-specversion"].startswith("1.") or kind != EVENT:
        return _fault(Reason.BAD_ENVELOPE, body)
    return body


def _data_of(envelope: bytes) -> Given:
    """The data of a CloudEvent in JSON."""
    try:
        made = _CLOUDEVENT.decode(envelope)
    except msgspec.ValidationError:
        return _fault(Reason.BAD_ENVELOPE, envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _fault(Reason.NOT_JSON, envelope)
    attributes = (made.specversion, made.id, made.source, made.type)
    if not all(attributes) or not made.specversion.startswith("1."):
        return _fault(Reason.BAD_ENVELOPE, envelope)
    if made.datacontenttype is not None and made.datacontenttype.partition(";")[0].strip().lower() != EVENT:
        return _fault(Reason.BAD_ENVELOPE, envelope)
    data = bytes(made.data)
    if made.data_base64 is None:
        return data or _fault(Reason.EMPTY, envelope)
    if data:
        return _fault(Reason.BAD_ENVELOPE, envelope)
    try:
        return base64.b64decode(made.data_base64, validate=True)
    except (binascii.Error, ValueError):
        return _fault(Reason.BAD_ENVELOPE, envelope)


def _fault(reason: Reason, record: bytes) -> Fault:
    return Fault(reason, hashlib.sha256(record).hexdigest())


def one_line(value: bytes) -> bytes:
    """JSON without line breaks; as it is where it has none."""
    if b"\n" not in value and b"\r" not in value:
        return value
    return msgspec.json.format(value, indent=-1)


def count(given: Sequence[Given]) -> int:
    """How many bytes records have."""
    return sum(len(one) for one in given if isinstance(one, bytes))
