"""Where words go: results to stdout, everything else (progress, warnings, errors) to stderr.

With --json stdout carries one JSON document and nothing else, so that another program can read it.
"""

import sys
from collections.abc import Mapping, Sequence

import msgspec
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.text import Text

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)

Json = Mapping[str, object] | Sequence[object]


def print_json(document: Json) -> None:
    """One JSON document on stdout, UTF-8; indented where a person looks at it."""
    text = msgspec.json.encode(document)
    if sys.stdout.isatty():
        text = msgspec.json.format(text, indent=2)
    print_bytes(text + b"\n")


def print_bytes(data: bytes) -> None:
    """Bytes to stdout as they are, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def show(*parts: RenderableType) -> None:
    """Results for a person, one below the other; nothing is cut off where a file or a program takes them."""
    for part in parts:
        if isinstance(part, Text):  # printing joins texts, and forgets how they are to be wrapped
            out.print(part, crop=False, no_wrap=part.no_wrap, overflow=part.overflow)
        else:
            out.print(part, crop=False)


def say(zh: str, en: str) -> None:
    """A line to whoever watches, on stderr: Chinese, with the English beside it."""
    err.print(f"{escape(zh)}  [dim]{escape(en)}[/dim]", soft_wrap=True)


def warn(zh: str, en: str) -> None:
    """Something that may be wrong, though the command goes on."""
    err.print(f"[yellow]注意 warning[/yellow] {escape(zh)}  [dim]{escape(en)}[/dim]", soft_wrap=True)


def forgive_encodings() -> None:
    """On a terminal that cannot show a character, show a question mark instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
