"""`jiantu version`: the package, and the formats it reads and writes."""

import typer

from streams.cli.options import JsonOption, examples
from streams.cli.screen import out, print_json


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("version", epilog=examples("jiantu version", "jiantu version --json"))(version)


def version(as_json: JsonOption = False) -> None:
    """版本 · Versions of the package and of its formats."""
    found = versions()
    if as_json:
        print_json(found)
        return
    out.print(f"[bold]jiantu[/bold] {found['jiantu']}")
    for name, words in (
        ("python", "Python"),
        ("ledger_schema", "台账格式 ledger schema"),
        ("recording_format", "记录格式 recording format"),
        ("event_schema", "事件格式 event schema"),
    ):
        out.print(f"{words}: {found[name]}")


def versions() -> dict[str, object]:
    """All versions, by name."""
    import platform
    from importlib.metadata import version as of_package

    from streams.ledger.schema import VERSION as LEDGER_SCHEMA
    from streams.sources.recording import VERSION

    return {
        "jiantu": of_package("jiantu"),
        "python": platform.python_version(),
        "ledger_schema": LEDGER_SCHEMA,
        "recording_format": VERSION,
        "event_schema": VERSION,
    }
