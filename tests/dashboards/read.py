"""The committed boards as tests look at them: panels, queries, variables; and PromQL as Grafana would send it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.library import LANGS, Built, built

ROWS = "row"


@dataclass(frozen=True)
class Asked:
    """One query of a board, and where it stands."""

    where: str
    board: Built
    expr: str
    kind: str
    """instant, range, variable or annotation."""


def boards() -> list[Built]:
    return [board for lang in LANGS for board in built(lang)]


def panels(board: Built) -> list[Mapping[str, Any]]:
    return [panel for panel in board.document["panels"] if panel["type"] != ROWS]


def variables(board: Built) -> Mapping[str, Mapping[str, Any]]:
    return {one["name"]: one for one in board.document["templating"]["list"]}


def queries(board: Built) -> Iterator[Asked]:
    """Every expression of PromQL in a board."""
    for panel in panels(board):
        for target in panel["targets"]:
            kind = "instant" if target["instant"] else "range"
            yield Asked(f"{board.uid}: {panel['title']} {target['refId']}", board, target["expr"], kind)
    for variable in variables(board).values():
        if variable["type"] == "query":
            found = re.fullmatch(r"query_result\((.*)\)|label_values\((.*), \w+\)", variable["query"]["query"])
            assert found, variable["query"]
            yield Asked(f"{board.uid}: variable {variable['name']}", board, found[1] or found[2], "variable")
    for annotation in board.document["annotations"]["list"]:
        yield Asked(f"{board.uid}: annotation {annotation['name']}", board, annotation["expr"], "annotation")


def sent(expr: str, chosen: Mapping[str, str]) -> str:
    """An expression as Prometheus gets it: variables replaced, as Grafana does."""
    words = {"__rate_interval": "5m", "__range": "1d", "__interval": "5m", **chosen}
    # $1 and the like are PromQL's own.
    return re.sub(r"\$\{?([a-z_]\w*)\}?", lambda found: words[found[1]], expr)
