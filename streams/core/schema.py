"""The JSON Schema of an event, for senders: made from the type, so that it says what the decoder does.

A city's own words (counties, points, categories, channels, sectors) are its profile's, not the schema's. Two
things the schema cannot say: identifiers that look like a person's number are rejected (`personal`), and so is
a time more than five minutes ahead of its receipt.
"""

from typing import Any

import msgspec

from streams.core.event import Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTITY = "urn:jiantu:event:1"
"""The number is the version of the event schema: a recording's header has it too."""


def event_schema(made: type[Event] = Event) -> dict[str, Any]:
    """The schema, draft 2020-12: plain data, the same in every run; fields in the order of the type. `made`: a city's
    own type (`event_type`), whose words it then says."""
    _, parts = msgspec.json.schema_components([made], ref_template="#/$defs/{name}")
    event = parts.pop(made.__name__)
    return {"$schema": DIALECT, "$id": IDENTITY, **event, **({"$defs": parts} if parts else {})}
