"""`jiantu ticker`: live ticks from this machine's clock."""

from typing import Annotated

import typer

from streams.cli.options import ProfileOption, examples, flag
from streams.cli.screen import say
from streams.cli.topic_options import BrokersOption, PrefixOption


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "ticker",
        epilog=examples("jiantu ticker --brokers k1:9092               # a tick a minute, until Ctrl-C"),
    )(ticker)


def ticker(
    *,
    profile: ProfileOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    every: Annotated[
        float, typer.Option("--every", min=1.0, metavar="S", help="间隔，秒 · seconds between ticks")
    ] = 60,
    once: Annotated[bool, flag("--once", help="只报一次 · one tick, then stop")] = False,
) -> None:
    """报时 · Tell every partition of events what time it is, so that windows close where nothing happens too.

    The first tick of an empty topic says where the stream starts. One ticker is enough; two do no harm.
    """
    from streams.broker.names import Topics
    from streams.cli.interruption import Interruption
    from streams.cli.notify import under_systemd
    from streams.cli.topic_options import reached
    from streams.clock import WallClock, pause
    from streams.core.instant import SECOND, format_instant
    from streams.runtime.ticker import Ticker, until_next
    from streams.wiring.inputs import open_profile

    if profile is not None:
        open_profile(profile)  # the same call as a worker's: a wrong name is told at once
    settings, clock = reached(brokers, prefix), WallClock()
    writer = Ticker(settings, Topics(settings.topic_prefix).events, clock)
    say(
        f"报时：主题 {writer.topic}，{writer.partitions} 个分区，每 {every:g} 秒",
        f"ticks to {writer.topic}, {writer.partitions} partitions, every {every:g} s",
    )
    with Interruption() as interruption, under_systemd() as told:
        told.ready()
        while not interruption.asked:
            at = writer.tick()
            told.alive()
            if once:
                say(f"已报 {format_instant(at)}", f"told {format_instant(at)}")
                return
            rest = until_next(clock.now(), round(every * SECOND))
            while rest > 0 and not interruption.asked:
                pause(min(rest, SECOND // 2))
                told.alive()
                rest -= SECOND // 2
    raise typer.Exit(interruption.exit_code)
