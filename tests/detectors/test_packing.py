"""State as bytes: read back to the last bit, and nothing else is taken for it."""

import numpy as np
import pytest

from detectors.counts import CountBank
from detectors.observation import Floats
from detectors.packing import packed, unpacked
from detectors.rates import RateBank

ARRAYS = np.array([0.1]), np.arange(6.0).reshape(2, 3), np.zeros((0, 4))


def shapes(windows_per_week: int, series: int) -> list[tuple[int, ...]]:
    assert windows_per_week == 7
    return [(1,), (series, 3), (0, 4)]


def read(snapshot: bytes) -> list[Floats]:
    return unpacked(CountBank, snapshot, shapes)[1]


SNAPSHOT = packed(CountBank, 7, 2, *ARRAYS)


def test_arrays_come_back_to_the_last_bit_and_can_be_written_on() -> None:
    found = read(SNAPSHOT)
    for array, back in zip(ARRAYS, found, strict=True):
        assert back.shape == array.shape
        assert back.tobytes() == array.tobytes()
    found[1][0, 0] = 5.0
    assert read(SNAPSHOT)[1][0, 0] == 0.0


def test_how_an_array_lies_in_memory_does_not_matter() -> None:
    turned = np.asfortranarray(ARRAYS[1])
    assert packed(CountBank, 7, 2, ARRAYS[0], turned, ARRAYS[2]) == SNAPSHOT


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        SNAPSHOT[:10],
        SNAPSHOT[:20],
        SNAPSHOT[:-1],
        SNAPSHOT[:-8],
        SNAPSHOT + bytes(8),
        packed(RateBank, 7, 2, *ARRAYS),
        packed(CountBank, 7, 3, *ARRAYS),
        packed(CountBank, 7, -1, *ARRAYS),
        packed(CountBank, 7, 2**61, *ARRAYS),
    ],
)
def test_what_is_no_snapshot_of_this_detector_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="not a snapshot of the counts detector, version"):
        read(wrong)


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountBank, "version", "0")
    with pytest.raises(ValueError, match="not a snapshot of the counts detector, version 0"):
        read(SNAPSHOT)
