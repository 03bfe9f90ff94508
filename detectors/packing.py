"""A bank's state as bytes: whose it is, its window size and number of series, then its arrays, one behind the other."""

from collections.abc import Callable, Sequence

import numpy as np

from detectors.contract import Detector
from detectors.observation import Floats

Shapes = Callable[[int, int], Sequence[tuple[int, ...]]]
"""The shapes of a bank's arrays, of its windows a week and its number of series."""


def _magic(detector: type[Detector]) -> bytes:
    return f"jiantu.{detector.name}.{detector.version}\n".encode()


def packed(detector: type[Detector], windows_per_week: int, series: int, *arrays: Floats) -> bytes:
    """A snapshot of a detector whose state are these arrays: another of its version reads it with `unpacked`."""
    head = np.array([windows_per_week, series], "<i8")
    return b"".join((_magic(detector), head.data, *(np.ascontiguousarray(array, "<f8").data for array in arrays)))


def unpacked(detector: type[Detector], snapshot: bytes, shapes: Shapes) -> tuple[int, list[Floats]]:
    """(windows a week, the arrays, each its own). Raises ValueError for bytes that are no snapshot of this version."""
    magic = _magic(detector)
    start = len(magic) + 16
    wrong = f"not a snapshot of the {detector.name} detector, version {detector.version}"
    if snapshot[: len(magic)] != magic or len(snapshot) < start:
        raise ValueError(wrong)
    windows_per_week, series = (int(number) for number in np.frombuffer(snapshot, "<i8", 2, len(magic)))
    arrays = []
    for shape in shapes(windows_per_week, series):
        size = int(np.prod(shape))
        if not 0 <= size <= (len(snapshot) - start) // 8:
            raise ValueError(wrong)
        arrays.append(np.frombuffer(snapshot, "<f8", size, start).reshape(shape).astype(np.float64))
        start += 8 * size
    if start != len(snapshot):
        raise ValueError(wrong)
    return windows_per_week, arrays
