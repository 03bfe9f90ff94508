"""Scored windows as compact bytes, and back, exactly.

One row holds one window of every series. Scores are rounded to 6 significant digits, so a number is kept
as its decimal digits and where the point is; what does not come back to the last bit that way is kept
whole. Of a complementary pair of tails (P(X >= x) and P(X < x)) the larger one is kept only where it is
not what the smaller one says. Marks, short and long digits lie apart, each compressed (zstd) by itself.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import zstandard
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.observation import Scores
from streams.core.outputs import ScoredWindow

_FORM = 1
_HEADER = struct.Struct("<BBIBIIIIIII")
"""Form, detectors, series, bytes a count; numbers that are short, long, whole; compressed bytes of the marks,
of the short digits, of the long ones' high bytes and of their other bytes."""
_LEVEL = 1
_FIELDS = ("p_high", "p_below", "p_low", "p_above", "expected", "low", "high", "size")
_PAIRS = 2
"""The first 2 * _PAIRS fields are complementary, two by two."""
_UPPER_SMALL, _PREDICTED = 1, 2
_WHOLE, _NAN, _ZERO = 126, 125, 124
"""Marks of a number that is kept whole, is none, is nothing; any other mark says where the point is."""
_LONG = 64
"""Added to the mark of a number whose digits do not fit two bytes."""
_LEAST_LONG = _LONG - 14
"""Digits before the point: up to 15 of a number that is not kept whole. Places behind it: up to 45."""
_LONGEST_SHORT = 0xFFFF
_POWERS = np.array([float(f"1e{k}") for k in range(64)])

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)


@compiled
def _digits(value: float) -> tuple[np.int64 | int, np.int64 | int]:
    """A number's digits, sign in the lowest bit, and its mark."""
    size = abs(value)
    if size == 0.0:
        return 0, _ZERO
    if not 1e-40 < size < 1e15:
        return 0, _WHOLE if size == size else _NAN  # noqa: PLR0124 # NaN, in machine code
    places = 5 - np.int64(((np.float64(size).view(np.int64) >> 52) - 1023) * 0.30102999566398)
    scaled = size * _POWERS[places] if places >= 0 else size / _POWERS[-places]
    if scaled >= 999999.5:
        places -= 1
        scaled = size * _POWERS[places] if places >= 0 else size / _POWERS[-places]
    elif scaled < 99999.5:
        places += 1
        scaled = size * _POWERS[places] if places >= 0 else size / _POWERS[-places]
    digits = np.int64(scaled + 0.5)
    while digits % 10 == 0 and digits > 0:
        digits //= 10
        places -= 1
    if (digits / _POWERS[places] if places >= 0 else digits * _POWERS[-places]) != size:
        return 0, _WHOLE
    return digits * 2 + (value < 0.0), places


@compiled
def _encode(values: Floats, marks: NDArray[np.int8], pairs: Bytes, short: NDArray[np.uint16], long: Bytes) -> int:
    """Take values of shape (fields, n) apart: marks likewise, pairs of shape (_PAIRS, n), the digits one after the
    other in `short` and, by weight, in the three rows of `long`; changes the values. How many digits are long."""
    for pair in range(_PAIRS):
        for i in range(values.shape[1]):
            one, other = values[2 * pair, i], values[2 * pair + 1, i]
            state = 0
            if one > other:
                one, other = other, one
                state = _UPPER_SMALL
            if other == np.rint((1.0 - one) * 1e6) / 1e6:
                state |= _PREDICTED
                other = 0.0
            pairs[pair, i] = state
            values[2 * pair, i], values[2 * pair + 1, i] = one, other
    shorts, longs = 0, 0
    for field in range(values.shape[0]):
        for i in range(values.shape[1]):
            digits, mark = _digits(values[field, i])
            if mark < _ZERO and digits <= _LONGEST_SHORT:
                short[shorts] = digits
                shorts += 1
            elif mark < _ZERO:
                long[0, longs], long[1, longs], long[2, longs] = digits & 255, digits >> 8 & 255, digits >> 16
                longs += 1
                mark += _LONG
            marks[field, i] = mark
    return longs


