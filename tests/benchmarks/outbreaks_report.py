"""The benchmark's document as Markdown, for people."""

from collections.abc import Mapping
from typing import Any


def markdown(document: Mapping[str, Any]) -> str:
    """Tables of everyone's figures at each rate of false alarms, and of the calibration where it was measured."""
    seeds = ", ".join(map(str, document["seeds"]))
    lines = [
        "# Simulated outbreaks: what is found, beside the limit",
        "",
        f"Made by `{document['command']}`: {document['series']} series of 42 scenarios, mean of seeds {seeds}.",
        f"`jiantu` is {' + '.join(document['default'])}, alarmed where either is. {_MEANING}",
        "",
    ]
    for rate, (pod, sensitivity) in document["targets"].items():
        lines += [
            f"## False alarms in {float(rate):.1%} of quiet weeks",
            "",
            f"Targets: POD {pod} and sensitivity {sensitivity} of the oracle's.",
            "",
            "| detector | POD | of the oracle's | sensitivity | of the oracle's | specificity | delay, weeks |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, by_rate in document["figures"].items():
            row = by_rate[rate]
            numbers = [row.get(key) for key in _COLUMNS]
            shown = ["" if number is None else f"{number:.3f}" for number in numbers]
            lines.append(f"| {name} | {' | '.join(shown)} |")
        lines.append("")
    if document["calibration"]:
        lines += _calibration(document["calibration"])
    return "\n".join(lines).rstrip() + "\n"


_MEANING = (
    "POD and delay are of alarms that are raised: a memory is reset at an alarm, as the oracle's is. Sensitivity and "
    "specificity are of p week by week, without a reset, as the oracle's plain filter."
)
_COLUMNS = ("pod", "pod_share", "sensitivity", "sensitivity_share", "specificity", "delay")


def _calibration(rows: list[Mapping[str, Any]]) -> list[str]:
    levels = " / ".join(map(str, rows[0]["levels"]))
    lines = [
        f"## Quiet series: share of p below {levels}, over the level",
        "",
        "| detector | windows a week | side | all cells | worst cell | cells | tests a cell |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        pooled, worst = (" / ".join(f"{x:.2f}" for x in row[key]) for key in ("pooled", "worst_cell"))
        lines.append(
            f"| {row['detector']} | {row['windows_per_week']} | {row['side']} | {pooled} | {worst} | {row['cells']} "
            f"| {row['tests_per_cell']:,} |"
        )
    return [*lines, ""]
