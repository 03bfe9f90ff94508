"""A partition that a worker holds: what of a fetch is its business, when it may be gone on with, when it is saved."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from streams.core.instant import SECOND
from streams.core.outputs import Accounting
from streams.runtime.checkpoints import FORMAT, About, Manifest, Place
from streams.runtime.cluster import Span, TopicFacts
from streams.runtime.partition import (
    HeldPartition,
    RefusedError,
    Verdict,
    check_manifest,
    check_still_there,
    verdict,
)

PLACE = Place("tally", 3)
ABOUT = About("events", "made first", 12, "this profile")


# ---- a fetch: nothing is taken twice, nothing that was dropped on the way passed over ----------------------------


@dataclass(frozen=True)
class Fetch:
    first: int
    after: int
    follows: int
    epoch: int = 5


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        (Fetch(100, 150, 100), Verdict.NEXT),
        (Fetch(90, 150, 90), Verdict.NEXT),
        (Fetch(90, 150, -1), Verdict.NEXT),
        (Fetch(90, 150, 90, epoch=4), Verdict.NEXT),  # of before the seek, but it holds the next record
        (Fetch(50, 100, 50), Verdict.DONE),
        (Fetch(50, 99, 50, epoch=4), Verdict.DONE),
        (Fetch(104, 150, 100), Verdict.HOLE),  # asked for 100, and 104 is the next there is
        (Fetch(104, 150, 102), Verdict.ASTRAY),  # what held 100 and 101 was dropped on the way
        (Fetch(104, 150, -1), Verdict.ASTRAY),
        (Fetch(104, 150, -1, epoch=6), Verdict.ASTRAY),
        (Fetch(104, 150, 100, epoch=4), Verdict.STALE),
        (Fetch(104, 150, -1, epoch=4), Verdict.STALE),
    ],
)
def test_a_batch_at_position_100_after_seek_5(batch: Fetch, expected: Verdict) -> None:
    assert verdict(100, 5, batch) is expected


# ---- going on: with the topic that it was, and every record that it has not taken still there --------------------


def manifest(position: int) -> Manifest:
    """Of a checkpoint before a record."""
    return Manifest(FORMAT, ABOUT, position, Accounting(), None, "1-a", ())


@pytest.mark.parametrize("span", [Span(0, 100), Span(100, 100), Span(100, 200), Span(99, 101)])
def test_a_checkpoint_at_100_is_gone_on_from_where_the_next_record_is_there_or_is_to_come(span: Span) -> None:
    check_manifest(manifest(100), ABOUT, span, PLACE)


@pytest.mark.parametrize(
    ("about", "span", "said"),
    [
        (ABOUT, Span(101, 200), r"records 100 to 100 were deleted \(retention\) before they were counted"),
        (ABOUT, Span(0, 99), "the checkpoint is at record 100, the topic holds records up to 99 only"),
        (About("events", "made again", 12, "this profile"), Span(0, 200), "the topic was made again"),
        (About("events", "made first", 13, "this profile"), Span(0, 200), "knows 12 partitions, the topic has 13"),
        (About("events", "made first", 12, "another"), Span(0, 200), "another version of the profile"),
    ],
)
def test_a_checkpoint_at_100_is_refused_where_records_are_gone_or_are_others(
    about: About, span: Span, said: str
) -> None:
    with pytest.raises(RefusedError, match=said) as refused:
        check_manifest(manifest(100), about, span, PLACE)
    assert "begin anew" in str(refused.value), "and what to do"


@pytest.mark.parametrize(
    ("now", "span", "said"),
    [
        (TopicFacts("events", "made first", 12), Span(101, 200), "were deleted"),
        (TopicFacts("events", "made first", 12), Span(0, 99), "records were lost"),
        (TopicFacts("events", "made again", 12), Span(0, 200), "the topic was made again"),
        (TopicFacts("events", "made first", 13), Span(0, 200), "the topic has 13"),
    ],
)
def test_what_is_worked_on_is_refused_as_soon_as_it_is_not_what_it_was(now: TopicFacts, span: Span, said: str) -> None:
    known = TopicFacts("events", "made first", 12)
    check_still_there(100, known, known, Span(100, 200), "events 3")
    with pytest.raises(RefusedError, match=said):
        check_still_there(100, known, now, span, "events 3")


# ---- saving ------------------------------------------------------------------------------------------------------


class Waited:
    """A stopwatch that stands."""

    def elapsed(self) -> int:
        return 5 * SECOND


def test_checkpoints_are_as_far_apart_as_all_of_the_workers_cost_together() -> None:
    """100 ms are 4 % of 2.5 s; those of four partitions are 4 % of 10."""
    held = HeldPartition(cast("Any", None), PLACE, cast("Any", None), 100, 1)
    held._since, held._cost = cast("Any", Waited()), SECOND // 10
    assert not held.due(SECOND, 1), "nothing was taken since the last one"
    held.position += 1
    assert held.due(SECOND, 1)
    assert held.due(SECOND, 2)
    assert not held.due(SECOND, 4)