@dataclass(frozen=True, slots=True)
class PackedScores:
    """A scored window as read back: vectors in the layout's order, of all its places or of the one asked for."""

    counts: NDArray[np.int64]
    """Shape (places,); all places are signals * series."""
    detectors: tuple[str, ...]
    floats: Mapping[str, Floats]
    """Field of `Scores` -> shape (detectors, places)."""
    reasons: Bytes
    """Shape (detectors, places)."""

    def scores(self, shape: tuple[int, int]) -> dict[str, Scores]:
        """Detector name -> scores with arrays of shape (signals, series), as they were packed."""
        return {
            name: Scores(
                **{field: values[d].reshape(shape) for field, values in self.floats.items()},
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
        n = len(names) * counts.size
        narrow = counts.astype(np.int32)
        fits = np.array_equal(narrow, counts)
        counted = _planes(narrow) if fits else _planes(counts)
        values = np.empty((len(_FIELDS), n), dtype=np.float64)
        reasons = np.empty(n, dtype=np.uint8)
        for d, name in enumerate(names):
            scores, own = window.scores[name], slice(d * counts.size, (d + 1) * counts.size)
            reasons[own] = scores.reason.ravel()
            for f, field in enumerate(_FIELDS):
                values[f, own] = getattr(scores, field).ravel()
        marks, pairs = np.empty(values.shape, dtype=np.int8), np.empty((_PAIRS, n), dtype=np.uint8)
        short, long = np.empty(values.size, dtype=np.uint16), np.empty((3, values.size), dtype=np.uint8)
        longs = _encode(values, marks, pairs, short, long)
        shorts = int(np.count_nonzero(marks < _LEAST_LONG))
        whole = values[marks == _WHOLE]
        frames = [
            self._zstd.compress(counted + reasons.tobytes() + pairs.tobytes() + marks.tobytes()),
            self._zstd.compress(_planes(short[:shorts])),
            self._zstd.compress(long[2, :longs].tobytes()),
            self._zstd.compress(long[:2, :longs].tobytes()),
        ]
        sizes = (len(names), counts.size, 4 if fits else 8, shorts, longs, whole.size, *map(len, frames))
        return b"".join((_HEADER.pack(_FORM, *sizes), *frames, whole.tobytes()))


class Unpacker:
    """Reads what a Packer made; keeps a decompressor between windows."""

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdDecompressor()

    def unpack(self, content: bytes, detectors: Sequence[str], place: int | None = None) -> PackedScores:
        """What `Packer.pack` was given, of all places or of one. Raises ValueError where the bytes are not of a
        form known here, or are damaged."""
        form, several, series, width, shorts, longs, whole, *frames = _HEADER.unpack_from(content)
        if form != _FORM or several != len(detectors):
            raise ValueError(f"scores of form {form} with {several} detectors, not {len(detectors)}")
        rest = _Reader(content, _HEADER.size)
        try:
            first, second, third, fourth = (_Reader(self._zstd.decompress(rest.bytes(size))) for size in frames)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from error
        n = several * series
        counts = first.planes(series, np.int32 if width == 4 else np.int64)
        reasons = first.take(n, np.uint8).reshape(several, series)
        pairs = first.take(_PAIRS * n, np.uint8).reshape(_PAIRS, several, series)
        marks = first.take(len(_FIELDS) * n, np.int8).reshape(len(_FIELDS), several, series)
        digits = _Digits(
            short=second.planes(shorts, np.uint16),
            high=third.take(longs, np.uint8),
            low=fourth.take(2 * longs, np.uint8).reshape(2, longs),
            whole=rest.take(whole, np.float64),
        )
        chosen = slice(None) if place is None else slice(place, place + 1)
        values = _whole_pairs(_numbers(marks, digits, chosen), pairs[:, :, chosen])
        return PackedScores(
            counts[chosen].astype(np.int64),
            tuple(detectors),
            dict(zip(_FIELDS, values, strict=True)),
            reasons[:, chosen],
        )


@dataclass(frozen=True, slots=True)
class _Digits:
    """The digits of a window's numbers, one after the other, by what their marks say."""

    short: NDArray[np.uint16]
    high: Bytes
    low: Bytes
    whole: Floats


def _numbers(marks: NDArray[np.int8], digits: _Digits, chosen: slice) -> Floats:
    """Shape (fields, detectors, chosen places): the numbers that marks and digits stand for."""
    is_whole = marks == _WHOLE
    is_short = marks < _LEAST_LONG
    is_long = (marks < _ZERO) & ~is_short

    def ranks(kind: NDArray[np.bool]) -> NDArray[np.int64]:
        """How many of a kind come before, where there is one."""
        return (kind.ravel().cumsum() - 1).reshape(kind.shape)[:, :, chosen][kind[:, :, chosen]]

    mark = marks[:, :, chosen]
    found = np.zeros(mark.shape, dtype=np.int64)
    found[is_short[:, :, chosen]] = digits.short[ranks(is_short)]
    at = ranks(is_long)
    low = digits.low[:, at].astype(np.int64)
    found[is_long[:, :, chosen]] = low[0] | low[1] << 8 | digits.high[at].astype(np.int64) << 16
    places = np.where(mark < _LEAST_LONG, mark, np.where(mark < _ZERO, mark - _LONG, 0))
    size = (found >> 1).astype(np.float64)
    size = np.where(places >= 0, size / _POWERS[np.maximum(places, 0)], size * _POWERS[np.maximum(-places, 0)])
    values: Floats = np.where(found & 1, -size, size)
    values[mark == _NAN] = np.nan
    values[mark == _WHOLE] = digits.whole[ranks(is_whole)]
    return values


def _whole_pairs(values: Floats, pairs: Bytes) -> Floats:
    """The same with both tails of every pair, each in its own field."""
    one, other = values[0 : 2 * _PAIRS : 2], values[1 : 2 * _PAIRS : 2]
    predicted = (pairs & _PREDICTED) > 0
    other = np.where(predicted, np.rint((1.0 - np.where(predicted, one, 0.0)) * 1e6) / 1e6, other)
    upper_small = (pairs & _UPPER_SMALL) > 0
    values[0 : 2 * _PAIRS : 2], values[1 : 2 * _PAIRS : 2] = (
        np.where(upper_small, other, one),
        np.where(upper_small, one, other),
    )
    return values


def _planes(values: NDArray[np.generic]) -> bytes:
    """Bytes of equal weight together."""
    flat = np.ascontiguousarray(values.ravel())
    return flat.view(np.uint8).reshape(-1, flat.itemsize).T.tobytes()


class _Reader:
    """Takes arrays off the front of a body."""

    def __init__(self, body: bytes, at: int = 0) -> None:
        self._body = body
        self._at = at

    def bytes(self, count: int) -> bytes:
        self._at += count
        return self._body[self._at - count : self._at]

    def take(self, count: int, kind: type[T]) -> NDArray[T]:
        found = np.frombuffer(self._body, dtype=kind, count=count, offset=self._at)
        self._at += found.nbytes
        return found

    def planes(self, count: int, kind: type[T]) -> NDArray[T]:
        width = np.dtype(kind).itemsize
        together = np.ascontiguousarray(self.take(count * width, np.uint8).reshape(width, count).T)
        return together.view(kind).ravel()
