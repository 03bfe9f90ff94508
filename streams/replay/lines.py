"""Simulated events as lines of a recording. The cost of a simulation is mostly here: one string per event."""

from datetime import timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from streams.core.city import City
from streams.core.event import KINDS, OUTCOMES
from streams.core.instant import HOUR, SECOND, Instant, format_instant, to_datetime
from streams.replay.draws import Whole, keyed_hashes, keys
from streams.replay.intensity import Stream
from streams.replay.lifecycle import MOST_STEPS, Rows

_QUARTER = 900
_MOST_WORDS = 100_000
_MOST_QUARTERS = 20_000
_MINUTES = tuple(f"{second // 60:02d}:{second % 60:02d}" for second in range(3600))
_EVENT, _TICKET, _CALLER, _MATTER = 11, 12, 13, 14
"""Purposes of keys: one number gives another hash as a ticket than as a caller."""


class _Quarter(NamedTuple):
    """A quarter of an hour of UTC on the city's clock."""

    hour: str
    """The text of its times up to the hour."""
    clock: list[str]
    """The rest of the text, by second of the local hour."""
    first: int
    """Second of the local hour that epoch second 0 would be."""


class LineWriter:
    """Turns rows into lines, ids into keyed hashes."""

    def __init__(self, city: City, streams: tuple[Stream, ...], seed: int) -> None:
        self._zone = city.zone
        self._counties = [county.code for county in city.counties]
        self._streams = streams
        self._channels = tuple(city.channels)
        self._sectors = tuple(city.sectors)
        self._keys = {purpose: keys(seed, purpose) for purpose in (_EVENT, _TICKET, _CALLER, _MATTER)}
        self._what: dict[int, str] = {}
        self._tail: dict[int, str] = {}
        self._clocks: dict[str, list[str]] = {}
        self._quarters: dict[int, _Quarter] = {}

    def lines(self, rows: Rows) -> list[str]:
        """One line per row, newline included."""
        ids = keyed_hashes(self._keys[_EVENT], rows["ticket"] * np.uint64(MOST_STEPS) + rows["step"].astype(np.uint64))
        tickets = keyed_hashes(self._keys[_TICKET], rows["ticket"])
        return [
            f'{{"received":{received},"event":{{"id":"{number}","at":"{at}{what}"ticket":"{ticket}"{tail}}}}}\n'
            for received, number, at, what, ticket, tail in zip(
                rows["received"].tolist(), ids, self._times(rows["at"]), self._whats(rows), tickets, self._tails(rows),
                strict=True,
            )
        ]  # fmt: skip

    def tick(self, at: Instant) -> str:
        """The line that says that event time has passed an instant."""
        return f'{{"tick":"{format_instant(at, self._zone)}"}}\n'

    def _times(self, seconds: Whole) -> list[str]:
        """RFC 3339 texts. Zones change their offset on quarters of an hour of UTC only, so one look-up serves one."""
        quarters, place = np.unique(seconds // _QUARTER, return_inverse=True)
        known = [self._quarters.get(quarter) or self._quarter(quarter) for quarter in quarters.tolist()]
        first = np.array([quarter.first for quarter in known], np.int64)
        within = (first[place] + seconds).tolist()
        hours, clocks = [quarter.hour for quarter in known], [quarter.clock for quarter in known]
        return [hours[p] + clocks[p][second] for p, second in zip(place.tolist(), within, strict=True)]

    def _quarter(self, quarter: int) -> "_Quarter":
        local = to_datetime(quarter * _QUARTER * SECOND, self._zone)
        text = local.isoformat()
        offset = text[19:]
        if offset not in self._clocks:
            self._clocks[offset] = [minutes + offset for minutes in _MINUTES]
        if len(self._quarters) >= _MOST_QUARTERS:
            self._quarters.clear()
        made = _Quarter(text[:14], self._clocks[offset], local.minute * 60 - quarter * _QUARTER)
        self._quarters[quarter] = made
        return made

    def _whats(self, rows: Rows) -> list[str]:
        codes = (rows["county"].astype(np.int64) * len(self._streams) + rows["stream"]) * len(KINDS) + rows["kind"]
        whats = self._what
        for code in np.unique(codes).tolist():
            if code not in whats:
                cell, kind = divmod(code, len(KINDS))
                county, number = divmod(cell, len(self._streams))
                stream = self._streams[number]
                whats[code] = (
                    f'","county":{_quoted(self._counties[county])},"point":{_quoted(stream.point)},'
                    f'"category":{_quoted(stream.category)},"kind":"{KINDS[kind]}",'
                )
        return [whats[code] for code in codes.tolist()]

    def _tails(self, rows: Rows) -> list[str]:
        """Everything behind the ticket: caller, matter, channel, sector, due, outcome."""
        channel, sector = rows["channel"].astype(np.int64) + 1, rows["sector"].astype(np.int64) + 1
        codes = (channel * _MOST_WORDS + sector) * 10 + rows["outcome"] + 1
        for code in np.unique(codes).tolist():
            if code not in self._tail:
                self._tail[code] = self._tail_of(code)
        tails = [self._tail[code] for code in codes.tolist()]
        people = np.flatnonzero(rows["caller"])
        callers = keyed_hashes(self._keys[_CALLER], rows["caller"][people])
        matters = keyed_hashes(self._keys[_MATTER], rows["matter"][people])
        for i, caller, matter in zip(people.tolist(), callers, matters, strict=True):
            tails[i] = f',"caller":"{caller}","matter":"{matter}"{tails[i]}'
        due = np.flatnonzero(rows["due"])
        for i, at in zip(due.tolist(), self._times(rows["due"][due]), strict=True):
            tails[i] += f',"due":"{at}"'
        return tails

    def _tail_of(self, code: int) -> str:
        rest, outcome = divmod(code, 10)
        channel, sector = divmod(rest, _MOST_WORDS)
        words = (
            ("channel", self._channels, channel),
            ("sector", self._sectors, sector),
            ("outcome", OUTCOMES, outcome),
        )
        return "".join(f',"{name}":{_quoted(known[number - 1])}' for name, known, number in words if number)


def _quoted(word: str) -> str:
    return msgspec.json.encode(word).decode()


def offsets(city: City, start: Instant, hours: int) -> Whole:
    """The zone's offset in seconds in each hour from an instant on."""
    found = [to_datetime(start + i * HOUR, city.zone).utcoffset() or timedelta() for i in range(hours)]
    return np.array([round(offset.total_seconds()) for offset in found], np.int64)
