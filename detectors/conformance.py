"""The detector contract as checks, for any implementation: `python` code of a third party included.

    from detectors.conformance import assert_conforms
    assert_conforms(MyDetector)

Each check drives fresh detectors over a fixed, seeded stream of counts (small and large, with gaps, an outbreak, a
series of zeros, one of 10**9), at every window size that the detector judges, and says in words what it saw.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Detector
from detectors.observation import Counts, ScoreReason, Scores, Slot

SERIES = 7
_FLOATS = tuple(field.name for field in fields(Scores) if field.name != "reason")
_PAIRS = (("p_high", "p_above"), ("p_low", "p_below"))
_LENGTHS = {168: 24 * 40, 7: 150, 1: 80}
"""Windows of a stream: some 40 days of hours, 5 months of days, 18 months of weeks."""
_WARM_BY = {168: 168 * 13, 7: 7 * 26, 1: 104}
"""Windows after which a detector must judge: a quarter of hours, half a year of days, two years of weeks."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise of the contract that a detector breaks."""

    check: str
    """Name of the check, kebab-case."""
    windows_per_week: int
    message: str

    def __str__(self) -> str:
        return f"{self.check} (windows per week: {self.windows_per_week}): {self.message}"


class ConformanceError(AssertionError):
    """A detector breaks the contract; the message has a line for each violation."""


def assert_conforms(detector: type[Detector]) -> None:
    """Raises ConformanceError that lists every violation, if there is any."""
    found = check(detector)
    if found:
        raise ConformanceError("\n".join((f"{detector.__name__} breaks the detector contract:", *map(str, found))))


def check(detector: type[Detector]) -> list[Violation]:
    """Every violation of the contract that the checks find, in a fixed order; empty for a detector that conforms."""
    found = [Violation("names-itself", 0, message) for message in _names(detector)]
    for windows_per_week in detector.judges:
        for name, one in _CHECKS:
            message = _first(one, detector, windows_per_week)
            if message:
                found.append(Violation(name, windows_per_week, message))
    return found


