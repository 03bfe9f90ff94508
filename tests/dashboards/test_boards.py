"""The committed boards: what the builders make, in two languages, for Grafana 11 and 12, without a city."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from ruamel.yaml import YAML

from dashboards import colours
from dashboards.boards import desk
from dashboards.build import BUILT, documents, main
from dashboards.library import FOLDERS, LANGS, NAMES, Built, built, folder_uid, uid
from dashboards.sdk import JSONEncoder, model, register_default_plugins
from streams import metrics
from streams.core.city import City
from streams.ledger.lifecycle import DISCARD_REASON_NAMES, MEASURE_NAMES, STEP_NAMES, StepKind
from streams.profile import bundled, load
from tests.dashboards.promql import labels_of, metrics_of
from tests.dashboards.read import Asked, boards, panels, queries, variables


@cache
def cities() -> tuple[City, ...]:
    """Those that come with jiantu."""
    return tuple(load(name).city for name in bundled())


ROOT = Path(__file__).parents[2]
BOARDS = boards()
ASKED = [asked for board in BOARDS for asked in queries(board)]
CORE_PANELS = {"stat", "table", "timeseries", "bargauge", "state-timeline"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_the_committed_files_are_what_the_builders_make() -> None:
    made = dict(documents())
    assert {path: path.read_bytes() for path in BUILT.rglob("*.*")} == made
    assert main(["--check"]) == 0


def test_a_changed_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.build.BUILT", tmp_path / "dashboards/built")
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "dashboards/built/zh/city.json").write_text("{}")
    assert main(["--check"]) == 1


def test_uids_are_for_good() -> None:
    """Bookmarks, links in pages and provisioned folders hold on to them."""
    assert [board.uid for board in BOARDS] == [
        *("jiantu-city-zh", "jiantu-county-zh", "jiantu-signal-zh", "jiantu-desk-zh", "jiantu-pipeline-zh"),
        *("jiantu-city-en", "jiantu-county-en", "jiantu-signal-en", "jiantu-desk-en", "jiantu-pipeline-en"),
    ]
    assert [folder_uid(lang) for lang in LANGS] == ["jiantu-zh", "jiantu-en"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
class TestEveryBoard:
    """What holds for all of them."""

    def test_is_whole_in_the_sdk_s_model(self, board: Built) -> None:
        register_default_plugins()
        read = json.loads(json.dumps(model.Dashboard.from_json(dict(board.document)), cls=JSONEncoder))
        for part in (*read["links"], *read["annotations"]["list"]):
            del part["placement"]
        assert read == board.document

    def test_loads_into_grafana_11_and_12(self, board: Built) -> None:
        """The schema of 11.0, panels of the core alone, one data source by variable, ids and uid as they must be."""
        document = board.document
        assert document["schemaVersion"] == 39
        assert document["uid"] == board.uid
        assert re.fullmatch(r"[a-z-]{1,40}", board.uid)
        assert "id" not in document
        assert {panel["type"] for panel in panels(board)} <= CORE_PANELS
        ids = [panel["id"] for panel in document["panels"]]
        assert ids == list(range(1, len(ids) + 1))
        sources = re.findall(r'"datasource": (\{[^}]*\}+)', json.dumps(document))
        assert {one.rstrip("}") for one in sources} == {'{"type": "prometheus", "uid": "${datasource'}

    def test_every_panel_says_what_it_shows_and_in_what_unit(self, board: Built) -> None:
        for panel in panels(board):
            assert panel["title"], panel["id"]
            assert len(panel["description"]) > 8, panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert panel["targets"], panel["title"]
            for target in panel["targets"]:
                assert target["instant"] is not target["range"], panel["title"]

    def test_speaks_its_language(self, board: Built) -> None:
        for panel in panels(board):
            for words in (panel["title"], panel["description"]):
                if not words.startswith("$"):
                    assert bool(CHINESE.search(words)) is (board.lang == "zh"), words
        others = [link["title"] for link in board.document["links"]]
        assert others[-1] == ("English" if board.lang == "zh" else "中文")
        if board.lang == "en":
            text = json.dumps({**board.document, "links": others[:-1]}, ensure_ascii=False)
            assert not CHINESE.search(text), CHINESE.findall(text)

    def test_panels_fill_the_board_without_overlap(self, board: Built) -> None:
        places = [panel["gridPos"] for panel in board.document["panels"]]
        assert all(place["x"] + place["w"] <= 24 for place in places)
        for one, other in combinations(places, 2):
            beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            assert beside or below, (one, other)

    def test_leads_to_the_other_boards_the_console_and_the_runbook(self, board: Built) -> None:
        there = [link["url"] for link in board.document["links"]]
        other = "en" if board.lang == "zh" else "zh"
        assert there == [
            *(f"/d/{uid(name, board.lang)}" for name in NAMES if name != board.name),
            *("${console:raw}", "${runbook:raw}"),
            f"/d/{uid(board.name, 'en' if other == 'en' else 'zh')}",
        ]
        inner = re.findall(r"/d/([a-z-]+)", json.dumps(board.document))
        assert set(inner) <= {one.uid for one in BOARDS}

    def test_variables_are_defined_where_they_are_used(self, board: Built) -> None:
        used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(board.document)))
        assert used <= set(variables(board)), used

    def test_colours_are_those_that_everybody_can_tell_apart(self, board: Built) -> None:
        ours = {value for name, value in vars(colours).items() if name.isupper()}
        assert set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(board.document))) <= ours

    def test_knows_no_city(self, board: Built) -> None:
        """Counties, signals and points come from the exporter: any profile's boards are these."""
        text = json.dumps(board.document, ensure_ascii=False)
        for city in cities():
            words = [word for one in city.counties for word in (one.code, one.name) if len(word) > 2]
            words += [one.name for one in city.signals if "_" in one.name and one.name != one.measure] + [city.title]
            assert [word for word in words if word in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_are_one_board(name: str) -> None:
    zh, en = (built(lang)[NAMES.index(name)].document for lang in LANGS)

    def shape(document: Mapping[str, Any]) -> Sequence[object]:
        return [(panel["type"], panel["gridPos"], len(panel.get("targets", []))) for panel in document["panels"]]

    assert shape(zh) == shape(en)
    asked = [[asked.expr for asked in queries(built(lang)[NAMES.index(name)])] for lang in LANGS]
    # `by (a, name)` is sorted by nobody: the same labels in the same order. Words for people are of their language.
    plain = [
        [re.sub(r'"word", "[^"]+"', "word", re.sub(r"\b(name|title)_en\b", r"\1", expr)) for expr in one]
        for one in asked
    ]
    assert plain[1] == plain[0]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.where)
