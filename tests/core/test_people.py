"""One caller fifty times, thirty neighbours on one matter, fifty strangers: told apart, and only by numbers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.city import Measure, Size
from streams.core.instant import DAY, HOUR, MINUTE
from streams.core.people import Crowd, People, crowd_of, people_in, people_note, together
from streams.core.tally import Tally
from streams.core.wire import decode_window, encode_window
from tests.core.courtroom import LEVEL, MONDAY, Courtroom, Seen
from tests.core.towns import START, batch, event, signal, tick, towns

Call = tuple[str | None, str | None]
"""(caller, matter)."""

CITY = towns(
    signals=(
        signal("all", {"kind": ["accepted"]}),
        signal("noise", {"kind": ["accepted"], "category": ["noise"]}),
        signal("callers", {"kind": ["accepted"]}, (Size.DAY,), measure=Measure.DISTINCT_CALLERS),
    )
)


def day_of(calls: Sequence[Call], cut: int = 1000) -> People:
    """What the tally says of the people behind a day's noise complaints."""
    records = []
    for n, (caller, matter) in enumerate(calls):
        fields = {name: text for name, text in (("caller", caller), ("matter", matter)) if text is not None}
        records.append(event(n + 1, START + n * MINUTE, **fields))
    records += [event(9001, START, category="road", caller="z" * 16, matter="y" * 16), tick(START + DAY + 3 * HOUR)]
    tally = Tally(CITY, START)
    closed = []
    for first in range(0, len(records), cut):
        chunks = {name: chunk for name, chunk in tally.snapshot(whole=True).items() if chunk is not None}
        tally = Tally(CITY, START)
        tally.restore(chunks)
        closed += tally.step(batch(CITY, records[first : first + cut], first)).closed
    (day,) = (w for w in closed if w.county == "east" and w.size is Size.DAY)
    assert day.people is not None
    np.testing.assert_array_equal(decode_window(encode_window(day)).people, day.people)
    assert day.people[:, 2].tolist() == [0, 0, 0, 0]  # of what is no sum of events nobody asks
    assert all(w.people is None for w in closed if w.size is Size.HOUR)
    return People(*day.people[:, 1].tolist())


ONE = [("caller-0000000001", "matter-0000000001")] * 50
NEIGHBOURS = [(f"neighbour-{n:07}", "matter-0000000001") for n in range(30)]
STRANGERS = [(f"caller-{n:010}", f"matter-{n:010}") for n in range(50)]


@pytest.mark.parametrize(
    ("calls", "crowd"),
    [
        (ONE, Crowd.FEW_CALLERS),
        (NEIGHBOURS, Crowd.ONE_MATTER),
        (STRANGERS, Crowd.UNRELATED),
        ([(None, None)] * 50, None),
    ],
)
def test_they_are_told_apart(calls: Sequence[Call], crowd: Crowd | None) -> None:
    people = day_of(calls)
    assert crowd_of(people, len(calls), 5.0) is crowd
    assert day_of(calls, cut=7) == people  # a restart in between changes nothing


def test_among_a_days_usual_calls_too() -> None:
    usual = STRANGERS[:20]
    assert crowd_of(day_of(usual + ONE), 70, 20.0) is Crowd.FEW_CALLERS
    assert crowd_of(day_of(usual + NEIGHBOURS), 50, 20.0) is Crowd.ONE_MATTER


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80), st.floats(0, 100))
def test_an_answer_never_contradicts_the_numbers(calls: list[tuple[int, int]], expected: float) -> None:
    people = People(len(calls), len({c for c, _ in calls}), len(calls), len({m for _, m in calls}))
    crowd = crowd_of(people, len(calls), expected)
    excess = len(calls) - expected
    assert (crowd is None) is (excess <= 0)
    if crowd is Crowd.UNRELATED:
        assert people.callers > expected + excess / 2
        assert people.matters > expected + excess / 2


def test_a_note_is_read_as_it_was_written() -> None:
    people = People(50, 1, 48, 2)
    assert people_in(("since:5", *people_note(people, 50, 3.0))) == (Crowd.FEW_CALLERS, people)
    assert people_in(("since:5",)) is None
    assert together([people, People(1, 1, 1, 1)]) == People(51, 2, 49, 3)


def test_the_alert_carries_it() -> None:
    court = Courtroom()
    high = Seen(60, 10.0, LEVEL / 4)
    end = MONDAY + 2 * DAY
    window = court.window(end, Size.DAY, {("noise", "east"): high})
    i = court.signals.index("noise")
    behind = replace(window.details[i, 0], people=(60, 3, 60, 2))
    court.hear(court.window(end, Size.HOUR, {}))
    court.hear(replace(window, details={(i, 0): behind}))
    (raised,) = court.raised
    assert people_in(raised.evidence.notes) == (Crowd.FEW_CALLERS, People(60, 3, 60, 2))
