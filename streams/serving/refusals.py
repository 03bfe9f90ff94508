"""How the service says no: one form for every refusal, a word for programs, Chinese and English for people."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response


class Refusal(msgspec.Struct, frozen=True):
    """The body of every answer that is none of what was asked for."""

    error: str
    """One word, for programs."""
    zh: str
    en: str


class HttpError(Exception):
    """Ends a request with a refusal."""

    def __init__(self, status: int, error: str, zh: str, en: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(en)
        self.status = status
        self.refusal = Refusal(error, zh, en)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """As it is sent."""
        return json_response(self.status, self.refusal, self.headers)


def json_response(status: int, document: object, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; nobody on the way keeps it."""
    body = msgspec.json.encode(document)
    return Response(body, status, {"cache-control": "no-store", **(headers or {})}, "application/json")


def closing(error: HttpError) -> HttpError:
    """The same, and the connection ends with it: what the client still sends is not read."""
    error.headers["connection"] = "close"
    return error
