"""Every query of every board, on a real Prometheus that holds every metric: each is understood, and finds something."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import promql_parser
import pytest
from ruamel.yaml import YAML

from dashboards.panels import HIDDEN as BELOW_K
from streams import metrics
from tests.dashboards import history
from tests.dashboards.promql import metrics_of
from tests.dashboards.read import boards, panels, queries, sent, variables
from tests.prometheus.server import Prometheus

SETTINGS = "global: {scrape_interval: 1h}\n"
CHOSEN = {"county": "east", "signal": "total", "size": "day"}


@dataclass(frozen=True)
class Answers:
    """What a Prometheus says: both languages' boards ask nearly the same, and are told from memory."""

    prometheus: Prometheus
    known: dict[tuple[str, str], list[tuple[Mapping[str, str], float]]] = field(default_factory=dict)

    def samples(
        self, expr: str, kind: str, chosen: Mapping[str, str] = CHOSEN
    ) -> list[tuple[Mapping[str, str], float]]:
        """Labels and values (of a range: how many), asked as Grafana asks."""
        asked = sent(expr, chosen)
        if (asked, kind) not in self.known:
            if kind in {"instant", "variable"}:
                answer = self.prometheus.query(asked, history.END)
            else:
                answer = [*self.prometheus.query_range(asked, history.END - 7200, history.END, 600)]
            self.known[asked, kind] = answer
        return self.known[asked, kind]

    def labels(self, expr: str, kind: str, chosen: Mapping[str, str] = CHOSEN) -> list[Mapping[str, str]]:
        """The labels alone."""
        return [labels for labels, _ in self.samples(expr, kind, chosen)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    made = Prometheus(tmp_path_factory.mktemp("prometheus"), SETTINGS)
    history.fill(made.data)
    with made:
        yield Answers(made)


def test_every_query_finds_data(answers: Answers) -> None:
    """Where every metric has data, no panel is empty: what is empty later is empty because nothing happened."""
    empty = [
        asked.where
        for board in boards()
        for asked in queries(board)
        if not any(answers.labels(asked.expr, asked.kind, CHOSEN | {"county": one}) for one in history.COUNTIES)
    ]
    assert empty == []


def test_the_labels_that_legends_and_tables_show_are_there(answers: Answers) -> None:
    for board in boards():
        for panel in panels(board):
            shown = [
                field["options"]["include"]["names"]
                for field in panel.get("transformations", [])
                if field["id"] == "filterFieldsByName"
            ]
            first: Mapping[str, str] = {}
            for target in panel["targets"]:
                kind = "instant" if target["instant"] else "range"
                if (answer := answers.labels(target["expr"], kind)) == [] and target["refId"] == "E":
                    continue  # what is shown has no veil
                first = answer[0]
                wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
                assert wanted <= set(first), (board.uid, panel["title"], wanted, first)
            for names in shown:
                labels = {name for name in names if not name.startswith("Value")}
                assert labels <= set(first), (board.uid, panel["title"], labels, first)


def test_every_choice_of_a_variable_finds_data(answers: Answers) -> None:
    board = next(board for board in boards() if board.name == "county")
    for size in ("day", "week"):
        for asked in queries(board):
            if metrics.WINDOW_COUNT.name in asked.expr and "measure" not in asked.expr:
                chosen = {**CHOSEN, "size": size}
                assert answers.labels(asked.expr, asked.kind, chosen), (asked.where, chosen)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_variables_give_codes_with_names_for_people(lang: str, answers: Answers) -> None:
    """As Grafana reads the answer of query_result: name{labels} value, through the variable's expression."""
    board = next(one for one in boards() if (one.name, one.lang) == ("county", lang))
    chosen = {}
    for name in ("county", "signal", "size"):
        variable = variables(board)[name]
        expr = re.fullmatch(r"query_result\((.*)\)", variable["query"]["query"])
        assert expr
        reads = re.compile(variable["regex"].strip("/").replace("(?<", "(?P<"))
        choices = []
        for labels, one in answers.samples(expr[1], "variable"):
            text = "{" + ",".join(f'{label}="{labels[label]}"' for label in sorted(labels)) + f"}} {one} 0"
            read = reads.search(text)
            assert read, text
            choices.append((read["value"], read["text"]))
        chosen[name] = choices
    expected = {
        "zh": [("city", "小城"), ("east", "east区"), ("west", "west区")],
        "en": [("city", "Town"), ("east", "East"), ("west", "West")],
    }
    assert sorted(chosen["county"]) == expected[lang]
    assert sorted(code for code, _ in chosen["signal"]) == sorted(history.SIGNALS)
    # What comes first is what a board opens with: what counts most, and days where most counties show theirs.
    assert chosen["signal"][0][0] == "total"
    words = {"zh": [("day", "日"), ("week", "周")], "en": [("day", "Day"), ("week", "Week")]}
    assert chosen["size"] == words[lang]


def test_a_city_whose_counties_show_no_days_opens_with_weeks(answers: Answers) -> None:
    """Here all show some: so with a share that none can reach, and with days that nobody shows."""
    expr = variables(boards()[0])["size"]["query"]["query"].removeprefix("query_result(").removesuffix(")")
    for many in (expr.replace(">= bool 0.5", ">= bool 1.6"), expr.replace(" == 0)", " == 2)")):
        assert many != expr
        assert [labels["size"] for labels in answers.labels(many, "variable")] == ["week", "day"]


def test_a_number_below_k_is_told_apart_from_zero_and_from_nothing(answers: Answers) -> None:
    for name, title in (("city", "县区一览"), ("signal", "各县区最近一个窗口")):
        board = next(one for one in boards() if (one.name, one.lang) == (name, "zh"))
        panel = next(one for one in panels(board) if one["title"] == title)
        expr = next(one["expr"] for one in panel["targets"] if metrics.WINDOW_SUPPRESSED.name in one["expr"])
        answer = answers.samples(expr, "instant", {**CHOSEN, "county": "east|west"})
        counts = {labels["county"]: count for labels, count in answer}
        assert counts.pop("city", 1.0) == 1.0
        assert counts == {"east": 1.0, "west": float(BELOW_K)}


def test_what_two_processes_tell_of_one_ledger_is_counted_once(answers: Answers) -> None:
    """`jiantu run` has /metrics too, and Prometheus scrapes both (deploy/prometheus)."""
    told = {}
    for board in boards():
        for panel in panels(board) if board.lang == "zh" else ():
            for target in panel["targets"]:
                told[panel["title"], target["refId"]] = answers.samples(target["expr"], "variable")
    a_second = 1 / history.STEP
    for letter in "ABCD":
        assert told["记录按去向", letter][0][1] == pytest.approx(a_second)
    assert told["最近关闭的窗口距今", "D"][0][1] == pytest.approx(3600 * a_second, rel=0.05)
    for letter in "AB":
        assert told["所选时间内发出", letter][0][1] == pytest.approx(history.SPAN * a_second, rel=0.05)
    assert told["待确认：全部", "A"][0][1] == len(history.CHOICES["county"]) * len(history.CHOICES["severity"])
    assert told["账目之差", "A"][0][1] == 0


def test_tiles_say_the_worst_that_waits(answers: Answers) -> None:
    board = boards()[0]
    panel = next(one for one in panels(board) if one["title"] == "县区分布")
    tiles = {labels["county"]: labels for labels in answers.labels(panel["targets"][0]["expr"], "instant")}
    assert {county: labels["tile"] for county, labels in tiles.items()} == {"east": "‼ 2 east区", "west": "‼ 2 west区"}
    assert [(labels["column"], labels["row"]) for _, labels in sorted(tiles.items())] == [("00", "00"), ("01", "00")]


def test_no_open_alert_drops_out_for_want_of_a_name(answers: Answers) -> None:
    """The one without a category is the threat to somebody's life."""
    panel = next(one for one in panels(boards()[0]) if one["title"] == "待确认的预警")
    told = {labels["alert"]: labels for labels in answers.labels(panel["targets"][0]["expr"], "instant")}
    assert {alert: (one.get("name"), one.get("title"), one.get("what")) for alert, one in told.items()} == {
        "a1": ("east区", "秩序", "信号total"),
        "a2": ("east区", "秩序", "信号late"),
        "a3": ("west区", None, None),
        "a4": ("小城", "秩序", "信号total"),
        "a5": ("east区", "秩序", "threat"),
        "a6": (None, None, None),
    }
    drawn = boards()[0].document["annotations"]["list"][0]["expr"]
    assert {labels["alert"] for labels in answers.labels(drawn, "annotation")} == set(told)


RULES = [
    (f"{path.name}: {rule.get('alert') or rule['record']}", str(rule["expr"]))
    for path in sorted((Path(__file__).parents[2] / "deploy/prometheus/rules").glob("*.yaml"))
    for group in YAML(typ="safe", pure=True).load(path.read_text())["groups"]
    for rule in group["rules"]
]


def test_every_rule_asks_for_metrics_that_there_are_and_is_understood(answers: Answers) -> None:
    """What it finds is its own test's business (tests/rules); here it meets the same names as the boards."""
    assert RULES
    recorded = {name.rpartition(": ")[2] for name, _ in RULES if ":" in name.rpartition(": ")[2]}
    for name, expr in RULES:
        for metric, labels in metrics_of(promql_parser.parse(expr)):
            if metric in {"up", "ALERTS"} | recorded:
                continue
            known = metrics.NAMES.get(metric) or metrics.NAMES[metric.removesuffix("_bucket")]
            assert labels <= {*known.labels, "job", "instance", "le", "__name__"}, name
        answers.prometheus.query(expr, history.END)
