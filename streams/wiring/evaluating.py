"""The alerts of a ledger held against labels."""

from collections.abc import Sequence

from streams.core.city import Size
from streams.core.instant import WEEK, Duration
from streams.core.window import NOMINAL
from streams.profile import Profile
from streams.replay.evaluate import Evaluation, evaluate
from streams.replay.labels import Label
from streams.wiring.reading import Reading

_LONGEST_WARM_UP_WEEKS = 60


def evaluated(reading: Reading, labels: Sequence[Label]) -> Evaluation:
    """The alerts of a data directory held against labels."""
    city, ledger = reading.profile.city, reading.ledger
    progress = ledger.progress()
    days = ledger.metrics(city.counties[0].code, Size.DAY)
    start = days[0].start if days else 0
    reached = start if progress is None or progress.watermark is None else progress.watermark + city.allowed_lateness
    return evaluate(ledger.transitions(), labels, city, start + _shortest_warm_up(reading.profile), reached)


def _shortest_warm_up(profile: Profile) -> Duration:
    """How long after the beginning of a stream the first of its tests can judge: each detector is asked."""
    import numpy as np

    from detectors.observation import ScoreReason, Slot
    from detectors.registry import SCANS, create

    lengths: list[Duration] = []
    for name in sorted({name for signal in profile.city.signals for name in signal.detectors} - set(SCANS)):
        for size in sorted(
            {size for signal in profile.city.signals for size in signal.sizes if name in signal.detectors_at(size)}
        ):
            a_week = WEEK // NOMINAL[size]
            detector = create(name, 1, a_week)
            for window in range(_LONGEST_WARM_UP_WEEKS * a_week):
                hour_of_week = window % a_week * (168 // a_week)
                slot = Slot(window, hour_of_week, window / (a_week * 52) % 1, 1.0, np.zeros(1, np.int64))
                if detector.score(np.array([5]), slot).reason[0] == ScoreReason.SCORED:
                    lengths.append(window * NOMINAL[size])
                    break
                detector.learn(np.array([5]), slot)
    return min(lengths, default=0)
