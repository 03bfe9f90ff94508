"""`jiantu alerts`, `alert-log` and `explain`: what was raised, why, what people do, and why not."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from streams.core.instant import parse_instant
from tests.cli.commands import Cli, Lake

KEYS = {
    *("id", "county", "category_family", "signal", "window_start", "window_end", "raised_at", "ended_at", "count"),
    *("expected", "low", "high", "p", "direction", "severity", "state", "sentence"),
}


@pytest.fixture
def data(lake_data: Path, tmp_path: Path) -> Path:
    """A data directory of its own."""
    shutil.copytree(lake_data, tmp_path / "data")
    return tmp_path / "data"


def listed(cli: Cli, data: Path, *more: object) -> list[dict[str, Any]]:
    """The alerts that a list shows."""
    ended = cli("alerts", "list", "--data-dir", data, *more, "--json")
    assert ended.code == 0
    found: list[dict[str, Any]] = ended.document
    return found


def test_a_list_has_every_key_and_is_in_the_order_of_event_time(cli: Cli, lake: Lake) -> None:
    alerts = listed(cli, lake.data)
    assert len(alerts) == lake.figures["alerts"] > 5
    for alert in alerts:
        assert set(alert) >= KEYS
        assert alert["window_end"][-6:] in ("-05:00", "-04:00")  # the city's clock
    assert [a["raised_at"] for a in alerts] == sorted((a["raised_at"] for a in alerts), key=parse_instant)


def test_a_sentence_tells_what_joined_and_that_it_is_over(cli: Cli, lake_data: Path) -> None:
    joined = next(alert for alert in listed(cli, lake_data) if len(alert["joined"]) >= 2)
    assert "另有" in joined["sentence"]
    assert "结束" in joined["sentence"]
    assert "also" in joined["sentence_en"]
    english = next(alert for alert in listed(cli, lake_data, "--lang", "en") if alert["id"] == joined["id"])
    assert english["sentence"] == joined["sentence_en"]


def test_a_list_can_be_narrowed(cli: Cli, lake_data: Path) -> None:
    everything = listed(cli, lake_data)
    county = everything[1]["county"]
    there = listed(cli, lake_data, "--county", county)
    assert there == [alert for alert in everything if alert["county"] == county]
    assert there == listed(cli, lake_data, "--county", everything[1]["county_name"].removesuffix("（全市）"))
    assert {alert["state"] for alert in listed(cli, lake_data, "--state", "open")} == {"open"}
    assert {alert["severity"] for alert in listed(cli, lake_data, "--severity", "critical")} == {"critical"}
    march = listed(cli, lake_data, "--since", "2025-03-01", "--until", "2025-03-08")
    assert march == [alert for alert in everything if "2025-03-01" <= alert["raised_at"] < "2025-03-08"] != []
    assert listed(cli, lake_data, "--signal", "总量") == [a for a in everything if a["signal"] == "total"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--county", "c6"], "did you mean c06?"),
        (["--signal", "totl"], "did you mean total?"),
        (["--state", "opened"], "did you mean open?"),
        (["--severity", "loud"], "write one of: critical, warning"),
        (["--since", "soon"], "is no time"),
        (["--data-dir", "nowhere"], "nowhere: no such directory"),
    ],
)
def test_a_list_says_what_it_does_not_know(cli: Cli, lake_data: Path, arguments: list[str], said: str) -> None:
    place = [] if "--data-dir" in arguments else ["--data-dir", lake_data]
    assert said in cli.refused("alerts", "list", *place, *arguments)


def test_an_alert_is_shown_with_its_evidence_by_the_beginning_of_its_id(cli: Cli, lake_data: Path) -> None:
    alert = next(alert for alert in listed(cli, lake_data) if alert["joined"])
    shown = cli("alerts", "show", alert["id"][:8], "--data-dir", lake_data, "--json").document
    assert {key: shown[key] for key in alert} == alert
    assert [case["signal"] for case in shown["evidence"]] == [alert["signal"], *(j["signal"] for j in alert["joined"])]
    assert all(len(case["history"]) > 3 for case in shown["evidence"])
    assert shown["steps"] == []
    page = cli("alerts", "show", alert["id"], "--data-dir", lake_data).out
    assert alert["sentence"] in page
    assert alert["sentence_en"] in page


def test_no_cell_below_k_is_shown_anywhere(cli: Cli, lake_data: Path) -> None:
    """Law 6: six people in one category of one county on one day could be found."""
    alert = next(a for a in listed(cli, lake_data) if a["shape"] == "burst" and a["count"] < 10)
    for arguments in (("--json",), ()):
        shown = cli("alerts", "show", alert["id"], "--data-dir", lake_data, *arguments)
        assert "不足10" in shown.out
        assert "by_category" not in shown.out


def test_people_take_an_alert_through_its_life(cli: Cli, lake: Lake, data: Path) -> None:
    alert = listed(cli, data)[1]["id"]

    def step(kind: str, *more: object) -> dict[str, Any]:
        ended = cli("alerts", kind, alert, "--data-dir", data, "--by", "zhang", *more, "--json")
        assert ended.code == 0, ended
        document: dict[str, Any] = ended.document
        return document

    assert step("acknowledge", "--note", "已联系街道")["state"] == "acknowledged"
    assert step("acknowledge", "--note", "已联系街道")["repeated"] is True
    disposed = step("dispose", "--measure", "督导", "--owner", "城管局", "--deadline", "2099-12-31")
    assert disposed["step"]["measure"] == "supervision"
    assert disposed["step"]["deadline"] == "2100-01-01T00:00:00-05:00"  # until the end of the day, in the city
    assert step("resolve")["state"] == "resolved"
    shown = cli("alerts", "show", alert, "--data-dir", data, "--json").document
    assert [taken["kind"] for taken in shown["steps"]] == ["acknowledge", "dispose", "resolve"]
    assert {taken["who"] for taken in shown["steps"]} == {"zhang"}
    assert [a["id"] for a in listed(cli, data, "--state", "resolved")] == [alert]
    # What the judge did is as it was.
    assert cli("alert-log", "--data-dir", data, "--digest").out.strip() == lake.sha256


def test_steps_that_are_not_possible_are_refused(cli: Cli, data: Path) -> None:
    alert = listed(cli, data)[1]["id"]
    assert "cannot resolve it" in cli.refused("alerts", "resolve", alert, "--data-dir", data, "--by", "li")
    assert "no alert has the id" in cli.refused("alerts", "show", "ffffffff", "--data-dir", data)
    assert "no alert has the id" in cli.refused("alerts", "acknowledge", "ffffffff", "--data-dir", data, "--by", "li")
    dispose = ["alerts", "dispose", alert, "--data-dir", data, "--by", "li", "--owner", "x", "--deadline"]
    assert "did you mean supervision?" in cli.refused(*dispose, "2099-01-01", "--measure", "supervison")
    assert "deadline has passed" in cli.refused(*dispose, "2001-01-01", "--measure", "watch")
    assert "write one of" in cli.refused("alerts", "discard", alert, "--data-dir", data, "--by", "li", "--reason", "?")
    phone = cli.refused("alerts", "acknowledge", alert, "--data-dir", data, "--by", "li", "--note", "13912345678 来电")
    assert "keeps none" in phone
    assert listed(cli, data)[1]["state"] == "ended"


def test_who_acts_may_come_from_the_environment(cli: Cli, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANTU_USER", "值班员")
    alert = listed(cli, data)[1]["id"]
    discarded = cli("alerts", "discard", alert, "--data-dir", data, "--reason", "误报", "--json").document
    assert discarded["step"]["who"] == "值班员"
    assert discarded["step"]["reason"] == "false_page"


def test_the_alert_log_is_canonical_and_its_digest_is_the_replays(cli: Cli, lake: Lake) -> None:
    assert lake.sha256 == lake.figures["alert_log_sha256"]
    lines = [json.loads(line) for line in lake.log.splitlines()]
    assert b"".join(rfc8785.dumps(line) + b"\n" for line in lines) == lake.log
    order = [(parse_instant(line["at"]), line["alert"], line["transition"]) for line in lines]
    assert order == sorted(order)
    document = cli("alert-log", "--data-dir", lake.data, "--json").document
    assert document == {"alert_log_sha256": lake.sha256, "transitions": lines}


def test_every_page_is_explained_where_and_when_it_was_raised(cli: Cli, lake_data: Path) -> None:
    for alert in listed(cli, lake_data):
        if alert["shape"] == "always_page":
            continue
        place = ("--county", alert["county"], "--signal", alert["signal"], "--at", alert["window_start"])
        found = cli("explain", "--data-dir", lake_data, *place, "--size", alert["size"], "--json").document
        (window,) = found["windows"]
        assert found["paged"] is True
        assert (window["why"], window["alert"], window["count"]) == ("raised", alert["id"], alert["count"])
        assert window["budget_left"] is not None


def test_where_there_is_no_alert_the_count_that_would_have_paged_is_named(cli: Cli, lake_data: Path) -> None:
    place = ("--county", "一区", "--signal", "total", "--at", "2025-03-10T13:00")
    found = cli("explain", "--data-dir", lake_data, *place, "--json").document
    assert [window["size"] for window in found["windows"]] == ["hour", "day", "week"]
    day = found["windows"][1]
    assert day["why"] == "above_level"
    high = next(test for test in day["tests"] if test["side"] == "high")
    assert high["turning_count"] > day["count"]
    assert f"达到 {high['turning_count']} 件就会预警" in day["sentence"]
    words = cli("explain", "--data-dir", lake_data, *place).said
    assert f"≥ {high['turning_count']}" in words
    assert "above_level" in words


def test_explain_says_what_it_does_not_know(cli: Cli, lake_data: Path) -> None:
    ask = ("explain", "--data-dir", lake_data, "--at", "2025-03-10", "--county")
    assert "did you mean c06?" in cli.refused(*ask, "c6", "--signal", "total")
    assert "did you mean total?" in cli.refused(*ask, "c06", "--signal", "totals")
    assert "did you mean day?" in cli.refused(*ask, "c06", "--signal", "total", "--size", "days")
    before = cli(*ask[:-2], "2001-01-01", "--county", "c06", "--signal", "total", "--json").document
    assert {window["why"] for window in before["windows"]} == {"not_closed"}


def test_a_data_directory_without_its_profile_needs_one(cli: Cli, data: Path) -> None:
    shutil.rmtree(data / "profile")
    assert "--profile" in cli.refused("alerts", "list", "--data-dir", data)
    (data / "jiantu.db").write_bytes(b"something else entirely, long enough to be looked at" * 20)
    damaged = cli("alerts", "list", "--data-dir", data, "--profile", "leshan")
    assert damaged.code == 1
    assert "is damaged or is not a ledger" in damaged.said
