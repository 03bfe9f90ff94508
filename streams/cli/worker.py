"""`jiantu worker`: take part in the distributed runtime."""

import sys
from typing import Annotated

import typer

from streams.cli.options import ProfileOption, examples, flag
from streams.cli.topic_options import BrokersOption, PrefixOption, broker_settings

GroupOption = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="NAME",
        help="消费者组 · consumer group; default: $JIANTU_KAFKA_GROUP, or jiantu",
        show_default=False,
    ),
]


ListenOption = Annotated[
    str | None,
    typer.Option(
        "--listen",
        metavar="HOST:PORT",
        help="在此提供 /metrics · serve /metrics there; port 0: any that is free",
        show_default="not",
    ),
]
COMMAND = (sys.executable, "-m", "streams")
"""Starts `jiantu` with the interpreter that this is."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "worker",
        epilog=examples(
            "jiantu worker --profile leshan --brokers k1:9092,k2:9092",
            "jiantu worker -p leshan -b k1:9092 --steps tally        # this one counts; others score and judge",
            "jiantu worker -p leshan -b k1:9092 --listen 0.0.0.0:9465  # Prometheus scrapes /metrics",
        ),
    )(worker)


def worker(  # noqa: PLR0913 - one parameter an option
    *,
    context: typer.Context,
    profile: ProfileOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    steps: Annotated[
        str, typer.Option("--steps", metavar="tally,score,judge", help="做哪几步 · which of the three steps")
    ] = "tally,score,judge",
    group: GroupOption = None,
    interval: Annotated[
        float, typer.Option("--checkpoint-seconds", min=0.0, help="检查点间隔，秒 · seconds between checkpoints")
    ] = 5.0,
    alone: Annotated[bool, flag("--alone", help="失败后不自行重启 · one process, which nobody starts again")] = False,
    listen: ListenOption = None,
) -> None:
    """分布式运行 · Drive tally, score and judge over Kafka, with as many workers as there are partitions.

    Says what it does as JSON lines on stderr. SIGTERM and Ctrl-C: it writes its checkpoints, and leaves.

    A worker that failed is started again, after a rest; one that fails for the third time at the same records is not.
    Exit codes: 0 told to stop; 1 failed; 2 refused and 3 stopped for good: somebody has to look first.
    """
    from streams.broker.names import Topics
    from streams.cli.ending import WrongInputError
    from streams.cli.notify import keeping_alive
    from streams.cli.worker_metrics import metrics_served
    from streams.core.instant import SECOND
    from streams.runtime.template import in_template
    from streams.runtime.worker_process import run_worker, say_to_stderr, supervise
    from streams.runtime.worker_setup import WorkerSetup, steps_named
    from streams.wiring.inputs import open_profile
    from streams.wiring.warming import warm_up

    if alone and listen is not None and not in_template():
        raise WrongInputError(
            "--listen 与 --alone 不能同时用", "--listen counts over the lives of a worker: leave --alone out"
        )
    settings = broker_settings(brokers, prefix, group)
    made = open_profile(profile or "leshan")
    setup = WorkerSetup(city=made.city, settings=settings, steps=steps_named(steps), interval=round(interval * SECOND))
    if not alone:
        command, say = [*COMMAND, *context.obj, "--alone"], say_to_stderr()
        with metrics_served(listen, Topics(settings.topic_prefix), say) as hear, keeping_alive():
            raise typer.Exit(supervise(command, setup, say, hear))
    warm_up()
    with keeping_alive():  # its own watchdog ends it when records wait and none is taken
        raise typer.Exit(run_worker(setup, say_to_stderr()))
