"""The wire: what the steps hand on survives being sent, to the last bit, and nothing else is taken for it."""

from collections.abc import Callable
from dataclasses import astuple
from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.alert_log import alert_log
from streams.core.cells import Cell, CellCounts
from streams.core.city import Size
from streams.core.outputs import AlwaysPage, ClosedWindow, CountyMetrics, ScoredWindow
from streams.core.pipeline import Pipeline, PipelineOutputs
from streams.core.record import Reason
from streams.core.tally import TallyOutputs
from streams.core.wire import (
    DeadLetter,
    Wired,
    WireError,
    decode_alert,
    decode_dead_letter,
    decode_score,
    decode_window,
    encode_alert,
    encode_dead_letter,
    encode_score,
    encode_window,
    id_of,
)
from tests.promises.disorder import _taken
from tests.promises.lake import fresh_pipeline, pinned, recorded_lines

LETTER = DeadLetter(Reason.BAD_TIME, "events", 3, 2**40, "ab" * 32, 1_700_000_000_000_000, "at")
DECODERS: tuple[Callable[[bytes], Wired], ...] = (decode_window, decode_score, decode_alert, decode_dead_letter)


@cache
def lake() -> tuple[PipelineOutputs, TallyOutputs]:
    """Everything that the steps make of Lake City's recording; what they hand each other went over the wire."""
    lines = recorded_lines()
    pipeline: Pipeline = fresh_pipeline()
    return pipeline.step(pipeline.decoder.lines(b"".join(lines), 0, len(lines))), _taken()[1]


def same_scores(one: ScoredWindow, other: ScoredWindow) -> bool:
    arrays = [(one.counts, other.counts)]
    assert list(one.scores) == sorted(one.scores) == list(other.scores)
    for name, scores in one.scores.items():
        arrays += zip(astuple(scores), astuple(other.scores[name]), strict=True)
    return (
        (one.size, one.start, one.end) == (other.size, other.start, other.end)
        and all(a.dtype == b.dtype and a.shape == b.shape for a, b in arrays)
        and all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in arrays)
        and dict(one.details) == dict(other.details)
    )


def test_closed_windows_come_back_as_they_were() -> None:
    closed = lake()[0].closed
    assert {window.size for window in closed} == set(Size)
    for window in closed:
        sent = encode_window(window)
        back = decode_window(sent)
        assert encode_window(back) == sent
        assert back.counts.dtype == window.counts.dtype
        assert back.counts.tolist() == window.counts.tolist()
        assert sorted(map(str, back.cells.items())) == sorted(map(str, window.cells.items()))
        assert (back.county, back.size, back.start, back.end) == (
            window.county,
            window.size,
            window.start,
            window.end,
        )
        assert back.metrics == window.metrics
    assert any(window.metrics is not None and window.metrics.backlog_age_hours for window in closed)


def test_scored_windows_come_back_as_they_were() -> None:
    scored = lake()[0].scored
    assert any(window.details for window in scored)
    for window in scored:
        sent = encode_score(window)
        back = decode_score(sent)
        assert isinstance(back, ScoredWindow)
        assert same_scores(window, back)
        assert encode_score(back) == sent


def test_what_the_judge_did_gives_the_same_log_after_the_wire() -> None:
    transitions = lake()[0].transitions
    back = [decode_alert(encode_alert(one)) for one in transitions]
    assert back == transitions
    assert alert_log([one for one in back if not hasattr(one, "window_start")]) == pinned()[1]
    assert [encode_alert(one) for one in back] == [encode_alert(one) for one in transitions]


def test_corrections_pages_and_dead_letters_come_back_as_they_were() -> None:
    _, tally = lake()
    assert tally.corrections
    assert tally.always_page
    for page in (*tally.always_page, AlwaysPage("e", None, -1, "c", "", "p")):
        assert decode_score(encode_score(page)) == page
    for correction in tally.corrections:
        assert decode_alert(encode_alert(correction)) == correction
        assert b'"type":"correction"' in encode_alert(correction)
    assert decode_dead_letter(encode_dead_letter(LETTER)) == LETTER


