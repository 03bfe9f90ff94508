"""`jiantu tail`: alerts as they come."""

from typing import Annotated

import typer

from streams.cli.options import LangOption, ProfileOption, examples, flag, lang_of
from streams.cli.topic_options import BrokersOption, OnceOption, PrefixOption


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "tail",
        epilog=examples(
            "jiantu tail --brokers k1:9092 --profile leshan             # sentences, from now on, until Ctrl-C",
            "jiantu tail --brokers k1:9092 --from start --once --json   # all there are, a JSON object a line",
        ),
    )(tail)


def tail(
    *,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    profile: ProfileOption = None,
    since: Annotated[
        str, typer.Option("--from", metavar="end|start|P:N", help="从哪里起 · from where; P:N behind partition:offset")
    ] = "end",
    once: OnceOption = False,
    lang: LangOption = None,
    as_json: Annotated[bool, flag("--json", help="每行一个 JSON 对象 · a JSON object a line")] = False,
) -> None:
    """跟看 · Show what happens to alerts as it happens: raised, joined, ended; each once.

    With --profile in sentences, with the names of the city. Corrections by late events are not shown.
    """
    from streams.cli.interruption import Interruption
    from streams.cli.tailing import Shown, follow
    from streams.cli.topic_options import reached

    settings = reached(brokers, prefix)
    shown = Shown.of(profile, lang_of(lang), as_json=as_json)
    with Interruption() as interruption:
        follow(settings, shown, since, interruption, once=once)
    if interruption.asked:
        raise typer.Exit(interruption.exit_code)
