"""Incidents that are put into the simulated city, one after another: what a desk would want to be told of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from streams.core.event import KINDS, OUTCOMES
from streams.core.instant import DAY, HOUR, SECOND, Instant
from streams.profile.model import Profile
from streams.replay.draws import Draws
from streams.replay.incidents import Incident, signals_counting
from streams.replay.intensity import streams_of
from streams.replay.labels import Label, Shape
from streams.replay.lifecycle import Rows

SIZES = ("large", "middle", "small")
"""Thirds of the counties, by population."""
_PLACING, _ANSWERS = 71, 72
"""Purposes of draws."""
_EVERYTHING = "all requests"
_CLUSTERED = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of incident."""

    name: str
    shape: Shape
    days: int
    change: float
    """Relative; of satisfaction, in points."""
    family: str = _EVERYTHING
    """Whose requests change: a category family's, or everybody's."""
    answers: bool = False
    """What people say when they are called back changes, not how many call."""
    elsewhere: float = 0.0
    """Meanwhile posts and petitions change by so much."""


CASES = (
    Case("burst +100 %, a day, all requests", Shape.BURST, 1, 1.0),
    Case("burst +100 %, a day, one family", Shape.BURST, 1, 1.0, "housing"),
    Case("slow rise to +30 % over four weeks, all requests", Shape.SLOW_RISE, 28, 0.3),
    Case("+30 % for four weeks, all requests", Shape.SHIFT, 28, 0.3),
    Case("cluster of three neighbours +60 %, four days, one family", Shape.CLUSTER, 4, 0.6, "environment"),
    Case("drought -70 %, three days, corroborated", Shape.DROUGHT, 3, -0.7, elsewhere=1.5),
    Case("satisfaction -15 points, four weeks", Shape.SHIFT, 28, -0.15, answers=True),
    Case("one caller 48-60 times in two days", Shape.CALLER_FLOOD, 2, 0.0, "environment"),
)


class Placed(NamedTuple):
    """One incident as it was put into a run."""

    case: str
    size: str
    label: Label


class Plan(NamedTuple):
    """All incidents of one run."""

    incidents: tuple[Incident, ...]
    """What the simulator adds and takes away: one a stream, several of one placed incident."""
    answers: tuple[tuple[int, Instant, Instant, float], ...]
    """(county, start, end, change): fewer people are satisfied."""
    placed: tuple[Placed, ...]


def plan(profile: Profile, start: Instant, days: int, seed: int) -> Plan:
    """Every case once in a county of every size, in an order and in counties that the seed draws, each in a stretch of
    its own of the `days` from `start`."""
    city, streams, draws = profile.city, streams_of(profile), Draws(seed, _PLACING)
    by_size = np.array_split(np.argsort([-(county.population or 0) for county in city.counties], kind="stable"), 3)
    wanted = [(case, size) for case in CASES for size in range(len(SIZES))]
    order = np.argsort(draws.uniform(len(wanted)), kind="stable").tolist()
    incidents: list[Incident] = []
    answers, placed = [], []
    for place, which in enumerate(order):
        case, size = wanted[which]
        u, hour = draws.uniform(2).tolist()
        county = int(by_size[size][int(u * len(by_size[size]))])
        day = place * days // len(wanted)
        begins = start + day * DAY + int(hour * 12) * HOUR
        ends = begins + case.days * DAY
        counties = _counties(profile, county, draws) if case.shape is Shape.CLUSTER else (county,)
        mine = [
            i
            for i, s in enumerate(streams)
            if s.intake == "accepted" and not s.quiet and case.family in (_EVERYTHING, s.family)
        ]
        signals = {name for i in mine for name in signals_counting(city, streams[i], case.shape)}
        if case.answers:
            answers.append((county, begins, ends, case.change))
            signals = {s.name for s in city.signals if "outcome" in s.where and s.detectors}
        else:
            for i in mine[:1] if case.shape is Shape.CALLER_FLOOD else mine:
                incidents.append(Incident(len(incidents), case.shape, counties, i, begins, ends, case.change))
            for i, s in enumerate(streams):
                if case.elsewhere and s.intake in ("opinion_post", "petition_filed") and not s.quiet:
                    shape, change = Shape.BURST, case.elsewhere
                    incidents.append(Incident(len(incidents), shape, counties, i, begins, ends, change))
        codes = tuple(city.counties[c].code for c in counties)
        name = f"{place:02d} {case.name}"
        label = Label(name, case.shape, codes, case.family, tuple(sorted(signals)), begins, ends, 0)
        placed.append(Placed(case.name, SIZES[size], label))
    return Plan(tuple(incidents), tuple(answers), tuple(placed))


def _counties(profile: Profile, county: int, draws: Draws) -> tuple[int, ...]:
    """A county with two of its neighbours."""
    codes = [one.code for one in profile.city.counties]
    near = [codes.index(code) for code in profile.city.counties[county].neighbours]
    ranks = np.argsort(draws.uniform(len(near)), kind="stable").tolist()
    return tuple(sorted([county, *(near[rank] for rank in ranks[: _CLUSTERED - 1])]))


def dissatisfied(
    days: Iterator[Rows], changes: Sequence[tuple[int, Instant, Instant, float]], seed: int
) -> Iterator[Rows]:
    """The same events, but of those called back in some counties fewer are satisfied, by so many points."""
    draws = Draws(seed, _ANSWERS)
    good = [OUTCOMES.index(word) for word in ("satisfied", "basically_satisfied")]
    bad, called = OUTCOMES.index("dissatisfied"), KINDS.index("called_back")
    for rows in days:
        at, answered = rows["at"] * SECOND, (rows["kind"] == called) & (rows["outcome"] >= 0)
        for county, start, end, change in changes:
            where = answered & (rows["county"] == county) & (at >= start) & (at < end)
            valid = where & (rows["outcome"] != OUTCOMES.index("unreachable"))
            happy = valid & np.isin(rows["outcome"], good)
            share = -change * valid.sum() / max(int(happy.sum()), 1)
            rows["outcome"][happy & (draws.uniform(len(rows)) < share)] = bad
        yield rows
