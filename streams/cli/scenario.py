"""`jiantu scenario run`: run scenarios, and say what is not as expected."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from streams.cli import ending
from streams.cli.options import JsonOption, examples
from streams.cli.screen import out, print_json

if TYPE_CHECKING:  # what runs the steps takes a second to import: only the command waits for it
    from streams.replay.scenario_result import Finding, ScenarioResult


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="场景 · Scenarios: events, and the alerts and silences expected.",
        epilog=examples("jiantu scenario run tests/scenarios", "jiantu scenario run burst.yaml --json"),
    )
    group.command("run", epilog=examples("jiantu scenario run tests/scenarios", "jiantu scenario run burst.yaml"))(run)
    app.add_typer(group, name="scenario")


def run(
    path: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="场景文件，或文件夹中的全部 *.yaml · a scenario, or a folder")
    ],
    as_json: JsonOption = False,
) -> None:
    """运行场景 · Run scenarios; exit code 1 where something is not as expected, 2 where a scenario is wrong."""
    from streams.replay.scenario import load_scenarios, scenario_files
    from streams.replay.scenario_run import run_scenario

    results: list[ScenarioResult] = []
    for scenario in load_scenarios(scenario_files(path)):
        result = run_scenario(scenario)
        results.append(result)
        if not as_json:
            _show(result)
    failed = sum(not result.passed for result in results)
    if as_json:
        print_json({"passed": len(results) - failed, "failed": failed, "scenarios": [document(r) for r in results]})
    else:
        _summary(results, failed)
    if failed:
        raise typer.Exit(ending.FAILED)


def document(result: "ScenarioResult") -> dict[str, object]:
    """One scenario's result as JSON-ready data."""
    totals = result.accounting
    return {
        "file": result.scenario.file,
        "title": result.scenario.title,
        "title_en": result.scenario.title_en,
        "passed": result.passed,
        "received": totals.received,
        "counted": totals.counted,
        "duplicate": totals.duplicate,
        "late": totals.late,
        "rejected": totals.rejected,
        "rejections": {str(reason): total for reason, total in result.reasons.items()},
        "windows_closed": totals.windows_closed,
        "alerts": len(result.alerts),
        "alert_log_sha256": result.alert_log_sha256,
        "findings": [
            {
                "kind": one.kind,
                "line": one.place.line,
                "column": one.place.column,
                "expected": one.expected[0],
                "expected_en": one.expected[1],
                "found": one.found[0],
                "found_en": one.found[1],
                "why": [zh for zh, _ in one.why],
                "why_en": [en for _, en in one.why],
            }
            for one in result.findings
        ],
    }


_STYLES = {"-": "red", "+": "green", "?": "none", " ": "dim"}


def _show(result: "ScenarioResult") -> None:
    scenario = result.scenario
    mark = "[green]✓[/green]" if result.passed else "[bold red]✗[/bold red]"
    title = escape(scenario.title) + (f"  [dim]{escape(scenario.title_en)}[/dim]" if scenario.title_en else "")
    figures = f"{result.accounting.received:,} 条 records, {len(result.alerts)} 预警 alerts"
    out.print(f"{mark} [bold]{escape(Path(scenario.file).name)}[/bold]  {title}  ({figures})", soft_wrap=True)
    for finding in result.findings:
        _show_finding(finding)


def _show_finding(one: "Finding") -> None:
    from streams.replay.scenario_result import KINDS

    zh, en = KINDS[one.kind]
    out.print(f"  [bold]{escape(one.where)}[/bold] [red]{zh} {en}[/red]", soft_wrap=True)
    for line in one.lines():
        style = _STYLES[line.mark]
        out.print(f"    [{style}]{line.mark} {escape(line.text)}[/{style}]", soft_wrap=True)


def _summary(results: Sequence["ScenarioResult"], failed: int) -> None:
    passed = len(results) - failed
    if failed:
        out.print(
            f"[bold red]{failed} 个场景不符[/bold red]，{passed} 个相符  [dim]{failed} failed, {passed} passed[/dim]"
        )
    else:
        out.print(f"[green]{passed} 个场景全部相符[/green]  [dim]{passed} passed[/dim]")
