"""A made-up week of a city taken through all three steps, so that all their machine code is there before a stream is.

Code is compiled, or loaded, at its first call; in a process that serves people the first hour, day and week to close
would wait for it, a minute on a machine that has compiled nothing yet.
"""

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from streams.core.city import City
from streams.core.event import Event, Kind
from streams.core.instant import DAY, HOUR, MINUTE, Instant, format_instant
from streams.core.outputs import ScoredWindow
from streams.core.pipeline import Pipeline

_START: Instant = 1_735_660_800_000_000
"""Midnight of 1 January 2025, UTC."""
_LENGTH = 15 * DAY
"""A whole week in it, wherever weeks begin."""
_BUSY = 3 * DAY
_CROWD = 4_000
"""Events of its first minutes and of its last: tables of ids and names begin small, and move when they grow; the second
crowd finds the first one forgotten, and its room is taken again."""
_LATER = 1_000_000
"""Number of the first event of the second crowd."""
_KINDS: tuple[Kind, ...] = ("accepted", "dispatched", "returned", "dispatched", "replied", "called_back", "closed")


def rehearse(city: City) -> ScoredWindow:
    """Call everything that a stream of a city will: counting, tickets, late events, windows of every size, state. The
    last window, for whoever is to write such."""
    scored: list[ScoredWindow] = []
    city = replace(city, dedup_horizon=_BUSY, ticket_retention=_BUSY, repeat_span=_BUSY)
    pipeline = Pipeline(city, _START)
    pipeline.step(pipeline.decoder.lines(_crowd(city, 0, _START), 0, _CROWD))
    for number, line in enumerate(_week(city), _CROWD):
        scored[:] = pipeline.step(pipeline.decoder.lines(line, number, 1)).scored or scored
    pipeline.step(pipeline.decoder.lines(_crowd(city, _LATER, _START + _LENGTH), _LATER, _CROWD))
    Pipeline(city, _START).restore({name: part for name, part in pipeline.snapshot().items() if part is not None})
    return scored[-1]


def _crowd(city: City, first: int, at: Instant) -> bytes:
    return b"".join(_framed(_event(city, first + n, at + MINUTE)) for n in range(_CROWD))


def _week(city: City) -> Iterator[bytes]:
    """Busy days with what is sent twice and what comes late, then quiet ones."""
    number = _CROWD
    for begin in range(_START, _START + _LENGTH, HOUR):
        for _ in city.counties if begin < _START + _BUSY else ():
            number += 1
            event = _event(city, number, begin + MINUTE)
            yield _framed(event)
            yield _framed(event)
            yield _framed(msgspec.structs.replace(event, id=f"late {number}", at=format_instant(begin - DAY)))
        yield b'{"tick":"%b"}\n' % format_instant(begin + HOUR).encode()


def _event(city: City, number: int, at: Instant) -> Event:
    """One step of a ticket; every county, step and some tickets have their turn."""
    ticket, step = divmod(number, len(_KINDS))
    return Event(
        id=f"event {number}",
        at=format_instant(at),
        county=city.counties[ticket % len(city.counties)].code,
        point=next(iter(city.points)),
        category=next(one.code for one in city.categories if not one.always_page),
        kind=_KINDS[step],
        ticket=f"ticket {ticket}",
        caller=f"caller {ticket % 100}",
        due=format_instant(at + DAY),
        outcome="satisfied" if _KINDS[step] == "called_back" else None,
    )


def _framed(event: Event) -> bytes:
    return b'{"event":%b}\n' % msgspec.json.encode(event)
