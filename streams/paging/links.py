"""Links in a page: to an alert, and to acknowledging it; the second signed, and good for a time only.

Who has the link may acknowledge that one alert and nothing else. Opening it does nothing: chats fetch what they are
shown. The signature covers the alert and the moment until which it holds.
"""

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from streams.core.instant import SECOND, Duration, Instant

_PURPOSE = b"jiantu acknowledge 1"
"""Keeps these signatures apart from whatever else the key may sign one day."""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links and knows its own."""

    console_url: str
    key: SecretStr
    holds: Duration

    def alert(self, alert: str) -> str:
        """The alert's own page."""
        return f"{self.console_url.rstrip('/')}/alerts/{quote(alert, safe='')}"

    def acknowledge(self, alert: str, now: Instant) -> str:
        """A link that lets whoever has it acknowledge the alert."""
        expires = (now + self.holds) // SECOND
        return f"{self.alert(alert)}/acknowledge?" + urlencode(
            {"expires": expires, "signature": self._signature(alert, expires)}
        )

    def refused(self, alert: str, expires: str, signature: str, now: Instant) -> str | None:
        """Why a link is none of ours, or no more: "signature" or "expired"; None where it is good."""
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12 and signature.isascii()):
            return "signature"
        if not hmac.compare_digest(self._signature(alert, int(expires)), signature):
            return "signature"
        return "expired" if int(expires) * SECOND <= now else None

    def _signature(self, alert: str, expires: int) -> str:
        said = b"\n".join((_PURPOSE, alert.encode(), str(expires).encode()))
        return hmac.new(self.key.get_secret_value().encode(), said, hashlib.sha256).hexdigest()
