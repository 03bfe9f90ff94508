"""`jiantu replay`: the figures of its contract, going on where it stopped, and what is wrong with what it was given."""

import fcntl
import gzip
import shutil
from pathlib import Path

import pytest
import zstandard

from streams.core.instant import parse_instant
from streams.sources.recorder import RecordingWriter
from streams.sources.recording import Header
from tests.cli.commands import LAKE, RECORDING, Cli, Lake

TOTALS = ("received", "counted", "duplicate", "late", "rejected", "windows_closed", "alerts")
KEYS = (*TOTALS, "alert_log_sha256", "state_sha256", "seconds", "events_per_second")


def plain(target: Path) -> bytes:
    """The recording as text."""
    with RECORDING.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    target.write_bytes(text)
    return text


@pytest.fixture
def kept_log(lake: Lake, tmp_path: Path) -> Path:
    """The alert log of an undisturbed run, stored."""
    (tmp_path / "kept.log").write_bytes(lake.log)
    return tmp_path / "kept.log"


def test_json_has_every_key_of_the_contract_and_the_accounting_balances(cli: Cli, lake: Lake, tmp_path: Path) -> None:
    ended = cli("replay", RECORDING, "--profile", LAKE, "--data-dir", tmp_path / "d", "--json")
    assert ended.code == 0
    assert not ended.err
    found = ended.document
    assert set(KEYS) <= set(found)
    assert found["received"] == found["counted"] + found["duplicate"] + found["late"] + found["rejected"]
    assert min(found[total] for total in TOTALS) > 0
    assert sum(found["rejections"].values()) == found["rejected"]
    assert found["alert_log_sha256"] == lake.sha256
    assert found["ending"] == {"state": "complete", "records": found["record"], "verified": True, "message": ""}


def test_a_run_that_stops_and_goes_on_reports_what_an_undisturbed_one_does(
    cli: Cli, lake: Lake, tmp_path: Path
) -> None:
    whole = lake.figures
    first = cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "cut", "--to", "2025-02-20", "--batch", 7, "--json")
    assert first.document["reached"] == "2025-02-20T00:00:00-05:00"
    assert 0 < first.document["received"] < whole["received"]
    # Without --profile: the data directory knows its own.
    second = cli("replay", RECORDING, "-d", tmp_path / "cut", "--to", "2025-03-02T05:30", "--batch", 1000, "--json")
    assert first.document["received"] < second.document["received"] < whole["received"]
    rest = cli("replay", RECORDING, "-d", tmp_path / "cut", "--json").document
    for key in (*TOTALS, "alert_log_sha256", "state_sha256"):
        assert rest[key] == whole[key]
    again = cli("replay", RECORDING, "-d", tmp_path / "cut", "--json").document
    assert again["processed"] == 0
    assert [again[key] for key in TOTALS] == [whole[key] for key in TOTALS]


def test_from_begins_at_its_hour_and_counts_nothing_before_it(cli: Cli, lake: Lake, tmp_path: Path) -> None:
    part = cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--from", "2025-03-01T12:34", "--json").document
    assert 0 < part["received"] < lake.figures["received"] // 2
    again = cli("replay", RECORDING, "-d", tmp_path / "d", "--from", "2025-03-01T12:00", "--json").document
    assert again["processed"] == 0
    other = cli.refused("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--from", "2025-03-01T11:59")
    assert "another source" in other


def test_alerts_are_shown_as_they_are_raised_and_the_figures_at_the_end(cli: Cli, lake: Lake, tmp_path: Path) -> None:
    ended = cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d")
    raised = [line for line in ended.err.splitlines() if line.startswith("● ")]
    assert len(raised) == lake.figures["alerts"]
    assert any("件，预期" in line and "这样多的机会约为 1/" in line for line in raised)
    assert "━" not in ended.err  # no bar where nobody watches
    assert lake.sha256 in ended.out
    assert f"收到 received {lake.figures['received']:,} = 计入 counted {lake.figures['counted']:,}" in ended.said


def test_english_on_request(cli: Cli, tmp_path: Path) -> None:
    ended = cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--lang", "en")
    assert "so many by a chance of about 1 in" in ended.err


def test_expect_is_silent_on_the_same_log(cli: Cli, kept_log: Path, tmp_path: Path) -> None:
    ended = cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--expect", kept_log, "--json")
    assert ended.code == 0
    assert ended.document["expect"]["same"] is True


