"""The dead man over HTTP: the Watchdog as Alertmanager sends it, and heartbeats of whoever else is expected."""

from hmac import compare_digest

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import SecretStr

from streams.clock import Clock
from streams.core.instant import format_instant
from streams.paging.app import bearer_of, body_of, new_app, refusal
from streams.paging.deadman import Deadman
from streams.paging.webhook import MOST_BYTES, WATCHDOG, NotificationError, read_notification

HEARTBEAT = "watchdog"
"""Name of the Watchdog's heartbeat."""


def deadman_app(deadman: Deadman, token: SecretStr, clock: Clock) -> FastAPI:
    """What a dead man answers."""
    app = new_app("jiantu deadman")

    def knows(request: Request) -> bool:
        return compare_digest(bearer_of(request).encode(), token.get_secret_value().encode())

    @app.get("/readyz")
    async def readyz() -> Response:
        heard = {name: None if at is None else format_instant(at) for name, at in deadman.heard().items()}
        return JSONResponse({"status": "ok", "silent": deadman.silent(), "heard": heard})

    @app.post("/v1/watchdog")
    async def watchdog(request: Request) -> Response:
        if not knows(request):
            return refusal(401, "show the webhook_token as a bearer token (http_config.authorization)")
        try:
            notification = read_notification(await body_of(request, MOST_BYTES))
        except NotificationError as error:
            return refusal(400, str(error))
        if any(one.firing and one.labels.get("alertname") == WATCHDOG for one in notification.alerts):
            deadman.beat(HEARTBEAT, clock.now())
        return Response(status_code=204)

    @app.post("/v1/alive/{name}")
    async def alive(request: Request, name: str) -> Response:
        if not knows(request):
            return refusal(401, "show the webhook_token as a bearer token")
        if not deadman.beat(name, clock.now()):
            return refusal(404, f"nobody expects {name[:32]}; add it to `expect` of the dead man's file")
        return Response(status_code=204)

    return app
