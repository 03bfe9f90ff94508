"""What the judge remembers: plain, bounded, serialisable. `snapshot` gives deterministic bytes."""

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct

from detectors.observation import Scores
from streams.core.city import Direction, Size
from streams.core.clusters import ScannedDay
from streams.core.instant import Instant
from streams.core.outputs import ScoredWindow, SeriesDetail
from streams.core.spending import Account


class TrackedSeries(Struct, frozen=True, order=True):
    """A series whose verdicts and near-verdicts keep an alert open."""

    signal: str
    size: Size
    detector: str
    county: str
    side: Direction


class OpenAlert(Struct, frozen=True):
    """One incident as the judge follows it. Kept for a week after its end, so that a day's or a week's window
    that closes later does not page again for what an hour's alert already told."""

    alert: str
    county: str
    family: str
    apart: str
    """`compartmented`, `silent_feed`, `cluster:` and its counties, or nothing: what may not share an alert with the
    rest."""
    side: Direction
    size: Size
    """The raising window's size: hysteresis counts windows of it."""
    raised_by: TrackedSeries
    start: Instant
    """Start of the raising window."""
    last_near: Instant
    """End of the last window in which a tracked series was at or near a verdict."""
    quiet: int
    """Windows of the raising size since then."""
    excess: float
    """Largest departure from the expected that its series have shown, in counts."""
    tracked: tuple[TrackedSeries, ...]
    joined: tuple[tuple[str, str, str], ...]
    """(signal, size, shape) of the evidence so far, the raising one first."""
    ended: bool = False


class LowSeen(Struct, frozen=True):
    """The last window in which a series was at or near a verdict on the low side."""

    signal: str
    size: Size
    county: str
    end: Instant


class TicketPage(Struct, frozen=True):
    """An always-page alert: when it was raised, and the earliest event of its ticket known so far."""

    raised_at: Instant
    at: Instant
    category: str


class JudgeState(Struct, frozen=True):
    """Everything between two steps."""

    began: Instant | None = None
    """Start of the earliest window that came in; None: none has, or a version did not note it."""
    judged_to: Instant | None = None
    """The last window end that was judged."""
    pending: tuple[ScoredWindow, ...] = ()
    """Windows whose end still lacks another size, sorted by (end, size)."""
    arrived: dict[Size, Instant] = {}
    """The last window end that came in, per size."""
    open: tuple[OpenAlert, ...] = ()
    """Open alerts and the ended ones of the last week, in the order in which they were raised."""
    lows: tuple[LowSeen, ...] = ()
    highs: tuple[LowSeen, ...] = ()
    """Likewise on the high side: the profile's witnesses of droughts only."""
    scanned: tuple[ScannedDay, ...] = ()
    """The last days, for clusters to be looked for in."""
    account: Account = Account()
    """What the last 7 days spent of the budget."""
    clock: Instant | None = None
    """The latest event time seen: what tickets are forgotten by."""
    tickets: dict[int, dict[str, TicketPage]] = {}
    """Always-page alerts by the day on which they were raised (days since the epoch), then by id."""


class _StoredScores(Struct, frozen=True):
    detector: str
    floats: tuple[bytes, ...]
    reason: bytes


class _StoredWindow(Struct, frozen=True):
    size: Size
    start: Instant
    end: Instant
    shape: tuple[int, int]
    counts: bytes
    scores: tuple[_StoredScores, ...]
    details: tuple[tuple[int, int, SeriesDetail], ...]


class _StoredState(Struct, frozen=True):
    state: JudgeState
    pending: tuple[_StoredWindow, ...]


_FLOATS = ("expected", "low", "high", "p_high", "p_above", "p_low", "p_below", "size")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_StoredState)


def _plain_nan(values: np.ndarray) -> bytes:
    """Little-endian bytes; every NaN the same one."""
    return np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes()


def _store(window: ScoredWindow) -> _StoredWindow:
    rows, columns = window.counts.shape
    return _StoredWindow(
        size=window.size,
        start=window.start,
        end=window.end,
        shape=(rows, columns),
        counts=window.counts.astype("<i8").tobytes(),
        scores=tuple(
            _StoredScores(
                name,
                tuple(_plain_nan(getattr(window.scores[name], field)) for field in _FLOATS),
                window.scores[name].reason.astype("u1").tobytes(),
            )
            for name in sorted(window.scores)
        ),
        details=tuple((i, j, window.details[i, j]) for i, j in sorted(window.details)),
    )


def _load(stored: _StoredWindow) -> ScoredWindow:
    return ScoredWindow(
        size=stored.size,
        start=stored.start,
        end=stored.end,
        counts=np.frombuffer(stored.counts, "<i8").reshape(stored.shape).astype(np.int64),
        scores={
            s.detector: Scores(
                **{
                    field: np.frombuffer(floats, "<f8").reshape(stored.shape).astype(np.float64)
                    for field, floats in zip(_FLOATS, s.floats, strict=True)
                },
                reason=np.frombuffer(s.reason, "u1").reshape(stored.shape).astype(np.uint8),
            )
            for s in stored.scores
        },
        details={(i, j): detail for i, j, detail in stored.details},
    )


def snapshot(state: JudgeState) -> bytes:
    """The whole state; equal states give equal bytes."""
    pending: Sequence[ScoredWindow] = state.pending
    bare = msgspec.structs.replace(state, pending=())
    return _encoder.encode(_StoredState(bare, tuple(_store(window) for window in pending)))


def restore(data: bytes) -> JudgeState:
    """The state whose snapshot this is."""
    stored = _decoder.decode(data)
    return msgspec.structs.replace(stored.state, pending=tuple(_load(window) for window in stored.pending))
