"""Are probabilities what they say, where nothing happens? Every detector, window size and side.

    python -m tests.benchmarks.calibration --expected N [--seed S] [--only NAME ...] [--json]

Beside each ratio (share of p below a level, over the level) stands the interval that chance leaves it, from how series
differ, and beside the worst cell how many p were expected there: a fault is what lies beyond its bound with its whole
interval. N: p expected below the least level in every cell of `counts` and `outbreak`; of what is slower, fewer.
`tests.benchmarks.outbreaks --calibration N` has the same table.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from detectors.registry import DETECTORS
from detectors.river_adapter import RIVER_SCORERS
from detectors.river_drift import RIVER_DRIFT
from detectors.scan import Scan
from tests.benchmarks import calibration_counts, calibration_scan, calibration_shares
from tests.benchmarks.calibration_counts import series_for
from tests.benchmarks.calibration_tally import LEVELS, SIDES, Tally
from tests.benchmarks.outbreaks_report import calibration_table

BOTH, HIGH = SIDES, SIDES[:1]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one detector's p are looked at."""

    name: str
    sizes: tuple[int, ...]
    sides: tuple[str, ...]
    share: float
    """Of the expected p that are asked for: it is slow, or its series have little to share."""
    tallied: Callable[[int, int, int], Tally]
    """Of (windows a week, series, seed)."""
    bank: str = "all"
    """Whose series lie in one bank: those of all cells, or each cell's own."""
    bounded: str = ""
    """Why its p may be less often small than they say; then only the upper bounds count."""


def _of_counts(name: str, *, together: bool = True, level: bool = False) -> Callable[[int, int, int], Tally]:
    return lambda size, series, seed: calibration_counts.tally(name, size, series, seed, together=together, level=level)


def _of_shares(*, together: bool) -> Callable[[int, int, int], Tally]:
    return lambda size, series, seed: calibration_shares.tally(size, series, seed, together=together)


def _of_days(size: int, cities: int, seed: int) -> Tally:
    if size != calibration_scan.DAYS:
        raise ValueError(f"the scan looks at days, not at {size} windows a week")
    return calibration_scan.tally(cities, seed)


def kinds() -> list[Kind]:
    """All of them, in the order in which they are shown."""
    made = []
    for bank, together in (("all", True), ("cell", False)):
        for name, sides in (("counts", BOTH), ("outbreak", HIGH)):
            one = _of_counts(name, together=together)
            made.append(Kind(name, DETECTORS[name].judges, sides, 1.0, one, bank))
        made.append(Kind("rates", DETECTORS["rates"].judges, BOTH, 0.5, _of_shares(together=together), bank))
    spans = "Bonferroni over spans, and every block of one must be on the side"
    made.append(Kind("shift", DETECTORS["shift"].judges, BOTH, 0.25, _of_counts("shift"), bounded=spans))
    search = "a search's bound, and a count's tail holds the count"
    made.append(Kind(Scan.name, Scan.judges, HIGH, 0.1, _of_days, bounded=search))
    made += [Kind(one.name, one.judges, BOTH, 0.02, _of_counts(one.name)) for one in RIVER_SCORERS]
    sums = "inequalities for sums, of series without trend and season: to these two, both are drifts"
    drifts = (
        Kind(one.name, one.judges, BOTH, 0.1, _of_counts(one.name, level=True), bounded=sums) for one in RIVER_DRIFT
    )
    return [*made, *drifts]


def rows(expected: float, seed: int, only: tuple[str, ...] = ()) -> Iterator[dict[str, object]]:
    """One by one: detector, size, bank and side, pooled and worst ratios."""
    for kind in kinds():
        for size in kind.sizes if not only or kind.name in only else ():
            print(f"calibration: {kind.name}, {size} windows a week, bank: {kind.bank}", file=sys.stderr, flush=True)
            found = kind.tallied(size, series_for(kind.share * expected, size), seed)
            for side in kind.sides:
                about = {"detector": kind.name, "windows_per_week": size, "bank": kind.bank, "bounded": kind.bounded}
                yield about | {"levels": LEVELS} | found.row(side)


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--expected", type=float, default=100.0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="these detectors")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = list(rows(arguments.expected, arguments.seed, tuple(arguments.only)))
    print(json.dumps(found) if arguments.json else "\n".join(calibration_table(found)))


if __name__ == "__main__":
    main()
