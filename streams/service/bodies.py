"""Reading the body of a request: never more than may be, never longer than may take, never more at once than fits."""

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from streams.service.settings import ServiceSettings
from streams.serving.refusals import HttpError, closing

_GZIP = ("gzip", "x-gzip")
_MEMBERS = 64
"""Gzips one behind the other that make one body, at most: each is looked at anew."""
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
        """The whole body, unpacked. Raises HttpError 400, 408, 413, 415."""
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
            raise _too_large(most)
        return _plain(request.headers.get("content-encoding", ""), b"".join(parts), most)


def _too_large(most: int) -> HttpError:
    return closing(
        HttpError(
            413,
            "too_large",
            f"请求体超过 {most} 字节，请分批发送",
            f"the body is larger than {most} bytes; send it in parts",
        )
    )


def _plain(coding: str, body: bytes, most: int) -> bytes:
    """A body as it was before it was packed. Raises HttpError 400, 413, 415."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return body
    if coding not in _GZIP:
        raise HttpError(
            415,
            "unknown_coding",
            f"不认识的内容编码 {coding}",
            f"content-encoding {coding}: it may be gzip, or none",
            headers={"accept-encoding": "gzip"},
        )
    text = b""
    for _ in range(_MEMBERS):
        if not body:
            break
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            text += unpacking.decompress(body, most + 1 - len(text))
        except zlib.error:
            raise HttpError(
                400, "bad_coding", "内容编码不是 gzip", "the body is no gzip; nothing was taken in"
            ) from None
        if len(text) > most:
            raise _too_large(most)
        if not unpacking.eof:
            raise HttpError(400, "bad_coding", "gzip 不完整", "the gzip is cut short; nothing was taken in")
        body = unpacking.unused_data
    if body:
        raise HttpError(400, "bad_coding", "gzip 段太多", f"more than {_MEMBERS} gzips in a row; nothing was taken in")
    return text


def _length(request: Request) -> int | None:
    if "content-encoding" in request.headers:  # how large it is nobody says
        return None
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() else None
