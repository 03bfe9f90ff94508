"""Small true things for the ledger's tests: a layout, alerts, scored windows, checkpoints."""

import numpy as np

from detectors.observation import ScoreReason, Scores
from streams.core.alert import Ended, Evidence, Joined, Raised, Severity
from streams.core.city import Size
from streams.core.instant import DAY, HOUR, Instant
from streams.core.outputs import Accounting, ClosedWindow, Correction, CountyMetrics, ScoredWindow
from streams.core.record import Reason, Rejection
from streams.ports import Checkpoint, Outputs, SeriesLayout

COUNTIES = ("511102", "511111", "511181")
CITY = "511100"
SIGNALS = ("complaints", "noise", "threats")
LAYOUT = SeriesLayout("p1", SIGNALS, (*COUNTIES, CITY))
START: Instant = 1_700_000_000_000_000 // DAY * DAY
SOURCE = "recording-1"


def six(values: object) -> np.ndarray:
    """Rounded to 6 significant digits, as scores are."""
    whole = np.asarray(values, dtype=np.float64)
    return np.array([float(f"{value:.6g}") for value in whole.ravel()]).reshape(whole.shape)


def scores(shape: tuple[int, ...], seed: int) -> Scores:
    """Scores of any shape: some warming up, tails that belong together."""
    random = np.random.default_rng(seed)
    upper, lower = random.uniform(0, 1, shape) ** 6, random.uniform(0, 1, shape) ** 6
    expected = random.gamma(2, 5, shape)
    reason = np.where(random.uniform(0, 1, shape) < 0.2, ScoreReason.WARMING_UP, ScoreReason.SCORED).astype(np.uint8)

    def judged(values: np.ndarray) -> np.ndarray:
        return np.where(reason == ScoreReason.SCORED, six(values), np.nan)

    return Scores(
        expected=judged(expected),
        low=judged(expected // 2),
        high=judged(expected * 2 // 1),
        p_high=judged(upper),
        p_above=judged(1 - lower),
        p_low=judged(lower),
        p_below=judged(1 - upper),
        size=judged(random.gamma(3, 3, shape)),
        reason=reason,
    )


def scored(
    end: Instant,
    size: Size = Size.HOUR,
    detectors: tuple[str, ...] = ("counts", "shift"),
    layout: SeriesLayout = LAYOUT,
) -> ScoredWindow:
    """One scored window, the same for the same end."""
    shape = (len(layout.signals), len(layout.series))
    seed = end // HOUR
    counts = np.random.default_rng(seed).poisson(4, shape).astype(np.int64)
    counts[-1] = -1
    length = {Size.HOUR: HOUR, Size.DAY: DAY, Size.WEEK: 7 * DAY}[size]
    by_detector = {name: scores(shape, seed + i) for i, name in enumerate(detectors)}
    return ScoredWindow(size, end - length, end, counts, by_detector, {})


def metrics(volume: int, **parts: int) -> CountyMetrics:
    """Running metrics of a county whose call-backs have not begun."""
    return CountyMetrics(
        volume=volume,
        by_point={"hotline": volume},
        by_category=parts or {"noise": volume},
        by_sector={},
        by_kind={"accepted": volume},
        backlog=3,
        backlog_age_hours=12.5,
        overdue=1,
        closed=4,
        on_time=3,
        on_time_rate=0.75,
        valid_callbacks=0,
        response_rate=None,
        solution_rate=None,
        satisfaction_rate=None,
        repeats=0,
        distinct_callers=volume,
        distinct_matters=volume,
        late=0,
    )


def day(county: str, end: Instant, volume: int, **parts: int) -> ClosedWindow:
    """A closed day with its metrics."""
    counts = np.zeros(len(SIGNALS), dtype=np.int64)
    return ClosedWindow(county, Size.DAY, end - DAY, end, counts, None, metrics(volume, **parts))  # type: ignore[arg-type]  # cells are not the ledger's


def evidence(end: Instant, signal: str = "complaints", size: str = "hour", p: float = 1.5e-05) -> Evidence:
    """A burst of complaints."""
    return Evidence(
        signal=signal,
        size=size,
        detector="counts",
        detector_version="1",
        profile_version="p1",
        window_start=end - HOUR,
        window_end=end,
        known_at=end + HOUR,
        shape="burst",  # type: ignore[arg-type]  # as it looks when read back
        direction="high",
        count=31,
        expected=9.51234,
        low=4.0,
        high=17.0,
        p=p,
        level=2e-05,
        history=(8, 9, 11),
        calendar=("国庆节",),
        by_category=(("noise", 20), ("water", 11)),
        by_point=(("hotline", 31),),
    )


def raised(alert: str, end: Instant, county: str = COUNTIES[0], family: str = "environment") -> Raised:
    """An alert raised when the window that ends at `end` was known."""
    return Raised(alert, end + HOUR, county, family, Severity.WARNING, evidence(end))


def joined(alert: str, end: Instant, signal: str = "noise") -> Joined:
    """More evidence for an open alert."""
    return Joined(alert, end + HOUR, evidence(end, signal))


def ended(alert: str, at: Instant) -> Ended:
    """The end of an alert."""
    return Ended(alert, at, (("noise", "hour", "burst"),))


def late(event: str, at: Instant, county: str = COUNTIES[0]) -> Correction:
    """A late event."""
    start = at // HOUR * HOUR
    return Correction(event, county, at, start, start + HOUR, ("complaints", "noise"))


def rejected(position: int, at: Instant, reason: Reason = Reason.NOT_JSON) -> tuple[Instant, Rejection]:
    """A record that could not become an event."""
    return at, Rejection(reason, position, f"{position:064x}")


def checkpoint(
    record: int, *, watermark: Instant | None = START, late: int = 0, rejected: int = 0, **chunks: bytes | None
) -> Checkpoint:
    """A checkpoint at a record; a chunk given as None is removed."""
    return Checkpoint(
        source=SOURCE,
        profile_version="p1",
        record=record,
        place=b'{"record":%d}' % record,
        watermark=watermark,
        accounting=Accounting(record, record - late - rejected, 0, late, rejected, record // 10),
        changed={name: content for name, content in chunks.items() if content is not None},
        removed=tuple(name for name, content in chunks.items() if content is None),
    )


EVERYTHING = Outputs(
    transitions=(raised("a1", START), joined("a1", START + HOUR), ended("a1", START + 9 * HOUR), raised("a2", START)),
    scored=(scored(START), scored(START + HOUR), scored(START, Size.DAY, ("counts",))),
    closed=(day(COUNTIES[0], START, 12), day(COUNTIES[1], START, 7)),
    corrections=(late("e1", START - 3 * HOUR), late("e2", START - 2 * HOUR)),
    rejections=(rejected(3, START), rejected(4, START), rejected(7, START, Reason.FUTURE)),
)
"""One of each, for a checkpoint with 2 late and 3 rejected."""
