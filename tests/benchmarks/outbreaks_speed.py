"""How fast all default detectors are together, and how long 100,000 series take to be written down and read back.

    python -m tests.benchmarks.outbreaks_speed [--series N] [--json]

A series-window is one window of one series, judged by every detector of its size. A week of a series that is watched by
the hour, the day and the week has 168 + 7 + 1 of them; the figures are for that mix, on one core, in process time.
"""

import argparse
import json
import time

import numpy as np

from detectors.registry import DETECTORS, create
from tests.benchmarks.scoring import measure, slot_of

DETECTORS_ON = ("counts", "outbreak", "shift")
MEAN = {168: 0.5, 7: 10.0, 1: 50.0}
TARGETS = {"score_per_second": 1_000_000, "both_per_second": 100_000, "snapshot_seconds": 2.0, "bytes_per_series": 4096}


def mixed(series: int, windows: int) -> dict[str, float]:
    """Series-windows a second over the mix: of score, and of score and learn."""
    spent = {"score_per_second": 0.0, "both_per_second": 0.0}
    largest = 0.0
    for size, mean in MEAN.items():
        for name in DETECTORS_ON:
            if size in DETECTORS[name].judges:
                row = measure(name, size, mean, series, windows)
                largest = max(largest, float(row["bytes_per_series"]))
                for key in spent:
                    spent[key] += size / float(row[key])
    return {key: round(sum(MEAN) / seconds) for key, seconds in spent.items()} | {"bytes_per_series": largest}


def snapshot_seconds(series: int = 100_000) -> dict[str, float]:
    """Seconds for snapshot and restore together, by detector, of series watched by the day."""
    found = {}
    for name in DETECTORS_ON:
        detector = create(name, series, 7)
        detector.learn(np.ones(series, np.int64), slot_of(0, 7, series))
        started = time.process_time()
        type(detector).restore(detector.snapshot())
        found[name] = round(time.process_time() - started, 3)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    document = {"targets": TARGETS, **mixed(arguments.series, 100), "snapshot_seconds": snapshot_seconds()}
    if arguments.json:
        print(json.dumps(document))
        return
    for key, value in document.items():
        print(f"{key:<20} {value}")


if __name__ == "__main__":
    main()
