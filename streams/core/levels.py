"""What each test of a city may spend of its page budget: from the plan alone, never from data."""

from detectors.budget import Test, levels
from detectors.registry import DETECTORS, SCANS
from streams.core.city import City, Size

WINDOWS_PER_WEEK = {Size.HOUR: 168, Size.DAY: 7, Size.WEEK: 1}


def levels_of(city: City) -> dict[tuple[str, Size, str], float]:
    """(signal, size, detector) -> level of one series in one window, both sides together.

    Where the clock is changed, the judge's account scales levels down in the week that is an hour short.
    """
    keys, tests = [], []
    for signal in city.signals:
        for size in signal.sizes:
            for detector in signal.detectors:
                judged = SCANS[detector].judges if detector in SCANS else DETECTORS[detector].judges
                if WINDOWS_PER_WEEK[size] not in judged:
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
