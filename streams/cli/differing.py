"""How an alert log differs from a stored one, for a person."""

from collections.abc import Sequence

from streams.cli.screen import out
from streams.profile import Profile
from streams.replay.expected import Difference, Line

MOST_SHOWN = 50
_MARKS = {
    "missing": ("-", "red", "少了 missing"),
    "unexpected": ("+", "green", "多了 unexpected"),
    "changed": ("~", "yellow", "变了 changed"),
}


def show(differing: Sequence[Difference], profile: Profile) -> None:
    """One line a difference, and for what changed the values."""
    names = {county.code: county.name for county in profile.city.counties} | {profile.city.code: profile.city.title}
    for one in differing[:MOST_SHOWN]:
        mark, style, words = _MARKS[one.kind]
        line = one.found or one.expected or {}
        out.print(f"[{style}]{mark} {words}[/{style}] ", end="")
        out.print(_words(line, names), markup=False, soft_wrap=True)
        for name in one.fields:
            assert one.expected is not None
            assert one.found is not None
            out.print(f"    {name}: {one.expected.get(name)} → {one.found.get(name)}", markup=False, soft_wrap=True)
    if len(differing) > MOST_SHOWN:
        out.print(f"… 另有 {len(differing) - MOST_SHOWN} 处 more")
    out.print(
        f"[bold red]与存下的日志有 {len(differing)} 处不同[/bold red]  [dim]differences from the stored log[/dim]"
    )


def _words(line: Line, names: dict[str, str]) -> str:
    shown = [str(line.get("at")), str(line.get("transition")), str(line.get("alert"))]
    if line.get("transition") == "raised":
        code = str(line.get("county"))
        shown += [names.get(code, code), str(line.get("signal")), str(line.get("size")), f"count {line.get('count')}"]
    return "  ".join(shown)
