"""`streams.replay.replay`: what the embedded runtime does, as one Python call."""

import gzip
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

import streams.replay
from streams.core.alert_log import alert_log
from streams.core.instant import HOUR, format_instant, parse_instant
from streams.core.snapshot import state_sha256
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import SeriesLayout
from streams.profile import load
from streams.replay import AlertLogDiffersError, ReplayResult, compare_logs, replay
from streams.replay.expected import ExpectedLogError
from streams.replay.given import GivenEvent, given_lines
from streams.replay.scenario_result import alerts_of
from streams.runtime.embedded import EmbeddedRuntime
from streams.sources.contract import SourceError
from streams.sources.recording import RecordingReader

FOLDER = Path(__file__).parents[1] / "promises" / "lake_city"
RECORDING, LAKE = FOLDER / "recording.jsonl.zst", FOLDER / "profile.yaml"


@pytest.fixture(scope="module")
def lake() -> ReplayResult:
    return replay(RECORDING, profile=LAKE)


def recorded_lines() -> list[bytes]:
    with RECORDING.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    return text.splitlines()[1:-1]


# ---- a recording -------------------------------------------------------------------------------------------------


def test_it_is_what_the_embedded_runtime_does_to_the_last_byte_of_state(lake: ReplayResult, tmp_path: Path) -> None:
    profile = load(LAKE)
    with LedgerStore(tmp_path, SeriesLayout.of(profile.city), profile.retention) as store:
        run = EmbeddedRuntime(profile, RecordingReader(RECORDING), store, batch=777).run()
    with LedgerReader(tmp_path) as ledger:
        assert lake.alert_log == alert_log(ledger.transitions())
        assert lake.rejections == ledger.rejection_totals()
        assert len(lake.alerts) == len(ledger.alerts())
        assert alerts_of(reversed(ledger.transitions())) == lake.alerts
    assert lake.accounting == run.accounting
    assert lake.state_sha256 == state_sha256(run.state)
    assert lake.ending == "complete"


def test_everything_that_it_says_belongs_together(lake: ReplayResult) -> None:
    assert lake.accounting.balanced()
    assert sum(lake.rejections.values()) == lake.accounting.rejected > 0
    raised = [line for line in lake.alert_log_lines if line["transition"] == "raised"]
    assert [line["alert"] for line in raised] == [alert.raised.alert for alert in lake.alerts]
    assert len(lake.sentences()) == len(lake.sentences("en")) == len(lake.alerts) > 0
    assert all(sentence.endswith("。") for sentence in lake.sentences())


def test_a_batch_changes_nothing(lake: ReplayResult) -> None:
    assert replay(RECORDING, profile=LAKE, batch=313) == lake
    with pytest.raises(ValueError, match="at least 1"):
        replay(RECORDING, profile=LAKE, batch=0)


def test_a_data_directory_keeps_a_ledger_and_changes_nothing(lake: ReplayResult, tmp_path: Path) -> None:
    assert replay(RECORDING, profile=LAKE, data_dir=tmp_path) == lake
    assert replay(RECORDING, profile=LAKE, data_dir=tmp_path) == lake, "a second run finds nothing left to do"
    with LedgerReader(tmp_path) as ledger:
        assert len(ledger.alerts()) == len(lake.alerts)


def test_a_csv_is_read_through_its_profile(tmp_path: Path) -> None:
    rows = ["created,area,category,closed,status,id,source"]
    rows += [f"2014-03-0{day}T1{hour}:00:00,Dorchester,Other,,Open,{day}{hour},x" for day in (3, 4) for hour in (1, 2)]
    with gzip.open(tmp_path / "calls.csv.gz", "wt") as file:
        file.write("\n".join(rows) + "\n")
    result = replay(tmp_path / "calls.csv.gz", profile="boston311")
    assert result.accounting.received == result.accounting.counted == 4
    assert result.profile.name == "boston311"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        replay(tmp_path / "missing.jsonl.zst", profile=LAKE)
    cut = tmp_path / "cut.jsonl.zst"
    cut.write_bytes(RECORDING.read_bytes()[:-200])
    result = replay(cut, profile=LAKE)
    assert result.ending == "truncated"
    assert result.message


# ---- an expected log -----------------------------------------------------------------------------------------------


def test_an_expected_log_is_compared_and_shown(lake: ReplayResult, tmp_path: Path) -> None:
    kept = tmp_path / "kept.log"
    kept.write_bytes(lake.alert_log)
    assert replay(RECORDING, profile=LAKE, expect=kept) == lake
    assert lake.diff(kept) == lake.diff(str(kept)) == lake.diff(lake.alert_log) == ""
    first, *rest = lake.alert_log.splitlines(keepends=True)
    line = msgspec.json.decode(first)
    other = msgspec.json.encode(line | {"count": 999}) + b"\n" + b"".join(rest[:-1])
    with pytest.raises(AlertLogDiffersError, match="differences from the stored log") as caught:
        replay(RECORDING, profile=LAKE, expect=other)
    assert isinstance(caught.value, AssertionError)
    said = str(caught.value)
    assert f"count: 999 → {line['count']}" in said
    assert "多了 unexpected" in said
    assert lake.profile.city.counties[0].name not in said or line["county"] in said
    assert said == compare_logs(other, lake.alert_log, {c.code: c.name for c in lake.profile.city.counties} | {
        lake.profile.city.code: lake.profile.city.title
    })  # fmt: skip


