"""Every rule: what it says, what it asks for, when it fires and when it does not."""

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from streams import metrics
from tests.prometheus.programs import tool
from tests.rules.files import PROMETHEUS, REPOSITORY, RULES, TESTS, Rule, read, rules

ALL = list(rules())
KINDS = {"anomaly", "restricted", "pipeline", "feed", "service", "paging", "watchdog"}
"""Values of the label that routes, inhibitions and the pager go by."""
_HAN = re.compile(r"[一-鿿]")


def anchors() -> set[str]:
    """The sections of the runbook, as links name them."""
    headings = re.findall(r"^#+ (.+)$", (REPOSITORY / "deploy/RUNBOOK.md").read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def selectors(expr: Any) -> set[str]:
    """Names of the metrics that an expression asks for."""
    return set(re.findall(r"\b(jiantu_\w+|up)\b", str(expr)))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_promtool_accepts_them(path: Path) -> None:
    said = tool("promtool", "check", "rules", path)
    assert said.returncode == 0, said.stdout + said.stderr


def test_promtool_accepts_the_settings() -> None:
    said = tool("promtool", "check", "config", PROMETHEUS / "prometheus.yml")
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_they_fire_when_they_should_and_only_then(path: Path) -> None:
    said = tool("promtool", "test", "rules", path)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_every_rule_is_tried_both_ways(rule: Rule) -> None:
    tried = [
        one["exp_alerts"] for path in TESTS for test in read(path)["tests"] for one in test["alert_rule_test"]
        if one["alertname"] == rule.name
    ]  # fmt: skip
    assert any(tried), "it is never seen to fire"
    assert not all(tried), "it is never seen not to fire"


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_every_rule_says_what_it_means_in_both_languages(rule: Rule) -> None:
    for name in ("summary", "description"):
        assert _HAN.search(rule.annotations[name])
        assert not _HAN.search(rule.annotations[f"{name}_en"])
    assert rule.labels["kind"] in KINDS
    from_series = rule.name == "JiantuAlertOpen"  # its severity is the alert's own
    assert from_series or rule.labels["severity"] in {"critical", "warning", "none"}


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_every_rule_has_its_section_in_the_runbook(rule: Rule) -> None:
    file, _, anchor = rule.annotations["runbook_url"].partition("#")
    assert (REPOSITORY / file).is_file()
    assert anchor == rule.name.lower()
    assert anchor in anchors()


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_every_metric_is_one_that_jiantu_exports(rule: Rule) -> None:
    promql_parser.parse(rule.expr)
    asked = selectors(rule.expr)
    assert asked
    assert asked <= {metric.name for metric in metrics.METRICS} | {"up"}


def test_no_rule_goes_by_the_county_of_what_is_compartmented() -> None:
    restricted = [rule for rule in ALL if rule.labels["kind"] == "restricted"]
    assert [rule.name for rule in restricted] == ["JiantuRestrictedAlertOpen"]
    assert "county" not in restricted[0].expr
