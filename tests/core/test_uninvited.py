"""What the steps do with what should not come: again after a crash, from the far future, out of no vocabulary."""

import dataclasses

import msgspec
import pytest

from streams.core.decode import RecordDecoder
from streams.core.instant import HOUR, MINUTE
from streams.core.record import Rejection
from streams.core.score import Score
from streams.core.tally import Tally
from tests.core.towns import START, batch, event, line, tick, towns

CITY = towns()


def fresh() -> Tally:
    return Tally(CITY, START)


def test_what_came_into_an_open_hour_after_a_restart_is_remembered_by_the_next() -> None:
    stored: dict[str, bytes] = {}

    def through(records: list[dict[str, str]]) -> Tally:
        tally = fresh()
        if stored:
            tally.restore(stored)
        tally.step(batch(CITY, records))
        for name, chunk in tally.snapshot(whole=False).items():
            if chunk is None:
                stored.pop(name, None)
            else:
                stored[name] = chunk
        return tally

    through([event(1, START)])
    through([event(2, START + MINUTE)])
    accounting = through([event(2, START + MINUTE)]).accounting
    assert (accounting.counted, accounting.duplicate) == (2, 1)


@pytest.mark.parametrize("frame", [b'{"event":%s}', b'{"received":99999999999999999,"event":%s}', b"%s"])
def test_an_event_of_the_last_day_there_is_ends_no_process(frame: bytes) -> None:
    own = msgspec.json.encode(event(1, START) | {"at": "9999-12-31T23:00:00Z"})
    tally = fresh()
    out = tally.step(batch(CITY, [frame % own]))
    assert len(out.rejections) == 1


def test_a_scored_window_that_comes_again_is_a_repetition() -> None:
    """A tally that repeats work after a crash sends its windows again (law 3); score must not learn them twice."""
    tally, score = fresh(), Score(CITY, detail_p=0.01)
    windows = tally.step(batch(CITY, [event(1, START), tick(START + 3 * HOUR)])).closed
    first = [score.step(window) for window in windows]
    state = score.snapshot()
    again = [score.step(window) for window in windows]
    assert [made is not None for made in first] == [False, False, True]
    assert again == [None, None, None]
    assert score.snapshot() == state


def test_a_city_without_sectors_knows_not_even_an_empty_one() -> None:
    """event.event_type: Literal[""] for an empty vocabulary lets "" through."""
    decoder = RecordDecoder(dataclasses.replace(CITY, sectors={}, channels={}))
    (verdict,) = decoder.lines(line(event(1, START, sector="")), 0, 1).arrivals
    assert isinstance(verdict, Rejection)
