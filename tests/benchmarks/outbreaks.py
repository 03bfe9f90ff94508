"""How many simulated outbreaks are found, beside the limit and beside peers, at matched rates of false alarms.

    python -m tests.benchmarks.outbreaks --seed S [S ...] [--series N] [--river N] [--json] [--calibration N] [--report]

The detectors are driven through their public contract, week by week: a score is asked before the week is learned.
POD and delay are of alarms that are raised, as the oracle's: a detector with a memory has it reset at the alarm.
Sensitivity and specificity are of p alone, week by week. `--report` writes OUTBREAKS.md and OUTBREAKS.json.
"""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from detectors.contract import Detector
from detectors.observation import Slot
from detectors.outbreak import OutbreakBank
from detectors.registry import DETECTORS, create
from detectors.river_adapter import RIVER_SCORERS
from streams.profile.schema import DetectorsPart
from tests.benchmarks import calibration
from tests.benchmarks import outbreaks_oracle as oracle
from tests.benchmarks.outbreaks_peers import FARRINGTON_ORACLE, IMPROVED_FARRINGTON, ears
from tests.benchmarks.outbreaks_report import markdown
from tests.benchmarks.outbreaks_scoring import RATES, Alarms, Figures, alarms_with_memory, figures, plain_alarms
from tests.benchmarks.outbreaks_simulation import FIRST_SCORED, Counts, Floats, Simulation, simulate

DEFAULT = DetectorsPart().week
"""What judges the weeks of a signal whose profile does not say: a week is as alarming as the smaller p. `counts` asks
what `outbreak` asks of one window alone."""
OTHERS = (("counts", "shift"), ("counts", "outbreak", "shift"))
"""Other sets that a profile may name."""
ALONE = ("counts", "outbreak", "shift")
YEAR = 52
"""Weeks of the simulated year."""
TARGETS = {0.01: (0.94, 0.87), 0.025: (0.96, 0.88), 0.05: (0.98, 0.92)}
SMALLEST = 1e-300
RIVER = tuple(made.name for made in RIVER_SCORERS)
FARRINGTON = "improved Farrington (published)"


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def slot_of(week: int, series: int) -> Slot:
    """The week of that number."""
    return Slot(week, 0, (week + 0.5) / YEAR % 1.0, 1.0, np.zeros(series, dtype=np.int64))


def learned(name: str, counts: Counts) -> Detector:
    """The detector after every week of `counts` (series, weeks)."""
    detector = create(name, len(counts), 1)
    for week in range(counts.shape[1]):
        detector.learn(counts[:, week], slot_of(week, len(counts)))
    return detector


def p_values(detector: Detector, counts: Counts, start: int) -> Floats:
    """p_high (series, weeks - start) of the weeks from `start` on, each learned after it was scored; NaN where none."""
    found = []
    for week in range(start, counts.shape[1]):
        slot = slot_of(week, len(counts))
        found.append(detector.score(counts[:, week], slot).p_high)
        detector.learn(counts[:, week], slot)
    return np.array(found).T


class Watched:
    """One detector that knows the past of every series, before the first week that is scored."""

    def __init__(self, name: str, simulated: Simulation) -> None:
        self._made = DETECTORS[name]
        self._known = learned(name, simulated.quiet[:, :FIRST_SCORED]).snapshot()
        self._branches = (simulated.with_outbreak, simulated.quiet)
        self.remembers = self._made is OutbreakBank
        self.p = self._p(0.0)
        self._alarms: dict[float, tuple[Alarms, Alarms]] = {}

    def alarms_at(self, threshold: float) -> tuple[Alarms, Alarms]:
        """Alarms where p is at most that, of both branches; the memory of a detector that has one is reset there."""
        if not self.remembers:
            return self.p[0] <= threshold, self.p[1] <= threshold
        if threshold not in self._alarms:
            first, second = (p <= threshold for p in self._p(threshold))
            self._alarms[threshold] = first, second
        return self._alarms[threshold]

    def _p(self, resets_at: float) -> tuple[Floats, ...]:
        """Of both branches."""
        found = []
        for counts in self._branches:
            detector = self._made.restore(self._known)
            if isinstance(detector, OutbreakBank):
                detector = detector.resetting_at(resets_at)
            found.append(p_values(detector, counts, FIRST_SCORED))
        return tuple(found)


def together(watched: list[Watched], simulated: Simulation) -> dict[float, Figures]:
    """Of several detectors, by rate: a week has the smallest p that any of them gives it."""

    def alarms_at(threshold: float) -> tuple[Alarms, Alarms]:
        found = [one.alarms_at(threshold) for one in watched]
        first, second = (np.logical_or.reduce([alarms[branch] for alarms in found]) for branch in (0, 1))
        return first, second

    least = [np.fmin.reduce([one.p[branch] for one in watched]) for branch in (0, 1)]
    scores = [-np.log(np.maximum(p, SMALLEST)) for p in least]
    result = {}
    for rate in RATES:
        weekly = figures(*plain_alarms(scores[0], scores[1], rate), simulated)
        raised = figures(*alarms_with_memory(alarms_at, rate), simulated)
        remembers = any(one.remembers for one in watched)
        result[rate] = replace(weekly, pod=raised.pod, delay=raised.delay) if remembers else weekly
    return result