def test_queries_name_only_metrics_and_labels_that_there_are(asked: Asked) -> None:
    expr = promql_parser.parse(
        re.sub(r"\$\{?(\w+)\}?", lambda one: "5m" if one[1].startswith("__") else "x", asked.expr)
    )
    for name, labels in metrics_of(expr):
        known = metrics.NAMES.get(name) or metrics.NAMES[name.removesuffix("_bucket")]
        assert labels <= {*known.labels}, (name, labels)
    every = {label for metric in metrics.METRICS for label in metric.labels} | {"le", "number", "mark", "tile"}
    assert labels_of(expr) <= every


def test_names_of_metrics_stand_in_one_file() -> None:
    written = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in sorted((ROOT / "dashboards").rglob("*.py"))
        for found in re.finditer(r"jiantu_[a-z]\w*", re.sub(r'"""[\s\S]*?"""', "", path.read_text()))
    ]
    assert written == []


def test_every_metric_is_looked_at_somewhere() -> None:
    asked = " ".join(one.expr for one in ASKED)
    for_rules_alone = {metrics.WATCHDOG.name, metrics.CALENDAR_UNTIL.name, metrics.BUDGET_REMAINING.name}
    unseen = {metric.name for metric in metrics.METRICS if metric.name not in asked}
    assert unseen == for_rules_alone


