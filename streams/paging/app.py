"""The pager over HTTP: Alertmanager's webhook, and the pages behind acknowledge-links.

A link is opened by whoever shows it: chats fetch what they preview, mail filters what they check. So GET looks and
POST does. No page holds a script, is kept, or may be framed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, Response

from streams.ledger.errors import LedgerError, StepRefusedError, UnknownAlertError
from streams.ledger.lifecycle import LONGEST_NAME
from streams.paging import acknowledge_page
from streams.paging.exposition import CONTENT_TYPE, exposition
from streams.paging.links import ALERTS, PAGES
from streams.paging.pager import Pager
from streams.paging.webhook import MOST_BYTES, NotificationError, read_notification

_MOST_FORM_BYTES = 4096
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class TooLargeError(ValueError):
    """A body of more bytes than there is room for."""


async def body_of(request: Request, most: int) -> bytes:
    """A request's body. Raises TooLargeError before more than `most` bytes are held."""
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) > most:
            raise TooLargeError(f"the body is larger than {most} bytes")
    return bytes(held)


def bearer_of(request: Request) -> str:
    """The bearer token of a request; empty where it shows none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def refusal(status: int, error: str) -> JSONResponse:
    """An answer that says what is wrong."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"error": error}, status, headers={**_HEADERS, **headers})


def new_app(title: str) -> FastAPI:
    """An application that tells nobody of itself, and no error's inside."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(TooLargeError)
    async def too_large(_request: Request, error: TooLargeError) -> Response:
        return refusal(413, str(error))

    @app.middleware("http")
    async def guard(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        answer = await call(request)
        for name, value in _HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    @app.get("/healthz")
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    return app


def paging_app(pager: Pager) -> FastAPI:
    """What a pager answers."""
    app = new_app("jiantu paging")

    @app.get("/readyz")
    async def readyz() -> Response:
        wrong = await run_in_threadpool(pager.ready)
        return JSONResponse({"status": "ok"}) if wrong is None else refusal(503, wrong)

    @app.get("/metrics")
    async def metrics() -> Response:
        try:
            figures = await run_in_threadpool(pager.figures)
        except LedgerError as error:
            return refusal(503, str(error))
        return Response(exposition(figures), media_type=CONTENT_TYPE)

    @app.post("/v1/alertmanager")
    async def notified(request: Request) -> Response:
        if not pager.is_alertmanager(bearer_of(request)):
            return refusal(401, "show the webhook_token as a bearer token (http_config.authorization)")
        try:
            notification = read_notification(await body_of(request, MOST_BYTES))
        except NotificationError as error:
            return refusal(400, str(error))
        try:
            taken = await run_in_threadpool(pager.take, notification)
        except LedgerError as error:  # Alertmanager tries again
            return refusal(503, str(error))
        return JSONResponse({"pages": taken.pages}, 202)

    @app.get("/{kind}/{name}/acknowledge")
    async def look(kind: str, name: str, expires: str = "", signature: str = "") -> Response:
        return await run_in_threadpool(_answered, pager, _Asked(kind, name, expires, signature), None)

    @app.post("/{kind}/{name}/acknowledge")
    async def acknowledge(request: Request, kind: str, name: str, expires: str = "", signature: str = "") -> Response:
        body = await body_of(request, _MOST_FORM_BYTES)
        said = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8)
        who = said.get("who", [""])[0].strip()[: LONGEST_NAME + 1]
        return await run_in_threadpool(_answered, pager, _Asked(kind, name, expires, signature), who)

    return app


@dataclass(frozen=True, slots=True)
class _Asked:
    """An acknowledge-link as somebody shows it."""

    kind: str
    name: str
    expires: str
    signature: str


def _page(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, headers=_HEADERS)


def _answered(pager: Pager, asked: _Asked, who: str | None) -> Response:
    """What a link is answered; `who`: they acknowledge, None: they look."""
    if asked.kind not in (ALERTS, PAGES):
        return refusal(404, "there is nothing here")
    refused = pager.links.refused(asked.name, asked.expires, asked.signature, pager.now(), asked.kind)
    if refused is not None:
        return _page(acknowledge_page.refused(refused), 410 if refused == "expired" else 403)
    answer = _of_alert if asked.kind == ALERTS else _of_trouble
    try:
        return answer(pager, asked.name, who)
    except UnknownAlertError:
        return _page(acknowledge_page.refused("unknown" if asked.kind == ALERTS else "forgotten"), 404)
    except LedgerError:
        return _page(acknowledge_page.refused("away"), 503)


def _of_alert(pager: Pager, alert: str, who: str | None) -> Response:
    if who is None:
        return _page(acknowledge_page.asking(pager.look(alert).alert, ""))
    try:
        result = pager.acknowledge(alert, who)
    except StepRefusedError as error:
        return _page(acknowledge_page.asking(pager.look(alert).alert, str(error)), 409)
    return _page(acknowledge_page.done(alert, result.taken.step.who, repeated=result.repeated))


def _of_trouble(pager: Pager, about: str, who: str | None) -> Response:
    trouble = pager.trouble_of(about)
    if who is None:
        return _page(acknowledge_page.asking_of(trouble, ""))
    try:
        taken = pager.take_up(about, who)
    except StepRefusedError as error:
        return _page(acknowledge_page.asking_of(trouble, str(error)), 409)
    if taken.who != who:
        return _page(acknowledge_page.asking_of(pager.trouble_of(about), ""), 409)
    return _page(acknowledge_page.done_of(trouble, who, repeated=trouble.taken_up is not None))
