"""What a fetched batch is to a partition: nothing is taken twice, nothing that was dropped on the way passed over."""

from dataclasses import dataclass

import pytest

from streams.runtime.partition import Verdict, verdict


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
