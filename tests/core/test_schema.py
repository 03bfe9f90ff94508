"""The committed JSON Schema is the event type's, and says of a record what the decoder says."""

import json
import re
from typing import Any

import msgspec
import pytest

from streams.core.event import KINDS, OUTCOMES, Event
from streams.core.record import Reason
from streams.core.schema import DIALECT, event_schema
from tests.core import write_schema
from tests.core.malformed import DECODED, JUDGED, Malformed
from tests.core.towns import START, event

NO_EVENTS = {Reason.EMPTY, Reason.TOO_LARGE, Reason.NOT_UTF8, Reason.NOT_JSON, Reason.TOO_DEEP}
"""What is wrong before there is a value to hold against a schema; {} alone is one, and lacks every field."""

OF_THE_PROFILE = {
    Reason.UNKNOWN_COUNTY,
    Reason.UNKNOWN_POINT,
    Reason.UNKNOWN_CATEGORY,
    Reason.UNKNOWN_CHANNEL,
    Reason.UNKNOWN_SECTOR,
}


def allows(schema: dict[str, Any], value: object) -> bool:
    """Whether a value is valid by the few words of draft 2020-12 that the schema uses; any other word is an error."""
    return all(_RULES[word](said, value, schema) for word, said in schema.items())


_TYPES: dict[str, type] = {"object": dict, "string": str, "null": type(None)}
_RULES: dict[str, Any] = {
    **dict.fromkeys(("$schema", "$id", "title", "description", "default", "format"), lambda *_: True),
    "type": lambda said, value, _: isinstance(value, _TYPES[said]),
    "enum": lambda said, value, _: value in said,
    "anyOf": lambda said, value, _: any(allows(part, value) for part in said),
    "minLength": lambda said, value, _: not isinstance(value, str) or len(value) >= said,
    "maxLength": lambda said, value, _: not isinstance(value, str) or len(value) <= said,
    "pattern": lambda said, value, _: not isinstance(value, str) or re.search(said, value) is not None,
    "required": lambda said, value, _: not isinstance(value, dict) or value.keys() >= set(said),
    "properties": lambda said, value, _: (
        not isinstance(value, dict) or all(allows(said[name], part) for name, part in value.items() if name in said)
    ),
    "additionalProperties": lambda said, value, schema: (
        said is False and (not isinstance(value, dict) or value.keys() <= schema["properties"].keys())
    ),
}


def test_the_committed_schema_is_the_types() -> None:
    """If this fails, the event changed: run `python -m tests.core.write_schema`, look at the difference, commit it."""
    assert write_schema.PATH.read_text(encoding="utf-8") == write_schema.text()


def test_the_schema_names_its_dialect_and_itself_without_a_host() -> None:
    schema = event_schema()
    assert schema["$schema"] == DIALECT
    assert re.fullmatch(r"urn:jiantu:event:\d+", schema["$id"])


def test_the_schema_has_every_field_and_no_other_is_allowed() -> None:
    schema = event_schema()
    assert tuple(schema["properties"]) == Event.__struct_fields__
    assert schema["required"] == ["id", "at", "county", "point", "category", "kind"]
    assert schema["additionalProperties"] is False


def test_no_field_of_the_schema_takes_free_text() -> None:
    """Every text is one of a few words, a time, an identifier of bounded length, or a word of the profile."""
    free = [name for name, part in event_schema()["properties"].items() if "maxLength" not in json.dumps(part)]
    assert free == ["county", "point", "category", "kind", "channel", "sector", "outcome"]
    assert set(event_schema()["properties"]["kind"]["enum"]) == set(KINDS)
    assert set(event_schema()["properties"]["outcome"]["anyOf"][0]["enum"]) == set(OUTCOMES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_event_is_valid(kind: str) -> None:
    good = event(1, START, kind=kind, ticket="t" * 32, due="2026-03-05T00:00:00+08:00", outcome="unsolved")
    assert allows(event_schema(), good)
    assert allows(event_schema(), good | {"ticket": None})


@pytest.mark.parametrize(
    "case",
    [case for case in DECODED if case.reason not in NO_EVENTS or case.value == b"{ }"],
    ids=lambda case: f"{case.what}: {case.reason}",
)
def test_what_the_decoder_rejects_is_invalid_but_for_the_profiles_own_words(case: Malformed) -> None:
    assert allows(event_schema(), msgspec.json.decode(case.value)) == (case.reason in OF_THE_PROFILE)


def test_a_time_without_a_zone_is_invalid() -> None:
    naive = [case for case in JUDGED if case.reason is Reason.NAIVE_TIME]
    assert len(naive) == 2
    assert not any(allows(event_schema(), msgspec.json.decode(case.value)) for case in naive)
