"""Command lines of deployment files, parsed as the command would, without running it."""

from collections.abc import Sequence
from typing import Any

from typer.main import get_command

from streams.cli.app import app


def parsed(words: Sequence[str]) -> dict[str, Any]:
    """The options of `jiantu ...`; raises where the command would refuse them."""
    command: Any = get_command(app)
    name, rest = "jiantu", list(words)
    while hasattr(command, "commands"):
        name = rest.pop(0)
        command = command.commands[name]
    options: dict[str, Any] = command.make_context(name, rest).params
    return options
