"""Is the promise of the budget kept, and are incidents found all the same?

    python -m tests.benchmarks.budget [--seeds 20] [--first-seed 1] [--years 2] [--budgets 0.5,2,7] [--quick] [--json]
                                      [--ungated 20] [--results FILE] [--report]

Three worlds, each closed window by closed window through the product's own score and judge, `years` after warm-up:

* Leshan simulated: 11 counties, all signals of the profile, hours, days and weeks of one stream of tickets, once
  without incidents and once with every case of `budget_incidents` in a county of every size;
* Boston simulated from the seasonal model that is fitted to the real one (`budget_boston`);
* Boston's real fortnights in another order: reported only.

The results of each seed go to a file as they come (`--results`), and a run goes on from there: several may fill one
file, each its own worlds. `--report` writes BUDGET.md and BUDGET.json beside this file.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from streams.core.instant import DAY
from streams.core.outputs import ClosedWindow
from streams.profile import load
from streams.profile.model import Profile
from streams.replay.intensity import first_instant
from streams.replay.labels import Label
from streams.replay.lifecycle import Rows
from streams.replay.simulate import simulate
from tests.benchmarks import budget_boston as boston
from tests.benchmarks import budget_incidents as incidents
from tests.benchmarks.budget_judging import judged
from tests.benchmarks.budget_report import GATED, document, markdown
from tests.benchmarks.budget_windows import windows_of
from tests.benchmarks.embedded import ROOT, commit, machine

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("JIANTU_DATA", HERE.parents[2] / "shared" / "data"))
LESHAN_FROM, BOSTON_FROM = date(2022, 1, 3), date(2016, 1, 4)
"""Mondays; what follows lies in years whose calendar is known."""
WARM_UP_DAYS = 70
"""More than any calendar makes of the detectors' own warm-up: what is left over is cut off at `years`."""
QUICK_YEARS = 0.25
WEEKS_A_YEAR = 365 / 7

Result = dict[str, Any]


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def leshan_quiet(seed: int, years: float, budgets: Sequence[float]) -> Result:
    """Leshan without incidents: every page is false. And which incidents it would have seemed to find."""
    profile = load("leshan")
    simulation = simulate(profile, _days(years), seed, start=LESHAN_FROM)
    windows = windows_of(simulation, _told(simulation.rows(), "leshan", seed), standing=False)
    return _false_pages(profile, windows, years, budgets, [one.label for one in _planned(profile, years, seed).placed])


def leshan_incidents(seed: int, years: float, budgets: Sequence[float]) -> Result:
    """The same Leshan with incidents: which of them are found, and when."""
    profile = load("leshan")
    planned = _planned(profile, years, seed)
    simulation = simulate(profile, _days(years) + 14, seed, start=LESHAN_FROM, planned=planned.incidents)
    rows = incidents.dissatisfied(_told(simulation.rows(), "leshan with incidents", seed), planned.answers, seed)
    labels = [placed.label for placed in planned.placed]
    made: Result = {}
    for budget, one in judged(profile.city, windows_of(simulation, rows, standing=False), budgets).items():
        outcomes = zip(planned.placed, one.evaluated(labels).verdicts, strict=True)
        made[f"{budget:g}"] = [
            {"case": put.case, "size": put.size, "counties": list(put.label.counties), "hours": verdict.delay_hours}
            for put, verdict in outcomes
        ]
    return made


def _planned(profile: Profile, years: float, seed: int) -> incidents.Plan:
    first = first_instant(profile, LESHAN_FROM) + WARM_UP_DAYS * DAY
    return incidents.plan(profile, first, round(years * 365), seed)


def boston_simulated(seed: int, years: float, budgets: Sequence[float]) -> Result:
    """Boston as its seasonal model has it."""
    profile, _, model = _boston()
    say(f"seed {seed}: boston simulated")
    drawn = model.drawn(BOSTON_FROM, _days(years), seed)
    return _false_pages(profile, boston.windows_of(profile, drawn), years, budgets)


def boston_permuted(seed: int, years: float, budgets: Sequence[float]) -> Result:
    """Boston's own fortnights in another order; three years of them, whatever `years` says."""
    profile, counted, _ = _boston()
    say(f"seed {seed}: boston permuted")
    return _false_pages(profile, boston.windows_of(profile, boston.permuted(counted, seed)), 3.0, budgets)


@cache
def _boston() -> tuple[Profile, boston.Counted, boston.SeasonalModel]:
    say("fitting the seasonal model to Boston")
    profile = load("boston311")
    counted = boston.real(profile, DATA / boston.FILE)
    return profile, counted, boston.SeasonalModel.fitted(counted)


def _days(years: float) -> int:
    return round(years * 365) + WARM_UP_DAYS


