"""The HTTP interface of the live service: events in, and how it is. https://fastapi.tiangolo.com"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.clock import Clock
from streams.core.instant import SECOND, format_instant
from streams.ledger.tokens import Scope as For
from streams.profile import Profile
from streams.service import description
from streams.service.access import Doorkeeper
from streams.service.answers import Answer
from streams.service.bodies import Bodies
from streams.service.intake import NoRoomError, NotBegunError, Sent
from streams.service.records import CONTENT_TYPES, UnknownContentError, records_of
from streams.service.settings import ServiceSettings
from streams.service.writer import RefusedError, Writer
from streams.serving.refusals import HttpError, closing, json_response

_MILLISECOND = SECOND // 1000
PROBES = ("/healthz", "/readyz", "/version", "/metrics")


@dataclass(slots=True)
class Figures:
    """What the service counts of its requests: the metrics' makings. Only the event loop writes here."""

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(route, status) -> requests."""
    records: Counter[str] = field(default_factory=Counter)
    """Verdict -> records answered for."""


class Service:
    """What the interface stands on."""

    def __init__(
        self, profile: Profile, writer: Writer, doorkeeper: Doorkeeper, settings: ServiceSettings, clock: Clock
    ) -> None:
        self.profile = profile
        self.writer = writer
        self.doorkeeper = doorkeeper
        self.settings = settings
        self.clock = clock
        self.figures = Figures()
        self.bodies = Bodies(settings)
        self.being_answered = 0
        self.stalls = 0
        """Times that it made no progress for too long."""
        self._stalled = False

    async def take_in(self, request: Request) -> Answer:
        """The records of a request, taken in and durable. Raises HttpError."""
        received = self.clock.now() // _MILLISECOND
        with self.bodies.room(request):
            body = await self.bodies.read(request)
            try:
                given = records_of(request.headers, body)
            except UnknownContentError as error:
                raise HttpError(
                    415,
                    "unknown_content",
                    f"不认识的内容类型 {error}",
                    f"content-type {error}: it may be {', '.join(CONTENT_TYPES)}",
                ) from None
            if len(given) > self.settings.max_records:
                most = self.settings.max_records
                raise HttpError(
                    413, "too_many", f"一次最多 {most} 条，请分批发送", f"at most {most} records at a time; send parts"
                )
            return await self._submit(Sent(given, received))

    async def _submit(self, sent: Sent) -> Answer:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()

        def settle(answer: Answer | Exception) -> None:
            if answered.done():  # the client is gone; what it sent is durable all the same
                return
            if isinstance(answer, Exception):
                answered.set_exception(answer)
            else:
                answered.set_result(answer)

        def done(answer: Answer | Exception) -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(settle, answer)

        try:
            self.writer.submit(sent, done)
            answer = await answered
        except RefusedError as error:
            again = {"retry-after": str(error.again)}
            raise HttpError(error.status, error.code, error.zh, error.en, headers=again) from None
        except NoRoomError as error:
            raise HttpError(
                503, "no_room", "磁盘已满，未收下，请稍后重发", str(error), headers={"retry-after": "5"}
            ) from None
        except NotBegunError as error:
            raise HttpError(400, "not_begun", "流还没有开始：先发记录的首行、报时或事件", str(error)) from None
        for verdict, records in Counter(answer.verdicts).items():
            if verdict is not None:
                self.figures.records[verdict] += records
        return answer

    @property
    def _progressing(self) -> bool:
        return self.writer.health.quiet < round(self.settings.stall_seconds * SECOND)

    def look(self) -> None:
        """See whether it goes on; to be called every second or so."""
        stalled = not self._progressing
        self.stalls += stalled and not self._stalled
        self._stalled = stalled

    def life(self) -> tuple[bool, dict[str, Any]]:
        """(alive, the facts): whether the process is of any use, and whether it failed at its records before."""
        health = self.writer.health
        status = "failed" if health.failed else "failing" if health.failing is not None else "ok"
        facts: dict[str, Any] = {"status": status, "failures": health.failures}
        if health.failing is not None:
            facts |= {"record": health.failing.first, "why": health.failing.error}
        return not health.failed, facts

    def readiness(self) -> tuple[bool, dict[str, Any]]:
        """(ready, the facts)."""
        health = self.writer.health
        progressing = self._progressing
        ready = health.recovered and progressing and health.room and not health.stopping and not health.failed
        zone = self.profile.city.zone
        mark = health.watermark
        return ready, {
            "ready": ready,
            "recovered": health.recovered,
            "progressing": progressing,
            "room": health.room,
            "free_bytes": health.free,
            "stopping": health.stopping or health.failed,
            "waiting": health.waiting,
            "record": health.record,
            "reached": None if health.reached is None else format_instant(health.reached, zone),
            "watermark": None if mark is None else format_instant(mark, zone),
            "watermark_age_seconds": None if mark is None else (self.clock.now() - mark) / SECOND,
        }


def build_app(service: Service, mounts: Mapping[str, ASGIApp]) -> ASGIApp:
    """The whole interface. `mounts`: what else is served, by path: `/metrics`."""
    app = FastAPI(
        title="jiantu 监土",
        version=version("jiantu"),
        description=description.ABOUT,
        docs_url=None,
        redoc_url=None,
        responses=description.EVERYWHERE,
    )
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        document["components"] = document.get("components", {}) | {"securitySchemes": description.SECURITY}
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to add to it
    _add_ingest(app, service)
    _add_reading(app, service)
    _add_probes(app, service)
    for path, mounted in mounts.items():
        app.router.routes.append(Route(path, mounted))  # a mount would send callers on to a path that ends with /

    async def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HttpError)
        return error.response()

    async def not_served(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        text = str(error.detail)
        return HttpError(error.status_code, "not_served", "没有这个地址或方法", text, headers=error.headers).response()

    async def broken(_request: Request, _error: Exception) -> Response:
        return HttpError(500, "internal", "服务内部错误", "internal error; it is in the service's log").response()

    app.add_exception_handler(HttpError, refused)
    app.add_exception_handler(HTTPException, not_served)
    app.add_exception_handler(Exception, broken)
    return _Counted(app, service, {*PROBES, "/v1/events", "/v1/accounting", "/openapi.json"})


def _add_ingest(app: FastAPI, service: Service) -> None:
    @app.post(
        "/v1/events",
        status_code=202,
        dependencies=[Depends(service.doorkeeper.needs(For.INGEST))],
        responses=description.INGEST_RESPONSES,
        openapi_extra=description.ingest(service.profile.city),
        summary="发送事件 · send events",
    )
    async def events(request: Request) -> Response:
        answer = await service.take_in(request)
        return json_response(400 if answer.rejections else 202, answer)


def _add_reading(app: FastAPI, service: Service) -> None:
    @app.get(
        "/v1/accounting",
        dependencies=[Depends(service.doorkeeper.needs(For.READ))],
        responses=description.ACCOUNTING_RESPONSES,
        openapi_extra=description.SECURED,
        summary="收支 · what became of all records",
    )
    async def accounting() -> Response:
        health = service.writer.health
        totals = health.accounting
        return json_response(
            200,
            {
                "received": totals.received,
                "counted": totals.counted,
                "duplicate": totals.duplicate,
                "late": totals.late,
                "rejected": totals.rejected,
                "windows_closed": totals.windows_closed,
                "record": health.record,
            },
        )


def _add_probes(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", summary="进程在 · the process is there", responses=description.HEALTH_RESPONSES)
    async def healthz() -> Response:
        alive, facts = service.life()
        return json_response(200 if alive else 503, facts)

    @app.get("/readyz", summary="可用 · recovered and making progress", responses=description.READY_RESPONSES)
    async def readyz() -> Response:
        ready, facts = service.readiness()
        return json_response(200 if ready else 503, facts, {} if ready else {"retry-after": "2"})

    @app.get("/version", summary="版本 · what runs here", responses=description.VERSION_RESPONSES)
    async def what_runs() -> Response:
        return json_response(
            200,
            {
                "version": version("jiantu"),
                "profile": service.profile.name,
                "profile_version": service.profile.version,
                "clock": service.settings.clock,
                "pages": service.settings.pages,
                "inbox": service.writer.health.inbox,
            },
        )


class _Counted:
    """Counts requests, and refuses more of them at once than may be; probes are always answered."""

    def __init__(self, app: ASGIApp, service: Service, routes: set[str]) -> None:
        self._app = app
        self._service = service
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        route = path if path in self._routes else "other"
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        service = self._service
        try:
            if path in PROBES:
                await self._app(scope, receive, noting)
            elif service.being_answered >= service.settings.max_requests:
                busy = HttpError(
                    503, "busy", "请求太多，请稍后重发", "busy; send it again", headers={"retry-after": "1"}
                )
                await closing(busy).response()(scope, receive, noting)
            else:
                service.being_answered += 1
                try:
                    await self._app(scope, receive, noting)
                finally:
                    service.being_answered -= 1
        except asyncio.CancelledError:  # told to stop, and it did not come to its end in time
            if not status:
                stopping = HttpError(503, "stopping", "服务正在停止，请稍后重发", "stopping; send it again")
                await closing(stopping).response()(scope, receive, noting)
        finally:
            service.figures.requests[route, status] += 1
