"""How fast the detectors are: learn and score, series-windows a second on one core, per detector, window size and mean.

    python -m tests.benchmarks.scoring [--series N] [--windows N] [--json]

Time is the process's own, so what else the machine does hardly matters. Everything is compiled, and every series past
its warm-up, before the measure begins.
"""

import argparse
import json
import time

import numpy as np

from detectors.observation import Slot
from detectors.registry import COMPILED, create

MEANS = {168: (0.05, 0.5, 5.0), 7: (1.0, 10.0, 100.0), 1: (5.0, 50.0, 5000.0)}
WARM = {168: 400, 7: 60, 1: 30}


def slot_of(index: int, windows_per_week: int, series: int) -> Slot:
    """The window of that number of a stream that begins on a Monday."""
    hour = {168: index % 168, 7: index % 7 * 24, 1: 0}[windows_per_week]
    phase = index / (52.18 * windows_per_week) % 1.0
    return Slot(index, hour, phase, 1.0, np.zeros(series, dtype=np.int64))


def measure(name: str, windows_per_week: int, mean: float, series: int, windows: int) -> dict[str, float | str]:
    """Series-windows a second of score, of learn, and of both, and bytes of state a series."""
    random = np.random.default_rng(1)
    detector = create(name, series, windows_per_week)
    spent = {"score": 0.0, "learn": 0.0}
    for index in range(WARM[windows_per_week] + windows):
        counts = random.negative_binomial(mean, 0.5, series).astype(np.int64)
        slot = slot_of(index, windows_per_week, series)
        started = time.process_time()
        detector.score(counts, slot)
        scored = time.process_time()
        detector.learn(counts, slot)
        if index >= WARM[windows_per_week]:
            spent["score"] += scored - started
            spent["learn"] += time.process_time() - scored
    done = series * windows
    return {
        "detector": name,
        "windows_per_week": windows_per_week,
        "mean": mean,
        "score_per_second": round(done / spent["score"]),
        "learn_per_second": round(done / spent["learn"]),
        "both_per_second": round(done / (spent["score"] + spent["learn"])),
        "bytes_per_series": round(len(detector.snapshot()) / series),
    }


def main() -> None:
    """Measure every detector at every size that it judges, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    arguments = parser.parse_args()
    rows = [
        measure(made.name, size, mean, arguments.series, arguments.windows)
        for made in COMPILED
        for size in made.judges
        for mean in MEANS[size]
    ]
    if arguments.json:
        print(json.dumps({"target_both_per_second": 500_000, "rows": rows}))
        return
    print("detector  windows/week   mean      score/s      learn/s       both/s  bytes/series")
    for row in rows:
        print(
            f"{row['detector']:<9} {row['windows_per_week']:>12} {row['mean']:>6} {row['score_per_second']:>12,}"
            f" {row['learn_per_second']:>12,} {row['both_per_second']:>12,} {row['bytes_per_series']:>13,}"
        )


if __name__ == "__main__":
    main()
