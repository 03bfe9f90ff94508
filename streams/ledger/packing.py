"""Scored windows as compact bytes, and back, exactly.

One row holds one window of every series: counts as 32-bit integers, scores as 32-bit floats (enough for
the 6 significant digits that scores are rounded to: reading formats them back through '%.6g'), the few
that 32 bits cannot hold beside them as they are. The larger one of a complementary pair of tails
(P(X >= x) and P(X < x)) is stored as its distance from one minus the smaller one: mostly nothing. Bytes
of equal weight lie together, then zstd.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import zstandard
from numpy.typing import NDArray

from detectors.observation import Scores
from streams.core.outputs import ScoredWindow

_FORM = 1
_HEADER = struct.Struct("<BBIII")
"""Form, detectors, series, bytes a count, floats kept whole."""
_LEVEL = 3
_TINY = np.float64(np.finfo(np.float32).tiny)
_LARGEST = np.float64(np.finfo(np.float32).max)
_PAIRS = (("p_high", "p_below"), ("p_low", "p_above"))
_SINGLES = ("expected", "low", "high", "size")
_FIELDS = ("p_high", "p_low", "p_below", "p_above", *_SINGLES)

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class PackedScores:
    """A scored window as read back: flat vectors in the layout's order."""

    counts: NDArray[np.int64]
    """Shape (signals * series,)."""
    detectors: tuple[str, ...]
    floats: Mapping[str, Singles]
    """Field of Scores -> shape (detectors, signals * series), not yet rounded back."""
    whole: Mapping[tuple[str, int, int], float]
    """(field, detector, place) -> a value that 32 bits cannot hold."""
    reasons: NDArray[np.uint8]
    """Shape (detectors, signals * series)."""

    def value(self, field: str, detector: int, place: int) -> float:
        """One value of one field of `Scores`, as it was."""
        exact = self.whole.get((field, detector, place))
        return float(f"{self.floats[field][detector, place]:.6g}") if exact is None else exact

    def scores(self, shape: tuple[int, int]) -> dict[str, Scores]:
        """Everything, as it was: detector name -> Scores with arrays of shape (signals, series)."""
        places = self.counts.size
        return {
            name: Scores(
                **{
                    field: np.array([self.value(field, d, i) for i in range(places)], dtype=np.float64).reshape(shape)
                    for field in _FIELDS
                },
                reason=self.reasons[d].reshape(shape),
            )
            for d, name in enumerate(self.detectors)
        }


def detectors_of(window: ScoredWindow) -> tuple[str, ...]:
    """The detectors of a scored window, in the order in which they are packed."""
    return tuple(sorted(window.scores))


class Packer:
    """Packs scored windows; keeps a compressor between them."""

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)

    def pack(self, window: ScoredWindow) -> bytes:
        """One scored window as bytes."""
        counts = window.counts.ravel()
        names = detectors_of(window)
        narrow = counts.astype(np.int32)
        packed = _planes(narrow if np.array_equal(narrow, counts) else counts)
        floats = np.empty((len(_FIELDS), len(names), counts.size), dtype=np.float64)
        reasons = np.empty((len(names), counts.size), dtype=np.uint8)
        for d, name in enumerate(names):
            scores = window.scores[name]
            reasons[d] = scores.reason.ravel()
            for f, field in enumerate(_FIELDS):
                floats[f, d] = getattr(scores, field).ravel()
        size = np.abs(floats)
        outside = np.flatnonzero(((size < _TINY) & (size > 0)) | ((size > _LARGEST) & (size < np.inf)))
        kept = floats.ravel()[outside]
        floats.ravel()[outside] = 0
        bits = floats.astype(np.float32)
        swapped = bits[0:2] > bits[2:4]
        small = np.where(swapped, bits[2:4], bits[0:2])
        distance = _bits(np.where(swapped, bits[0:2], bits[2:4])) - _bits(_complement(small))
        body = b"".join(
            (
                packed,
                reasons.tobytes(),
                np.packbits(swapped.ravel()).tobytes(),
                _planes(small),
                _planes(distance),
                _planes(bits[4:]),
                outside.astype(np.uint32).tobytes(),
                kept.tobytes(),
            )
        )
        return _HEADER.pack(
            _FORM, len(names), counts.size, len(packed) // counts.size, outside.size
        ) + self._zstd.compress(body)


def unpack(content: bytes, detectors: Sequence[str]) -> PackedScores:
    """What `Packer.pack` was given. Raises ValueError where the bytes are not of a form known here."""
    form, several, places, width, exceptions = _HEADER.unpack_from(content)
    if form != _FORM or several != len(detectors):
        raise ValueError(f"scores of form {form} with {several} detectors")
    body = _Reader(zstandard.decompress(content[_HEADER.size :]))
    n = several * places
    counts = body.planes(places, np.int32 if width == 4 else np.int64).astype(np.int64)
    reasons = body.take(n, np.uint8).reshape(several, places)
    swapped = np.unpackbits(body.take((2 * n + 7) // 8, np.uint8), count=2 * n).astype(bool).reshape(2, several, places)
    small = body.planes(2 * n, np.float32).reshape(2, several, places)
    distance = body.planes(2 * n, np.int32).reshape(2, several, places)
    large = (distance + _bits(_complement(small))).view(np.float32)
    singles = body.planes(len(_SINGLES) * n, np.float32).reshape(len(_SINGLES), several, places)
    fields = [*np.where(swapped, large, small), *np.where(swapped, small, large), *singles]
    where = body.take(exceptions, np.uint32)
    whole = {
        (_FIELDS[at // n], at % n // places, at % places): float(value)
        for at, value in zip(where.tolist(), body.take(exceptions, np.float64), strict=True)
    }
    return PackedScores(counts, tuple(detectors), dict(zip(_FIELDS, fields, strict=True)), whole, reasons)


def _complement(small: Singles) -> Singles:
    """One minus it; nothing for NaN, whose bits differ between machines."""
    return np.where(np.isnan(small), 0.0, 1.0 - small.astype(np.float64)).astype(np.float32)


def _bits(values: Singles) -> NDArray[np.int32]:
    return np.ascontiguousarray(values).view(np.int32)


def _planes(values: NDArray[np.generic]) -> bytes:
    """Bytes of equal weight together."""
    flat = np.ascontiguousarray(values.ravel())
    return flat.view(np.uint8).reshape(-1, flat.itemsize).T.tobytes()


class _Reader:
    """Takes arrays off the front of a body."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int, kind: type[T]) -> NDArray[T]:
        found = np.frombuffer(self._body, dtype=kind, count=count, offset=self._at)
        self._at += found.nbytes
        return found

    def planes(self, count: int, kind: type[T]) -> NDArray[T]:
        width = np.dtype(kind).itemsize
        together = np.ascontiguousarray(self.take(count * width, np.uint8).reshape(width, count).T)
        return together.view(kind).ravel()
