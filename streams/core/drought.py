"""Far fewer than expected: a drought, a holiday, or a feed that is dead.

* On days that the calendar says something of, few are no news.
* A feed is dead where its points sent nothing of any kind, not only nothing of this signal: the steps of tickets, which
  offices write day by day, are its heartbeat. One page says so for all that it silences.
* Anything else needs a witness: the city as a whole is its own; a county's series needs to be low in the window before
  too, or something else in the county low within this window's span, or one of the profile's witnesses high in it
  (people who no longer reach the hotline petition, post, or call again).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from streams.core.city import Signal, Size
from streams.core.guards import Verdict
from streams.core.incident import Layout
from streams.core.instant import Instant
from streams.core.outputs import ScoredWindow

WITNESS = "witness:"
"""A note begins with it: witness:before, witness:city, witness:low:noise:day, witness:high:petitions:day."""
HEARTBEAT = "heartbeat"
"""The note of a drought whose feed is alive."""
SILENT_POINTS = "silent:"
"""A note begins with it: silent:petition, the points that are silent where others are not."""

Seen = Mapping[tuple[str, Size, str], Instant]
"""(signal, size, county) -> end of the last window in which it was at or near a verdict on one side."""


class Witness(NamedTuple):
    """What a note says of a witness."""

    kind: str
    """before, city, low or high."""
    signal: str = ""
    size: str = ""


def witness(
    layout: Layout, verdict: Verdict, window: ScoredWindow, before: Seen, lows: Seen, highs: Seen
) -> str | None:
    """The note of what corroborates a verdict on the low side; None where nothing does.

    `before` holds the lows as they were before this window end, `lows` and `highs` with it; `highs` only those of
    the profile's witnesses.
    """
    if verdict.series == layout.whole:
        return f"{WITNESS}city"
    signals = layout.city.signals
    own, county = signals[verdict.signal], layout.codes[verdict.series]
    if before.get((own.name, verdict.size, county)) == window.start:
        return f"{WITNESS}before"
    for seen, side in ((lows, "low"), (highs, "high")):
        for (name, size, where), end in seen.items():
            place = layout.signal.get(name)
            if where != county or end <= window.start or place is None:
                continue
            another = signals[place].where != own.where
            if (size is not verdict.size or another) if side == "low" else another:
                return f"{WITNESS}{side}:{name}:{size}" if not layout.compartmented[place] else WITNESS + side
    return None


def witness_in(notes: Iterable[str]) -> Witness | None:
    """What the notes say of a witness."""
    for note in notes:
        if note.startswith(WITNESS):
            return Witness(*note.removeprefix(WITNESS).split(":"))
    return None


def points_of(signal: Signal) -> frozenset[str]:
    """The points whose feed a signal counts; none named: all."""
    return signal.where.get("point", frozenset())


def dead_points(window: ScoredWindow, verdict: Verdict, signal: Signal) -> tuple[str, ...] | None:
    """The points behind a series that sent nothing of any kind in this window, () for all of them; None where its feed
    is alive. A signal that names no points, and counted nothing, has those that are never silent otherwise."""
    detail = window.details.get((verdict.signal, verdict.series))
    if detail is None:
        return None
    if detail.heartbeat == 0:
        return tuple(sorted(points_of(signal)))
    return detail.silent if detail.silent and not points_of(signal) and verdict.count == 0 else None


def heartbeat_note(window: ScoredWindow, verdict: Verdict) -> tuple[str, ...]:
    """That the feed is alive, where it is known to be; or which points are silent though others are not."""
    detail = window.details.get((verdict.signal, verdict.series))
    if detail is None or not detail.heartbeat:
        return ()
    return (f"{SILENT_POINTS}{','.join(detail.silent)}",) if detail.silent else (HEARTBEAT,)


def silent_points_in(notes: Iterable[str]) -> tuple[str, ...]:
    """The points that the notes say are silent; () for all."""
    return next((tuple(n.removeprefix(SILENT_POINTS).split(",")) for n in notes if n.startswith(SILENT_POINTS)), ())
