"""Channels: how a card reaches staff, by apprise (DingTalk, WeCom, Feishu, mail, webhooks and a hundred more).

Robots answer "200 OK" to what they do not deliver, and say so in the body: {"errcode": 130101, "errmsg": "send too
fast"}. apprise 2.2 looks at the status only, so a page would be lost for delivered. What the robot said is looked at
here: the modules of apprise that speak HTTP are given a `requests` that keeps the last answer for whoever asked.
"""

import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import apprise
from apprise.common import NotifyFormat, NotifyType, OverflowMode
from apprise.plugins.base import NotifyBase
from pydantic import SecretStr

from streams.paging.card import Card

_CODES = ("errcode", "code", "StatusCode")
"""Where robots say that they did not do it: DingTalk and WeCom, Feishu, Feishu of old; 0 is done."""
_MOST_OF_AN_ANSWER = 4096
_SECONDS = 15.0
"""How long a channel may take to connect, and to answer."""
_ROOM = 64
"""Bytes left for what a plugin writes around a body."""

logging.getLogger("apprise").addHandler(logging.NullHandler())
logging.getLogger("apprise").propagate = False  # its messages may quote a url with its token


class ChannelError(ValueError):
    """A url that is none of apprise's. It is a secret, and not shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a channel said to one message."""

    delivered: bool
    detail: str
    """In a few words; nothing secret."""
    wait_seconds: float = 0.0
    """How long it asked to be left alone."""


class Channel:
    """One way to tell staff. Used by one thread at a time."""

    def __init__(self, name: str, url: SecretStr) -> None:
        """Raises ChannelError."""
        self.name = name
        with warnings.catch_warnings():  # of apprise's about Python's own old modules, once: nobody here can mend them
            warnings.simplefilter("ignore", DeprecationWarning)
            found = apprise.Apprise.instantiate(url.get_secret_value())
        if not isinstance(found, NotifyBase):
            raise ChannelError(f"渠道 {name}：地址不是 apprise 的 | channel {name}: its url is none that apprise knows")
        self._plugin = found
        self._plugin.request_rate_per_sec = 0.0  # the pager keeps the limits, also over restarts
        self._plugin.socket_connect_timeout = self._plugin.socket_read_timeout = _SECONDS
        self._plugin.overflow_mode = OverflowMode.SPLIT
        _overhear(type(found).__module__)

    @property
    def most_bytes(self) -> int:
        """How long a card may be; plugins count characters, robots count bytes."""
        return int(self._plugin.body_maxlen) - _ROOM

    def tell(self, card: Card) -> Answer:
        """Send a card. Whatever goes wrong is an answer, not an error."""
        with _answers() as heard:
            try:
                done = self._plugin.notify(
                    body=card.body or card.title,  # apprise sends nothing without one
                    title=card.title,
                    notify_type=NotifyType.WARNING,
                    body_format=NotifyFormat.TEXT,
                )
            except Exception as error:  # noqa: BLE001 - a fault of one plugin must not stop the other channels
                return Answer(False, type(error).__name__)
        last = heard[-1] if heard else None
        if last is None:
            return Answer(bool(done), "sent" if done else "no connection")
        refused = [one for one in heard if not one.delivered]
        return refused[0] if refused else Answer(bool(done), last.detail, last.wait_seconds)


# ---- overhearing --------------------------------------------------------------------------------------------------

_heard = threading.local()


@contextmanager
def _answers() -> Iterator[list[Answer]]:
    """What this thread's requests were answered, in their order."""
    _heard.answers = []
    try:
        yield _heard.answers
    finally:
        del _heard.answers


class _Overhearing:
    """The module `requests`, as a plugin sees it."""

    def __init__(self, requests: Any) -> None:
        self._requests = requests

    def __getattr__(self, name: str) -> Any:
        return getattr(self._requests, name)

    def post(self, *given: Any, **named: Any) -> Any:
        """As requests.post."""
        return _noted(self._requests.post(*given, **named))

    def request(self, *given: Any, **named: Any) -> Any:
        """As requests.request."""
        return _noted(self._requests.request(*given, **named))


def _overhear(module: str) -> None:
    plugin = sys.modules[module]
    requests = getattr(plugin, "requests", None)
    if requests is not None and not isinstance(requests, _Overhearing):
        plugin.requests = _Overhearing(requests)  # type: ignore[attr-defined]  # a module's own name


def _noted(response: Any) -> Any:
    if hasattr(_heard, "answers"):
        _heard.answers.append(_answer_of(response.status_code, response.headers, response.content or b""))
    return response


def _answer_of(status: int, headers: Any, content: bytes) -> Answer:
    wait = str(headers.get("Retry-After", ""))
    seconds = min(float(wait), 3600.0) if wait.isascii() and wait.isdecimal() else 0.0
    if not 200 <= status < 300:
        return Answer(False, f"HTTP {status}", seconds)
    try:
        said = json.loads(content[:_MOST_OF_AN_ANSWER])
    except ValueError:
        said = None
    if isinstance(said, dict):
        for name in _CODES:
            code = said.get(name)
            if isinstance(code, int) and not isinstance(code, bool) and code != 0:
                return Answer(False, f"HTTP {status}, {name} {code}", seconds)
    return Answer(True, f"HTTP {status}")