def test_a_log_that_is_none_is_told(lake: ReplayResult, tmp_path: Path) -> None:
    with pytest.raises(ExpectedLogError, match="line 1"):
        lake.diff(b"hello\n")
    with pytest.raises(FileNotFoundError):
        lake.diff(tmp_path / "missing.log")


# ---- events that a caller hands over ---------------------------------------------------------------------------------


def test_the_lines_of_a_recording_give_what_the_recording_gives(lake: ReplayResult) -> None:
    """Also as text and as plain data, where they are that."""
    result = replay((_as_handed(number, line) for number, line in enumerate(recorded_lines())), profile=LAKE)
    assert result.alert_log == lake.alert_log
    assert result.accounting == lake.accounting
    assert result.state_sha256 == lake.state_sha256


def _as_handed(number: int, line: bytes) -> GivenEvent:
    try:
        decoded = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return line
    plain: GivenEvent = decoded if isinstance(decoded, dict) else line
    return (line, line.decode(), plain)[number % 3]


def event(at: str, number: int, county: str = "511102", category: str = "noise", **more: str) -> dict[str, str]:
    name = f"{number:032x}"
    return {
        "id": name, "ticket": name, "at": at, "county": county, "point": "hotline", "category": category,
        "kind": "accepted",
    } | more  # fmt: skip


def ticks(lines: list[bytes]) -> list[str]:
    decoded = [msgspec.json.decode(line) for line in lines]
    return [line["tick"] for line in decoded if "tick" in line]


def test_events_without_ticks_get_theirs_from_the_event_times() -> None:
    city = load("leshan").city
    events = [event("2026-03-02T13:59:59+08:00", 1), event("2026-03-02T16:00:00+08:00", 2)]
    made = given_lines(events, city)
    assert made.span == (parse_instant("2026-03-02T12:00:00+08:00"), parse_instant("2026-03-02T16:00:01+08:00"))
    assert [msgspec.json.decode(line).get("tick", "event")[11:16] for line in made.lines] == [
        "13:00", "", "14:00", "15:00", "16:00", "", "18:00",
    ]  # fmt: skip
    own = given_lines([*events, {"tick": "2026-03-02T17:00:00+08:00"}], city)
    assert ticks(own.lines) == ["2026-03-02T17:00:00+08:00"], "a caller who sends ticks sends all of them"
    result = replay(events, profile="leshan")
    assert (result.accounting.received, result.accounting.counted) == (2, 2)
    assert result.accounting.windows_closed == 11 * 4


def test_whatever_is_handed_over_is_accounted_for() -> None:
    good = event("2026-03-02T13:00:00+08:00", 1)
    pretty = msgspec.json.format(msgspec.json.encode(good | {"id": "f" * 32}))
    handed: list[GivenEvent] = [
        good,
        pretty,
        pretty.decode(),
        b"",
        b"\xff",
        "{}",
        b"[\n1]",
        "no\njson",
        good | {"note": "x"},
        good,
    ]
    result = replay(handed, profile=load("leshan"))
    accounting = result.accounting
    assert accounting.balanced()
    assert (accounting.received, accounting.counted, accounting.duplicate) == (10, 2, 2)
    assert dict(result.rejections) == {
        "empty": 2, "not_an_object": 1, "not_json": 1, "not_utf8": 1, "unknown_field": 1,
    }  # fmt: skip
    nothing = replay([], profile="leshan")
    assert (nothing.accounting.received, nothing.alert_log, nothing.ending) == (0, b"", "complete")


def test_an_always_page_event_of_one_line_is_an_alert() -> None:
    threat = event("2026-03-02T13:00:00+08:00", 1, category="life_threat")
    (alert,) = replay([threat], profile="leshan").alerts
    assert (alert.raised.county, alert.raised.evidence.shape) == ("511102", "always_page")


def test_events_can_be_kept_in_a_ledger_too(tmp_path: Path) -> None:
    events = [event("2026-03-02T13:00:00+08:00", 1, category="life_threat")]
    assert replay(events, profile="leshan", data_dir=tmp_path) == replay(iter(events), profile="leshan")


def test_events_do_not_say_whose_they_are() -> None:
    with pytest.raises(TypeError, match="name a profile"):
        replay([])


@settings(max_examples=15)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=30), st.integers(1, 40))
def test_ticks_never_make_an_event_in_order_late(minutes: list[int], batch: int) -> None:
    start = parse_instant("2026-03-02T12:00:00+08:00")
    times = sorted(start + minute * HOUR // 4 for minute in minutes)
    events = [event(format_instant(at), number) for number, at in enumerate(times)]
    result = replay(events, profile="leshan", batch=batch)
    assert result.accounting.counted == len(events)


def test_the_package_is_light_until_a_replay_is_asked_for() -> None:
    """Every pytest run of every team that has jiantu installed imports it, for the plugin."""
    program = (
        "import sys, streams.replay, streams.replay.pytest_plugin\n"
        "heavy = {'numpy', 'numba', 'pydantic', 'msgspec', 'sqlite3', 'rich', 'zstandard'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
        "from streams.replay import replay\nprint(callable(replay))\n"
        "import streams\nprint(streams.replay.replay is replay)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:3] == ["[]", "True", "True"]
    with pytest.raises(AttributeError, match="nothing"):
        getattr(streams.replay, "nothing")  # noqa: B009 - not known when types are checked
