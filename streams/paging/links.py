"""Links in a page: to an alert, and to acknowledging it; the second signed, and good for a time only.

Who has the link may acknowledge that one alert, or that one trouble of jiantu itself, and nothing else. Opening it does
nothing: chats fetch what they are shown. Ids can be guessed, signatures cannot: one covers what the link is about and
the moment until which it holds.
"""

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from streams.core.instant import SECOND, Duration, Instant

ALERTS, PAGES = "alerts", "pages"
"""What a link may be about, as its path says: an alert of the ledger, or a page about jiantu itself."""
_PURPOSES = {ALERTS: b"jiantu acknowledge 1", PAGES: b"jiantu acknowledge page 1"}
"""Keeps these signatures apart, and from whatever else the key may sign one day."""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links and knows its own."""

    console_url: str
    key: SecretStr
    holds: Duration

    def alert(self, alert: str) -> str:
        """The alert's own page."""
        return self._of(ALERTS, alert)

    def acknowledge(self, name: str, now: Instant, kind: str = ALERTS) -> str:
        """A link that lets whoever has it acknowledge an alert, or a trouble (`kind` PAGES)."""
        expires = (now + self.holds) // SECOND
        return f"{self._of(kind, name)}/acknowledge?" + urlencode(
            {"expires": expires, "signature": self._signature(kind, name, expires)}
        )

    def refused(self, name: str, expires: str, signature: str, now: Instant, kind: str = ALERTS) -> str | None:
        """Why a link is none of ours, or no more: "signature" or "expired"; None where it is good."""
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12 and signature.isascii()):
            return "signature"
        if not hmac.compare_digest(self._signature(kind, name, int(expires)), signature):
            return "signature"
        return "expired" if int(expires) * SECOND <= now else None

    def _of(self, kind: str, name: str) -> str:
        return f"{self.console_url.rstrip('/')}/{kind}/{quote(name, safe='')}"

    def _signature(self, kind: str, name: str, expires: int) -> str:
        said = b"\n".join((_PURPOSES[kind], name.encode(), str(expires).encode()))
        return hmac.new(self.key.get_secret_value().encode(), said, hashlib.sha256).hexdigest()