def stream(windows_per_week: int, length: int, start: int = 0) -> Iterator[tuple[Counts, Slot]]:
    """The stream that detectors are checked on: windows `start`.. of SERIES series, always the same."""
    random = np.random.default_rng(20130330)
    others = np.random.default_rng(20130331)
    per_day = max(1, windows_per_week // 7)
    mean = np.array([0.05, 0.4, 3.0, 30.0, 400.0, 0.0, 1e9])
    for index in range(start + length):
        hour = index * 24 // per_day % 168 if windows_per_week > 1 else 0
        busy = 1.0 + 0.5 * np.sin(2 * np.pi * hour / 24) + 0.3 * np.cos(2 * np.pi * index / (52.18 * windows_per_week))
        counts = random.poisson(random.gamma(4.0, mean * busy / 4.0)).astype(np.int64)
        if index % 97 in {50, 51}:
            counts[1:4] += 40
        if index % 41 == 20:
            counts[index % SERIES] = -1
        day = index // per_day if windows_per_week > 1 else index * 7
        slot = Slot(
            index=index,
            hour_of_week=hour,
            year_phase=index / (52.18 * windows_per_week) % 1.0,
            length=23 / 24 if windows_per_week == 7 and index % 90 == 60 else 1.0,
            day_class=np.full(SERIES, int(day % 30 == 9), dtype=np.int64),
            wholes=np.maximum(counts, 0) + others.poisson(0.3 * mean) + 1,
            groups=np.array([0, 0, 0, 0, 1, 1, 1], dtype=np.int64),
            exposure=np.where(index % 53 == 17, 0.0, 1.0 + np.arange(SERIES) * (1.0 + 0.1 * (index % 3))),
        )
        if index >= start:
            yield counts, slot


def _first(one: "_Check", detector: type[Detector], windows_per_week: int) -> str:
    try:
        return next(one(detector, windows_per_week), "")
    except Exception as error:  # noqa: BLE001  # any exception is the detector's: that is the finding
        return f"raised {type(error).__name__}: {error}"


def _names(detector: type[Detector]) -> Iterator[str]:
    for attribute in ("name", "version", "summary"):
        text = getattr(detector, attribute, None)
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            yield f"`{attribute}` must be one line of text"
    if not set(detector.judges) <= {168, 7, 1} or not detector.judges:
        yield "`judges` must name some of 168, 7 and 1"


def _trained(detector: type[Detector], windows_per_week: int, length: int) -> Detector:
    made = detector.fresh(SERIES, windows_per_week)
    for counts, slot in stream(windows_per_week, length):
        made.learn(counts, slot)
    return made


def _difference(one: Scores, other: Scores, order: NDArray[np.int64] | None = None) -> str:
    """In what two verdicts differ, "" if in nothing; `order`: the series of `other` that belong to those of `one`."""
    for name in (*_FLOATS, "reason"):
        left, right = getattr(one, name), getattr(other, name)
        right = right if order is None else right[order]
        if not np.array_equal(left, right, equal_nan=name != "reason"):
            return name
    return ""


def _scores_are_well_formed(detector: type[Detector], windows_per_week: int) -> Iterator[str]:
    made = detector.fresh(SERIES, windows_per_week)
    for counts, slot in stream(windows_per_week, _LENGTHS[windows_per_week]):
        scores = made.score(counts, slot)
        made.learn(counts, slot)
        for fault in (*_misshapen(scores), *_unsound(scores, counts)):
            yield f"{fault}, at window {slot.index}"


def _misshapen(scores: Scores) -> Iterator[str]:
    for name in (*_FLOATS, "reason"):
        shape = getattr(scores, name).shape
        if shape != (SERIES,):
            yield f"`{name}` has shape {shape}, not ({SERIES},)"


def _unsound(scores: Scores, counts: Counts) -> Iterator[str]:
    scored = scores.reason == ScoreReason.SCORED
    for name in ("expected", "low", "high"):
        if not np.isfinite(getattr(scores, name)[scored]).all():
            yield f"`{name}` is not finite although it is scored"
    for name in ("p_high", "p_above", "p_low", "p_below"):
        p = getattr(scores, name)[scored]
        if not ((p >= 0) & (p <= 1)).all():
            yield f"`{name}` lies outside [0, 1]: {p[~((p >= 0) & (p <= 1))][0]}"
    for name in _FLOATS:
        if not np.isnan(getattr(scores, name)[~scored]).all():
            yield f"`{name}` is not NaN although the reason is not SCORED"
    for more, less in _PAIRS:
        if (getattr(scores, more)[scored] < getattr(scores, less)[scored]).any():
            yield f"`{more}` < `{less}`"
    if (scores.size[scored] <= 0).any():
        yield "`size` is not positive"
    if (scored & (counts < 0)).any():
        yield "a missing count was scored"


def _score_is_pure(detector: type[Detector], windows_per_week: int) -> Iterator[str]:
    asked, quiet = detector.fresh(SERIES, windows_per_week), detector.fresh(SERIES, windows_per_week)
    for counts, slot in stream(windows_per_week, _LENGTHS[windows_per_week]):
        given = counts.copy()
        first, second = asked.score(counts, slot), asked.score(counts, slot)
        if not np.array_equal(given, counts):
            yield f"the counts handed in were changed at window {slot.index}"
        if differs := _difference(first, second):
            yield f"asked twice at window {slot.index}, `{differs}` is not the same"
        asked.score(counts + 7, slot)
        asked.learn(counts, slot)
        quiet.learn(counts, slot)
    if asked.snapshot() != quiet.snapshot():
        yield "scoring changed the state: a detector that was asked differs from one that was not"


def _warms_up_aloud(detector: type[Detector], windows_per_week: int) -> Iterator[str]:
    made = detector.fresh(SERIES, windows_per_week)
    counts, slot = next(stream(windows_per_week, 1))
    reason = made.score(np.abs(counts), slot).reason
    if not np.isin(reason, (ScoreReason.WARMING_UP, ScoreReason.NOT_JUDGED)).all():
        yield "a detector that has seen nothing must say WARMING_UP, not judge"
    ever = np.zeros(SERIES, dtype=bool)
    for counts, slot in stream(windows_per_week, _WARM_BY[windows_per_week]):
        ever |= made.score(counts, slot).reason == ScoreReason.SCORED
        if ever.all():
            return
        made.learn(counts, slot)
    yield f"still warming up after {_WARM_BY[windows_per_week]} windows"


def _says_missing(detector: type[Detector], windows_per_week: int) -> Iterator[str]:
    made = _trained(detector, windows_per_week, _LENGTHS[windows_per_week])
    _, slot = next(stream(windows_per_week, 1, _LENGTHS[windows_per_week]))
    nothing = np.full(SERIES, -1, dtype=np.int64)
    if not np.isin(made.score(nothing, slot).reason, (ScoreReason.MISSING, ScoreReason.NOT_JUDGED)).all():
        yield "a count of -1 must be said to be MISSING"
    for counts, later in stream(windows_per_week, 3 * windows_per_week, _LENGTHS[windows_per_week]):
        made.learn(np.full_like(counts, -1), later)
    for counts, later in stream(windows_per_week, 1, _LENGTHS[windows_per_week] + 3 * windows_per_week):
        scores = made.score(np.abs(counts), later)
        if not np.isfinite(scores.expected[scores.reason == ScoreReason.SCORED]).all():
            yield "after missing windows `expected` is not finite"


def _order_of_series_is_free(detector: type[Detector], windows_per_week: int) -> Iterator[str]:
    order = np.array([3, 0, 6, 2, 5, 1, 4])
    made, other = detector.fresh(SERIES, windows_per_week), detector.fresh(SERIES, windows_per_week)
    back = np.argsort(order)
    for counts, slot in stream(windows_per_week, _LENGTHS[windows_per_week]):
        wholes = None if slot.wholes is None else slot.wholes[order]
        groups = None if slot.groups is None else slot.groups[order]
        exposure = None if slot.exposure is None else slot.exposure[order]
        moved = replace(slot, day_class=slot.day_class[order], wholes=wholes, groups=groups, exposure=exposure)
        if differs := _difference(made.score(counts, slot), other.score(counts[order], moved), back):
            yield f"with the series in another order `{differs}` changes at window {slot.index}"
        made.learn(counts, slot)
        other.learn(counts[order], moved)


def _state_is_bounded(detector: type[Detector], windows_per_week: int) -> Iterator[str]:
    length = _LENGTHS[windows_per_week]
    made = _trained(detector, windows_per_week, length)
    before = len(made.snapshot())
    for counts, slot in stream(windows_per_week, 2 * length, length):
        made.learn(counts, slot)
    after = len(made.snapshot())
    if after > before + 64 * SERIES:
        yield f"the state grows with time: {before} bytes after {length} windows, {after} after {3 * length}"


def _snapshot_is_whole(detector: type[Detector], windows_per_week: int) -> Iterator[str]:
    length = _LENGTHS[windows_per_week]
    for cut in (0, length // 3, length):
        made = _trained(detector, windows_per_week, cut)
        taken = made.snapshot()
        back = detector.restore(taken)
        if back.snapshot() != taken:
            yield f"restored after {cut} windows, it has another snapshot"
        for counts, slot in stream(windows_per_week, length // 2, cut):
            if differs := _difference(made.score(counts, slot), back.score(counts, slot)):
                yield f"restored after {cut} windows, `{differs}` differs at window {slot.index}"
            made.learn(counts, slot)
            back.learn(counts, slot)
        if made.snapshot() != back.snapshot():
            yield f"restored after {cut} windows, it has learned something else"


def _same_input_same_state(detector: type[Detector], windows_per_week: int) -> Iterator[str]:
    length = _LENGTHS[windows_per_week]
    if (
        _trained(detector, windows_per_week, length).snapshot()
        != _trained(detector, windows_per_week, length).snapshot()
    ):
        yield "two fresh detectors that saw the same windows differ"


_Check = Callable[[type[Detector], int], Iterator[str]]

_CHECKS: tuple[tuple[str, _Check], ...] = (
    ("scores-are-well-formed", _scores_are_well_formed),
    ("score-is-pure", _score_is_pure),
    ("warms-up-aloud", _warms_up_aloud),
    ("says-missing", _says_missing),
    ("order-of-series-is-free", _order_of_series_is_free),
    ("state-is-bounded", _state_is_bounded),
    ("snapshot-is-whole", _snapshot_is_whole),
    ("same-input-same-state", _same_input_same_state),
)
