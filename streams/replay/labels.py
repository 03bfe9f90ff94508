"""Labels: what really happened in a recorded stream, when and how big. One JSON object a line."""

from collections.abc import Iterable
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from streams.core.instant import Instant, NaiveTimeError, format_instant, parse_instant

EVERY = "*"


class LabelError(Exception):
    """A file of labels that cannot be used: `file:line: what; what to do`."""


class Shape(StrEnum):
    """What kind of incident a label describes."""

    BURST = "burst"
    """Twice as many or more, for a day or two."""
    SLOW_RISE = "slow_rise"
    """Growing over four weeks."""
    SHIFT = "shift"
    """A step to a new level that lasts for weeks."""
    DROUGHT = "drought"
    """Most of the tickets do not come in."""
    CLUSTER = "cluster"
    """Neighbouring counties together."""
    CALLER_FLOOD = "caller_flood"
    """One caller calls fifty times about one matter."""
    SATISFACTION = "satisfaction"
    """Fewer of those who are called back are satisfied; as many call as ever."""


class Label(Struct, frozen=True):
    """One incident."""

    id: str
    shape: str
    """One of `Shape`; other people's labels may use words of their own."""
    counties: tuple[str, ...]
    category: str
    """EVERY where it is no single one."""
    signals: tuple[str, ...]
    """Names of the profile's signals that count its events."""
    start: Instant
    end: Instant
    """Event time, [start, end)."""
    size: int
    """Tickets added; in a drought the tickets that are missing; of satisfaction the answers that changed."""


class _Written(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    shape: str
    counties: tuple[str, ...]
    category: str
    signals: tuple[str, ...]
    start: str
    end: str
    size: int


_FIELDS = ", ".join(_Written.__struct_fields__)


def label_line(label: Label, zone: tzinfo) -> bytes:
    """A label as one line of JSON, times in a zone."""
    fields = {name: getattr(label, name) for name in _Written.__struct_fields__}
    fields |= {"start": format_instant(label.start, zone), "end": format_instant(label.end, zone)}
    return msgspec.json.encode(fields) + b"\n"


def write_labels(path: str | Path, labels: Iterable[Label], zone: tzinfo) -> None:
    """Writes labels, sorted by (start, id). OSError where the file cannot be written."""
    ordered = sorted(labels, key=lambda label: (label.start, label.id))
    Path(path).write_bytes(b"".join(label_line(label, zone) for label in ordered))


def read_labels(path: str | Path) -> tuple[Label, ...]:
    """The labels of a file, in its order. LabelError names the first line that is wrong."""
    path = Path(path)
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        raise LabelError(f"{path}: no such file; `jiantu simulate --labels FILE` writes one") from None
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror}); give a file of labels") from None
    labels: list[Label] = []
    places: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        label = _label(where, line)
        if label.id in places:
            raise LabelError(f"{where}: id {label.id} is line {places[label.id]}'s already; give every label its own")
        places[label.id] = number
        labels.append(label)
    return tuple(labels)


def _label(where: str, line: bytes) -> Label:
    try:
        written = msgspec.json.decode(line, type=_Written)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise LabelError(f"{where}: not a label ({error}); a label is one JSON object with {_FIELDS}") from None
    try:
        start, end = parse_instant(written.start), parse_instant(written.end)
    except NaiveTimeError:
        raise LabelError(f"{where}: a time without a zone; write it like 2025-03-01T08:00:00+08:00") from None
    except (ValueError, OverflowError):
        raise LabelError(f"{where}: not a time; write it like 2025-03-01T08:00:00+08:00") from None
    if start >= end:
        raise LabelError(f"{where}: it ends before it starts; swap start and end")
    if not written.counties:
        raise LabelError(f"{where}: no county; name the counties it happened in")
    fields = {name: getattr(written, name) for name in _Written.__struct_fields__}
    return Label(**{**fields, "start": start, "end": end})