def test_expect_prints_what_differs_and_fails(cli: Cli, kept_log: Path, tmp_path: Path) -> None:
    lines = kept_log.read_text().splitlines(keepends=True)
    place, line = next((i, line) for i, line in enumerate(lines) if '"count":5,' in line)
    changed = line.replace('"count":5,', '"count":4,')
    kept_log.write_text("".join([*lines[:place], changed, *lines[place + 1 : -1]]))
    ended = cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--expect", kept_log)
    assert ended.code == 1
    assert "count: 4 → 5" in ended.said
    assert "多了 unexpected" in ended.said
    as_json = cli("replay", RECORDING, "-d", tmp_path / "d", "--expect", kept_log, "--json")
    assert as_json.code == 1
    assert [one["kind"] for one in as_json.document["expect"]["differences"]] == ["changed", "unexpected"]


def test_a_log_that_is_none_is_wrong_input_and_nothing_runs(cli: Cli, tmp_path: Path) -> None:
    assert "alert-log" in cli.refused(
        "replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--expect", tmp_path / "no"
    )
    assert not (tmp_path / "d").exists()


def test_a_truncated_recording_is_read_as_far_as_it_goes_with_a_warning(cli: Cli, lake: Lake, tmp_path: Path) -> None:
    text = plain(tmp_path / "cut.jsonl")
    (tmp_path / "cut.jsonl").write_bytes(text[: text.index(b"\n", len(text) // 2) + 1])
    ended = cli("replay", tmp_path / "cut.jsonl", "-p", LAKE, "-d", tmp_path / "d", "--json")
    assert ended.code == 0
    ending = ended.document["ending"]
    assert ending["state"] == "truncated"
    assert 0 < ending["records"] < 8114
    assert f"{ending['records']:,}" in ended.err
    # The whole of it goes on from there.
    shutil.copyfile(RECORDING, tmp_path / "whole.jsonl.zst")
    plain(tmp_path / "whole.jsonl")
    rest = cli("replay", tmp_path / "whole.jsonl", "-d", tmp_path / "d", "--json")
    assert rest.document["alert_log_sha256"] == lake.sha256


def test_an_altered_recording_fails(cli: Cli, tmp_path: Path) -> None:
    text = plain(tmp_path / "altered.jsonl")
    (tmp_path / "altered.jsonl").write_bytes(text.replace(b'"noise"', b'"wages"', 1))
    ended = cli("replay", tmp_path / "altered.jsonl", "-p", LAKE, "-d", tmp_path / "d", "--json")
    assert ended.code == 1
    assert ended.document["ending"]["state"] == "altered"
    assert "digest" in ended.err


def test_a_profile_of_another_name_is_warned_of(cli: Cli, tmp_path: Path) -> None:
    span = ("2025-01-01T00:00:00+08:00", "2025-01-02T00:00:00+08:00")
    with RecordingWriter(tmp_path / "rec.jsonl", Header(profile="elsewhere", span=span)) as writer:
        writer.write(b"{}", parse_instant(span[0]))
    ended = cli("replay", tmp_path / "rec.jsonl", "-p", "leshan", "-d", tmp_path / "d", "--json")
    assert ended.code == 0
    assert ended.document["rejections"] == {"empty": 1}
    assert "elsewhere" in ended.err


def test_a_csv_goes_through_the_profiles_mapping(cli: Cli, tmp_path: Path) -> None:
    rows = [
        "opened,closed,area,topic,no",
        "2025-03-03 09:00:00,2025-03-04 10:00:00,c01,noise,1",
        "2025-03-04 09:00:00,2025-03-09 10:00:00,c01,noise,2",
        "2025-03-05 11:00:00,,c01,noise,3",
    ]
    with gzip.open(tmp_path / "calls.csv.gz", "wt") as file:
        file.write("\n".join(rows) + "\n")
    text = (LAKE / "profile.yaml").read_text() + (
        "mapping: {opened: opened, closed: closed, ticket: 'no', columns: {county: area, category: topic},\n"
        "  constants: {point: hotline}, kinds: {opened: accepted, closed: closed}, zone: America/New_York}\n"
    )
    (tmp_path / "profile.yaml").write_text(text)
    ended = cli("replay", tmp_path / "calls.csv.gz", "-p", tmp_path / "profile.yaml", "-d", tmp_path / "d", "--json")
    assert ended.code == 0, ended
    assert ended.document["received"] == ended.document["counted"] == 4
    assert ended.document["closings_dropped"] == 1
    again = cli("replay", tmp_path / "calls.csv.gz", "-d", tmp_path / "d")  # the data directory kept the profile
    assert "closings after the span" in again.said


def test_a_csv_does_not_say_whose_it_is(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("a,b\n1,2\n")
    assert "--profile" in cli.refused("replay", tmp_path / "calls.csv", "-d", tmp_path / "d")
    assert "mapping" in cli.refused("replay", tmp_path / "calls.csv", "-p", LAKE, "-d", tmp_path / "d")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.jsonl.zst", "-p", LAKE], "nowhere.jsonl.zst: no such file"),
        ([LAKE / "profile.yaml", "-p", LAKE], "the first line is to be like"),
        ([RECORDING, "-p", "leshn"], "did you mean leshan?"),
        ([RECORDING, "-p", LAKE, "--from", "yesterday"], '"yesterday" is no time'),
        ([RECORDING, "-p", LAKE, "--to", "2025-02-30"], "is no time"),
        ([RECORDING, "-p", LAKE, "--from", "2031-01-01"], "nothing between"),
        ([RECORDING, "-p", LAKE, "--from", "2025-03-02", "--to", "2025-03-01"], "nothing between"),
        ([RECORDING, "-p", LAKE, "--speed", "fast"], "write max, 60x"),
        ([RECORDING, "-p", LAKE, "--speed", "0x"], "write max, 60x"),
        ([RECORDING, "-p", LAKE, "--batch", "0"], "--batch"),
        ([RECORDING, "-p", LAKE, "--lang", "fr"], "write zh or en"),
    ],
)
def test_wrong_input_is_said_in_words(cli: Cli, tmp_path: Path, arguments: list[object], said: str) -> None:
    assert said in cli.refused("replay", *arguments, "-d", tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_a_data_directory_has_to_be_named(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "--data-dir" in cli.refused("replay", RECORDING, "-p", LAKE)
    monkeypatch.setenv("JIANTU_DATA_DIR", str(tmp_path / "from_environment"))
    assert cli("replay", RECORDING, "-p", LAKE, "--to", "2025-02-04").code == 0
    assert (tmp_path / "from_environment" / "jiantu.db").is_file()


def test_a_data_directory_of_another_recording_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    assert cli("simulate", "-p", LAKE, "--days", 3, "--incidents", 0, "-o", tmp_path / "other.jsonl.zst").code == 0
    cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--to", "2025-02-04", "--json")
    before = (tmp_path / "d" / "jiantu.db").read_bytes()
    said = cli.refused("replay", tmp_path / "other.jsonl.zst", "-p", LAKE, "-d", tmp_path / "d")
    assert f"{tmp_path / 'd'}: the data directory holds the run of another source" in said
    assert (tmp_path / "d" / "jiantu.db").read_bytes() == before


def test_a_data_directory_that_is_written_by_another_process_is_busy(cli: Cli, tmp_path: Path) -> None:
    cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--to", "2025-02-04", "--json")
    with (tmp_path / "d" / "jiantu.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = cli("replay", RECORDING, "-d", tmp_path / "d")
    assert ended.code == 1
    assert "is writing this data directory" in ended.said


def test_a_changed_profile_does_not_go_on_with_the_data_of_the_old_one(cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(LAKE, tmp_path / "city", ignore=shutil.ignore_patterns("*.zst", "alert_log*"))
    city = tmp_path / "city" / "profile.yaml"
    cli("replay", RECORDING, "-p", tmp_path / "city", "-d", tmp_path / "d", "--to", "2025-02-04", "--json")
    city.write_text(city.read_text().replace("pages_per_week: 24", "pages_per_week: 25"))
    assert "another version of the profile" in cli.refused(
        "replay", RECORDING, "-p", tmp_path / "city", "-d", tmp_path / "d"
    )
    assert cli("replay", RECORDING, "-d", tmp_path / "d", "--to", "2025-02-05").code == 0  # with the one it kept


def test_the_largest_non_alerts_are_listed_and_explained(cli: Cli, tmp_path: Path) -> None:
    quiet = cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--explain-quiet", "--json").document["quiet"]
    assert len(quiet) == 10
    assert not {one["why"] for one in quiet} & {"raised", "joined", "continued", "explained"}
    assert all(one["sentence"] and one["sentence_en"] and one["tests"] for one in quiet)
    nearest = [min(test["p"] / test["level"] for test in one["tests"] if test["p"] and test["level"]) for one in quiet]
    assert nearest[0] < 10
    shown = cli("replay", RECORDING, "-d", tmp_path / "d", "--explain-quiet")
    assert "the largest non-alerts" in shown.said
    assert f"{quiet[9]['county']} {quiet[9]['signal']}" in shown.said
    assert all(one["sentence"] in shown.out and one["sentence_en"] in shown.out for one in quiet)
    told = {(one["county"], one["signal"], one["size"], one["window_start"]) for one in quiet}
    assert len(told) == 10