def test_ids_are_of_one_value_each() -> None:
    made, tally = lake()
    topics: list[list[Wired]] = [
        [*made.closed],
        [*made.scored, *tally.always_page],
        [*made.transitions, *made.corrections],
        [LETTER, msgspec.structs.replace(LETTER, offset=4)],
    ]
    for values in topics:
        assert len({id_of(value) for value in values}) == len(values)


def test_cells_have_one_order_whoever_shared_the_partition() -> None:
    cells = [Cell("p", "noise", "accepted", None, "x", None), Cell("p", "noise", "accepted", None, None, None)]
    one, other = (
        ClosedWindow("c", Size.HOUR, 0, 1, np.array([3]), CellCounts(order, np.array(counts)))
        for order, counts in ((cells, [1, 2]), (cells[::-1], [2, 1]))
    )
    assert encode_window(one) == encode_window(other)
    halves = [["p", "noise", "accepted"]], [[None, "x", None], [None, None, None]]
    assert msgspec.msgpack.decode(encode_window(one))[6] == [*halves, [0, 0], [0, 1], [1, 2]]


def test_cells_of_which_no_words_were_sent_are_refused() -> None:
    cells = CellCounts([Cell("p", "noise", "accepted", None, "x", None)], np.array([1]))
    sent = msgspec.msgpack.decode(encode_window(ClosedWindow("c", Size.HOUR, 0, 1, np.array([3]), cells)))
    assert decode_window(msgspec.msgpack.encode(sent)).cells.items() == cells.items()
    for place, spoilt in ((2, [1]), (2, [-1]), (3, [1]), (3, [-1]), (2, []), (3, [0, 0]), (4, []), (4, [2**63])):
        others = [spoilt if i == place else column for i, column in enumerate(sent[6])]
        with pytest.raises(WireError):
            decode_window(msgspec.msgpack.encode([*sent[:6], others, *sent[7:]]))


def test_every_nan_is_one_and_the_same() -> None:
    window = lake()[0].scored[0]
    strange = np.array([0xFFF8_0000_0000_0001], dtype="<u8").view("<f8")[0]
    scores = {name: one.map(lambda a: np.where(np.isnan(a), strange, a)) for name, one in window.scores.items()}
    other = ScoredWindow(window.size, window.start, window.end, window.counts, scores, window.details)
    assert encode_score(other) == encode_score(window)


# ---- nothing else is taken -----------------------------------------------------------------------------------


@cache
def samples() -> tuple[bytes, ...]:
    made, tally = lake()
    days = [window for window in made.closed if isinstance(window.metrics, CountyMetrics)]
    return (
        encode_window(days[-1]),
        encode_score(next(window for window in made.scored if window.details)),
        encode_score(tally.always_page[0]),
        encode_alert(made.transitions[0]),
        encode_alert(tally.corrections[0]),
        encode_dead_letter(LETTER),
    )


@settings(max_examples=300)
@given(data=st.data())
def test_spoilt_bytes_are_refused_or_are_another_value_of_the_wire(data: st.DataObject) -> None:
    spoilt = bytearray(data.draw(st.sampled_from(samples())))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(spoilt) - 1), st.integers(0, 255)), max_size=4)):
        spoilt[place] = byte
    cut = data.draw(st.integers(0, len(spoilt)) | st.just(len(spoilt)))
    refused_or_whole(bytes(spoilt[:cut]))


@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused_or_are_a_value_of_the_wire(data: bytes) -> None:
    refused_or_whole(data)


def refused_or_whole(data: bytes) -> None:
    for decode in DECODERS:
        try:
            value = decode(data)
        except WireError:
            continue
        assert id_of(value)


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    "data", [b"", b"null", b"[" * 100_000, b"{}", b"\xff", b"\x91" * 100_000, b"\xdd\xff\xff\xff\xff"]
)
def test_what_is_none_of_ours_is_refused(decode: Callable[[bytes], Wired], data: bytes) -> None:
    with pytest.raises(WireError):
        decode(data)
