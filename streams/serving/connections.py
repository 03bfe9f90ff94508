"""Connections, with what uvicorn has no limit of its own for: heads that never end, clients without number."""

import asyncio
from dataclasses import dataclass

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.serving.refusals import Refusal, json_response

_PHRASES = {408: b"Request Timeout", 503: b"Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server gives to connections."""

    connections: int = 2_000
    """At once."""
    head_seconds: float = 10.0
    """For the head of a request to come in."""
    drain_seconds: float = 15.0
    """For requests that are being read, when it is told to stop."""


class Bounded(H11Protocol):
    """One connection: the head of every request in time, and not one connection too many."""

    most: int
    seconds: float
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as H11Protocol's own
        """Refuse one too many; give its first head time."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._end(503, Refusal("busy", "连接太多，请稍后再来", "too many connections; come again"))
            return
        self._begin_timer()

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that has begun and is not over has its time."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None:
            self._begin_timer()
        else:
            self._end_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with it."""
        self._end_timer()
        super().connection_lost(exc)

    def _begin_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self._too_slow)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self.conn.their_state is h11.IDLE:
            said = f"the head did not arrive within {self.seconds:g} s"
            self._end(408, Refusal("too_slow", "请求头来得太慢", said))

    def _end(self, status: int, refusal: Refusal) -> None:
        """Say why, past the state of the conversation, and hang up."""
        if self.transport.is_closing():
            return
        response = json_response(status, refusal, {"connection": "close", "retry-after": "1"})
        lines = [b"HTTP/1.1 %d %b" % (status, _PHRASES[status])]
        lines += [b"%b: %b" % header for header in response.raw_headers]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body))
        self.transport.close()


def bounded(limits: Limits) -> type[Bounded]:
    """Connections within limits."""
    return type("BoundedByLimits", (Bounded,), {"most": limits.connections, "seconds": limits.head_seconds})
