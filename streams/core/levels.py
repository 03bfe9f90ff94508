"""What each test of a city may spend of its page budget: from the plan alone, never from data."""

from detectors.budget import Test, levels
from detectors.registry import DETECTORS, SCANS
from streams.core.city import City, Direction, Size

WINDOWS_PER_WEEK = {Size.HOUR: 168, Size.DAY: 7, Size.WEEK: 1}


def sides_judged(direction: Direction, detector: str) -> tuple[Direction, ...]:
    """The sides on which a signal of this direction is judged by a detector: some look for too many only."""
    made = DETECTORS.get(detector)
    looked = (Direction.HIGH, Direction.LOW) if direction is Direction.BOTH else (direction,)
    return tuple(side for side in looked if made is None or side in made.sides)


def levels_of(city: City) -> dict[tuple[str, Size, str], float]:
    """(signal, size, detector) -> level of one series in one window, both sides together.

    Where the clock is changed, the judge's account scales levels down in the week that is an hour short.
    """
    keys, tests = [], []
    for signal in city.signals:
        for size in signal.sizes:
            for detector in signal.detectors_at(size):
                judged = SCANS[detector].judges if detector in SCANS else DETECTORS[detector].judges
                if WINDOWS_PER_WEEK[size] not in judged or not sides_judged(signal.direction, detector):
                    continue  # no budget goes where nothing is judged
                keys.append((signal.name, size, detector))
                tests.append(
                    Test(
                        signal.name,
                        WINDOWS_PER_WEEK[size],
                        detector,
                        # a scan is one test of all counties together
                        series=1 if detector in SCANS else len(city.counties) + signal.citywide,
                        weight=signal.weight * city.size_weights[size],
                    )
                )
    return dict(zip(keys, levels(tests, city.budget_per_week), strict=True))
