"""How a board in Grafana differs from the one that would be pushed, in words: what somebody would lose, or gain."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Document = Mapping[str, Any]

OWN: Final = ("id", "version")
"""Fields of a board that are Grafana's own business."""
_NAMES: Final = {
    "title": ("标题", "title"),
    "description": ("说明", "description"),
    "time": ("时间范围", "time range"),
    "refresh": ("刷新", "refresh"),
    "timezone": ("时区", "time zone"),
    "tags": ("标签", "tags"),
    "links": ("链接", "links"),
    "editable": ("可否编辑", "may be edited"),
    "schemaVersion": ("格式", "schema"),
}
_PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "panels": ("图表", "panels"),
    "templating": ("变量", "variables"),
    "annotations": ("标注", "annotations"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is another one: `what` in Chinese and in English, and which."""

    zh: str
    en: str
    which: str


def changes(there: Document, wanted: Document) -> Iterator[Change]:
    """What pushing changes, the panels first; nothing where the boards are the same."""
    for part, (zh, en) in _PARTS.items():
        before, after = _members(there, part), _members(wanted, part)
        fates: dict[str, list[str]] = {}
        for name in (*after, *(one for one in before if one not in after)):
            fates.setdefault(_fate(before.get(name), after.get(name)), []).append(name)
        for fate, word in _FATES.items():
            if fate in fates:
                yield Change(f"{zh}{word}", f"{en} {fate}", "、".join(fates[fate]))
    for field in sorted((there.keys() | wanted.keys()) - _PARTS.keys() - set(OWN)):
        if there.get(field) != wanted.get(field):
            zh, en = _NAMES.get(field, (field, field))
            yield Change(zh, en, f"{_short(there.get(field))} → {_short(wanted.get(field))}")


@dataclass(frozen=True, slots=True)
class _Member:
    """A panel, a variable, an annotation: what it is, and where it lies."""

    content: Document
    place: object


_FATES: Final = {"added": "新增", "removed": "去掉", "changed": "改动", "moved": "挪动"}


def _fate(before: _Member | None, after: _Member | None) -> str:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    if before.content != after.content:
        return "changed"
    return "moved" if before.place != after.place else ""


def _members(document: Document, part: str) -> Mapping[str, _Member]:
    """Panels, variables, annotations by what people call them; a second one of a name has its number."""
    held = document.get(part)
    listed = held.get("list") if isinstance(held, Mapping) else held
    found: dict[str, _Member] = {}
    for member in listed if isinstance(listed, list) else []:
        named = str(member.get("title") or member.get("name") or "?")
        name, number = named, 1
        while name in found:
            number += 1
            name = f"{named} ({number})"
        content = {key: value for key, value in member.items() if key not in {"id", "gridPos"}}
        found[name] = _Member(content, member.get("gridPos"))
    return found


def _short(value: object) -> str:
    if isinstance(value, str | int | float):
        text = str(value)
        return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"
    return "…" if value else "–"
