"""Reading the body of a request: never more than may be, never longer than may take, never more at once than fits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from streams.service.refusals import HttpError, closing
from streams.service.settings import ServiceSettings

_SWALLOWED = 4
"""Times the largest body that is read and thrown away, so that a client that only writes hears why it is refused."""


class Bodies:
    """All bodies that are in memory."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._held = 0

    @contextmanager
    def room(self, request: Request) -> Iterator[None]:
        """Around all that is done with a body: as much room as it says it needs, or as it may need."""
        asked = _length(request)
        needed = self._settings.max_body if asked is None else min(asked, self._settings.max_body)
        if self._held and self._held + needed > self._settings.max_waiting_bytes:
            raise closing(
                HttpError(429, "too_fast", "太快，请稍后重发", "too fast; send it again", headers={"retry-after": "1"})
            )
        self._held += needed
        try:
            yield
        finally:
            self._held -= needed

    async def read(self, request: Request) -> bytes:
        """The whole body. Raises HttpError 413 or 408."""
        most, parts, size = self._settings.max_body, [], 0
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                async for part in request.stream():
                    size += len(part)
                    if size <= most:
                        parts.append(part)
                    elif size > _SWALLOWED * most:
                        break
                    else:
                        parts.clear()
        except TimeoutError:
            seconds = self._settings.body_seconds
            raise closing(
                HttpError(
                    408, "too_slow", f"请求体 {seconds:g} 秒内没有发完", f"the body did not arrive within {seconds:g} s"
                )
            ) from None
        except ClientDisconnect:
            raise closing(HttpError(400, "cut_short", "连接断开", "the connection ended inside the body")) from None
        if size > most:
            raise closing(
                HttpError(
                    413,
                    "too_large",
                    f"请求体超过 {most} 字节，请分批发送",
                    f"the body is larger than {most} bytes; send it in parts",
                )
            )
        return b"".join(parts)


def _length(request: Request) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() else None
