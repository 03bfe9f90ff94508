"""`jiantu run`: the live service, events in over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.options import DataDirOption, ProfileOption, data_dir_of, examples, flag
from streams.cli.screen import say, warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp

    from streams.cli.notify import Told
    from streams.exporter.collector import LedgerCollector
    from streams.profile.model import Profile
    from streams.service.app import Service
    from streams.service.writer import Health


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "run",
        epilog=examples(
            "jiantu token create --data-dir data --name 12345 --scope ingest   # shown once",
            "jiantu run --profile leshan --data-dir data --listen 127.0.0.1:8080",
            "jiantu run -p leshan -d try --clock stream            # what is sent says what time it is: for replays",
            "jiantu run -p leshan -d data --config service.toml    # limits, TLS",
        ),
    )(run)


def run(
    *,
    profile: ProfileOption = None,
    data_dir: DataDirOption = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="监听地址 · where to listen", show_default="127.0.0.1:8080"),
    ] = None,
    clock: Annotated[
        str | None,
        typer.Option(
            "--clock", metavar="live|stream", help="谁报时：本机，或数据 · who says the time", show_default="live"
        ),
    ] = None,
    page_replayed: Annotated[
        bool | None,
        flag("--page-replayed", help="回放的数据也呼叫值班 · page on a stream's replayed data too"),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="PEM", help="证书链 · certificate chain; with it, HTTPS")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="PEM", help="私钥 · its private key")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="TOML", help="设置文件；选项优先 · settings; options go first")
    ] = None,
) -> None:
    """实时服务 · Take events in over HTTP, durable before they are answered; watch, and raise alerts.

    SIGTERM and Ctrl-C: what was taken in is finished, and the next start goes on. Send recordings with `jiantu send`.
    """
    from prometheus_client import generate_latest

    from streams.cli.notify import under_systemd
    from streams.cli.progress import preparing
    from streams.clock import WallClock
    from streams.exporter.app import registry_of
    from streams.profile.kept import kept_profile
    from streams.service.running import open_service
    from streams.service.settings import service_settings
    from streams.wiring.inputs import open_profile
    from streams.wiring.warming import warm_up

    directory = data_dir_of(data_dir)
    settings = service_settings(
        config,
        {
            "listen": listen,
            "clock": clock,
            "page_replayed": page_replayed,
            "tls_cert": tls_cert,
            "tls_key": tls_key,
        },
    )
    made = open_profile(profile or kept_profile(directory) or "leshan")
    ledger = _ledger_of(directory, made)
    with (
        under_systemd() as told,
        open_service(made, directory, settings, WallClock(), lambda service: _metrics(ledger, service)) as service,
    ):
        with preparing(quiet=False):
            warm_up(made.city)
            generate_latest(registry_of(ledger))  # the first scrape takes longest; nobody waits for this one
        say(f"监听 {service.url}，数据在 {directory}", f"listening at {service.url}, data in {directory}")
        if settings.tls_cert is None and not settings.listen.startswith(("127.", "[::1]", "localhost")):
            warn("没有 TLS，令牌会明文传输", "no TLS: tokens travel in the clear")
        service.run(_Looking(told))
    say("已停止，什么也没丢", "stopped; nothing is lost")


def _ledger_of(directory: Path, profile: "Profile") -> "LedgerCollector":
    """The figures of the ledger that the service writes."""
    from streams.config import settings
    from streams.exporter.collector import LedgerCollector

    addresses = (settings().console_url or "", settings().runbook_url or "")
    return LedgerCollector(directory, lambda: profile, addresses=addresses)


def _metrics(ledger: "LedgerCollector", service: "Service") -> "Mapping[str, ASGIApp]":
    """What Prometheus scrapes: the ledger's figures and the service's own."""
    from streams.exporter.app import MetricsApp
    from streams.service.collector import ServiceCollector

    return {"/metrics": MetricsApp(ledger, ServiceCollector(service))}


class _Looking:
    """Tells whoever watches, and systemd, when it is ready and that it goes on."""

    def __init__(self, told: "Told") -> None:
        self._told = told
        self._ready = False

    def __call__(self, health: "Health") -> None:
        if not health.recovered or health.failed:
            return
        if not self._ready:
            self._ready = True
            self._told.ready()
            say(f"可用，已有 {health.record:,} 条记录", f"ready, {health.record:,} records so far")
        if health.quiet < _PATIENCE:
            self._told.alive()


_PATIENCE = 60_000_000
"""Microseconds that one round of the writer may take, and still count as alive."""
