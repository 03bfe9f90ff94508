"""`jiantu paging`: alerts to the phones of staff."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import DataDirOption, LedgerOption, ProfileOption, examples, flag, where_of
from streams.cli.screen import say, warn

ListenOption = Annotated[
    str, typer.Option("--listen", metavar="HOST:PORT", help="监听地址 · where to listen; port 0: any that is free")
]
ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config", "-c", metavar="FILE", help="渠道、级别和密钥位置（YAML）· channels, levels, where secrets are"
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "paging",
        epilog=examples(
            "jiantu paging --data-dir data --config paging.yaml      # Alertmanager posts to /v1/alertmanager",
            "JIANTU_LEDGER_URL_FILE=/run/secrets/ledger jiantu paging -c paging.yaml --listen 0.0.0.0:9095",
            "jiantu paging -d data -c paging.yaml --check            # looks at the file and the secrets, and stops",
        ),
    )(paging)


def paging(
    *,
    config: ConfigOption,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    listen: ListenOption = "127.0.0.1:9095",
    check: Annotated[bool, flag("--check", help="只检查设置 · check the settings, then stop")] = False,
) -> None:
    """寻呼 · Take Alertmanager's notifications and page staff: DingTalk, WeCom, Feishu, mail, webhooks.

    A page is durable in the ledger before Alertmanager is answered, and told until a channel has taken it or somebody
    has taken the alert up. Nobody is told twice of one alert, but by escalation. Where there is no ledger yet it waits.
    """
    from streams.cli.exporter import profile_of
    from streams.cli.notify import serving_is_life
    from streams.clock import WallClock
    from streams.config import settings as environment
    from streams.paging.app import paging_app
    from streams.paging.pager import Pager, Secrets
    from streams.paging.settings import PagingSettingsError, read_paging
    from streams.runtime.worker_process import say_to_stderr
    from streams.serving.server import serving
    from streams.wiring.inputs import open_profile

    settings = read_paging(config)
    if settings.console_url is None:
        console = environment().console_url
        if console is None:
            raise PagingSettingsError([f"{config}: 缺 console_url（或 JIANTU_CONSOLE_URL） | console_url is missing"])
        settings = settings.model_copy(update={"console_url": console})
    secrets = Secrets.read(settings)
    clock, where = WallClock(), where_of(data_dir, ledger)
    if profile:
        open_profile(profile)  # one that is named and cannot be read is wrong now, whatever the ledger
    pager = Pager(where, lambda: profile_of(where, profile), settings, secrets, clock, say_to_stderr(clock))
    waiting = pager.ready()
    if check:
        pager.close()
        say("设置可用", "the settings are good")
        if waiting is not None:
            warn(f"台账现在读不出：{waiting}", "the ledger cannot be read now; the pager will wait for it")
        return
    with pager, serving(listen) as (server, url), serving_is_life(server):
        server.config.app = paging_app(pager)
        pager.on_failure = server.end
        say(f"寻呼：{url}", f"paging at {url}")
        if waiting is not None:
            words = f"the ledger cannot be read now; it waits, and /readyz says so: {waiting}"
            warn("台账现在读不出，等它出现；此前 /readyz 为 503", words)
        server.serve_here()
    if pager.failed is not None:
        raise typer.Exit(1)
