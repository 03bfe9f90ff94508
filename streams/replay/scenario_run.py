"""Runs a scenario through the three steps and holds what came out against what is expected."""

from streams.core.alert_log import alert_log
from streams.core.outputs import ScoredWindow
from streams.core.record import BATCH
from streams.replay.driving import drive
from streams.replay.scenario_compare import findings, holds
from streams.replay.scenario_model import Scenario
from streams.replay.scenario_records import record_lines
from streams.replay.scenario_result import ScenarioResult, alerts_of
from streams.replay.scenario_why import looked_at


def run_scenario(scenario: Scenario) -> ScenarioResult:
    """Run a scenario in memory. The result depends on nothing but the scenario."""

    def keep(window: ScoredWindow) -> bool:
        return looked_at(scenario, window) or any(holds(count, window) for count in scenario.counts)

    lines = record_lines(scenario)
    parts = (lines[i : i + BATCH] for i in range(0, len(lines), BATCH))
    driven = drive(scenario.profile.city, scenario.span[0], ((b"".join(part), len(part)) for part in parts), keep)
    alerts = alerts_of(driven.transitions)
    return ScenarioResult(
        scenario=scenario,
        accounting=driven.accounting,
        reasons=dict(sorted(driven.reasons.items())),
        alerts=alerts,
        alert_log=alert_log(driven.transitions),
        findings=tuple(findings(scenario, driven, alerts)),
    )
