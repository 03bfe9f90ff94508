"""A recording sent into a service of `--clock stream`: the same alert log as its replay, however it is sent."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from streams.core.instant import HOUR, format_instant
from streams.ledger.reader import LedgerReader
from streams.runtime.embedded import ResumeError
from streams.sources.inbox import FOLDER
from streams.sources.recording import RecordingReader
from tests.cli.commands import RECORDING, Cli
from tests.promises.lake import Outcome, piped, recorded_lines, stored_log
from tests.service.living import PROFILE, START, Living, event, kept_text, living, until

NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def expected() -> Outcome:
    """The whole recording through the three steps alone."""
    return piped(recorded_lines())


def header() -> bytes:
    return RecordingReader(RECORDING).header.line()


def accounts(outcome: Outcome) -> dict[str, int]:
    totals = outcome.accounting
    return {name: getattr(totals, name) for name in ("received", "counted", "duplicate", "late", "rejected")}


def sent_whole(service: Living, seed: int) -> None:
    """The recording in requests of all sizes."""
    random = np.random.default_rng(seed)
    lines = [header(), *recorded_lines()]
    while lines:
        size = int(random.choice([1, 2, 10, 100, 1000]))
        part, lines = lines[:size], lines[size:]
        answer = service.post(b"".join(part), **NDJSON)
        assert answer.status_code in (202, 400), answer.text
        assert len(answer.json()["verdicts"]) == len(part)


@pytest.mark.parametrize("seed", [1])
def test_however_it_is_cut_the_alert_log_and_the_accounts_are_the_replays(
    tmp_path: Path, seed: int, expected: Outcome, cli: Cli
) -> None:
    with living(tmp_path, clock="stream", checkpoint_seconds=0.2) as service:
        sent_whole(service, seed)
        assert {name: service.accounting()[name] for name in accounts(expected)} == accounts(expected)
    assert stored_log(tmp_path) == expected.log
    again = tmp_path / "again"
    ended = cli("replay", tmp_path / FOLDER, "--profile", PROFILE, "--data-dir", again, "--json")
    assert ended.code == 0, ended
    assert ended.document["alert_log_sha256"] == expected.log_sha256
    assert {name: ended.document[name] for name in accounts(expected)} == accounts(expected)
    with LedgerReader(tmp_path) as one, LedgerReader(again) as other:
        assert one.state_sha256() == other.state_sha256()
        assert one.rejection_totals() == other.rejection_totals()


def test_sent_by_the_command_stopped_and_begun_again(tmp_path: Path, expected: Outcome, cli: Cli) -> None:
    """In three calls, the second of which was cut off before it wrote down how far it got."""
    state = tmp_path / "sent"
    with living(tmp_path / "data", clock="stream") as service, pytest.MonkeyPatch.context() as patch:
        patch.setenv("JIANTU_TOKEN", service.client.headers["authorization"].removeprefix("Bearer "))
        send = ("send", "--to", service.url, "--state", state, "--json", "--batch", "700", "--profile", PROFILE)
        first = tmp_path / "first.jsonl"
        first.write_bytes(header() + b"".join(recorded_lines()[:3000]))
        # A longer copy of a recording is the same recording.
        ended = cli(*send, first)
        assert (ended.code, ended.document["record"]) == (0, 3000)
        kept = state.read_bytes()
        second = tmp_path / "second.jsonl"
        second.write_bytes(header() + b"".join(recorded_lines()[:5000]))
        assert cli(*send, second).document["record"] == 5000
        forgotten = msgspec.json.decode(kept)
        state.write_bytes(msgspec.json.encode(forgotten))
        ended = cli(*send, RECORDING)
        assert (ended.code, ended.document["record"]) == (0, len(recorded_lines()))
        assert ended.document["duplicate"] > expected.accounting.duplicate
        assert service.accounting()["counted"] == expected.accounting.counted
        assert cli(*send, RECORDING).document["record"] == len(recorded_lines())
    assert stored_log(tmp_path / "data") == expected.log


def test_a_stream_begins_with_the_hour_of_its_first_event_where_no_header_says(tmp_path: Path) -> None:
    with living(tmp_path, clock="stream") as service:
        refused = service.post(b"not json\n", **NDJSON)
        assert (refused.status_code, refused.json()["error"]) == (400, "not_begun")
        assert service.client.get("/version").json()["inbox"] is None
        sent = msgspec.json.encode(event(1, START + HOUR // 2)) + b"\n"
        assert service.post(sent, **NDJSON).json()["verdicts"] == ["counted"]
        tick = msgspec.json.encode({"tick": format_instant(START + 3 * HOUR)}) + b"\n"
        assert service.post(tick + b'{"tick":"noon"}\n', **NDJSON).json()["verdicts"] == [None, "rejected"]
        assert service.accounting()["windows_closed"] == 12
        # Its own clock says nothing.
        service.clock.advance(100 * HOUR)
        assert service.post(sent, **NDJSON).json()["verdicts"] == ["duplicate"]
        assert service.accounting()["windows_closed"] == 12


def test_what_a_topic_had_beside_a_record_is_not_kept(tmp_path: Path) -> None:
    frame = {"received": 1, "event": event(1, START), "carried": {"headers": [["who", "MTM4MDAxMzgwMDA="]]}}
    with living(tmp_path, clock="stream") as service:
        service.post(header() + msgspec.json.encode(frame) + b"\n", **NDJSON)
    assert b"carried" not in kept_text(tmp_path)


def test_live_data_does_not_join_what_was_replayed(tmp_path: Path) -> None:
    with living(tmp_path, clock="stream") as service:
        service.post(header(), **NDJSON)
        until(lambda: service.client.get("/version").json()["inbox"] is not None)
    with pytest.raises(ResumeError, match="holds replayed data, and live data may not join it"), living(tmp_path):
        pass


def test_the_data_directory_of_a_replay_is_not_taken_over(tmp_path: Path, cli: Cli) -> None:
    assert cli("replay", RECORDING, "--profile", PROFILE, "--data-dir", tmp_path, "--to", "2025-02-04").code == 0
    with pytest.raises(ResumeError, match="holds the run of another source"), living(tmp_path):
        pass
    assert not (tmp_path / FOLDER).exists()


def test_a_ledger_that_was_restored_without_its_inbox_says_what_to_put_back(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for directory in (mine, other):
        with living(directory, clock="stream") as service:
            service.post(b"".join([header(), *recorded_lines()[:10]]), **NDJSON)
    inbox = (mine / FOLDER).rename(tmp_path / "away")
    advice = "put inbox/ of the same backup back .*RUNBOOK"
    with pytest.raises(ResumeError, match=f"is missing beside the ledger.*{advice}"), living(mine, clock="stream"):
        pass
    (other / FOLDER).rename(mine / FOLDER)
    with pytest.raises(ResumeError, match=f"is not the inbox of the ledger.*{advice}"), living(mine, clock="stream"):
        pass
    (mine / FOLDER).rename(other / FOLDER)
    inbox.rename(mine / FOLDER)
    with living(mine, clock="stream") as service:
        assert service.accounting()["received"] > 0
