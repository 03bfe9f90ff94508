"""Who is asking: the bearer token of a request, looked up in the ledger. Revoked ones are let in for two seconds at
most: for so long what was looked up holds."""

import asyncio
import hmac
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request

from streams.clock import Clock, Stopwatch
from streams.core.instant import SECOND
from streams.ledger.errors import LedgerError
from streams.ledger.tokens import Scope, Token, digest_of, parts_of, tokens
from streams.serving.refusals import HttpError

_HOLDS = 2 * SECOND


class Doorkeeper:
    """Lets in who has a valid token for what is asked."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self._data_dir = data_dir
        self._clock = clock
        self._known: dict[str, Token] | None = None
        self._age = Stopwatch()
        self._looking = asyncio.Lock()

    def needs(self, scope: Scope) -> "Callable[[Request], object]":
        """A dependency that lets in for one scope. It raises HttpError 401, 403, 503."""

        async def let_in(request: Request) -> None:
            token = await self._token(request.headers.get("authorization", ""))
            if scope not in token.scopes:
                raise HttpError(
                    403,
                    "wrong_scope",
                    f"令牌没有 {scope} 权限",
                    f"the token is not for {scope}; make one with `jiantu token create --scope {scope}`",
                )

        return let_in

    async def _token(self, header: str) -> Token:
        scheme, _, text = header.partition(" ")
        parts = parts_of(text.strip()) if scheme.lower() == "bearer" else None
        if parts is None:
            raise _unknown("缺令牌：Authorization: Bearer …", "no token: send Authorization: Bearer TOKEN")
        found = (await self._tokens()).get(parts[0])
        if found is None or not hmac.compare_digest(found.digest, digest_of(parts[1])):
            raise _unknown("令牌不对", "no such token")
        if not found.valid(self._clock.now()):
            raise _unknown("令牌已撤销或过期", "the token was revoked, or has expired")
        return found

    async def _tokens(self) -> dict[str, Token]:
        async with self._looking:
            if self._known is None or self._age.elapsed() > _HOLDS:
                try:
                    found = await asyncio.to_thread(tokens, self._data_dir)
                except LedgerError:
                    if self._known is None:
                        raise HttpError(
                            503, "no_ledger", "台账暂不可用", "no ledger yet", headers={"retry-after": "2"}
                        ) from None
                else:
                    self._known = {token.id: token for token in found}
                    self._age.restart()
            return self._known


def _unknown(zh: str, en: str) -> HttpError:
    return HttpError(401, "no_token", zh, en, headers={"www-authenticate": 'Bearer realm="jiantu"'})
