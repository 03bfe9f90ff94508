"""`jiantu exporter`: the ledger as metrics, for Prometheus."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.ending import FailedError
from streams.cli.options import DataDirOption, LedgerOption, ProfileOption, examples, flag, where_of
from streams.cli.screen import print_bytes, say, warn

if TYPE_CHECKING:
    from streams.ledger.place import Where
    from streams.profile.model import Profile


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "exporter",
        epilog=examples(
            "jiantu exporter --data-dir data --listen 127.0.0.1:9464      # Prometheus scrapes /metrics",
            "JIANTU_LEDGER_URL_FILE=/run/secrets/ledger jiantu exporter --listen 0.0.0.0:9464",
            "jiantu exporter -d data --once                               # what a scrape gets, then stop",
        ),
    )(exporter)


def exporter(
    *,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="监听地址 · where to listen; port 0: any that is free")
    ] = "127.0.0.1:9464",
    replayed: Annotated[
        bool | None,
        flag(
            "--replayed/--live",
            help="数据是重放的还是实时的；默认看台账 · whether the data are replayed; default: what the ledger says",
            show_default=False,
        ),
    ] = None,
    once: Annotated[bool, flag("--once", help="输出一次后停止 · print one scrape, then stop")] = False,
) -> None:
    """指标导出 · The ledger as metrics: open alerts, windows, budget, accounts. Names: deploy/METRICS.md.

    It only reads, and stays up where the ledger cannot be read: then jiantu_exporter_up is 0. No number is shown that
    narrows a cell below k people; such a series has a flag instead.
    """
    from prometheus_client import generate_latest

    from streams.config import settings
    from streams.exporter.app import exporter_app, registry_of
    from streams.exporter.collector import LedgerCollector

    where, environment = where_of(data_dir, ledger), settings()
    collector = LedgerCollector(
        where,
        lambda: profile_of(where, profile),
        replayed=replayed,
        addresses=(environment.console_url or "", environment.runbook_url or ""),
    )
    if once:
        print_bytes(generate_latest(registry_of(collector)))
        if collector.trouble:
            raise FailedError(f"台账读不出：{collector.trouble}", f"the ledger cannot be read: {collector.trouble}")
        return
    from streams.cli.notify import serving_is_life
    from streams.serving.server import serving

    with serving(listen) as (server, url), serving_is_life(server):
        server.config.app = exporter_app(collector)
        say(f"指标在 {url}/metrics", f"metrics at {url}/metrics")
        generate_latest(registry_of(collector))  # the first reading takes longest, and says what is wrong
        if collector.trouble:
            words = f"the ledger cannot be read; jiantu_exporter_up is 0 until it can: {collector.trouble}"
            warn("台账现在读不出，能读之前 jiantu_exporter_up 为 0", words)
        server.serve_here()


def profile_of(where: "Where", named: str | None) -> "Profile":
    """The profile that is kept with a ledger, or the one that was named. Raises LedgerError, ProfileError."""
    from streams.ledger.errors import NotALedgerError
    from streams.wiring.reading import DataDirError, open_reading

    try:
        with open_reading(where, named) as reading:
            return reading.profile
    except DataDirError as error:
        raise NotALedgerError(str(error)) from None
