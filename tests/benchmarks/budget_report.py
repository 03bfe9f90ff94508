"""What the seeds of the budget's benchmark came to: means with intervals, rates and delays, as JSON and Markdown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean, median, stdev
from typing import Any

from scipy.stats import binomtest
from scipy.stats import t as student

from tests.benchmarks.budget_incidents import CASES, SIZES

Document = dict[str, Any]

TOLERANCE = 1.15
"""The upper end of the interval may be at most so many times the budget."""
GATED = ("leshan_quiet", "boston_simulated")
TITLES = {
    "leshan_quiet": "Leshan simulated, no incidents",
    "boston_simulated": "Boston simulated from the seasonal model fitted to the real one",
    "boston_permuted": "Boston's real fortnights in another order (storms and all: reported, no gate)",
}


_MEANING = (
    "A page is a raised alert, always-page ones and rules aside. Target: upper end of the 95 % interval of the mean "
    f"over seeds is at most {TOLERANCE} x budget. A verdict is a test of a series that fired (clusters aside): the "
    "budget is the sum of their levels; those of one incident, and what echoes it, share a page."
)
_FINDING = (
    "One of every kind in a county of every size (thirds by population) in each seed's run. Found: a page on its "
    "county and signals from its start until 7 days after its end; in brackets the 95 % interval of the rate "
    "in percent (Wilson's). Delay: median, from the start, in hours."
)
ANY = "any"
"""Counties of every size, or incidents of every kind, together."""


def interval(rates: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of the mean, by Student's t over seeds; None of fewer than two.

    >>> interval([1.0, 2.0, 3.0])
    (-0.484138, 4.484138)
    """
    if len(rates) < 2:
        return None
    half = float(student.ppf(0.975, len(rates) - 1)) * stdev(rates) / len(rates) ** 0.5
    return round(mean(rates) - half, 6), round(mean(rates) + half, 6)


def rate_interval(found: int, of: int) -> tuple[float, float] | None:
    """Wilson's 95 % interval of a rate; None of nothing.

    >>> rate_interval(8, 10)
    (0.490162, 0.943318)
    """
    if of == 0:
        return None
    between = binomtest(found, of).proportion_ci(method="wilson")
    return round(float(between.low), 6), round(float(between.high), 6)


