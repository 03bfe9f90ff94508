"""The records of a scenario, in the order in which they are received: lines of a recording.

The same scenario gives the same lines on every machine. A background's random numbers are of its own: what is
added to a scenario does not change the rest.
"""

import base64
import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from streams.core.event import Event
from streams.core.instant import DAY, MINUTE, SECOND, Instant, format_instant
from streams.core.record import Arrival
from streams.core.window import WindowGrid
from streams.replay.draws import Draws
from streams.replay.scenario_model import Background, Group, Kind, Scenario

_MILLISECOND = SECOND // 1000
_BACKGROUND = 1
"""Names this use of a seed."""


class _Arriving(NamedTuple):
    """A record with its place in the stream: by reception, then ticks, then as written."""

    received: int
    """Milliseconds since the epoch."""
    rank: int
    line: bytes


def record_lines(scenario: Scenario) -> list[bytes]:
    """All records, each a line of a recording with its newline; the last is a tick that closes every window."""
    arriving = [*_ticks(scenario)]
    for background in scenario.background:
        arriving += _steady(scenario, background)
    for group in scenario.groups:
        arriving += _group(scenario, group)
    for resend in scenario.resends:
        for event in _events(scenario, scenario.groups[resend.group]):
            arriving += [_arriving(event, resend.at)] * resend.times
    for raw in scenario.raws:
        received = raw.at // _MILLISECOND
        line = msgspec.json.encode({"received": received, "raw": base64.b64encode(raw.value).decode()})
        arriving += [_Arriving(received, 1, line + b"\n")] * raw.count
    arriving.sort(key=lambda record: (record.received, record.rank))
    last = scenario.span[1] + scenario.profile.city.allowed_lateness
    return [*(record.line for record in arriving), _tick(scenario, last).line]


def _ticks(scenario: Scenario) -> Iterator[_Arriving]:
    start, end = scenario.span
    last = end + scenario.profile.city.allowed_lateness
    regular = range(start, last, scenario.tick_every) if scenario.tick_every else ()
    for at in sorted({*regular, *scenario.ticks} - {start, last}):
        yield _tick(scenario, at)


def _tick(scenario: Scenario, at: Instant) -> _Arriving:
    text = format_instant(at, scenario.profile.city.zone)
    return _Arriving(at // _MILLISECOND, 0, msgspec.json.encode(Arrival(tick=text)) + b"\n")


def _steady(scenario: Scenario, background: Background) -> Iterator[_Arriving]:
    """A background's events: each day's number from its own draw, each at a random second of its day."""
    city = scenario.profile.city
    grid = WindowGrid(city.zone, city.day_start)
    first, last = background.stretch
    at, number = first, 0
    draws = Draws(scenario.seed, _BACKGROUND, *background.key)
    while at <= last:
        day = grid.day(at)
        start, end = max(day.start, first), min(day.end, last + 1)
        seconds = max(1, (end - start) // SECOND)
        mean = background.per_day * (end - start) / DAY
        today = round(mean) if background.spread == 0 else _drawn(draws, mean, background.spread)
        for offset in sorted(draws.whole(0, seconds - 1, today).tolist()):
            name = f"background/{background.key[0]}/{background.key[1]}/{number}"
            event = _event(scenario, name, start + offset * SECOND, background.county, background.what)
            yield _arriving(event, start + offset * SECOND)
            number += 1
        at = day.end


def _drawn(draws: Draws, mean: float, spread: float) -> int:
    import numpy as np

    return int(draws.counts(np.array([mean]), spread)[0])


def _group(scenario: Scenario, group: Group) -> Iterator[_Arriving]:
    for i, event in enumerate(_events(scenario, group)):
        received = _moment(group, i) + group.delay
        for again in range(group.sent):
            yield _arriving(event, received + again * MINUTE)


def _moment(group: Group, i: int) -> Instant:
    return (group.at + group.over * i // group.count) // _MILLISECOND * _MILLISECOND


def _events(scenario: Scenario, group: Group) -> Iterator[Event]:
    for i in range(group.count):
        yield _event(scenario, f"events/{group.number}/{i}", _moment(group, i), group.county, group.what, group)


def _event(scenario: Scenario, name: str, at: Instant, county: str, what: Kind, group: Group | None = None) -> Event:
    zone = scenario.profile.city.zone
    due = None if group is None or group.due is None else format_instant(at + group.due, zone)
    return Event(
        id=_hash("id", name),
        at=format_instant(at, zone),
        county=county,
        point=what.point,
        category=what.category,
        kind=what.kind,  # type: ignore[arg-type]  # checked against the kinds when the scenario was read
        ticket=_hash("ticket", name if group is None else group.ticket or name),
        caller=_hash("caller", name if group is None else group.caller or name),
        matter=_hash("matter", name if group is None else group.matter or name),
        channel=what.channel,
        sector=what.sector,
        due=due,
        outcome=what.outcome,  # type: ignore[arg-type]  # likewise
    )


def _arriving(event: Event, received: Instant) -> _Arriving:
    milliseconds = -(-received // _MILLISECOND)
    return _Arriving(milliseconds, 1, msgspec.json.encode(Arrival(received=milliseconds, event=event)) + b"\n")


def _hash(purpose: str, name: str) -> str:
    """32 hex digits, as a sender's keyed hash looks."""
    return hashlib.blake2b(f"{purpose}\0{name}".encode(), digest_size=16).hexdigest()