def _told(days: Iterator[Rows], what: str, seed: int) -> Iterator[Rows]:
    for number, rows in enumerate(days):
        if number % 100 == 0:
            say(f"seed {seed}: {what}, day {number}")
        yield rows


def _false_pages(
    profile: Profile,
    windows: Iterator[ClosedWindow],
    years: float,
    budgets: Sequence[float],
    labels: Sequence[Label] = (),
) -> Result:
    made: Result = {}
    for budget, one in judged(profile.city, windows, budgets).items():
        found = one.evaluated(weeks=years * WEEKS_A_YEAR)
        made[f"{budget:g}"] = {
            "false_pages": found.false_pages,
            "verdicts": one.verdicts(years * WEEKS_A_YEAR),
            "weeks": found.weeks,
            "most_spent_in_7_days": one.most_spent,
            "by_signal": dict(sorted(Counter(page.signal for page in found.false).items())),
            "by_kind": one.by_kind(),
            "by_chance": {"found": one.evaluated(labels).found, "labels": len(labels)},
        }
    return made


World = Callable[[int, float, Sequence[float]], Result]
WORLDS: Mapping[str, World] = {
    made.__name__: made for made in (leshan_quiet, leshan_incidents, boston_simulated, boston_permuted)
}


def code() -> str:
    """Digest of everything that the results depend on: of the same, they need not be made again."""
    digest = sha256()
    parts = ["detectors/*.py", "streams/core/*.py", "streams/replay/*.py", "streams/profiles/*/*.yaml"]
    for path in sorted(path for part in [*parts, "tests/benchmarks/budget*.py"] for path in ROOT.glob(part)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def run(
    seeds: Sequence[int],
    years: float,
    budgets: Sequence[float],
    results: Path,
    worlds: Sequence[str] = tuple(WORLDS),
    ungated: int | None = None,
) -> list[Result]:
    """The results of every seed and world, in order; those that the file has of this code are taken from it. `ungated`:
    so many seeds only of the worlds that have no gate."""
    asked: Result = {"code": code(), "years": years, "budgets": list(budgets)}
    known = {}
    if results.exists():
        for line in results.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            if all(one[key] == value for key, value in asked.items()):
                known[one["seed"], one["world"]] = one
    few = seeds[:ungated]
    wanted = [(seed, world) for seed in seeds for world in worlds if world in GATED or seed in few]
    for seed, world in wanted:
        if (seed, world) not in known:
            one = {**asked, "seed": seed, "world": world, "result": WORLDS[world](seed, years, budgets)}
            known[seed, world] = one
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
        say(f"seed {seed}: {world} done")
    return [known[one] for one in wanted]


def main() -> None:
    """Run what is asked for; a table or JSON to stdout."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--first-seed", type=int, default=1, help="the first of them; the others follow it")
    parser.add_argument("--years", type=float, default=2.0, help="after warm-up")
    parser.add_argument("--budgets", default="0.5,2,7")
    parser.add_argument("--quick", action="store_true", help="two seeds of a quarter: to see that it works")
    parser.add_argument("--worlds", default="", help=f"some of {','.join(WORLDS)}")
    parser.add_argument("--ungated", type=int, help="so many seeds only of the worlds that have no gate")
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir()) / "jiantu-budget.jsonl")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--report", action="store_true", help="write BUDGET.md and BUDGET.json")
    asked = parser.parse_args()
    years, number = (QUICK_YEARS, 2) if asked.quick else (asked.years, asked.seeds)
    seeds = range(asked.first_seed, asked.first_seed + number)
    budgets = tuple(float(one) for one in asked.budgets.split(","))
    worlds = [one for one in (asked.worlds.split(",") if asked.worlds else WORLDS) if _possible(one)]
    say(f"seeds {', '.join(map(str, seeds))}; results so far are kept in {asked.results}")
    found = run(seeds, years, budgets, asked.results, worlds, asked.ungated)
    shown = " ".join(sys.argv[1:])
    about = {"command": f"python -m tests.benchmarks.budget {shown}".strip(), "commit": commit(), "machine": machine()}
    made = document(about, found)
    text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    if asked.report:
        (HERE / "BUDGET.md").write_text(markdown(made), encoding="utf-8")
        (HERE / "BUDGET.json").write_text(text, encoding="utf-8")
    print(json.dumps(made) if asked.json else markdown(made), end="\n" if asked.json else "")


def _possible(world: str) -> bool:
    if world not in WORLDS:
        sys.exit(f"no world is called {world!r}; there are: {', '.join(WORLDS)}")
    if world.startswith("boston") and not (DATA / boston.FILE).exists():
        say(f"{world}: {DATA / boston.FILE} is not there; set JIANTU_DATA. Left out")
        return False
    return True


if __name__ == "__main__":
    main()