def document(about: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> Document:
    """Everything that is reported, from the results of `budget.run`."""
    first = results[0]
    made: Document = {
        **about,
        "seeds": list(dict.fromkeys(one["seed"] for one in results)),
        "years": first["years"],
        "budgets": first["budgets"],
        "false_pages": {},
        "incidents": {},
    }
    for world in TITLES:
        mine = [one["result"] for one in results if one["world"] == world]
        if mine:
            made["false_pages"][world] = {
                f"{budget:g}": _pages(world, budget, [one[f"{budget:g}"] for one in mine])
                for budget in first["budgets"]
            }
    with_incidents = dict.fromkeys(one["seed"] for one in results if one["world"] == "leshan_incidents")
    quiet = [one["result"] for one in results if one["world"] == "leshan_quiet" and one["seed"] in with_incidents]
    made["incident_seeds"] = list(with_incidents)
    made["by_chance"] = {
        f"{budget:g}": {key: sum(one[f"{budget:g}"]["by_chance"][key] for one in quiet) for key in ("found", "labels")}
        for budget in (first["budgets"] if quiet else ())
    }
    mine = [one["result"] for one in results if one["world"] == "leshan_incidents"]
    for budget in first["budgets"] if mine else ():
        rows = [row for one in mine for row in one[f"{budget:g}"]]
        made["incidents"][f"{budget:g}"] = [
            _found(
                name, size, [row["hours"] for row in rows if name in (row["case"], ANY) and size in (row["size"], ANY)]
            )
            for name in (*(case.name for case in CASES), ANY)
            for size in (*SIZES, ANY)
        ]
    gates = [of["met"] for world in made["false_pages"].values() for of in world.values() if of["met"] is not None]
    made["met"] = all(gates) if gates else None
    return made


def _pages(world: str, budget: float, seeds: Sequence[Mapping[str, Any]]) -> Document:
    rates = [one["false_pages"] / one["weeks"] for one in seeds]
    between = interval(rates)
    by_signal: Counter[str] = Counter()
    for one in seeds:
        by_signal.update(one["by_signal"])
    return {
        "per_week": round(mean(rates), 4),
        "interval": between,
        "most_of_a_seed": round(max(rates), 4),
        "verdicts_per_week": round(mean([one["verdicts"] / one["weeks"] for one in seeds]), 4),
        "weeks": round(sum(one["weeks"] for one in seeds), 1),
        "most_spent_in_7_days": round(max(one["most_spent_in_7_days"] for one in seeds), 6),
        "met": None if between is None or world not in GATED else between[1] <= TOLERANCE * budget,
        "by_signal": dict(by_signal.most_common()),
        "by_kind": {
            kind: [round(mean(one["by_kind"].get(kind, (0.0, 0.0, 0.0))[i] for one in seeds), 4) for i in range(3)]
            for kind in dict.fromkeys(kind for one in seeds for kind in one["by_kind"])
        },
    }


def _found(case: str, size: str, hours: Sequence[float | None]) -> Document:
    delays = [one for one in hours if one is not None]
    return {
        "case": case,
        "size": size,
        "incidents": len(hours),
        "found": len(delays),
        "interval": rate_interval(len(delays), len(hours)),
        "median_delay_hours": round(median(delays), 1) if delays else None,
    }


def markdown(made: Mapping[str, Any]) -> str:
    """The document for people."""
    machine = made["machine"]
    where = f"{machine['cores']} cores of {machine['processor']}, Python {machine['python']}"
    seeds = ", ".join(map(str, made["seeds"]))
    lines = [
        "# The promise of the budget",
        "",
        f"Made by `{made['command']}`, commit {made['commit']}, {where}.",
        "",
        f"Seeds {seeds}; {made['years']:g} years after warm-up each. {_MEANING}",
        "",
    ]
    for world, by_budget in made["false_pages"].items():
        lines += [
            f"## {TITLES[world]}",
            "",
            "| budget | false pages a week | 95 % interval | worst seed | verdicts a week | spent in 7 days | target |",
            "| ---: | ---: | --- | ---: | ---: | ---: | --- |",
        ]
        for budget, of in by_budget.items():
            between = "one seed" if of["interval"] is None else "{:.2f} to {:.2f}".format(*of["interval"])
            met = {True: "hit", False: "**missed**", None: ""}[of["met"]]
            lines.append(
                f"| {budget} | {of['per_week']:.3f} | {between} | {of['most_of_a_seed']:.2f} "
                f"| {of['verdicts_per_week']:.2f} | {of['most_spent_in_7_days']:.4g} | {met} |"
            )
        largest = list(by_budget.values())[-1]
        shown = ", ".join(f"{name} {pages}" for name, pages in list(largest["by_signal"].items())[:8])
        lines += ["", f"Most of them, at the largest budget, in {largest['weeks']:g} weeks: {shown or 'none'}.", ""]
        lines += _kinds(largest["by_kind"])
    if made["incidents"]:
        lines += _incidents(made)
    return "\n".join(lines).rstrip() + "\n"


def _kinds(by_kind: Mapping[str, Sequence[float]]) -> list[str]:
    lines = ["Where it goes, a week, at the largest budget:", "", "| tests | levels | verdicts | pages |"]
    lines += ["| --- | ---: | ---: | ---: |"]
    for kind, (level, fired, pages) in by_kind.items():
        lines.append(f"| {kind} | {level:.3f} | {'' if ' scan ' in kind else f'{fired:.3f}'} | {pages:.3f} |")
    return [*lines, ""]


def _chance(budget: str, of: Mapping[str, int]) -> str:
    return f"budget {budget}: without the incidents {of['found']} of {of['labels']} labels would have met a page"


def _incidents(made: Mapping[str, Any]) -> list[str]:
    by_budget: Mapping[str, Sequence[Mapping[str, Any]]] = made["incidents"]
    budgets = list(by_budget)
    lines = [
        "## Leshan with incidents: found, and how fast",
        "",
        f"Seeds {', '.join(map(str, made['incident_seeds']))}. {_FINDING}",
        "",
        *(f"- {_chance(budget, made['by_chance'][budget])}" for budget in budgets if budget in made["by_chance"]),
        "",
        f"| incident | county | {' | '.join(f'budget {b}: found | delay' for b in budgets)} |",
        f"| --- | --- |{' ---: | ---: |' * len(budgets)}",
    ]
    for rows in zip(*by_budget.values(), strict=True):
        cells = []
        for row in rows:
            delay = row["median_delay_hours"]
            between = "" if row["interval"] is None else " ({:.0f}–{:.0f})".format(*(100 * p for p in row["interval"]))
            cells += [f"{row['found']} / {row['incidents']}{between}", "" if delay is None else f"{delay:g}"]
        lines.append(f"| {rows[0]['case']} | {rows[0]['size']} | {' | '.join(cells)} |")
    return [*lines, ""]
