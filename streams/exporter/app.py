"""`/metrics` over HTTP: text format or OpenMetrics, as the asker accepts."""

import gzip

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from streams.exporter.collector import LedgerCollector

_ASKING = ("GET", "HEAD")


def registry_of(*collectors: Collector) -> CollectorRegistry:
    """A registry of just these: nothing of the process, nothing of others in it."""
    registry = CollectorRegistry(auto_describe=False)
    for one in collectors:
        registry.register(one)
    return registry


class MetricsApp:
    """Answers with what some collectors collect, anew for everyone who asks; nobody else waits for it."""

    def __init__(self, *collectors: Collector) -> None:
        self._registry = registry_of(*collectors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, whatever its path: where it stands is its mount's business."""
        request = Request(scope)
        if request.method not in _ASKING:
            refused = PlainTextResponse("405\n", status_code=405, headers={"Allow": ", ".join(_ASKING)})
            await refused(scope, receive, send)
            return
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body: bytes = await run_in_threadpool(encode, self._registry)
        headers = {"Content-Type": content_type, "Cache-Control": "no-store"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = await run_in_threadpool(gzip.compress, body, 1)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        await Response(body, headers=headers)(scope, receive, send)


def exporter_app(collector: LedgerCollector) -> Starlette:
    """The application of an exporter that stands alone."""

    def health(_request: Request) -> Response:
        """The process answers; whether the ledger does is jiantu_exporter_up's to say."""
        return PlainTextResponse("ok\n")

    def front(_request: Request) -> Response:
        trouble = f"\n台账读不出 the ledger cannot be read: {collector.trouble}\n" if collector.trouble else ""
        return PlainTextResponse(f"jiantu exporter: /metrics\n{trouble}")

    return Starlette(routes=[Route("/metrics", MetricsApp(collector)), Route("/healthz", health), Route("/", front)])