def of_scores(with_outbreak: Floats, quiet: Floats, simulated: Simulation) -> dict[float, Figures]:
    """Of any scores, higher is more alarming, by rate."""
    return {rate: figures(*plain_alarms(with_outbreak, quiet, rate), simulated) for rate in RATES}


def of_oracle(simulated: Simulation) -> dict[float, Figures]:
    """The limit: POD with the memory reset at an alarm, sensitivity of the plain filter."""
    lagged = oracle.of_simulation(simulated)
    result = of_scores(oracle.odds(lagged[0]), oracle.odds(lagged[1]), simulated)
    for rate in RATES:
        threshold = oracle.threshold_with_reset(lagged[1], rate)
        alarms, quiet = (oracle.alarms_with_reset(one, threshold) for one in lagged)
        raised = figures(alarms, quiet, simulated)
        result[rate] = replace(result[rate], pod=raised.pod, delay=raised.delay)
    return result


def measure(seed: int, series: int, river: int) -> dict[str, dict[float, Figures]]:
    """Everyone's figures on one seed: name -> rate -> figures. `river`: series for its detectors, 0 for none."""
    everything = simulate(seed)
    simulated = everything.some(series)
    say(f"seed {seed}: {len(simulated.start)} series")
    found = {"oracle": of_oracle(simulated)}
    watched = {name: Watched(name, simulated) for name in ALONE}
    say("detectors learned")
    found["jiantu"] = together([watched[name] for name in DEFAULT], simulated)
    for names in OTHERS:
        found[" + ".join(names)] = together([watched[name] for name in names], simulated)
    for name, one in watched.items():
        found[name] = together([one], simulated)
    by_branch = [ears(counts) for counts in (simulated.with_outbreak, simulated.quiet)]
    for name in by_branch[0]:
        found[name] = of_scores(by_branch[0][name], by_branch[1][name], simulated)
    if river:
        few = everything.some(river)
        found["oracle (river's series)"] = of_oracle(few)
        for name in RIVER:
            say(f"river: {name}")
            found[name] = together([Watched(name, few)], few)
    return found


def mean_of_seeds(runs: list[dict[str, dict[float, Figures]]]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Name -> rate -> figure, with the shares of the oracle's: means of the seeds' figures and shares; None where a
    seed has none."""
    result: dict[str, dict[str, dict[str, float | None]]] = {}
    for name in runs[0]:
        limit = "oracle (river's series)" if name in RIVER else "oracle"
        result[name] = {}
        for rate in RATES:
            rows = [
                {
                    **asdict(run[name][rate]),
                    "pod_share": run[name][rate].pod / run[limit][rate].pod,
                    "sensitivity_share": run[name][rate].sensitivity / run[limit][rate].sensitivity,
                }
                for run in runs
            ]
            means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
            result[name][str(rate)] = {key: None if np.isnan(mean) else mean for key, mean in means.items()}
    result[FARRINGTON] = {
        str(rate): {
            "pod": IMPROVED_FARRINGTON[rate][0],
            "sensitivity": IMPROVED_FARRINGTON[rate][1],
            "pod_share": IMPROVED_FARRINGTON[rate][0] / FARRINGTON_ORACLE[rate][0],
            "sensitivity_share": IMPROVED_FARRINGTON[rate][1] / FARRINGTON_ORACLE[rate][1],
        }
        for rate in RATES
    }
    return result


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--series", type=int, default=2100, help="about so many of the 2,100, as many of each scenario")
    parser.add_argument("--river", type=int, default=0, metavar="N", help="river's detectors too, on N series: slow")
    parser.add_argument(
        "--calibration", type=int, default=0, metavar="N", help="of p: N expected below .001 in each cell of counts"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--report", action="store_true", help="write OUTBREAKS.md and OUTBREAKS.json beside this file")
    arguments = parser.parse_args()
    calibrated = list(calibration.rows(arguments.calibration, arguments.seed[0])) if arguments.calibration else []
    document = {
        "command": "python -m tests.benchmarks.outbreaks " + " ".join(sys.argv[1:]),
        "seeds": arguments.seed,
        "series": min(arguments.series, 2100),
        "targets": {str(rate): target for rate, target in TARGETS.items()},
        "default": DEFAULT,
        "figures": mean_of_seeds([measure(seed, arguments.series, arguments.river) for seed in arguments.seed]),
        "calibration": calibrated,
    }
    if arguments.report:
        here = Path(__file__).parent
        (here / "OUTBREAKS.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        (here / "OUTBREAKS.md").write_text(markdown(document), encoding="utf-8")
    print(json.dumps(document) if arguments.json else markdown(document))


if __name__ == "__main__":
    main()
