"""The rules of `deploy/prometheus`, read as data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[2]
PROMETHEUS = REPOSITORY / "deploy/prometheus"
ALERTMANAGER = REPOSITORY / "deploy/alertmanager"
RULES = sorted((PROMETHEUS / "rules").glob("*.yaml"))
TESTS = sorted((PROMETHEUS / "tests").glob("*.yaml"))


@dataclass(frozen=True)
class Rule:
    """One alerting rule."""

    name: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def read(path: Path) -> Any:
    """A YAML file as plain data."""
    return YAML(typ="safe", pure=True).load(path)


def rules() -> Iterator[Rule]:
    """All of them."""
    for path in RULES:
        for group in read(path)["groups"]:
            for one in group["rules"]:
                yield Rule(one["alert"], one["expr"], one.get("labels", {}), one.get("annotations", {}))
