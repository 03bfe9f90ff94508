"""Streams as the world delivers them: out of order, several times, some of it invented by hypothesis."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import msgspec
import numpy as np
from hypothesis import strategies as st

from streams.core.decode import Batch, RecordDecoder
from streams.core.instant import DAY, HOUR, Duration, Instant, format_instant, parse_instant
from streams.core.pipeline import Pipeline
from streams.core.record import Arrival
from streams.core.tally import Tally, TallyOutputs
from tests.promises.lake import city_profile, fresh_pipeline, is_tick, recorded_lines


@dataclass(frozen=True)
class Sent:
    """A line, and when what it tells happened; of an event also which it is."""

    line: bytes
    at: Instant
    county: str = ""
    event: str = ""
    """Empty: a tick, or nothing that could become an event."""


@cache
def _taken() -> tuple[Batch, TallyOutputs]:
    """The recording as a tally takes it."""
    lines = recorded_lines()
    decoder = RecordDecoder(city_profile().city)
    batch = decoder.lines(b"".join(lines), 0, len(lines))
    return batch, Tally(city_profile().city, fresh_pipeline().reached).step(batch)


@cache
def recorded() -> tuple[Sent, ...]:
    """The recording, line by line; what is no event happened when the line before it did."""
    batch, out = _taken()
    rejected = {rejection.position for _, rejection in out.rejections}
    sent: list[Sent] = []
    at = 0
    for number, (arrival, line) in enumerate(zip(batch.arrivals, recorded_lines(), strict=True)):
        event = None if number in rejected else arrival.event
        if event is not None:
            at = parse_instant(event.at)
            sent.append(Sent(line, at, event.county, event.id))
        else:
            at = parse_instant(arrival.tick) if isinstance(arrival, Arrival) and arrival.tick else at
            sent.append(Sent(line, at))
    return tuple(sent)


@cache
def in_time() -> tuple[Sent, ...]:
    """The recording without the events that came too late for their window."""
    _, out = _taken()
    late = {correction.event for correction in out.corrections}
    assert late
    return tuple(one for one in recorded() if one.event not in late)


# ---- a warm city, and what may happen in it ------------------------------------------------------------------

WARM_UNTIL = parse_instant("2025-03-08T12:00:00-05:00")
"""Day 33, past the warm-up of hours and days; the clock is put forward in the night that follows."""
EPISODE: Duration = 36 * HOUR


@cache
def warm_chunks() -> dict[str, bytes]:
    """The state of the three steps after 33 days, as a checkpoint holds it."""
    pipeline = fresh_pipeline()
    end = next(i for i, one in enumerate(recorded()) if is_tick(one.line) and one.at >= WARM_UNTIL + 3 * HOUR)
    lines = recorded_lines()[: end + 1]
    pipeline.step(pipeline.decoder.lines(b"".join(lines), 0, len(lines)))
    return {name: chunk for name, chunk in pipeline.snapshot().items() if chunk is not None}


def warm_pipeline() -> Pipeline:
    pipeline = fresh_pipeline()
    pipeline.restore(warm_chunks())
    return pipeline


def invented(number: int, at: Instant, county: str, category: str, ticket: int) -> Sent:
    """An accepted complaint."""
    event = {
        "id": f"{number:032x}",
        "at": format_instant(at, city_profile().city.zone),
        "county": county,
        "point": "hotline",
        "category": category,
        "kind": "accepted",
        "ticket": f"{ticket:032x}",
        "caller": f"{number % 11:032x}",
        "matter": f"{number % 5:032x}",
    }
    return Sent(msgspec.json.encode({"event": event}) + b"\n", at, county, event["id"])


def tick(at: Instant) -> Sent:
    return Sent(msgspec.json.encode({"tick": format_instant(at)}) + b"\n", at)


@st.composite
def episodes(draw: st.DrawFn) -> tuple[Sent, ...]:
    """A day and a half that follow on the warm state, by event time, with a tick in some of the hours: outbursts
    of complaints, and threats of which several events belong to one ticket."""
    start = WARM_UNTIL + 3 * HOUR
    counties = [county.code for county in city_profile().city.counties]
    bursts = draw(
        st.lists(
            st.tuples(
                st.sampled_from(counties),
                st.sampled_from(["noise", "wages"]),
                st.integers(0, EPISODE // HOUR - 1),
                st.integers(1, 12),
            ),
            max_size=8,
        )
    )
    threats = draw(
        st.lists(st.tuples(st.sampled_from(counties[:2]), st.integers(0, EPISODE - 1), st.integers(0, 2)), max_size=6)
    )
    ticks = draw(st.sets(st.integers(1, EPISODE // HOUR)))
    sent = [tick(start + hour * HOUR) for hour in sorted(ticks)]
    number = 1 << 64
    for county, category, hour, many in bursts:
        for i in range(many):
            number += 1
            sent.append(invented(number, start + hour * HOUR + i * HOUR // many, county, category, number))
    for county, after, ticket in threats:
        number += 1
        sent.append(invented(number, start + after, county, "threat", ticket))
    sent.append(tick(start + EPISODE + DAY))
    return tuple(sorted(sent, key=lambda one: one.at))


# ---- disorder ------------------------------------------------------------------------------------------------

WAYS = ("uniform", "reversed", "at the last moment")
disorders = st.tuples(st.sampled_from(WAYS), st.integers(0, 2**32 - 1))
"""How, and a seed."""


def displaced(sent: Sequence[Sent], disorder: tuple[str, int], times: int = 1) -> list[Sent]:
    """The lines with every event behind its time by less than the allowed lateness, or so many times that; ticks
    come when they are due."""
    way, seed = disorder
    lateness = times * city_profile().city.allowed_lateness
    at = np.array([one.at for one in sent], dtype=np.int64)
    tie = np.random.default_rng(seed).permutation(len(sent))
    if way == "uniform":
        arrives = at + np.random.default_rng(seed).integers(0, lateness, len(sent))
    elif way == "reversed":
        arrives, tie = at - (at + seed) % lateness + lateness - 1, -at
    else:
        arrives = at + lateness - 1
    ticks = np.array([not one.event for one in sent])
    arrives[ticks] = at[ticks]
    return [sent[i] for i in np.lexsort((tie, arrives))]


def repeated(sent: Sequence[Sent], times: Sequence[int], seed: int) -> list[bytes]:
    """The lines with every event sent so many times: the first where it is, all others anywhere in the days after,
    as long as ids are remembered. `times` is gone through again and again."""
    random = np.random.default_rng(seed)
    reached = np.maximum.accumulate([one.at for one in sent])
    remembered = city_profile().city.dedup_horizon - DAY
    placed = [(float(i), one.line) for i, one in enumerate(sent)]
    for i, one in enumerate(sent):
        if one.event:
            last = max(bisect_right(reached, one.at + remembered) - 1, i)
            again = random.uniform(i, last + 1, times[i % len(times)] - 1)
            placed += [(place, one.line) for place in again.tolist()]
    return [line for _, line in sorted(placed, key=lambda item: item[0])]
