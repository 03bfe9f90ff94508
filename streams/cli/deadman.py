"""`jiantu deadman`: pages when the Watchdog no longer comes."""

import threading
from typing import Annotated

import typer

from streams.cli.options import DataDirOption, data_dir_of, examples, flag
from streams.cli.paging import ConfigOption, ListenOption
from streams.cli.screen import say


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "deadman",
        epilog=examples(
            "jiantu deadman --data-dir deadman --config deadman.yaml      # Alertmanager posts to /v1/watchdog",
        ),
    )(deadman)


def deadman(
    *,
    config: ConfigOption,
    data_dir: DataDirOption = None,
    listen: ListenOption = "127.0.0.1:9096",
    check: Annotated[bool, flag("--check", help="只检查设置 · check the settings, then stop")] = False,
) -> None:
    """死者开关 · Page by a channel of its own when the Watchdog stops arriving: somebody must watch the watchers.

    It needs no ledger and no Alertmanager; run it on another machine. --data-dir is a folder for one small file.
    """
    from streams.cli.notify import serving_is_life
    from streams.clock import WallClock
    from streams.core.instant import MINUTE
    from streams.paging.channels import Channel
    from streams.paging.deadman import Deadman, DeadmanPager, Memory
    from streams.paging.deadman_app import deadman_app
    from streams.paging.settings import read_deadman
    from streams.runtime.worker_process import say_to_stderr
    from streams.serving.server import serving

    settings = read_deadman(config)
    token = settings.webhook_token.read_key("webhook_token")
    channels = [Channel(name, one.url.read(f"channels.{name}.url")) for name, one in settings.channels.items()]
    clock, directory = WallClock(), data_dir_of(data_dir)
    if check:
        say("设置可用", "the settings are good")
        return
    switch = Deadman(
        Memory(directory, settings.expect), round(settings.silence * MINUTE), round(settings.again * MINUTE)
    )
    pager = DeadmanPager(switch, channels, settings, clock, say_to_stderr(clock))
    stop, failed = threading.Event(), list[Exception]()

    with serving(listen) as (server, url), serving_is_life(server):
        server.config.app = deadman_app(switch, token, clock)

        def listening() -> None:
            try:
                pager.run(stop)
            except Exception as error:  # noqa: BLE001 - told by the command itself, below
                failed.append(error)
                server.end()

        thread = threading.Thread(target=listening, name="listening")
        thread.start()
        try:
            say(f"死者开关：{url}", f"dead man at {url}")
            server.serve_here()
        finally:
            stop.set()
            thread.join()
    if failed:
        raise failed[0]
