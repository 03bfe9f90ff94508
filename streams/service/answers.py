"""What a sender is answered: what became of each record, all of it durable."""

from typing import Literal

from msgspec import Struct

from streams.core.record import Reason

Verdict = Literal["counted", "duplicate", "late", "rejected"]
VERDICTS: tuple[Verdict, ...] = ("counted", "duplicate", "late", "rejected")


class Rejected(Struct, frozen=True):
    """A record that could not become an event, by its place in the request."""

    position: int
    """From 0; a line that is blank is a record too."""
    reason: Reason
    place: str = ""
    """The field that it is about, where it is one of the schema's own."""


class Answer(Struct, frozen=True):
    """What became of a request's records; all of it is durable."""

    received: int
    counted: int
    duplicate: int
    late: int
    rejected: int
    verdicts: list[Verdict | None]
    """Of each record, in their order; None for what is no record: a tick, a recording's header."""
    rejections: list[Rejected]