def test_a_number_below_k_is_never_drawn_as_zero() -> None:
    """Where a count may be withheld, its flag is asked for beside it."""
    for board in BOARDS:
        for panel in panels(board):
            asked = " ".join(target["expr"] for target in panel["targets"])
            if metrics.WINDOW_COUNT.name in asked and "size" in asked and "measure=" not in asked:
                if panel["type"] == "timeseries" and metrics.CITY_INFO.name in asked:
                    continue  # the whole city: a gap in a line, with nothing beside it
                assert metrics.WINDOW_SUPPRESSED.name in asked, (board.uid, panel["title"])
                assert "<k" in json.dumps(panel) or "custom.axisPlacement" in json.dumps(panel)


def test_what_cannot_be_seen_is_neither_calm_nor_zero() -> None:
    """A dead exporter leaves dashes in grey, not a green 0; only whether it is alive is asked with a 0 in hand."""
    for board in BOARDS:
        for panel in panels(board):
            if panel["type"] == "stat":
                last = panel["fieldConfig"]["defaults"]["mappings"][-1]
                assert last["type"] == "special", panel["title"]
                assert last["options"]["match"] == "null+nan", panel["title"]
                assert last["options"]["result"]["color"] == colours.NONE, panel["title"]
            made_up = [target["expr"] for target in panel["targets"] if target["expr"].endswith("or vector(0)")]
            assert all(metrics.EXPORTER_UP.name in expr or metrics.SCRAPE_ERRORS.name in expr for expr in made_up)


def test_codes_are_words_and_counts_have_all_their_digits() -> None:
    """Grafana reads 511102 as 511 K where a unit lets it, and 1,759 as 2 K."""
    for board in BOARDS:
        for panel in panels(board):
            config = panel["fieldConfig"]
            if panel["type"] == "table":
                assert config["defaults"]["unit"] == "string", panel["title"]
                units = {
                    one["matcher"]["options"]: {part["id"]: part["value"] for part in one["properties"]}.get("unit")
                    for one in config["overrides"]
                    if one["matcher"]["id"] == "byName"
                }
                for field, heading in panel["transformations"][-1]["options"]["renameByName"].items():
                    assert (units[heading] is not None) is field.startswith("Value"), (panel["title"], heading)
            elif panel["type"] != "state-timeline":
                assert config["defaults"]["unit"] != "short", panel["title"]


def test_what_people_did_is_said_in_the_words_of_the_ledger() -> None:
    said = {"acknowledge: ": STEP_NAMES[StepKind.ACKNOWLEDGE], "resolve: ": STEP_NAMES[StepKind.RESOLVE]}
    said |= {f"dispose: {one.value}": name for one, name in MEASURE_NAMES.items()}
    said |= {f"discard: {one.value}": f"排除：{name}" for one, name in DISCARD_REASON_NAMES.items()}
    assert {code: zh for code, (zh, _) in desk.STEPS.items()} == said


PROVISIONING = ROOT / "deploy/grafana/provisioning"


def test_boards_open_with_the_provisioned_data_source_and_lie_where_push_puts_them() -> None:
    yaml = YAML(typ="safe", pure=True)
    sources = {one["type"]: one for one in yaml.load(PROVISIONING / "datasources/jiantu.yaml")["datasources"]}
    for board in BOARDS:
        chosen = variables(board)["datasource"]
        assert (chosen["query"], chosen["current"]["value"]) == ("prometheus", sources["prometheus"]["uid"])
        assert chosen["current"]["text"] == sources["prometheus"]["name"]
    for one in sources.values():
        assert one["url"] in {"${JIANTU_PROMETHEUS_URL}", "${JIANTU_ALERTMANAGER_URL}"}
        assert (one["editable"], one["access"]) == (False, "proxy")
        assert "jiantu" in one["name"], "one of the same name in somebody's Grafana would become this one"
    providers = yaml.load(PROVISIONING / "dashboards/jiantu.yaml")["providers"]
    for lang, provider in zip(LANGS, providers, strict=True):
        assert (provider["folder"], provider["folderUid"]) == (FOLDERS[lang], folder_uid(lang))
        assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
        assert provider["options"] == {"path": f"/etc/jiantu/boards/{lang}"}
        assert {path.name for path in (BUILT / lang).iterdir()} == {f"{name}.json" for name in NAMES}
