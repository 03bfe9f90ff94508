"""`jiantu dlq`: what could not become an event, and taking it up again."""

from typing import Annotated

import typer

from streams.cli import ending
from streams.cli.options import JsonOption, ProfileOption, examples, flag
from streams.cli.topic_options import BrokersOption, PrefixOption

ReasonOption = Annotated[
    str | None, typer.Option("--reason", metavar="REASON", help="只看这一种理由 · only those rejected for this")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="拒收 · Dead letters: records that could not become events, by reason and place, never what they hold",
        epilog=examples("jiantu dlq list --brokers k1:9092", "jiantu dlq redrive --brokers k1:9092 --profile leshan"),
    )
    group.callback()(_group)
    group.command(
        "list",
        epilog=examples("jiantu dlq list --brokers k1:9092", "jiantu dlq list --reason unknown_category --json"),
    )(list_letters)
    group.command(
        "redrive",
        epilog=examples(
            "jiantu dlq redrive --profile leshan --dry-run               # what would be taken up?",
            "jiantu dlq redrive --profile leshan --reason unknown_category",
        ),
    )(redrive)
    app.add_typer(group, name="dlq")


def _group() -> None:
    """拒收 · Dead letters: records that could not become events, by reason and place, never what they hold."""


def list_letters(
    *,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    reason: ReasonOption = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="最多列多少条 · how many to list, the latest")] = 20,
    as_json: JsonOption = False,
) -> None:
    """列出 · Rejected records: why, where they lie, their digest; how many for each reason."""
    from streams.cli.dead_letters import letters_of, show_letters
    from streams.cli.topic_options import reached

    found = letters_of(reached(brokers, prefix), reason, quiet=as_json)
    show_letters(found, limit, as_json=as_json)


def redrive(
    *,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    profile: ProfileOption = None,
    reason: ReasonOption = None,
    dry_run: Annotated[bool, flag("--dry-run", help="只看不写 · only say what would be done")] = False,
    as_json: JsonOption = False,
) -> None:
    """重投 · Produce again what today's profile can decode, under the right key; say why of the rest.

    The original is read from its place in `events` and compared with the digest. Once is enough: run it as often as
    you like. Exit code 1 where what lies there is not what was rejected.
    """
    from streams.cli.dead_letters import redriven_now, show_redriven
    from streams.cli.topic_options import reached
    from streams.sinks.redrive import Outcome

    if profile is None:
        raise ending.WrongInputError("缺城市配置，请加 --profile", "whose events? add --profile NAME|DIR")
    done = redriven_now(reached(brokers, prefix), profile, reason, rehearsal=dry_run, quiet=as_json)
    show_redriven(done, as_json=as_json)
    if any(one.outcome is Outcome.DIFFERS for one in done):
        raise typer.Exit(ending.FAILED)
