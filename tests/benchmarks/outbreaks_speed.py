"""How fast all default detectors are together, and how long 100,000 series take to be written down and read back.

    python -m tests.benchmarks.outbreaks_speed [--series N] [--json]

A series-window is one window of one series, judged by every detector that its size has unless a profile says otherwise,
days by `shift` as well, as most of Leshan's are. A week of a series that is watched by the hour, the day and the week
has 168 + 7 + 1 of them; the figures are for that mix, on one core, in process time, and for each size by itself.
"""

import argparse
import json
import time

import numpy as np

from detectors.registry import create
from streams.profile.schema import DetectorsPart
from tests.benchmarks.scoring import measure, slot_of

USUAL = DetectorsPart()
DETECTORS_ON = {168: USUAL.hour, 7: (*USUAL.day, "shift"), 1: USUAL.week}
NAMES = {168: "hours", 7: "days", 1: "weeks"}
MEAN = {168: 0.5, 7: 10.0, 1: 50.0}
TARGETS = {"score_per_second": 1_000_000, "both_per_second": 100_000, "snapshot_seconds": 2.0, "bytes_per_series": 4096}


def mixed(series: int, windows: int) -> dict[str, float]:
    """Series-windows a second over the mix: of score, and of score and learn."""
    spent = {size: {"score_per_second": 0.0, "both_per_second": 0.0} for size in MEAN}
    largest = 0.0
    for size, mean in MEAN.items():
        held = 0.0
        for name in DETECTORS_ON[size]:
            row = measure(name, size, mean, series, windows)
            held += float(row["bytes_per_series"])
            for key in spent[size]:
                spent[size][key] += 1.0 / float(row[key])
        largest = max(largest, held)
    mix = {key: round(sum(MEAN) / sum(size * of[key] for size, of in spent.items())) for key in spent[1]}
    alone = {f"{key}_{name}": round(1.0 / spent[size][key]) for key in spent[1] for size, name in NAMES.items()}
    return mix | alone | {"bytes_per_series": largest}


def snapshot_seconds(series: int = 100_000) -> dict[str, float]:
    """Seconds for snapshot and restore together, by detector, of series watched by the day."""
    found = {}
    for name in sorted({name for names in DETECTORS_ON.values() for name in names}):
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
        print(f"{key:<24} {value}")


if __name__ == "__main__":
    main()
