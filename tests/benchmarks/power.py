"""How large a burst must be to be found, in every county, by every signal of Leshan that counts events.

    python -m tests.benchmarks.power [--profile leshan] [--seed 7] [--replicates 60] [--json] [--report]

What `jiantu power` says of one signal, for all of them. `--report` writes POWER.md and POWER.json beside this file.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streams.profile import load
from streams.replay.power import PowerError, Trial, power_of, usual_of
from tests.benchmarks.embedded import commit, machine

HERE = Path(__file__).resolve().parent
_MEANING = (
    "Extra events in a burst of {burst_hours} hours, found with {share:.0%} power within 24 hours and within 7 days of "
    "its start by the signal's own tests, at {budget:g} false pages a week: {replicates} histories a county of {weeks} "
    "weeks, seed {seed}. In brackets: over the usual of a day. A day closes at its end and is judged when the allowed "
    "lateness has passed: a burst that starts late in one is not found in it."
)
_OTHERS = (
    "Of every kind of incident of the catalogue (bursts, slow rises, lasting shifts, clusters of neighbours, droughts, "
    "satisfaction that falls, floods of one caller) how many are found in large, middle and small counties, and how "
    "fast, by all signals and the scan together: [BUDGET.md](BUDGET.md)."
)


def measure(profile: str, trial: Trial) -> dict[str, Any]:
    """The answers by signal, and the names that a table needs."""
    made = load(profile)
    city = made.city
    names = {county.code: county.name for county in city.counties} | {city.code: city.title}
    signals = {}
    for signal in city.signals:
        try:
            usual = usual_of(made, signal, trial.seed)
        except PowerError:
            continue  # no burst of events is found by it
        print(signal.name, file=sys.stderr, flush=True)
        found = power_of(city, signal, usual, trial)
        signals[signal.name] = {
            "title": signal.title,
            "sizes": [size.value for size in signal.sizes],
            "counties": [asdict(one) for one in found],
        }
    return {"budget_per_week": city.budget_per_week, "trial": asdict(trial), "names": names, "signals": signals}


def markdown(made: Mapping[str, Any]) -> str:
    """One table a signal."""
    trial, machine_ = made["trial"], made["machine"]
    lines = [
        "# The smallest burst that is found",
        "",
        f"Made by `{made['command']}`, commit {made['commit']}, {machine_['cores']} cores of {machine_['processor']}.",
        "",
        _MEANING.format(**trial, budget=made["budget_per_week"]),
        "",
        _OTHERS,
        "",
    ]
    for name, signal in made["signals"].items():
        lines += [
            f"## {name} {signal['title']} ({', '.join(signal['sizes'])})",
            "",
            "| county | usual a day | within 24 h | within 7 d |",
            "| --- | ---: | ---: | ---: |",
        ]
        for one in signal["counties"]:
            usual = one["expected_per_day"]
            cells = [_extra(one[key], usual) for key in ("within_day", "within_week")]
            lines.append(f"| {made['names'][one['county']]} | {usual:.1f} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _extra(extra: int | None, usual: float) -> str:
    return "none" if extra is None else f"+{extra} ({extra / usual:.1f}x)" if usual else f"+{extra}"


def main() -> None:
    """All signals; a table or JSON to stdout."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", default="leshan")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--replicates", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--report", action="store_true", help="write POWER.md and POWER.json")
    asked = parser.parse_args()
    command = f"python -m tests.benchmarks.power {' '.join(sys.argv[1:])}".strip()
    about = {"command": command, "commit": commit(), "machine": machine(), "profile": asked.profile}
    made = about | measure(asked.profile, Trial(seed=asked.seed, replicates=asked.replicates))
    if asked.report:
        (HERE / "POWER.md").write_text(markdown(made), encoding="utf-8")
        (HERE / "POWER.json").write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(made) if asked.json else markdown(made), end="\n" if asked.json else "")


if __name__ == "__main__":
    main()
