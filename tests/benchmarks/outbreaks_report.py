"""The benchmark's document as Markdown, for people."""

from collections.abc import Mapping, Sequence
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
        lines += calibration_table(document["calibration"])
    return "\n".join(lines).rstrip() + "\n"


_MEANING = (
    "POD and delay are of alarms that are raised: a memory is reset at an alarm, as the oracle's is. Sensitivity and "
    "specificity are of p week by week, without a reset, as the oracle's plain filter."
)
_COLUMNS = ("pod", "pod_share", "sensitivity", "sensitivity_share", "specificity", "delay")


def calibration_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Pooled and worst ratios with their intervals; the worst cells' own names stand in the JSON."""
    levels = " / ".join(map(str, rows[0]["levels"]))
    lines = [
        f"## Quiet series: share of p below {levels}, over the level",
        "",
        _INTERVALS,
        "",
        "| detector | windows a week | bank | side | all cells | worst cell | expected there | cells |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        marked = row["detector"] + ("*" if row["bounded"] else "")
        cells = [" / ".join(_with_interval(one) for one in row[key]) for key in ("pooled", "worst_cell")]
        expected = " / ".join(f"{one['expected']:,.0f}" for one in row["worst_cell"])
        lines.append(
            f"| {marked} | {row['windows_per_week']} | {row['bank']} | {row['side']} | {' | '.join(cells)} "
            f"| {expected} | {row['cells']} |"
        )
    lines.append("")
    reasons = {row["detector"]: row["bounded"] for row in rows if row["bounded"]}
    lines += [f"\\* {name}: {reason}. Only the upper bound counts." for name, reason in reasons.items()]
    return [*lines, ""] if reasons else lines


_INTERVALS = (
    "In brackets: 95 % interval, from how much series differ; that of the worst cell allows for its having been picked "
    "out of all cells. Bounds: 0.8 to 1.2 of all cells, 1.5 of the worst: a fault is an interval that lies beyond. "
    "Bank: series of all cells in one, as a city's are, or each cell in its own."
)


def _with_interval(ratio: Mapping[str, Any]) -> str:
    return f"{ratio['ratio']:.2f} ({ratio['low']:.2f}-{ratio['high']:.2f})"
