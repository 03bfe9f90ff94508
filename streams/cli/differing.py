"""How an alert log differs from a stored one, on the screen."""

from collections.abc import Sequence

from rich.markup import escape

from streams.cli.screen import out
from streams.profile import Profile
from streams.replay.expected import Difference, lines

_STYLES = {"-": "red", "+": "green", "~": "yellow", " ": "none"}


def show(differing: Sequence[Difference], profile: Profile) -> None:
    """The lines of the diff, in colour."""
    names = {county.code: county.name for county in profile.city.counties} | {profile.city.code: profile.city.title}
    for line in lines(differing, names):
        style = _STYLES[line.mark]
        head = "  ".join(part for part in (line.mark, line.said) if part)
        out.print(f"[{style}]{escape(head)}[/{style}]  {escape(line.text)}", soft_wrap=True)
    out.print(
        f"[bold red]与存下的日志有 {len(differing)} 处不同[/bold red]  [dim]differences from the stored log[/dim]"
    )
